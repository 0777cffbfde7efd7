// Package search finds the values that a plan leaves to measurements: tuned values, capacities, and rates that are
// shares of another experiment's throughput.
package search

import (
	"cmp"
	"context"
	"slices"
	"time"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/validity"
)

// A Bench measures what a search asks for.
type Bench interface {
	// PrepareTrial makes available what a trial needs.
	PrepareTrial(ctx context.Context, t *plan.Trial) error
	// Share sees to it that the services run which all trials share.
	Share(ctx context.Context, t *plan.Trial) error
	// Measure measures a trial once.
	Measure(ctx context.Context, step plan.Step) (*record.Record, error)
	// NewRecord is the record of a step before it begins.
	NewRecord(step plan.Step) *record.Record
	// Redact takes out of a record what must not be kept.
	Redact(rec *record.Record)
}

// Progress is told of searches.
type Progress interface {
	// Search is called after each probe, and once more when the search has ended: then it says why, in Stop.
	Search(t *plan.Trial, s *record.Search)
	Note(text string)
}

// A Searcher makes the searches of one experiment.
type Searcher struct {
	Bench    Bench
	Progress Progress

	Plan       *plan.Plan
	Experiment *plan.Experiment
	Host       string           // its ID
	Records    []*record.Record // that were there when the experiment began
	Choices    *Choices
	Cores      func(*plan.Trial) int // that the services of a trial have
}

func (s *Searcher) newRecord(t *plan.Trial, search *record.Search) *record.Record {
	rec := s.Bench.NewRecord(plan.Step{Trial: t})
	rec.Planned, rec.Looks, rec.Order, rec.Search = 0, nil, record.Order{Seed: s.Experiment.Seed}, search
	before := 0
	for _, o := range s.Plan.RecordsOf(s.Experiment, s.Records, s.Host) {
		if o.Run == rec.Run && o.Trial == rec.Trial && o.Key == rec.Key && o.Search != nil &&
			o.Search.Kind == search.Kind && o.Search.Name == search.Name {
			before++
		}
	}
	if before > 0 {
		search.Attempt = before + 1
	}
	return rec
}

// end completes the record of a search.
func (s *Searcher) end(rec *record.Record) *record.Record {
	rec.End(time.Now(), time.Since(rec.Started))
	s.Bench.Redact(rec)
	return rec
}

// metric says what the name of a metric means in the experiment.
func (s *Searcher) metric(name string) record.Metric {
	for _, m := range s.Experiment.Metrics {
		if m.Name == name {
			return m.Metric
		}
	}
	m, _ := record.LookupMetric(name)
	return m
}

// A prober makes the probes of one search.
type prober struct {
	*Searcher
	trial  *plan.Trial
	rec    *record.Record // of the search
	out    *record.Search
	wanted []string       // metrics that probes keep, beside those that are drawn
	with   map[string]int // values that were chosen before, which all probes are made with
	judge  func(measured *record.Record, p *record.Probe)

	retries int           // that are left: probes that the machine disturbs are made again
	begun   time.Time     // when the search was
	lost    time.Duration // that probes took which were made again
	givenUp bool          // a probe was disturbed that was not made again
}

// spent is how long the search has taken, without what was lost.
func (p *prober) spent() time.Duration { return time.Since(p.begun) - p.lost }

// measure makes one probe, as often as retries allow, until the machine leaves it alone. What it disturbed is kept,
// counts for nothing, whatever it came to, and is taken off the retries. Wanted says what is tried, and why.
//
// Source: X, as for repetitions.
func (p *prober) measure(ctx context.Context, t *plan.Trial, wanted record.Probe) (record.Probe, error) {
	for {
		made, err := p.measureOnce(ctx, t, wanted)
		if err != nil {
			return record.Probe{}, err
		}
		p.out.Probes = append(p.out.Probes, made)
		p.Progress.Search(p.trial, p.out)
		if made.Disturbed == "" {
			return made, nil
		}
		p.retries--
		p.lost += time.Duration(made.Seconds * float64(time.Second))
	}
}

// measureOnce measures a trial once, whatever the machine does meanwhile.
func (p *prober) measureOnce(ctx context.Context, t *plan.Trial, made record.Probe) (record.Probe, error) {
	if err := ctx.Err(); err != nil {
		return made, err
	}
	if err := p.Bench.Share(ctx, t); err != nil {
		return made, err
	}
	began := time.Now()
	rec, err := p.Bench.Measure(ctx, plan.Step{Trial: t, Round: len(p.out.Probes) + 1})
	if err != nil {
		return made, err
	}
	made.Started, made.Seconds, made.Failure = began.UTC(), time.Since(began).Seconds(), rec.Failure
	made.Samples = p.samplesOf(rec)
	if words, disturbed := validity.Disturbed(rec); disturbed && p.retries > 0 {
		made.Disturbed = words
		made.Value, _ = dataset.Value(rec, p.out.Metric, p.Experiment.Metrics)
	} else {
		p.givenUp = p.givenUp || disturbed
		p.judge(rec, &made)
	}
	return made, nil
}

// samplesOf is what a probe keeps of what was measured.
func (p *prober) samplesOf(rec *record.Record) []record.Sample {
	if rec.Failure != "" {
		return nil
	}
	out := slices.Clone(rec.Samples)
	for _, name := range slices.Concat(p.wanted, drawn[:]) {
		if slices.ContainsFunc(out, func(s record.Sample) bool { return s.Metric == name }) {
			continue
		}
		if value, missing := dataset.Value(rec, name, p.Experiment.Metrics); missing == "" {
			out = append(out, record.Sample{Metric: name, Value: value, Unit: cmp.Or(p.metric(name).Unit, "1")})
		}
	}
	return out
}

// drawn are the metrics that every probe keeps, beside those that were sampled as such: curves are drawn of them.
var drawn = [...]string{"throughput", "failed", "latency.p50", "latency.p99"}
