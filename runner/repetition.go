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

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/output"
	"benchbook/runner/load"
	"benchbook/runner/observe"
	"benchbook/runner/search"
)

const (
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

// driver puts the load of a trial on, or times its command.
func (r *Runner) driver(t *plan.Trial) load.Driver {
	if t.Command != nil {
		return r.Commands
	}
	if t.Load.Tool != "" {
		return r.Tools[t.Load.Tool]
	}
	return r.Requests
}

// Measure measures a trial once. An error means that we could not; what goes wrong with the benchmark is in the record. There
// may be both: what was measured before its containers could not be removed.
func (r *run) Measure(ctx context.Context, step plan.Step) (*record.Record, error) {
	rec := r.NewRecord(step)
	if r.bench.unshared != nil {
		rec.Failure, rec.Log = r.bench.unshared.failure, r.bench.unshared.log
		rec.Ended = rec.Started
		return r.finished(rec), nil
	}
	if err := r.before(ctx, rec); err != nil {
		return nil, err
	}
	begin := time.Now()
	space, err := r.bench.open(ctx)
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
	givenUp := tooLong && r.bench.entersShared(step.Trial) || m.GivenUp && r.bench.isShared(step.Trial.Command.Service)
	failure, log, isResult := failureOf(err)
	if err != nil && tooLong {
		failure, isResult = fmt.Sprintf("the repetition took longer than %v", r.experiment.Timeout), true
	}
	if isResult {
		m = load.Measurement{Failure: failure, Log: joinLogs(log, m.Log)}
	}
	if endless := notFinite(m.Samples); err == nil && endless != "" {
		m = load.Measurement{Failure: endless, Log: m.Log, Output: m.Output, Facts: m.Facts}
	}
	if givenUp && r.bench.shared != nil {
		r.bench.shared.spoilt = "a command in a shared service may still run, as its time was over"
	}
	begin = time.Now()
	closeErr := r.leave(ctx, space, step, cancelled == nil && (err == nil || isResult) && m.Failure != "")
	rec.Parts["stop"] += time.Since(begin).Seconds()
	switch {
	case err == nil:
	case cancelled != nil:
		return nil, errors.Join(cancelled, closeErr)
	case !isResult:
		return nil, errors.Join(err, closeErr)
	}
	if m.Failure != "" && closeErr != nil {
		// An engine that stops ends what runs on it: that is not for certain the benchmark's fault, and will be measured.
		return nil, fmt.Errorf("%s, and then: %w", m.Failure, closeErr)
	}
	rec.Samples, rec.Histograms, rec.Load, rec.Command, rec.Output = m.Samples, m.Histograms, m.Load, m.Command, m.Output
	if m.Failure != "" {
		rec.Failure, rec.Log = m.Failure, m.Log
	}
	maps.Copy(rec.Facts, m.Facts)
	_, r.disturbed = dataset.Disturbed(rec)
	rec.Ended = time.Now().UTC()
	return r.finished(rec), closeErr
}

// NewRecord is the record of a repetition before it begins.
func (r *run) NewRecord(step plan.Step) *record.Record {
	rec := &record.Record{
		SchemaVersion: record.SchemaVersion, Article: r.plan.Article, Experiment: r.experiment.Name, Trial: step.Trial.Name,
		Key: step.Trial.Key, Run: r.id, Plan: r.experiment.Digest, Plans: r.plans, Profile: r.plan.Profile, Host: r.Host.ID,
		Repetition: step.Repetition, Planned: r.experiment.Repetitions, Calibration: step.Trial.Calibration,
		Parameters: step.Trial.Parameters, Labels: step.Trial.Labels,
		Order:   record.Order{Seed: r.experiment.Seed, Round: step.Round, Position: r.position(step), Of: len(r.experiment.Steps), Replaces: step.Replaces},
		Started: time.Now().UTC(), Parts: map[string]float64{},
		Definition: step.Trial.Definition, Inputs: step.Trial.Inputs, Facts: maps.Clone(r.facts),
	}
	maps.Copy(rec.Facts, r.images().Facts(step.Trial))
	for fact, cpus := range map[string]string{plan.FactServicesPlace: r.layout().ServiceCPUs(step.Trial), plan.FactLoadPlace: r.layout().LoadCPUs(step.Trial)} {
		if cpus != "" { // else all of a node
			rec.Facts[fact] = cpus
		}
	}
	if revision := r.options.Revisions[r.plan.Article]; revision != "" {
		rec.Facts[record.FactRevision] = revision
	}
	if len(step.Trial.Adapted) > 0 {
		rec.Facts[plan.FactAdapted] = strings.Join(step.Trial.Adapted, "; ")
	}
	r.bench.sharedFacts(rec)
	r.layout().AddFacts(step.Trial, rec.Facts)
	return rec
}

// finished takes out of a record what must not be kept.
func (r *run) finished(rec *record.Record) *record.Record {
	r.Redact(rec)
	rec.Failure = clip(rec.Failure, maxFailure) // a secret that was cut in two would not be found
	return rec
}

// joinLogs puts one log before another.
func joinLogs(a, b string) string { return strings.TrimSpace(a + "\n" + b) }

// leave takes down what a repetition started, unless it is kept for somebody to look at.
func (r *run) leave(ctx context.Context, space engine.Space, step plan.Step, failed bool) error {
	if ctx.Err() != nil || !r.keeping.always && !(failed && r.keeping.failed) {
		return engine.CloseSpace(ctx, space, longestStop(r.bench.fresh(step.Trial)))
	}
	kept := &Kept{Article: r.plan.Article, Experiment: r.experiment.Name, Trial: step.Trial.Name}
	if err := r.bench.keep(ctx, space, kept); err != nil {
		return err
	}
	r.summary.Kept = kept
	return nil
}

// position is the place of a repetition in the experiment, from 1: those that were not planned come after all that were. That of a probe
// of a search is 0.
func (r *run) position(step plan.Step) int {
	if step.Replaces > 0 {
		return len(r.experiment.Steps) + r.replaced + 1
	}
	return 1 + slices.IndexFunc(r.experiment.Steps, func(s plan.Step) bool {
		return s.Trial.Name == step.Trial.Name && s.Repetition == step.Repetition
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
	if r.bench.shared != nil {
		running = append(running, r.bench.shared.running...)
	}
	metrics := r.seek(bounded, running)
	at := r.layout().LoadPlace(space, t)
	at.Seed, at.Image = uint64(rec.Order.Seed)+uint64(rec.Order.Round), r.images().Prepared
	at.KeepStdout = slices.ContainsFunc(metrics, func(s sought) bool { return s.Stream == "stdout" })
	at.Standby = r.standBy(bounded, at, t, metrics)
	defer at.Standby.End() // its space must not be left before
	started, err := r.bench.startAll(ctx, bounded, space, t, r.bench.fresh(t))
	running = append(running, started...)
	if err != nil {
		part("start")
		return load.Measurement{}, err
	}
	at.Standby.Started(bounded) // what is timed from here on has no container beside it that is being started
	part("start")
	atWork := working(running)
	services := byName(atWork)
	at.Services = services
	var prepared, concluded string
	if len(t.Prepare) > 0 {
		prepared, err = runHooks(bounded, "prepare", t.Prepare, t, services)
		part("prepare")
	}
	if err == nil {
		m, err = r.drives(bounded, at, t, atWork, rec)
		lap = time.Now()
		if err == nil && m.Failure != "" {
			m.Failure = cmp.Or(unreached(bounded, t, services), m.Failure)
		}
	}
	if len(t.Conclude) > 0 && ctx.Err() == nil {
		var failed error
		concluded, failed = conclude(ctx, bounded, t, services)
		part("conclude")
		if err == nil && m.Failure == "" {
			err = failed
		}
	}
	if err = r.blamed(ctx, bounded, atWork, err); err != nil || m.Failure != "" {
		return m, err
	}
	if r.verifier != nil {
		return m, nil
	}
	if m.Wrote == nil {
		m.Wrote = map[string]string{}
	}
	m.Wrote["prepare"] = prepared + m.Wrote["prepare"]
	m.Wrote["conclude"] += concluded
	// The time of the repetition may have ended with the hooks after it, which have their own.
	reading, cancel := context.WithTimeout(ctx, logGrace)
	defer cancel()
	find(reading, metrics, &m, running, rec)
	return m, ctx.Err() // one that was interrupted now lacks what was left out since
}

// standBy starts the program of the load while the services start, where that can be done: nil where it cannot. It is not done beside
// services whose logs are looked through for metrics, as these may be times of the start itself.
func (r *run) standBy(bounded context.Context, at load.Place, t *plan.Trial, metrics []sought) *load.Standby {
	starter, ok := r.driver(t).(load.Starter)
	if !ok || r.verifier != nil || slices.ContainsFunc(metrics, func(s sought) bool { return s.Stream == "log" }) {
		return nil
	}
	return starter.StandBy(bounded, at, search.WithRate(t, r.rates))
}

// conclude runs the hooks after a repetition, whatever that came to.
func conclude(ctx, bounded context.Context, t *plan.Trial, services map[string]engine.Running) (string, error) {
	if bounded.Err() != nil {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, concludeGrace)
		defer cancel()
	}
	return runHooks(bounded, "conclude", t.Conclude, t, services)
}

// blamed makes it a result that a service has ended, if the repetition did not come to its end, or the service not to a good one: whatever
// was measured beside it is not what the article is about. One that is done with its work may end. A shared one must not end in any case:
// what comes next needs it. One that the engine has taken away, or knows nothing of any more, makes it an error: what was measured beside
// that says nothing about the service, whether it was good or not.
func (r *run) blamed(ctx, bounded context.Context, running []engine.Running, err error) error {
	if ctx.Err() != nil {
		return err
	}
	if died := r.bench.died(ctx); died != "" {
		return &resultError{failure: died}
	}
	if _, _, isResult := failureOf(err); isResult || bounded.Err() != nil {
		return err
	}
	for _, s := range running {
		exit, ended, lookErr := s.Ended(ctx)
		if lookErr != nil {
			return errors.Join(lookErr, err)
		}
		if isFault := err != nil || exit.Code != 0 || exit.OutOfMemory; ended && isFault {
			return &resultError{failure: fmt.Sprintf("service %q %s", s.Name(), endedAs(ctx, s))}
		}
	}
	return err
}

// measureIn measures a trial once, whose services are ready, and samples them meanwhile.
func (r *run) measureIn(bounded context.Context, at load.Place, t *plan.Trial, running []engine.Running, rec *record.Record) (load.Measurement, error) {
	begin := time.Now()
	sampler := observe.Watch(bounded, running)
	at.Space = sampler.Space(at.Space)
	started := at.Standby.Started(bounded)
	for _, program := range started {
		sampler.AddLoad(program)
		sampler.NoteLoadCPUs(bounded, program)
	}
	m, err := r.driver(t).Measure(bounded, at, search.WithRate(t, r.rates))
	for _, program := range started {
		sampler.RemoveLoad(program)
	}
	sampler.Finish()
	r.layout().ToOurClock(t, &m)
	if err != nil {
		return m, err
	}
	lateness(bounded, t, running, m.Length, rec.Facts)
	if err := r.layout().AddReadings(bounded, sampler, t, &m); err != nil {
		return m, err
	}
	m.Samples = append(m.Samples, sampler.Samples(&m)...)
	limited := map[string]bool{}
	for _, s := range t.Services {
		limited[s.Name] = s.CPUs > 0
	}
	rec.Machine = sampler.Machine(&m, limited)
	rec.Parts["warmup"] = m.Warmup.Seconds()
	rec.Parts["measure"] = measured(m).Seconds()
	rec.Parts["load"] = (time.Since(begin) - m.Warmup - measured(m)).Seconds()
	return m, nil
}

// logs adds the ends of what services wrote to that of the load. The error may be that of a service that is gone, with its log.
func logs(ctx context.Context, load string, running []engine.Running, err error) string {
	ctx, cancel := context.WithTimeout(ctx, logGrace)
	defer cancel()
	all := output.LastLines(load, maxLog)
	add := func(name string, log []byte) {
		if len(log) > 0 {
			all += "\n" + name + " wrote:\n" + output.LastLines(string(log), maxLog)
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

// clip leaves out the middle of what is too long: its beginning says what failed, and its end why.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most/2], "") + " … " + strings.ToValidUTF8(s[len(s)-most/2:], "")
}

// longestStop is the longest time that one of some services gets to end.
func longestStop(services []*spec.Service) time.Duration {
	longest := time.Duration(0)
	for _, s := range services {
		longest = max(longest, s.StopGrace)
	}
	return longest
}
