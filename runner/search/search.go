// Package search finds the values that a plan leaves to measurements: tuned values, capacities, and rates that are
// shares of another experiment's throughput.
package search

import (
	"cmp"
	"context"
	"slices"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/validity"
)

// A Bench measures what a search asks for.
type Bench interface {
	// PrepareTrial makes available what a trial needs.
	PrepareTrial(ctx context.Context, t *plan.Trial) error
	// Share makes sure that the services that all trials share are running.
	Share(ctx context.Context, t *plan.Trial) error
	// Measure measures a trial once.
	Measure(ctx context.Context, step plan.Step) (*record.Record, error)
	// NewRecord returns the record of a step that has not begun.
	NewRecord(step plan.Step) *record.Record
	// Redact removes from a record what must not be kept.
	Redact(rec *record.Record)
}

// Progress shows searches.
type Progress interface {
	// Search is called after each probe, and once more when the search has ended, with the reason in Stop.
	Search(t *plan.Trial, s *record.Search)
}

// A Searcher runs the searches of one experiment.
type Searcher struct {
	Bench    Bench
	Progress Progress

	Plan       *plan.Plan
	Experiment *plan.Experiment
	Host       string           // its ID
	Records    []*record.Record // recorded before the experiment began
	Choices    *Choices
	Cores      func(*plan.Trial) int // number of cores of a trial's services
}

func (s *Searcher) newRecord(t *plan.Trial, search *record.Search) *record.Record {
	rec := s.Bench.NewRecord(plan.Step{Trial: t})
	rec.Planned, rec.Looks, rec.Order, rec.Search = 0, nil, record.Order{Seed: s.Experiment.Seed}, search
	before := slice.Count(recordsOf(s.Plan, s.Experiment, t, s.Records, s.Host), func(o *record.Record) bool {
		return o.Run == rec.Run && o.Search != nil && o.Search.Kind == search.Kind && o.Search.Name == search.Name
	})
	if before > 0 {
		search.Attempt = before + 1
	}
	return rec
}

// recordsOf returns the records of a trial under its present key.
func recordsOf(p *plan.Plan, e *plan.Experiment, t *plan.Trial, records []*record.Record, host string) []*record.Record {
	return slice.Filter(p.RecordsOf(e, records, host), func(r *record.Record) bool {
		return r.Trial == t.Name && r.Key == t.Key
	})
}

// metric returns the metric with a name, as the experiment defines it or as benchbook does.
func (s *Searcher) metric(name string) record.Metric {
	for _, m := range s.Experiment.Metrics {
		if m.Name == name {
			return m.Metric
		}
	}
	m, _ := record.LookupMetric(name)
	return m
}

// An activeSearch is one search under way.
type activeSearch struct {
	*Searcher
	trial  *plan.Trial
	out    *record.Search
	wanted []string                                           // metrics that probes keep, besides drawn ones
	judge  func(measured *record.Record, probe *record.Probe) // fills in the result of a probe that counts

	retries int           // how many disturbed probes may still be repeated
	begun   time.Time     // when the search began
	lost    time.Duration // time of disturbed probes that were repeated
	givenUp bool          // a disturbed probe counted, as no retry was left
}

// spent returns how long the search has taken, without disturbed probes that were repeated.
func (c *activeSearch) spent() time.Duration { return time.Since(c.begun) - c.lost }

// try makes probes of a candidate until n count, and returns these. t is the trial with the candidate's value.
func (c *activeSearch) try(ctx context.Context, t *plan.Trial, candidate record.Probe,
	n int) (probes []record.Probe, err error) {
	if err := c.Bench.PrepareTrial(ctx, t); err != nil {
		return nil, err
	}
	for len(probes) < n {
		made, err := c.probe(ctx, t, candidate)
		if err != nil {
			return nil, err
		}
		c.out.Probes = append(c.out.Probes, made)
		c.Progress.Search(c.trial, c.out)
		if made.Disturbed == "" {
			probes = append(probes, made)
			continue
		}
		c.retries--
		c.lost += time.Duration(made.Seconds * float64(time.Second))
	}
	return probes, nil
}

// end completes the record of a search.
func (s *Searcher) end(rec *record.Record) *record.Record {
	rec.End(time.Now(), time.Since(rec.Started))
	s.Bench.Redact(rec)
	return rec
}

// probe makes one probe. While there are retries, it marks a disturbed one instead of judging it.
func (c *activeSearch) probe(ctx context.Context, t *plan.Trial, candidate record.Probe) (record.Probe, error) {
	made := candidate
	if err := ctx.Err(); err != nil {
		return made, err
	}
	if err := c.Bench.Share(ctx, t); err != nil {
		return made, err
	}
	began := time.Now()
	rec, err := c.Bench.Measure(ctx, plan.Step{Trial: t, Round: len(c.out.Probes) + 1})
	if err != nil {
		return made, err
	}
	made.Started, made.Seconds, made.Failure = began.UTC(), time.Since(began).Seconds(), rec.Failure
	made.Samples = c.samplesOf(rec)
	words, disturbed := validity.Disturbed(rec)
	if disturbed && c.retries > 0 {
		made.Disturbed = words
		made.Value, _ = dataset.Value(rec, c.out.Metric, c.Experiment.Metrics)
		return made, nil
	}
	c.givenUp = c.givenUp || disturbed
	c.judge(rec, &made)
	return made, nil
}

// samplesOf returns the samples of a record that a probe keeps.
func (c *activeSearch) samplesOf(rec *record.Record) []record.Sample {
	if rec.Failure != "" {
		return nil
	}
	out := slices.Clone(rec.Samples)
	for _, name := range slices.Concat(c.wanted, drawn[:]) {
		if slices.ContainsFunc(out, func(s record.Sample) bool { return s.Metric == name }) {
			continue
		}
		if value, missing := dataset.Value(rec, name, c.Experiment.Metrics); missing == "" {
			out = append(out, record.Sample{Metric: name, Value: value, Unit: cmp.Or(c.metric(name).Unit, "1")})
		}
	}
	return out
}

// drawn are the metrics that every probe keeps for the curves of searches.
var drawn = [...]string{"throughput", "failed", "latency.p50", "latency.p99"}

// whyNot returns the last reason why a probe did not count.
func whyNot(probes []record.Probe) string {
	for _, p := range slices.Backward(probes) {
		if words := cmp.Or(p.Failure, p.Invalid); words != "" {
			return words
		}
	}
	return "their values are zero"
}
