package dataset

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// ProbeOfTune reads what a probe of a search for a tuned value counts for: the value of a metric in its base unit, and why the probe
// does not count, if it does not. Added are the metrics that the experiment adds. A probe with more failures than may be is one of those.
//
// Source: docs/method.md#tuned-values.
func ProbeOfTune(r *record.Record, metric string, added []plan.Metric) (value float64, invalid string) {
	value, missing := Value(r, metric, added)
	if missing != "" {
		return 0, missing
	}
	return value, invalidBy(r)
}

// invalidBy says which checks found a repetition not to be valid, those that are named left aside; empty if it is valid.
func invalidBy(r *record.Record, aside ...string) string {
	var words []string
	_, checks := Validity(r)
	for _, c := range checks {
		if c.Level == Invalid && !slices.Contains(aside, c.Name) {
			words = append(words, c.Words)
		}
	}
	return strings.Join(words, "; ")
}

// ProbeOfCapacity says what a probe of a search for a capacity came to by its record, and why if it says nothing. Metrics gives
// what the objective names; failures are for the objective to judge. Services that did not keep up fail it whatever else was measured,
// and so do percentiles that lie among failed requests; but where the machine was busy with something else, that says nothing of them.
//
// Source: docs/method.md#capacities.
func ProbeOfCapacity(r *record.Record, objective expr.Node, metrics func(name string) (record.Metric, bool), added []plan.Metric) (o stats.Outcome, invalid string) {
	if words, disturbed := Disturbed(r); disturbed {
		return stats.ProbeInvalid, words
	}
	if r.Failure != "" || fellBehind(r) {
		return stats.ProbeFailed, ""
	}
	aside := []string{errorsCheck}
	if isOpenLoop(r) && float64(r.Load.Open.Blocked) > (1-keepsUp)*float64(r.Load.Open.Due) {
		aside = append(aside, offeredCheck, lagCheck) // requests waited for answers to earlier ones, which the latency has in it
	}
	if words := invalidBy(r, aside...); words != "" {
		return stats.ProbeInvalid, words
	}
	v, err := expr.Eval(objective, probeEnv{r, added, metrics})
	switch {
	case errors.Is(err, errUnanswered):
		return stats.ProbeFailed, ""
	case err != nil:
		return stats.ProbeInvalid, messageOf(err)
	case v.Truth:
		return stats.ProbeMet, ""
	}
	return stats.ProbeFailed, ""
}

// fellBehind reports whether services did not keep up with an open loop: too little of what was sent was answered, or requests
// could not even be sent since all connections waited for answers.
//
// Source: docs/method.md#quantities-checked.
func fellBehind(r *record.Record) bool {
	if !isOpenLoop(r) {
		return false
	}
	l := r.Load.Open
	unsent := l.Due - l.Sent
	return l.Sent > 0 && float64(r.Load.Completed)/float64(l.Sent) < keepsUp || float64(unsent) > (1-keepsUp)*float64(l.Due) && l.Blocked >= unsent
}

// keepsUp is the share of what was sent that has to be answered in time.
const keepsUp = 0.99

// errUnanswered is that a metric has no value since too few requests were answered.
var errUnanswered = errors.New("among failures")

// A probeEnv is the expr.Env of an objective: the metrics of one record.
type probeEnv struct {
	record  *record.Record
	added   []plan.Metric // by the experiment
	metrics func(name string) (record.Metric, bool)
}

// Select is part of expr.Env.
func (e probeEnv) Select(s *expr.Selector) (expr.Value, error) {
	m, ok := e.metrics(s.Name)
	if !ok {
		return expr.Value{}, fmt.Errorf("%q is no metric of this experiment", s.Name)
	}
	value, missing := Value(e.record, s.Name, e.added)
	switch {
	case missing == "no answers" || strings.HasPrefix(missing, "among failures") || strings.HasPrefix(missing, "> "):
		return expr.Value{}, fmt.Errorf("%s: %w", s.Name, errUnanswered)
	case missing != "":
		return expr.Value{}, fmt.Errorf("%s: %s", s.Name, missing)
	}
	return expr.NumberOf(value, dimension(m)), nil
}

// Call is part of expr.Env: an objective is about one probe, and has no cells to compare.
func (probeEnv) Call(c *expr.Call) (expr.Value, error) {
	return expr.Value{}, fmt.Errorf("%s cannot be used in an objective", c.Name)
}
