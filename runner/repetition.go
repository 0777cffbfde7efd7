package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

const (
	// closeGrace is how long taking down the containers of a repetition may last, beside the time that its services get to end.
	closeGrace = 30 * time.Second
	// startGrace is how long an engine may take, beside the time of the repetition, to say why a service was not ready.
	startGrace = 5 * time.Second
	// logGrace is how long reading the logs of a failed repetition may last.
	logGrace = 10 * time.Second
)

// Bounds of what a failed repetition keeps, in bytes.
const (
	maxLog     = 4 << 10 // of each service, and of the load
	maxFailure = 1 << 10
)

// LeftError is that containers are still there which should not be. Nothing can be measured beside them.
type LeftError struct{ Err error }

func (e *LeftError) Error() string { return "containers could not be removed: " + e.Err.Error() }

func (e *LeftError) Unwrap() error { return e.Err }

func (r *run) driver(t *plan.Trial) load.Driver {
	if t.Command != nil {
		return r.Commands
	}
	if t.Load.Tool != "" {
		return r.Tools[t.Load.Tool]
	}
	return r.Requests
}

// repetition measures a trial once. An error means that we could not; what goes wrong with the benchmark is in the record. There
// may be both: what was measured before its containers could not be removed.
func (r *run) repetition(ctx context.Context, step plan.Step) (*record.Record, error) {
	rec := &record.Record{
		SchemaVersion: record.SchemaVersion, Article: r.plan.Article, Experiment: r.experiment.Name, Trial: step.Trial.Name,
		Key: step.Trial.Key, Run: r.id, Plan: r.experiment.Digest, Profile: r.plan.Profile, Host: r.Host.ID,
		Repetition: step.Repetition, Planned: r.experiment.Repetitions, Calibration: step.Trial.Calibration,
		Parameters: step.Trial.Parameters, Labels: step.Trial.Labels,
		Order:   record.Order{Seed: r.experiment.Seed, Round: step.Round, Position: r.position(step), Of: len(r.experiment.Steps)},
		Started: time.Now().UTC(), Parts: map[string]float64{},
		Definition: step.Trial.Definition, Inputs: step.Trial.Inputs, Facts: maps.Clone(r.facts),
	}
	maps.Copy(rec.Facts, r.imageFacts(step.Trial))
	r.ownFacts(step.Trial, rec.Facts)
	rec.Facts["placement.services"], rec.Facts["placement.load"] = r.servicesPlace(step.Trial), r.loadPlace(step.Trial)
	begin := time.Now()
	space, err := r.Engine.Open(ctx, r.id)
	if err != nil {
		return nil, err
	}
	rec.Parts["start"] = time.Since(begin).Seconds()
	// The time of a repetition ends with its measurement: how long taking it down lasts says nothing about it.
	bounded, cancel := context.WithTimeout(ctx, r.experiment.Timeout-time.Since(begin))
	defer cancel()
	m, err := r.drive(ctx, bounded, space, step.Trial, rec)
	deadline, _ := bounded.Deadline()
	tooLong, cancelled := !time.Now().Before(deadline), ctx.Err()
	begin = time.Now()
	closeErr := closeSpace(ctx, space, longestStop(step.Trial))
	rec.Parts["stop"] += time.Since(begin).Seconds()

	var notReady *engine.NotReadyError
	var rejected *engine.RejectedError
	switch {
	case err == nil:
	case cancelled != nil:
		return nil, errors.Join(cancelled, closeErr)
	case tooLong:
		m = load.Measurement{Failure: fmt.Sprintf("the repetition took longer than %v", r.experiment.Timeout), Log: m.Log}
	case errors.As(err, &notReady):
		m = load.Measurement{Failure: notReady.Error(), Log: m.Log}
	case errors.As(err, &rejected):
		m = load.Measurement{Failure: rejected.Error(), Log: m.Log}
	default:
		return nil, errors.Join(err, closeErr)
	}
	rec.Samples, rec.Histograms, rec.Load, rec.Command, rec.Output = m.Samples, m.Histograms, m.Load, m.Command, m.Output
	if m.Failure != "" {
		rec.Failure, rec.Log = m.Failure, m.Log
	}
	maps.Copy(rec.Facts, m.Facts)
	rec.Ended = time.Now().UTC()
	rec.Redact()
	rec.Failure = clip(rec.Failure, maxFailure) // a secret that was cut in two would not be found
	return rec, closeErr
}

func (r *run) position(step plan.Step) int {
	return 1 + slices.IndexFunc(r.experiment.Steps, func(s plan.Step) bool {
		return s.Trial == step.Trial && s.Repetition == step.Repetition
	})
}

// drive starts the services of a trial and measures, until bounded is done. What there is of logs is in the measurement of a
// repetition that failed, also beside an error.
func (r *run) drive(ctx, bounded context.Context, space engine.Space, t *plan.Trial, rec *record.Record) (m load.Measurement, err error) {
	lap := time.Now()
	part := func(name string) {
		rec.Parts[name] += time.Since(lap).Seconds()
		lap = time.Now()
	}
	var running []engine.Running
	defer func() {
		if (err != nil || m.Failure != "") && ctx.Err() == nil {
			m.Log = logs(ctx, m.Log, running, err)
			part("stop")
		}
	}()
	for _, s := range t.Services {
		started, err := r.start(ctx, bounded, space, t, s)
		running = append(running, started...)
		if err != nil {
			part("start")
			return load.Measurement{}, err
		}
	}
	part("start")
	at := load.Place{Space: space, CPUSet: r.loadPlace(t), Cores: r.placement.LoadCores, Services: map[string]engine.Running{},
		Seed:  uint64(rec.Order.Seed) + uint64(rec.Order.Round),
		Image: func(i plan.Image) engine.Prepared { return r.images[imageKey(i)].Prepared }}
	for _, service := range running {
		at.Services[service.Name()] = service
	}
	if cpus, ok := parseCPUs(at.CPUSet); ok {
		at.Cores = len(cpus)
	}
	sampler := watch(bounded, running)
	m, err = r.driver(t).Measure(bounded, at, r.withRate(t))
	sampler.finish()
	if err != nil {
		return m, err
	}
	lateness(bounded, t, running, rec.Facts)
	m.Samples = append(m.Samples, sampler.samples(&m)...)
	limited := map[string]bool{}
	for _, s := range t.Services {
		limited[s.Name] = s.CPUs > 0
	}
	rec.Machine = sampler.machine(&m, limited)
	spent := time.Since(lap)
	rec.Parts["warmup"] = m.Warmup.Seconds()
	rec.Parts["measure"] = measured(m).Seconds()
	rec.Parts["start"] += (spent - m.Warmup - measured(m)).Seconds() // the load's own container
	lap = time.Now()
	return m, nil
}

// start starts a service, and the link before it if there is one. What was started comes back beside an error too.
func (r *run) start(ctx, bounded context.Context, space engine.Space, t *plan.Trial, s *plan.Service) ([]engine.Running, error) {
	service, err := r.service(s)
	if err != nil {
		return nil, err
	}
	service.Files = append(service.Files, r.driver(t).Files(t, s.Name)...)
	if s.Link == nil {
		running, err := startOne(ctx, bounded, space, service)
		if err != nil {
			return nil, err
		}
		return []engine.Running{running}, nil
	}
	service.Name += behindLink
	behind, err := startOne(ctx, bounded, space, service)
	if err != nil {
		return nil, knownAs(err, service.Name, s.Name)
	}
	running := []engine.Running{known{behind, s.Name}}
	relay, err := r.relayBefore(s)
	if err != nil {
		return running, err
	}
	before, err := startOne(ctx, bounded, space, relay)
	if err != nil {
		return running, knownAs(err, s.Name, s.Name+linkSuffix)
	}
	return append(running, known{before, s.Name + linkSuffix}), nil
}

// startOne starts a container. Its time to become ready ends with that of the repetition, so that it can still say what it waited
// for.
func startOne(ctx, bounded context.Context, space engine.Space, service engine.Service) (engine.Running, error) {
	deadline, _ := bounded.Deadline() // it has one
	left := time.Until(deadline)
	if left <= 0 {
		return nil, bounded.Err()
	}
	if service.Ready.Timeout == 0 || left < service.Ready.Timeout {
		service.Ready.Timeout = min(left, cmp.Or(service.Ready.Timeout, defaultReady))
	}
	ctx, cancel := context.WithTimeout(ctx, left+startGrace)
	defer cancel()
	return space.Start(ctx, service)
}

// defaultReady is the time that a service gets to become ready, as package engine has it.
const defaultReady = time.Minute

// logs adds the ends of what services wrote to that of the load. The error may be that of a service that is gone, with its log.
func logs(ctx context.Context, load string, running []engine.Running, err error) string {
	ctx, cancel := context.WithTimeout(ctx, logGrace)
	defer cancel()
	all := tail(load, maxLog)
	add := func(name string, log []byte) {
		if len(log) > 0 {
			all += "\n" + name + " wrote:\n" + tail(string(log), maxLog)
		}
	}
	for _, s := range running {
		if log, err := said(ctx, s); err == nil {
			add(s.Name(), log)
		}
	}
	if notReady := (*engine.NotReadyError)(nil); errors.As(err, &notReady) {
		add(notReady.Service, notReady.Log)
	}
	return strings.TrimSpace(all)
}

// measured is the time that was measured: the window of a load, or the run of a command.
func measured(m load.Measurement) time.Duration {
	if m.Length > 0 {
		return m.Length
	}
	for _, s := range m.Samples {
		if s.Metric == "time.real" {
			return time.Duration(s.Value * float64(time.Second))
		}
	}
	return 0
}

func tail(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = s[len(s)-most:]
	return strings.ToValidUTF8(s[strings.IndexByte(s, '\n')+1:], "")
}

// clip leaves out the middle of what is too long: its beginning says what failed, and its end why.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most/2], "") + " … " + strings.ToValidUTF8(s[len(s)-most/2:], "")
}

// longestStop is the longest time that a service of a trial gets to end.
func longestStop(t *plan.Trial) time.Duration {
	longest := time.Duration(0)
	for _, s := range t.Services {
		longest = max(longest, s.StopGrace)
	}
	return longest
}

// closeSpace takes a space down, whose services may take as long as stop to end. A cancelled run does not wait for them: they are
// killed, and removed all the same.
func closeSpace(ctx context.Context, space engine.Space, stop time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, stop+closeGrace)
	defer cancel()
	if err := space.Close(ctx); err != nil {
		return &LeftError{err}
	}
	return nil
}

// servicesPlace says on which CPUs the services of a trial run: one set, or each service with its own.
func (r *run) servicesPlace(t *plan.Trial) string {
	var sets, each []string
	for _, s := range t.Services {
		set := cmp.Or(s.CPUSet, r.placement.Services)
		sets, each = append(sets, set), append(each, s.Name+" "+set)
	}
	slices.Sort(sets)
	switch sets = slices.Compact(sets); len(sets) {
	case 0:
		return r.placement.Services
	case 1:
		return sets[0]
	}
	return strings.Join(each, "; ")
}

// loadPlace says on which CPUs the load or the command of a trial runs.
func (r *run) loadPlace(t *plan.Trial) string {
	if t.Load != nil && t.Load.CPUSet != "" {
		return t.Load.CPUSet
	}
	return r.placement.Load
}

func (r *run) service(s *plan.Service) (engine.Service, error) {
	out := engine.Service{
		Name: s.Name, Image: r.images[imageKey(s.Image)].Prepared, Entrypoint: s.Entrypoint, Command: s.Command, Environment: s.Environment,
		Expose: s.Expose, WorkingDir: s.WorkingDir, User: s.User, CPUSet: cmp.Or(s.CPUSet, r.placement.Services), Memory: s.Memory,
		Tmpfs: s.Tmpfs, ShmSize: s.ShmSize, ReadOnly: s.ReadOnly, Init: s.Init, StopSignal: s.StopSignal, StopGrace: s.StopGrace,
		Hostname: s.Hostname, CPUs: s.CPUs, Sysctls: s.Sysctls, CapAdd: s.CapAdd, CapDrop: s.CapDrop, SecurityOpt: s.SecurityOpt,
		Ready: engine.Ready{HTTP: s.Ready.HTTP, Port: s.Ready.Port, Log: s.Ready.Log, Times: s.Ready.Times,
			Command: s.Ready.Command, Timeout: s.Ready.Timeout},
	}
	for _, name := range slices.Sorted(maps.Keys(s.Ulimits)) {
		limit := s.Ulimits[name]
		out.Ulimits = append(out.Ulimits, engine.Ulimit{Name: name, Soft: int64(limit.Soft), Hard: int64(limit.Hard)})
	}
	for _, f := range s.Configs {
		out.Files = append(out.Files, engineFile(f))
	}
	if s.Origin != nil {
		config, err := originEnvironment(s)
		if err != nil {
			return engine.Service{}, err
		}
		out.Image, out.Environment = r.own[originName].image, []string{config}
	}
	return out, nil
}
