package search

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// retriesOfProbe is how often a disturbed probe of a search for a capacity is repeated. In a search for a tuned value,
// a candidate has as many retries as probes.
const retriesOfProbe = 3

// Capacity searches for the highest rate of a trial that meets its objective.
//
// Source: docs/method.md#capacities.
func (s *Searcher) Capacity(ctx context.Context, t *plan.Trial) (*record.Record, error) {
	objective, err := expr.Parse(t.Capacity.SLO)
	if err != nil {
		return nil, fmt.Errorf("trial %q: reading its objective: %w", t.Name, err) // the plan has parsed it before
	}
	names := expr.Names(objective) // at least one
	metric := s.metric(names[0])
	out := &record.Search{Kind: record.SearchCapacity, Metric: names[0], Unit: metric.Unit, Better: metric.Better,
		Objective: t.Capacity.SLO}
	tuned, err := s.Choices.Tuned(t)
	if err != nil {
		return nil, err
	}
	rec := s.newRecord(tuned, out)
	s.Choices.AddTo(rec, t)
	if reason := s.Choices.Of(t).Reason; reason != "" {
		out.Stop, out.Reason = record.StopNone, reason
		return s.end(rec), nil
	}
	longest, need := t.Capacity.Probe.Seconds(), int64(0)
	for _, name := range names {
		need = max(need, dataset.AnswersNeeded(name, s.Experiment.Metrics))
	}
	rule := stats.NewCapacitySearch(stats.CapacityRule{From: stats.AdmissibleFloor(t.Capacity.From, longest, need),
		To: t.Capacity.To, Start: s.startRate(t), Step: t.Capacity.Step, Repeats: t.Capacity.Repeats})
	c := &activeSearch{Searcher: s, trial: t, out: out, wanted: names, retries: retriesOfProbe, begun: time.Now()}
	c.judge = func(measured *record.Record, p *record.Probe) {
		outcome, invalid := dataset.ProbeOfCapacity(measured, objective, s.Experiment.Metrics)
		p.Value, _ = dataset.Value(measured, names[0], s.Experiment.Metrics)
		p.Passed, p.Invalid = outcome == stats.ProbeMet, invalid
	}
	for {
		rate, phase, ok := rule.Next()
		if !ok {
			break
		}
		window := stats.AdmissibleWindow(rate, t.Load.Duration.Seconds(), longest, need)
		probes, err := c.try(ctx, tuned.AtRate(rate, time.Duration(math.Ceil(window*1e3))*time.Millisecond),
			record.Probe{Candidate: rate, Phase: string(phase)}, 1)
		if err != nil {
			return nil, err
		}
		outcome := outcomeOf(probes[0])
		rule.Tell(outcome)
		if outcome != stats.ProbeInvalid { // an invalid rate is tried once more, with the retries that are left
			c.retries = retriesOfProbe
		}
	}
	conclude(out, rule)
	out.Busy = out.Reason != "" && c.givenUp
	return s.end(rec), nil
}

// outcomeOf returns the outcome of a probe of a search for a capacity.
func outcomeOf(p record.Probe) stats.Outcome {
	switch {
	case p.Invalid != "":
		return stats.ProbeInvalid
	case p.Passed:
		return stats.ProbeMet
	}
	return stats.ProbeFailed
}

// conclude fills in the result of a search for a capacity. If no probe passed and some could not be measured, it gives
// a reason instead: the lowest rate may be fine.
func conclude(out *record.Search, search *stats.CapacitySearch) {
	found, stop, known := search.Found()
	passed := slices.ContainsFunc(out.Probes, func(p record.Probe) bool { return p.Passed })
	broken := slices.ContainsFunc(out.Probes, func(p record.Probe) bool { return p.Failure != "" })
	out.Stop = record.StopNone
	switch {
	case !known:
		out.Reason = "a probe was not valid twice: " + whyNot(out.Probes)
	case !passed && broken:
		out.Reason = "no probe met the objective, and some could not be measured: " + whyNot(out.Probes)
	default:
		out.Stop, out.Lo = string(stop), found.Lo
		if !math.IsInf(found.Hi, 1) {
			out.Hi = found.Hi
		}
	}
}

// startRate returns half the recorded throughput of the same services in a closed loop, in requests per second; 0 if
// none is recorded under its present key.
//
// Source: docs/method.md#capacities.
func (s *Searcher) startRate(t *plan.Trial) float64 {
	same := func(o *plan.Trial) bool {
		if o.Load == nil || o.Calibration || o.Load.Arrivals != "" ||
			o.Load.Target != t.Load.Target {
			return false
		}
		own, err := json.Marshal(t.Services)
		other, errOther := json.Marshal(o.Services)
		return err == nil && errOther == nil && bytes.Equal(own, other) && slices.Equal(o.Parameters, t.Parameters)
	}
	for _, e := range s.Plan.All {
		for _, o := range e.Trials {
			if e != s.Experiment && same(o) {
				if throughput := Throughput(s.Plan, e, o, s.Records, s.Host); throughput > 0 {
					return throughput / 2
				}
			}
		}
	}
	return 0
}
