package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"

	"benchbook/runner/load"
	"benchbook/runner/observe"
	"benchbook/runner/search"
)

// An attempt is a trial being measured once, in a space of its own, until bounded is done.
type attempt struct {
	*run
	ctx, bounded context.Context
	trial        *plan.Trial
	rec          *record.Record

	block   *block           // its services that are not shared, which may be up already
	running []engine.Running // services, those that are shared included
	metrics []wantedMetric
	place   load.Place
	lap     time.Time // when the part of its time began that goes on
}

// newAttempt finds out what is to be measured, and starts the program of the load if it can stand by.
func (r *run) newAttempt(ctx, bounded context.Context, b *block, t *plan.Trial, rec *record.Record) *attempt {
	a := &attempt{run: r, ctx: ctx, bounded: bounded, trial: t, rec: rec, block: b, lap: time.Now()}
	if r.bench.shared != nil {
		a.running = slices.Clone(r.bench.shared.running)
	}
	a.metrics = r.wantedMetrics(bounded, slices.Concat(a.running, b.running))
	a.place = r.layout().LoadPlace(b.space, t)
	a.place.Seed, a.place.Image = uint64(rec.Order.Seed)+uint64(rec.Order.Round), r.images().Prepared
	a.place.KeepStdout = slices.ContainsFunc(a.metrics, func(m wantedMetric) bool { return m.Stream == "stdout" })
	a.place.Standby = a.standBy()
	return a
}

// endPart adds the time since the last part to one of a repetition.
func (a *attempt) endPart(name string) {
	a.rec.Parts[name] += time.Since(a.lap).Seconds()
	a.lap = time.Now()
}

// measure measures the trial when its services were started, or could not be. What there is of logs is in the
// measurement of a repetition that failed, also beside an error.
func (a *attempt) measure(err error) (m load.Measurement, _ error) {
	a.running = append(a.running, a.block.running...)
	if a.experiment.Blocks {
		a.rec.Facts[record.FactStart] = a.block.began.Format(startFormat)
	}
	if err != nil {
		a.place.Standby.End()
		a.endPart("start")
	} else {
		m, err = a.drive()
		a.place.Standby.End() // its space must not be left before
	}
	if (err != nil || m.Failure != "") && a.ctx.Err() == nil {
		m.Log = logs(a.ctx, m.Log, a.running, err)
		a.endPart("stop")
	}
	return m, err
}

// drive puts the load on services that are ready, between its hooks.
func (a *attempt) drive() (m load.Measurement, err error) {
	a.place.Standby.Started(a.bounded) // what is timed from here on has no container beside it that is being started
	a.endPart("start")
	atWork := stillRunning(a.running)
	a.place.Services = byName(atWork)
	var prepared, concluded string
	if len(a.trial.Prepare) > 0 {
		prepared, err = runHooks(a.bounded, "prepare", a.trial.Prepare, a.trial, a.place.Services)
		a.endPart("prepare")
	}
	if err == nil {
		m, err = a.driveLoad(atWork)
		a.lap = time.Now()
	}
	if len(a.trial.Conclude) > 0 && a.ctx.Err() == nil {
		var failed error
		concluded, failed = a.conclude()
		a.endPart("conclude")
		if err == nil && m.Failure == "" {
			err = failed
		}
	}
	if err = a.serviceFailure(atWork, err); err != nil || m.Failure != "" || a.verifier != nil {
		return m, err
	}
	if m.Wrote == nil {
		m.Wrote = map[string]string{}
	}
	m.Wrote["prepare"] = prepared + m.Wrote["prepare"]
	m.Wrote["conclude"] += concluded
	// The time of the repetition may have ended with the hooks after it, which have their own.
	reading, cancel := context.WithTimeout(a.ctx, logGrace)
	defer cancel()
	readMetrics(reading, a.metrics, &m, a.running, a.rec)
	return m, a.ctx.Err() // one that was interrupted now lacks what was left out since
}

// driveLoad measures a trial whose services are ready, or only asks what it answers.
func (a *attempt) driveLoad(running []engine.Running) (m load.Measurement, err error) {
	if a.verifier != nil {
		m, err = a.verifier.ask(a.bounded, a.Requests, a.place, a.trial)
	} else {
		m, err = a.observeLoad(running)
	}
	if rest, ok := strings.CutPrefix(m.Failure, "before timing: "); ok && err == nil && a.experiment.Outside {
		m.Failure = "the running target: " + rest + ": start it, or correct target"
	} else if err == nil && m.Failure != "" {
		if cause := unreachedTarget(a.bounded, a.run.Engine, a.trial, a.place.Services); cause != "" {
			m.Failure, m.Log = cause, "" // the load saw what followed from it
		}
	}
	return m, err
}

// standBy starts the program of the load while the services start, where that can be done: nil where it cannot. It is
// not done beside services whose logs are looked through for metrics, as these may be times of the start itself.
func (a *attempt) standBy() *load.Standby {
	starter, ok := a.driver(a.trial).(load.Starter)
	if !ok || a.verifier != nil || slices.ContainsFunc(a.metrics, func(s wantedMetric) bool { return s.Stream == "log" }) {
		return nil
	}
	return starter.StandBy(a.bounded, a.place, search.WithRate(a.trial, a.rates))
}

// conclude runs the hooks after a repetition, whatever that came to.
func (a *attempt) conclude() (string, error) {
	bounded := a.bounded
	if bounded.Err() != nil {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(a.ctx, concludeGrace)
		defer cancel()
	}
	return runHooks(bounded, "conclude", a.trial.Conclude, a.trial, a.place.Services)
}

// serviceFailure makes it a result that a service has ended, if the repetition did not come to its end, or the service
// not to a good one: whatever was measured beside it is not what the article is about. One that is done with its work
// may end. A shared one must not end in any case: what comes next needs it. One that the engine has taken away, or
// knows nothing of any more, makes it an error: what was measured beside that says nothing about the service, whether
// it was good or not.
func (a *attempt) serviceFailure(running []engine.Running, err error) error {
	if a.ctx.Err() != nil {
		return err
	}
	if died := a.bench.died(a.ctx); died != "" {
		return &resultError{failure: died}
	}
	if _, _, isResult := failureOf(err); isResult || a.bounded.Err() != nil {
		return err
	}
	for _, s := range running {
		exit, ended, lookErr := s.Ended(a.ctx)
		if lookErr != nil {
			return errors.Join(lookErr, err)
		}
		if isFault := err != nil || exit.Code != 0 || exit.OutOfMemory; ended && isFault {
			return &resultError{failure: fmt.Sprintf("service %q %s", s.Name(), exitWords(a.ctx, s))}
		}
	}
	return err
}

// observeLoad measures a trial whose services are ready, and samples them meanwhile.
func (a *attempt) observeLoad(running []engine.Running) (load.Measurement, error) {
	begin, at, t := time.Now(), a.place, a.trial
	sampler := observe.Watch(a.bounded, running)
	at.Space = sampler.Space(at.Space)
	if started := at.Standby.Started(a.bounded); started != nil {
		sampler.NoteLoadCPUs(a.bounded, started)
	}
	m, err := a.driver(t).Measure(a.bounded, at, search.WithRate(t, a.rates))
	sampler.Finish()
	a.layout().ToOurClock(t, &m)
	if err != nil {
		return m, err
	}
	lateness(a.bounded, t, running, m.Length, a.rec.Facts)
	if err := a.layout().AddReadings(a.bounded, sampler, t, &m); err != nil {
		return m, err
	}
	m.Samples = append(m.Samples, sampler.Samples(&m)...)
	if a.experiment.Outside && m.Load != nil {
		m.Load.ForeignCPU = -1 // what the target used is not told from what others did
	}
	limited := map[string]bool{}
	for _, s := range t.Services {
		limited[s.Name] = s.CPUs > 0
	}
	a.rec.Machine = sampler.Machine(&m, limited)
	a.rec.Parts["warmup"] = m.Warmup.Seconds()
	a.rec.Parts["measure"] = measured(m).Seconds()
	a.rec.Parts["load"] = (time.Since(begin) - m.Warmup - measured(m)).Seconds()
	return m, nil
}

// judge turns what goes wrong with the benchmark into a result, which is what the measurement then holds; false for an
// error that is none.
func (a *attempt) judge(m load.Measurement, err error) (_ load.Measurement, isResult bool) {
	deadline, _ := a.bounded.Deadline()
	tooLong := !time.Now().Before(deadline)
	if tooLong && a.bench.entersShared(a.trial) || m.GivenUp && a.bench.isShared(a.trial.Command.Service) {
		a.bench.spoil("a command in a shared service may still run, as its time was over")
	}
	failure, log, isResult := failureOf(err)
	if err != nil && tooLong {
		failure, isResult = fmt.Sprintf("the repetition took longer than %v", a.experiment.Timeout), true
		if unended, ok := errors.AsType[*load.UnendedError](err); ok {
			failure += ": " + unended.Name + " did not end"
		}
	}
	if isResult {
		return load.Measurement{Failure: failure, Log: joinLogs(log, m.Log)}, true
	}
	if endless := notFinite(m.Samples); err == nil && endless != "" {
		return load.Measurement{Failure: endless, Log: m.Log, Output: m.Output, Facts: m.Facts}, false
	}
	return m, false
}

// logs adds the ends of what services wrote to that of the load. The error may be that of a service that is gone, with
// its log.
func logs(ctx context.Context, load string, running []engine.Running, err error) string {
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
