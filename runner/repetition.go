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
	"benchbook/notebook/spec"
	"benchbook/notebook/validity"
	"benchbook/runner/engine"
	"benchbook/runner/load"
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

func (r *Runner) driver(t *plan.Trial) load.Driver {
	if t.Command != nil {
		return r.Commands
	}
	if t.Load.Tool != "" {
		return r.Tools[t.Load.Tool]
	}
	if t.Load.Driver != nil {
		return r.Programs
	}
	return r.Requests
}

// Measure measures a trial once. An error means that we could not; what goes wrong with the benchmark is in the record.
// There may be both: what was measured before its containers could not be removed.
func (r *run) Measure(ctx context.Context, step plan.Step) (*record.Record, error) {
	rec := r.NewRecord(step)
	step.Trial = r.secrets().put(step.Trial)
	if failed := r.bench.unshared; failed != nil {
		rec.Failure, rec.Log, rec.Ended = failed.failure, failed.log, rec.Started
		return r.finished(rec), nil
	}
	services, begin, err := r.enter(ctx, step.Trial, rec)
	if err != nil {
		return nil, err
	}
	rec.Parts["start"] = time.Since(begin).Seconds()
	// The time of a repetition ends with its measurement: how long taking it down lasts says nothing about it.
	bounded, cancel := context.WithTimeout(ctx, r.experiment.Timeout-time.Since(begin))
	defer cancel()
	a := r.newAttempt(ctx, bounded, services, step.Trial, rec)
	if services.began.IsZero() {
		services.began = time.Now().UTC()
		services.running, err = r.bench.startAll(ctx, bounded, services.space, step.Trial, services.services)
	}
	m, err := a.measure(err)
	m, isResult := a.judge(m, err)
	cancelled := ctx.Err()
	begin = time.Now()
	closeErr := r.leave(ctx, services, step, err == nil && isClean(&m),
		cancelled == nil && (err == nil || isResult) && m.Failure != "")
	rec.Parts["stop"] += time.Since(begin).Seconds()
	switch {
	case err != nil && cancelled != nil:
		return nil, errors.Join(cancelled, closeErr)
	case err != nil && !isResult:
		return nil, errors.Join(err, closeErr)
	case m.Failure != "" && closeErr != nil:
		// An engine that stops ends what runs on it: that is not for certain the benchmark's fault, and will be
		// measured.
		return nil, fmt.Errorf("%s, and then: %w", m.Failure, closeErr)
	}
	rec.Samples, rec.Histograms, rec.Load, rec.Command, rec.Output = m.Samples, m.Histograms, m.Load, m.Command, m.Output
	if m.Failure != "" {
		rec.Failure, rec.Log = m.Failure, m.Log
	}
	maps.Copy(rec.Facts, m.Facts)
	_, r.disturbed = validity.Disturbed(rec)
	rec.End(time.Now(), time.Since(rec.Started))
	return r.finished(rec), closeErr
}

// NewRecord is the record of a repetition before it begins.
func (r *run) NewRecord(step plan.Step) *record.Record {
	rec := &record.Record{
		SchemaVersion: record.SchemaVersion, Article: r.plan.Article, Experiment: r.experiment.Name,
		Trial: step.Trial.Name,
		Key:   step.Trial.Key, Run: r.id, Plan: r.experiment.Digest, Plans: r.plans, Profile: r.plan.Profile,
		Host:       r.Host.ID,
		Repetition: step.Repetition, Planned: r.experiment.Most(), Looks: r.experiment.Looks,
		Calibration: step.Trial.Calibration,
		Parameters:  step.Trial.Parameters, Labels: step.Trial.Labels,
		Order: record.Order{Seed: r.experiment.Seed, Round: step.Round, Position: r.position(step),
			Of: len(r.experiment.Steps), Replaces: step.Replaces},
		Started: time.Now().UTC(), Parts: map[string]float64{},
		Definition: step.Trial.Definition, Inputs: step.Trial.Inputs, Facts: maps.Clone(r.facts),
	}
	maps.Copy(rec.Facts, r.images().Facts(step.Trial))
	for fact, cpus := range map[string]string{plan.FactServicesPlace: r.layout().ServiceCPUs(step.Trial),
		plan.FactLoadPlace: r.layout().LoadCPUs(step.Trial)} {
		if cpus != "" { // else all of a node
			rec.Facts[fact] = cpus
		}
	}
	rec.Facts[record.FactRevision] = cmp.Or(r.options.Revision, record.NoRevision+"not asked for")
	if len(step.Trial.Adapted) > 0 {
		rec.Facts[plan.FactAdapted] = strings.Join(step.Trial.Adapted, "; ")
	}
	if r.experiment.Outside {
		rec.Facts[record.FactTarget] = record.RunningTarget
	}
	r.bench.sharedFacts(rec)
	r.layout().AddFacts(step.Trial, rec.Facts)
	return rec
}

// finished removes from a record what must not be kept.
func (r *run) finished(rec *record.Record) *record.Record {
	r.Redact(rec)
	rec.Failure = clip(rec.Failure, maxFailure) // a secret that was cut in two would not be found
	return rec
}

func joinLogs(a, b string) string { return strings.TrimSpace(a + "\n" + b) }

// enter gives the services of a repetition, which begins then: those that stayed up, or others in a space of their own,
// when the machine has come to rest.
func (r *run) enter(ctx context.Context, t *plan.Trial, rec *record.Record) (*block, time.Time, error) {
	begin := time.Now()
	if up, err := r.bench.goOn(ctx, t); up != nil || err != nil {
		return up, begin, err
	}
	if err := r.settle(ctx, rec); err != nil {
		return nil, begin, err
	}
	begin = time.Now()
	services, err := r.bench.newBlock(ctx, t)
	return services, begin, err
}

// leave takes down what a repetition started, unless it is kept for the next one or for somebody to look at.
func (r *run) leave(ctx context.Context, services *block, step plan.Step, clean, failed bool) error {
	if clean && r.keeping.forNext && allRun(ctx, services.running) {
		r.bench.up = services
		return nil
	}
	if ctx.Err() != nil || !r.keeping.always && !(failed && r.keeping.failed) {
		return engine.CloseSpace(ctx, services.space, longestStop(services.services))
	}
	kept := &Kept{Article: r.plan.Article, Experiment: r.experiment.Name, Trial: step.Trial.Name}
	if err := r.bench.keep(ctx, services.space, kept); err != nil {
		return err
	}
	r.summary.Kept = kept
	return nil
}

// position is the place of a repetition in the experiment, from 1: those that were not planned come after all that
// were. That of a probe of a search is 0.
func (r *run) position(step plan.Step) int {
	if step.Replaces > 0 {
		return len(r.experiment.Steps) + r.replaced + 1
	}
	return 1 + slices.IndexFunc(r.experiment.Steps, func(s plan.Step) bool {
		return s.Trial.Name == step.Trial.Name && s.Repetition == step.Repetition
	})
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
