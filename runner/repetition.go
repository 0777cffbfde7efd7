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
	"benchbook/notebook/validity"
	"benchbook/runner/engine"
	"benchbook/runner/load"
	"benchbook/runner/observe"
	"benchbook/runner/search"
)

const (
	// startGrace is how long an engine may take, after the time of the repetition, to say why a service was not ready.
	startGrace = 5 * time.Second
	// logGrace is how long reading the logs of a failed repetition may last.
	logGrace = 10 * time.Second
)

// Bounds of what a failed repetition keeps, in bytes.
const (
	maxLog     = 4 << 10 // of each service, and of the load
	maxFailure = 1 << 10
)

// A repetition is a trial being measured once.
type repetition struct {
	*bench
	ctx, bounded context.Context // bounded ends with the time of the repetition
	step         plan.Step       // its trial has the values of secrets
	rec          *record.Record

	services *services          // of its own, which may be up already
	running  []engine.Container // services, those that are shared included
	metrics  []wantedMetric
	place    load.Place
	lap      time.Time // when the present part of its time began
}

// keep says when the services of a repetition stay up: for somebody to look at if it fails, or in any case, or for the
// repetition after it.
type keep struct{ failed, always, forNext bool }

// keepAfter returns what holds for the services of a step, when those after it are left.
func (b *bench) keepAfter(step plan.Step) keep {
	next := b.work.Steps
	return keep{failed: b.options.Keep, always: b.options.KeepLast && len(next) == 0 && b.left == 0,
		forNext: b.experiment.Blocks && len(next) > 0 && next[0].Trial == step.Trial}
}

// Measure measures a trial once. An error means that we could not; what goes wrong with the benchmark is in the record.
// There may be both: what was measured before its containers could not be removed.
func (b *bench) Measure(ctx context.Context, step plan.Step) (*record.Record, error) {
	return b.repeat(ctx, step, keep{}, (*repetition).observeLoad)
}

// repeat carries out one repetition, with a way to put the load on.
func (b *bench) repeat(ctx context.Context, step plan.Step, keep keep,
	drive func(*repetition) (load.Measurement, error)) (*record.Record, error) {
	rec := b.NewRecord(step)
	step.Trial = b.secrets().put(step.Trial)
	if failed := b.unshared; failed != nil {
		rec.Failure, rec.Log, rec.Ended = failed.failure, failed.log, rec.Started
		return b.finished(rec), nil
	}
	p := &repetition{bench: b, ctx: ctx, step: step, rec: rec}
	begin, err := p.enter()
	if err != nil {
		return nil, err
	}
	// The time of a repetition ends with its measurement: how long taking it down lasts says nothing about it.
	var cancel context.CancelFunc
	p.bounded, cancel = context.WithTimeout(ctx, b.experiment.Timeout-time.Since(begin))
	defer cancel()
	m, err := p.measure(drive)
	m, isResult := p.judge(m, err)
	cancelled := ctx.Err()
	p.lap = time.Now()
	closeErr := p.leave(keep, err == nil && isClean(&m),
		cancelled == nil && (err == nil || isResult) && m.Failure != "")
	p.endPart("stop")
	switch {
	case err != nil && cancelled != nil:
		return nil, errors.Join(cancelled, closeErr)
	case err != nil && !isResult:
		return nil, errors.Join(err, closeErr)
	case m.Failure != "" && closeErr != nil:
		// An engine that stops ends what runs on it. That may not be the benchmark's fault, and is measured again.
		return nil, fmt.Errorf("%s, and then: %w", m.Failure, closeErr)
	}
	rec.Samples, rec.Histograms, rec.Load, rec.Command, rec.Output = m.Samples, m.Histograms, m.Load, m.Command, m.Output
	if m.Failure != "" {
		rec.Failure, rec.Log = m.Failure, m.Log
	}
	maps.Copy(rec.Facts, m.Facts)
	_, b.disturbed = validity.Disturbed(rec)
	rec.End(time.Now(), time.Since(rec.Started))
	return b.finished(rec), closeErr
}

// NewRecord returns the record of a repetition before it begins.
func (b *bench) NewRecord(step plan.Step) *record.Record {
	t, e := step.Trial, b.experiment
	rec := &record.Record{
		SchemaVersion: record.SchemaVersion, Article: b.plan.Article, Experiment: e.Name, Trial: t.Name, Key: t.Key,
		Run: b.id, Plan: e.Digest, Plans: b.plans, Profile: b.plan.Profile, Host: b.Host.ID,
		Repetition: step.Repetition, Planned: e.Most(), Looks: e.Looks, Calibration: t.Calibration,
		Parameters: t.Parameters, Labels: t.Labels,
		Order: record.Order{Seed: e.Seed, Round: step.Round, Position: b.position(step), Of: len(e.Steps),
			Replaces: step.Replaces},
		Started: time.Now().UTC(), Parts: map[string]float64{},
		Definition: t.Definition, Inputs: t.Inputs, Facts: maps.Clone(b.facts),
	}
	maps.Copy(rec.Facts, b.images().Facts(t))
	loadCPUs, _ := b.layout().loadCPUs(t)
	for fact, cpus := range map[string]string{plan.FactServicesPlace: b.layout().serviceCPUs(t),
		plan.FactLoadPlace: loadCPUs} {
		if cpus != "" { // else all of a node
			rec.Facts[fact] = cpus
		}
	}
	rec.Facts[record.FactRevision] = cmp.Or(b.options.Revision, record.NoRevision+"not asked for")
	if len(t.Adapted) > 0 {
		rec.Facts[plan.FactAdapted] = strings.Join(t.Adapted, "; ")
	}
	if e.Outside {
		rec.Facts[record.FactTarget] = record.RunningTarget
	}
	b.sharedFacts(rec)
	b.layout().addFacts(t, rec.Facts)
	return rec
}

// position returns the place of a repetition in the experiment, from 1: repetitions that were not planned come after
// all planned ones. That of a probe of a search is 0.
func (b *bench) position(step plan.Step) int {
	if step.Replaces > 0 {
		return len(b.experiment.Steps) + b.replaced + 1
	}
	return 1 + slices.IndexFunc(b.experiment.Steps, func(s plan.Step) bool {
		return s.Trial.Name == step.Trial.Name && s.Repetition == step.Repetition
	})
}

// enter takes over the services that stayed up for the repetition. Otherwise it opens a space for its own, when the
// machine has come to rest. It returns when the time of the repetition began.
func (p *repetition) enter() (begin time.Time, err error) {
	begin = time.Now()
	if p.services, err = p.takeOver(p.ctx, p.step.Trial); p.services == nil && err == nil {
		if err := p.settle(p.ctx, p.rec); err != nil {
			return begin, err
		}
		begin = time.Now()
		p.services, err = p.newServices(p.ctx, p.step.Trial)
	}
	p.rec.Parts["start"], p.lap = time.Since(begin).Seconds(), time.Now()
	return begin, err
}

// settle waits until all machines of the experiment have come to rest, and longer if one of them disturbed the
// repetition before, except in profile quick. The error is that of the context, or that another machine cannot be asked.
func (b *bench) settle(ctx context.Context, rec *record.Record) (err error) {
	if b.Settler == nil {
		return nil
	}
	began := time.Now()
	rec.Before, err = b.layout().settle(ctx, b.Settler, b.disturbed && b.plan.Profile != plan.Quick)
	rec.Parts["settle"] = time.Since(began).Seconds()
	return err
}

// endPart adds the time since the last part to one of the repetition.
func (p *repetition) endPart(name string) {
	p.rec.Parts[name] += time.Since(p.lap).Seconds()
	p.lap = time.Now()
}

// measure starts the services, puts the load on between the hooks, and reads the metrics. The measurement of a
// repetition that failed has the logs, also beside an error.
func (p *repetition) measure(drive func(*repetition) (load.Measurement, error)) (m load.Measurement, err error) {
	if shared := p.shared; shared != nil {
		p.running = slices.Clone(shared.running)
	}
	if !p.isCheck {
		p.metrics = p.wantedMetrics(p.bounded, slices.Concat(p.running, p.services.running))
	}
	cpus, cores := p.layout().loadCPUs(p.step.Trial)
	p.place = load.Place{CPUSet: cpus, Cores: cores, Host: p.experiment.LoadHost(p.step.Trial),
		Ahead: p.layout().loadAhead(p.step.Trial), Image: p.images().Prepared,
		Seed: uint64(p.rec.Order.Seed) + uint64(p.rec.Order.Round)}
	p.place.KeepStdout = slices.ContainsFunc(p.metrics, func(m wantedMetric) bool { return m.Stream == "stdout" })
	if p.services.began.IsZero() {
		err = p.startAll()
	}
	p.place.Load = p.services.load
	p.running = append(p.running, p.services.running...)
	if p.experiment.Blocks {
		p.rec.Facts[record.FactStart] = p.services.began.Format(startFormat)
	}
	p.endPart("start")
	if err == nil {
		m, err = p.measureReady(drive)
	}
	if (err != nil || m.Failure != "") && p.ctx.Err() == nil {
		m.Log = logs(p.ctx, m.Log, p.running, err)
		p.endPart("stop")
	}
	return m, err
}

// startAll starts the services, and the container of the load at the same time. It starts after services whose logs are
// searched for metrics, as these may be times of the start itself, and after the one whose network it shares.
func (p *repetition) startAll() (err error) {
	t := p.step.Trial
	if !p.isCheck || t.Load != nil {
		p.services.idle, err = p.driver(t).Container(p.place, search.WithRate(t, p.rates))
		if err != nil {
			return err
		}
	}
	p.services.idleLast = p.services.idle != nil && p.services.idle.Beside != "" ||
		slices.ContainsFunc(p.metrics, func(s wantedMetric) bool { return s.Stream == "log" })
	return p.start(p.ctx, p.bounded, p.services)
}

// measureReady measures a trial whose services are ready.
func (p *repetition) measureReady(drive func(*repetition) (load.Measurement, error)) (m load.Measurement, err error) {
	t, atWork := p.step.Trial, stillRunning(p.running)
	p.place.Services = byName(atWork)
	var prepared, concluded string
	if len(t.Prepare) > 0 {
		prepared, err = runHooks(p.bounded, "prepare", t.Prepare, t, p.place.Services)
		p.endPart("prepare")
	}
	if err == nil {
		if m, err = drive(p); err == nil {
			p.explain(&m)
		}
		p.lap = time.Now()
	}
	if len(t.Conclude) > 0 && p.ctx.Err() == nil {
		var failed error
		concluded, failed = p.conclude()
		p.endPart("conclude")
		if err == nil && m.Failure == "" {
			err = failed
		}
	}
	if err = p.serviceFailure(atWork, err); err != nil || m.Failure != "" || p.isCheck {
		return m, err
	}
	if m.Wrote == nil {
		m.Wrote = map[string]string{}
	}
	m.Wrote["prepare"] = prepared + m.Wrote["prepare"]
	m.Wrote["conclude"] += concluded
	// The time of the repetition may have ended with the hooks after it, which have their own.
	reading, cancel := context.WithTimeout(p.ctx, logGrace)
	defer cancel()
	readMetrics(reading, p.metrics, &m, p.running, p.rec)
	return m, p.ctx.Err() // one that was interrupted now lacks what was left out since
}

// observeLoad puts the load on services that are ready, and samples them meanwhile.
func (p *repetition) observeLoad() (load.Measurement, error) {
	begin, at, t := time.Now(), p.place, p.step.Trial
	sampler := observe.Watch(p.bounded, stillRunning(p.running), at.Load)
	if idle := p.services.idle; idle != nil && idle.Beside != "" {
		p.rec.Facts[observe.FactLoadIn] = "that of " + idle.Beside
	}
	m, err := p.driver(t).Measure(p.bounded, at, search.WithRate(t, p.rates))
	sampler.Finish()
	if err != nil {
		return m, err
	}
	if !m.Start.IsZero() { // it was timed on the machine of the load
		m.Start = m.Start.Add(-at.Ahead)
	}
	if m.Load != nil {
		m.Load.WindowStart = m.Start
	}
	lateness(p.bounded, t, stillRunning(p.running), m.Length, p.rec.Facts)
	window := observe.Window{Start: m.Start, Length: m.Length, LoadCPU: m.GeneratorCPU, Limited: map[string]bool{}}
	for _, s := range t.Services {
		window.Limited[s.Name] = s.CPUs > 0
	}
	if window.Machines, err = p.layout().onMachines(p.bounded, t, m.Start, m.Length); err != nil {
		return m, err
	}
	result := sampler.In(window)
	m.Samples, p.rec.Machine = append(m.Samples, result.Samples...), result.Machine
	maps.Copy(p.rec.Facts, result.Facts)
	if m.Load != nil && result.Foreign >= 0 && !p.experiment.Outside { // the target's own processor time is unknown
		m.Load.ForeignCPU = result.Foreign
	}
	if m.Command != nil && result.Foreign >= 0 {
		m.Command.ForeignCPU = result.Foreign
	}
	measured := measuredTime(&m)
	p.rec.Parts["warmup"] = m.Warmup.Seconds()
	p.rec.Parts["measure"] = measured.Seconds()
	p.rec.Parts["load"] = (time.Since(begin) - m.Warmup - measured).Seconds()
	return m, nil
}

// measuredTime returns the time that was measured: the window of a load, or the run of a command.
func measuredTime(m *load.Measurement) time.Duration {
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

// explain replaces the failure of a load by its cause, where that is known.
func (p *repetition) explain(m *load.Measurement) {
	if rest, ok := strings.CutPrefix(m.Failure, "before timing: "); ok && p.experiment.Outside {
		m.Failure = "the running target: " + rest + ": start it, or correct target"
	} else if m.Failure != "" {
		if cause := unreachedTarget(p.bounded, p.bench.Engine, p.step.Trial, p.place.Services); cause != "" {
			m.Failure, m.Log = cause, "" // the load saw what followed from it
		}
	}
}

// conclude runs the hooks after a repetition, whatever that came to.
func (p *repetition) conclude() (string, error) {
	bounded := p.bounded
	if bounded.Err() != nil {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(p.ctx, concludeGrace)
		defer cancel()
	}
	return runHooks(bounded, "conclude", p.step.Trial.Conclude, p.step.Trial, p.place.Services)
}

// serviceFailure reports a service that exited: non-zero, out of memory, or before the repetition ended. One that is
// done with its work may exit, unless it is shared: the next repetition needs it. A service that the engine has removed,
// or does not know any more, is an error: what was measured beside it says nothing about the service.
func (p *repetition) serviceFailure(running []engine.Container, err error) error {
	if p.ctx.Err() != nil {
		return err
	}
	if died := p.died(p.ctx); died != "" {
		return &resultError{failure: died}
	}
	if _, _, isResult := failureOf(err); isResult || p.bounded.Err() != nil {
		return err
	}
	for _, s := range running {
		state, stateErr := s.State(p.ctx)
		if stateErr != nil {
			return errors.Join(stateErr, err)
		}
		if isFault := err != nil || state.Exit.Code != 0 || state.Exit.OutOfMemory; state.Ended && isFault {
			return &resultError{failure: fmt.Sprintf("service %q %s", s.Name(), exitWords(p.ctx, s))}
		}
	}
	return err
}

// logs adds the ends of what services wrote to that of the load. The error may be that of a service that is gone, with
// its log.
func logs(ctx context.Context, load string, running []engine.Container, err error) string {
	ctx, cancel := context.WithTimeout(ctx, logGrace)
	defer cancel()
	all := engine.LastLines(load, maxLog)
	add := func(name string, log []byte) {
		if len(log) > 0 {
			all += "\n" + name + " wrote:\n" + engine.LastLines(string(log), maxLog)
		}
	}
	for _, s := range running {
		if log, err := serviceLog(ctx, s); err == nil {
			add(s.Name(), log)
		}
	}
	if notReady := (*engine.NotReadyError)(nil); errors.As(err, &notReady) {
		add(notReady.Service, notReady.Log)
	}
	return strings.TrimSpace(all)
}

// judge turns what goes wrong with the benchmark into a result, which the measurement then holds. It returns false for
// an error that is none.
func (p *repetition) judge(m load.Measurement, err error) (_ load.Measurement, isResult bool) {
	deadline, _ := p.bounded.Deadline()
	tooLong := !time.Now().Before(deadline)
	if tooLong && p.entersShared(p.step.Trial) || m.GivenUp && p.isShared(p.step.Trial.Command.Service) {
		p.spoil("a command in a shared service may still run, as its time was over")
	}
	failure, log, isResult := failureOf(err)
	if err != nil && tooLong {
		failure, isResult = fmt.Sprintf("the repetition took longer than %v", p.experiment.Timeout), true
		if unended, ok := errors.AsType[*load.UnendedError](err); ok {
			failure += ": " + unended.Name + " did not end"
		}
	}
	if isResult {
		return load.Measurement{Failure: failure, Log: strings.TrimSpace(log + "\n" + m.Log)}, true
	}
	if endless := notFinite(m.Samples); err == nil && endless != "" {
		return load.Measurement{Failure: endless, Log: m.Log, Output: m.Output, Facts: m.Facts}, false
	}
	return m, false
}

// isClean reports whether nothing of a repetition can reach into the next one on the same services, as far as is known:
// a server may still be at work for a request whose answer nobody waits for any more.
func isClean(m *load.Measurement) bool {
	return m.Failure == "" && !m.GivenUp && (m.Load == nil || m.Load.Failed <= 0)
}

// leave takes down what a repetition started, unless it is kept for the next one or for somebody to look at.
func (p *repetition) leave(keep keep, clean, failed bool) error {
	if clean && keep.forNext && allRun(p.ctx, p.services.running) {
		p.waiting = p.services
		return nil
	}
	if p.ctx.Err() != nil || !keep.always && !(failed && keep.failed) {
		return p.services.close(p.ctx)
	}
	kept := &Kept{Article: p.plan.Article, Experiment: p.experiment.Name, Trial: p.step.Trial.Name}
	if err := p.keep(p.ctx, p.services, kept); err != nil {
		return err
	}
	p.summary.Kept = kept
	return nil
}

// finished removes from a record what must not be kept.
func (b *bench) finished(rec *record.Record) *record.Record {
	b.Redact(rec)
	rec.Failure = clip(rec.Failure, maxFailure) // a secret that was cut in two would not be found
	return rec
}

// clip leaves out the middle of what is too long: its beginning says what failed, and its end why.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most/2], "") + " … " + strings.ToValidUTF8(s[len(s)-most/2:], "")
}

// driver returns what puts the load of a trial on; nil if there is none.
func (b *bench) driver(t *plan.Trial) load.Driver {
	r := b.Runner
	switch {
	case t.Load != nil && b.isCheck:
		return r.Requests // whichever tool puts the load on
	case t.Command != nil:
		return r.Commands
	case t.Load.Tool != "":
		return r.Tools[t.Load.Tool]
	case t.Load.Driver != nil:
		return r.Programs
	}
	return r.Requests
}

// Redact removes secrets and the names of package mirrors from a record.
func (b *bench) Redact(rec *record.Record) {
	values := slices.Concat(b.Host.Mirrors, b.secrets().values())
	for _, t := range b.experiment.Trials {
		values = append(values, t.Private...)
	}
	rec.Redact(values)
}
