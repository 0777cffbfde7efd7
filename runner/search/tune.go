package search

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
)

// Tune searches for a value of a trial, with the values that were chosen before it.
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
	probes := &prober{Searcher: s, trial: t, rec: rec, out: out, wanted: []string{wanted.Maximize}, with: before,
		begun: time.Now()}
	probes.judge = func(measured *record.Record, p *record.Probe) {
		if measured.Failure == "" {
			p.Value, p.Invalid = dataset.ProbeOfTune(measured, wanted.Maximize, s.Experiment.Metrics)
		}
	}
	var medians []float64
	for out.Stop == "" {
		values[wanted.Name] = rule.Candidates[len(medians)]
		median, err := probes.candidate(ctx, wanted, values)
		if err != nil {
			return nil, err
		}
		medians = append(medians, median)
		out.Stop = stopOfTune(rule, medians, wanted, probes.spent())
	}
	choice, err := rule.Choose(medians)
	if err != nil {
		out.Reason, out.Busy = "no probe counts: "+whyNot(out.Probes), probes.givenUp
		return s.end(rec), nil
	}
	out.Chosen, out.Matters, out.Lo, out.Hi = choice.Chosen, choice.Matters, choice.Near.Lo, choice.Near.Hi
	return s.end(rec), nil
}

// candidate probes a trial with some values as often as is wanted, and gives the median of what counts.
func (p *prober) candidate(ctx context.Context, wanted spec.Search, values map[string]int) (float64, error) {
	tried, err := p.trial.Tuned(values)
	if err != nil {
		return 0, err
	}
	if err := p.Bench.PrepareTrial(ctx, tried); err != nil {
		return 0, err
	}
	var counts []float64
	p.retries = wanted.Probes
	for range wanted.Probes {
		made, err := p.measure(ctx, tried.Short(), record.Probe{Candidate: float64(values[wanted.Name]),
			Phase: record.PhaseProbe})
		if err != nil {
			return 0, err
		}
		counts = append(counts, stats.MoreIsBetter(made.Counts(), stats.Direction(p.out.Better)))
	}
	return stats.Median(counts), nil
}

// stopOfTune says why a search for a value ends after the candidates whose medians are known; empty if it goes on.
func stopOfTune(rule stats.Tuning, medians []float64, wanted spec.Search, spent time.Duration) string {
	if why, stop := rule.Stop(medians); stop {
		if why == stats.StopLimit && len(rule.Candidates) == wanted.Points {
			return record.StopPoints
		}
		return string(why)
	}
	next := spent / time.Duration(len(medians))
	if wanted.Budget > 0 && spent+next > wanted.Budget {
		return record.StopBudget
	}
	return ""
}

// whyNot says what kept probes from counting: what was said last.
func whyNot(probes []record.Probe) string {
	for _, p := range slices.Backward(probes) {
		if words := cmp.Or(p.Failure, p.Invalid); words != "" {
			return words
		}
	}
	return "their values are zero"
}
