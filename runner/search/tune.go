package search

import (
	"context"
	"maps"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
)

// Tune searches for one value of a trial. before has the values that are chosen already.
//
// Source: docs/method.md#tuned-values.
func (s *Searcher) Tune(ctx context.Context, t *plan.Trial, wanted spec.Search, before map[string]int) (*record.Record,
	error) {
	metric := s.metric(wanted.Maximize)
	out := &record.Search{Kind: record.SearchTune, Name: wanted.Name, Metric: wanted.Maximize, Unit: metric.Unit,
		Better: metric.Better, Effect: wanted.Effect}
	cores := s.Cores(t)
	rule := stats.Tuning{Candidates: wanted.Candidates(cores), Cores: cores, Effect: wanted.Effect,
		Patience: wanted.Patience}
	values := map[string]int{}
	for _, other := range t.Tune {
		values[other.Name] = other.First()
	}
	maps.Copy(values, before)
	first, err := t.Tuned(values)
	if err != nil {
		return nil, err
	}
	rec := s.newRecord(first, out)
	if len(rule.Candidates) == 1 {
		only := rule.Candidates[0]
		out.Stop, out.Chosen, out.Lo, out.Hi = record.StopOnly, only, float64(only), float64(only)
		return s.end(rec), nil
	}
	c := &activeSearch{Searcher: s, trial: t, out: out, wanted: []string{wanted.Maximize}, begun: time.Now()}
	c.judge = func(measured *record.Record, p *record.Probe) {
		if measured.Failure == "" {
			p.Value, p.Invalid = dataset.ProbeOfTune(measured, wanted.Maximize, s.Experiment.Metrics)
		}
	}
	var medians []float64 // of the probes of each candidate
	for out.Stop == "" {
		candidate := rule.Candidates[len(medians)]
		values[wanted.Name], c.retries = candidate, wanted.Probes
		tried, err := t.Tuned(values)
		if err != nil {
			return nil, err
		}
		probes, err := c.try(ctx, tried.Short(), record.Probe{Candidate: float64(candidate), Phase: record.PhaseProbe},
			wanted.Probes)
		if err != nil {
			return nil, err
		}
		medians = append(medians, stats.Median(slice.Map(probes, func(p record.Probe) float64 {
			return stats.MoreIsBetter(p.Counts(), stats.Direction(out.Better))
		})))
		out.Stop = stopOfTune(rule, medians, wanted, c.spent())
	}
	if choice, ok := rule.Choose(medians); ok {
		out.Chosen, out.Matters, out.Lo, out.Hi = choice.Chosen, choice.Matters, choice.Near.Lo, choice.Near.Hi
	} else {
		out.Reason, out.Busy = "no probe counts: "+whyNot(out.Probes), c.givenUp
	}
	return s.end(rec), nil
}

// stopOfTune says why a search for a value ends after the candidates tried so far; empty if it continues.
func stopOfTune(rule stats.Tuning, medians []float64, wanted spec.Search, spent time.Duration) string {
	if why, stop := rule.Stop(medians); stop {
		return string(why)
	}
	next := spent / time.Duration(len(medians))
	if wanted.Budget > 0 && spent+next > wanted.Budget {
		return record.StopBudget
	}
	return ""
}
