package runner

import (
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
	"benchbook/runner/machine"
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
	trial        *plan.Trial     // with the values of secrets
	rec          *record.Record

	own     *services
	running []engine.Container // services, shared ones included
	metrics []wantedMetric
	place   load.Place
	lap     time.Time // when the present part of its time began
}

// keep says when the services of a repetition stay up for somebody to look at: if it fails, or in any case.
type keep struct{ failed, always bool }

// drive puts the load on services that are ready.
type drive func(*repetition) (load.Measurement, error)

// Measure measures a trial once. An error means that we could not; what goes wrong with the benchmark is in the record.
// There may be both: what was measured before its containers could not be removed.
func (b *bench) Measure(ctx context.Context, step plan.Step) (*record.Record, error) {
	return b.repeat(ctx, step, keep{}, (*repetition).measureLoad)
}

func (b *bench) repeat(ctx context.Context, step plan.Step, k keep, drive drive) (*record.Record, error) {
	rec := b.NewRecord(step)
	if b.unshared != nil {
		rec.Failure, rec.Log, rec.Ended = b.unshared.failure, b.unshared.log, rec.Started
		return b.finished(rec), nil
	}
	p := &repetition{bench: b, ctx: ctx, trial: b.secrets().put(step.Trial), rec: rec}
	begin, err := p.enter()
	if err != nil {
		return nil, err
	}
	// The time of a repetition ends with its measurement: how long taking it down lasts says nothing about it.
	var cancel context.CancelFunc
	p.bounded, cancel = context.WithTimeout(ctx, b.experiment.Timeout-time.Since(begin))
	defer cancel()
	err = p.start()
	p.endPart("start")
	var m load.Measurement
	if err == nil {
		m, err = p.measure(drive)
	}
	p.lap = time.Now()
	if (err != nil || m.Failure != "") && ctx.Err() == nil {
		m.Log = logs(ctx, m.Log, p.running, err)
	}
	return p.end(k, m, err)
}

// end takes down what a repetition started, and completes its record, given what was measured and the error.
func (p *repetition) end(k keep, m load.Measurement, err error) (*record.Record, error) {
	m, isResult := p.judge(m, err)
	cancelled := p.ctx.Err()
	closeErr := p.leave(k, cancelled == nil && (err == nil || isResult) && m.Failure != "")
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
	rec := p.rec
	rec.Samples, rec.Histograms, rec.Load, rec.Command, rec.Output = m.Samples, m.Histograms, m.Load, m.Command, m.Output
	if m.Failure != "" {
		rec.Failure, rec.Log = m.Failure, m.Log
	}
	maps.Copy(rec.Facts, m.Facts)
	_, p.disturbed = validity.Disturbed(rec)
	rec.End(time.Now(), time.Since(rec.Started))
	return p.finished(rec), closeErr
}

// endPart adds the time since the last part to one of the repetition.
func (p *repetition) endPart(name string) {
	p.rec.Parts[name] += time.Since(p.lap).Seconds()
	p.lap = time.Now()
}

// enter opens a space for the services of the repetition when the machines have come to rest, for which it waits longer
// if one of them disturbed the repetition before. It returns when the time of the repetition began.
func (p *repetition) enter() (begin time.Time, err error) {
	begin = time.Now()
	if p.Settler != nil {
		p.rec.Before, err = p.Settler.Settle(p.ctx, p.disturbed, p.layout().machinesOf()...)
		p.rec.Parts["settle"] = time.Since(begin).Seconds()
		if err != nil {
			return begin, err
		}
	}
	begin, p.lap = time.Now(), time.Now()
	p.own, err = p.newServices(p.ctx, p.trial)
	return begin, err
}

// start starts the services and the container of the load at the same time. It starts after services
// whose logs are searched for metrics, as these may be times of the start itself, and after the one whose network it
// shares.
func (p *repetition) start() (err error) {
	t := p.trial
	if p.shared != nil {
		p.running = slices.Clone(p.shared.running)
	}
	if !p.isCheck {
		p.metrics = p.wantedMetrics(p.bounded, p.running)
	}
	reads := func(stream string) bool {
		return slices.ContainsFunc(p.metrics, func(m wantedMetric) bool { return m.Stream == stream })
	}
	cpus, cores := p.layout().loadCPUs(t)
	host := p.experiment.LoadHost(t)
	p.place = load.Place{CPUSet: cpus, Cores: cores, Host: host, Ahead: p.layout().machine(host).Ahead(),
		Image: p.images().Prepared, Seed: uint64(p.rec.Order.Seed) + uint64(p.rec.Order.Round), Number: p.rec.Repetition,
		KeepStdout: reads("stdout")}
	if !p.isCheck || t.Load != nil {
		p.own.idle = p.driver(t).Container(p.place, search.WithRate(t, p.rates))
	}
	// A tool may look up names for each connection, and finds running services in its hosts file.
	p.own.idleLast = p.own.idle != nil && !p.own.idle.Ours || reads("log")
	err = p.startServices(p.ctx, p.bounded, p.own)
	p.running = append(p.running, p.own.running...)
	p.place.Load, p.place.Services = p.own.load, byName(stillRunning(p.running))
	return err
}

// prepare runs the hooks before the load, and drops the page cache where that is asked for.
func (p *repetition) prepare() (wrote string, err error) {
	if len(p.trial.Prepare) > 0 {
		wrote, err = runHooks(p.bounded, "prepare", p.trial.Prepare, p.trial, p.place)
		p.endPart("prepare")
	}
	if err == nil && p.experiment.Cold && !p.isCheck {
		err = machine.DropCaches()
	}
	return wrote, err
}

// measure runs the hooks, puts the load on, and reads the metrics.
func (p *repetition) measure(drive drive) (m load.Measurement, err error) {
	prepared, err := p.prepare()
	if err == nil {
		if m, err = drive(p); err == nil {
			p.explain(&m)
		}
		p.lap = time.Now()
	}
	if err = p.serviceFailure(err); err != nil || m.Failure != "" || p.isCheck {
		return m, err
	}
	if m.Wrote == nil {
		m.Wrote = map[string]string{}
	}
	m.Wrote["prepare"] = prepared
	reading, cancel := context.WithTimeout(p.ctx, logGrace)
	defer cancel()
	readMetrics(reading, p.metrics, &m, p.running, p.rec)
	return m, p.ctx.Err() // one that was interrupted now lacks what was left out since
}

// measureLoad puts the load on services that are ready, and reads what they and the machine do meanwhile.
func (p *repetition) measureLoad() (load.Measurement, error) {
	begin, t, services := time.Now(), p.trial, stillRunning(p.running)
	sampler := observe.Watch(p.bounded, services, p.place.Load)
	m, err := p.driver(t).Measure(p.bounded, p.place, search.WithRate(t, p.rates))
	sampler.Finish()
	if err != nil {
		return m, fmt.Errorf("trial %s: %w", t.Name, err)
	}
	if !m.Start.IsZero() { // it was timed on the machine of the load
		m.Start = m.Start.Add(-p.place.Ahead)
	}
	if m.Load != nil {
		m.Load.WindowStart = m.Start
	}
	lateness(p.bounded, t, services, m.Length, p.rec.Facts)
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
	measured := m.Length // of the window, or the run of a command
	p.rec.Parts["warmup"] = m.Warmup.Seconds()
	p.rec.Parts["measure"] = measured.Seconds()
	p.rec.Parts["load"] = (time.Since(begin) - m.Warmup - measured).Seconds()
	return m, nil
}

// explain replaces the failure of a load by its cause, where that is known.
func (p *repetition) explain(m *load.Measurement) {
	if rest, ok := strings.CutPrefix(m.Failure, "before timing: "); ok && p.experiment.Outside {
		m.Failure = "the running target: " + rest + ": start it, or correct target"
	} else if m.Failure != "" {
		if cause := unreachedTarget(p.bounded, p.bench.Engine, p.trial, p.place.Services); cause != "" {
			m.Failure, m.Log = cause, "" // the load saw what followed from it
		}
	}
}

// serviceFailure reports a service that exited: non-zero, out of memory, or before the repetition ended. One that is
// done with its work may exit, unless it is shared: the next repetition needs it. A service that the engine has removed,
// or does not know any more, is an error: numbers measured meanwhile say nothing about the service.
func (p *repetition) serviceFailure(err error) error {
	if p.ctx.Err() != nil {
		return err
	}
	if died := p.died(p.ctx); died != "" {
		return &resultError{failure: died}
	}
	if _, _, isResult := failureOf(err); isResult || p.bounded.Err() != nil {
		return err
	}
	for _, s := range stillRunning(p.running) {
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

// logs adds the ends of the services' logs to the load's. The error may come from a service that is gone, with
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
// other errors.
func (p *repetition) judge(m load.Measurement, err error) (_ load.Measurement, isResult bool) {
	deadline, _ := p.bounded.Deadline()
	tooLong := !time.Now().Before(deadline)
	if tooLong && p.entersShared(p.trial) || m.GivenUp && p.isShared(p.trial.Command.Service) {
		p.unusable = "a command in a shared service may still run, as its time was over"
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

// leave takes down what a repetition started, unless it is kept for somebody to look at.
func (p *repetition) leave(k keep, hasFailed bool) error {
	// A running target has processes of this machine next to it, which end with benchbook.
	if p.ctx.Err() != nil || p.experiment.Outside || !k.always && !(hasFailed && k.failed) {
		return p.own.close(p.ctx)
	}
	kept := &Kept{Article: p.plan.Article, Experiment: p.experiment.Name, Trial: p.trial.Name}
	around := p.around
	if p.shared != nil {
		around = p.shared.space
	}
	for _, space := range []engine.Space{p.own.space, around} {
		services, err := space.Keep(p.ctx)
		if err != nil {
			return &engine.LeftError{Err: err}
		}
		kept.Services = append(kept.Services, services...)
	}
	if idle := p.own.idle; idle != nil && idle.Ours { // there is no shell in it
		kept.Services = slices.DeleteFunc(kept.Services, func(k engine.Kept) bool { return k.Service == idle.Name })
	}
	p.shared, p.around, p.summary.Kept = nil, nil, kept
	return nil
}

// clip leaves out the middle of long text.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most/2], "") + " … " + strings.ToValidUTF8(s[len(s)-most/2:], "")
}
