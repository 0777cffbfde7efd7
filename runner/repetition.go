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
	// startGrace is the time an engine gets, after the repetition's timeout, to say why a service was not ready.
	startGrace = 5 * time.Second
	// logGrace limits how long logs are read after a repetition.
	logGrace = 10 * time.Second
)

// Limits of what a record keeps of a failure, in bytes.
const (
	maxLog     = 4 << 10 // of each service, and of the load
	maxFailure = 1 << 10
)

// A repetition is one measurement of a trial in progress.
type repetition struct {
	*bench
	ctx, bounded context.Context // bounded ends at the repetition's timeout
	trial        *plan.Trial     // secrets filled in
	rec          *record.Record

	own     *services
	running []engine.Container // services, shared ones included
	metrics []wantedMetric
	place   load.Place
	lap     time.Time // when the current part began
}

// keep says when the services of a repetition stay up for inspection: after a failure, or always.
type keep struct{ failed, always bool }

// drive measures or checks services that are ready.
type drive func(*repetition) (load.Measurement, error)

// Measure measures a trial once. A benchmark that fails is a record with a Failure; an error means that measuring
// itself failed. Both are returned if the containers could not be removed after a measurement.
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
	// The timeout covers starting and measuring, not stopping.
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

// end removes what the repetition started and completes its record from the measurement and its error.
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
		// If the engine stopped, the failure may not be the benchmark's fault: return an error, so it is measured again.
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

// endPart adds the time since p.lap to a named part of the repetition, and starts the next lap.
func (p *repetition) endPart(name string) {
	p.rec.Parts[name] += time.Since(p.lap).Seconds()
	p.lap = time.Now()
}

// enter waits until the machines are quiet, longer if the previous repetition was disturbed, and opens a space for the
// services. It returns the time at which the repetition's timeout began.
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

// start starts the services and, at the same time, the container of the load. The container starts last if metrics are
// read from logs, because these may time the start itself, or if it runs another program than ours.
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
	// A tool may resolve names for each connection; a container's hosts file lists the services that run when it starts.
	p.own.idleLast = p.own.idle != nil && !p.own.idle.Ours || reads("log")
	err = p.startServices(p.ctx, p.bounded, p.own)
	p.running = append(p.running, p.own.running...)
	p.place.Load, p.place.Services = p.own.load, byName(stillRunning(p.running))
	return err
}

// prepare runs the prepare hooks and, for a cold experiment, drops the page cache. It returns the hooks' stdout.
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

// measure runs the prepare hooks, drives the load, and reads the metrics.
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
	return m, p.ctx.Err() // metrics may be missing after an interruption
}

// measureLoad drives the load against ready services and samples their usage and the machine's meanwhile.
func (p *repetition) measureLoad() (load.Measurement, error) {
	begin, t, services := time.Now(), p.trial, stillRunning(p.running)
	sampler := observe.Watch(p.bounded, services, p.place.Load)
	m, err := p.driver(t).Measure(p.bounded, p.place, search.WithRate(t, p.rates))
	sampler.Finish()
	if err != nil {
		return m, fmt.Errorf("trial %s: %w", t.Name, err)
	}
	if !m.Start.IsZero() { // convert from the clock of the load's machine
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
	measured := m.Length // window, or run time of the command
	p.rec.Parts["warmup"] = m.Warmup.Seconds()
	p.rec.Parts["measure"] = measured.Seconds()
	p.rec.Parts["load"] = (time.Since(begin) - m.Warmup - measured).Seconds()
	return m, nil
}

// explain replaces the failure of a load by its cause, if it is known.
func (p *repetition) explain(m *load.Measurement) {
	if rest, ok := strings.CutPrefix(m.Failure, "before timing: "); ok && p.experiment.Outside {
		m.Failure = "the running target: " + rest + ": start it, or correct target"
	} else if m.Failure != "" {
		if cause := unreachedTarget(p.bounded, p.bench.Engine, p.trial, p.place.Services); cause != "" {
			m.Failure, m.Log = cause, "" // the load's log shows only symptoms
		}
	}
}

// serviceFailure returns a *resultError if a service exited with an error or ran out of memory, if one exited and the
// load failed (err), or if a shared one exited, as the next repetition needs it. It returns any other error if the
// engine has lost a service, because its numbers are then meaningless. Otherwise it returns err.
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

// logs returns the ends of the load's log and the services' logs. Err may hold the log of a service that is gone.
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

// judge turns a failure of the benchmark into a measurement with a Failure. IsResult reports whether err was one.
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

// leave removes what a repetition started, unless its services are kept for inspection.
func (p *repetition) leave(k keep, hasFailed bool) error {
	// Next to a running target there are only local processes, which end with benchbook.
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
	if idle := p.own.idle; idle != nil && idle.Ours { // our image has no shell
		kept.Services = slices.DeleteFunc(kept.Services, func(k engine.Kept) bool { return k.Service == idle.Name })
	}
	p.shared, p.around, p.summary.Kept = nil, nil, kept
	return nil
}

// clip cuts the middle out of text longer than most bytes.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most/2], "") + " … " + strings.ToValidUTF8(s[len(s)-most/2:], "")
}
