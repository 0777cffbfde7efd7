package dataset

import (
	"errors"
	"slices"
	"strings"

	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// ProbeOfTune reads what a probe of a search for a tuned value counts for: the value of a metric in its base unit,
// and why the probe does not count, if it does not. Added are the metrics that the experiment adds. A probe with more
// failures than may be is one of those.
//
// Source: docs/method.md#tuned-values.
func ProbeOfTune(r *record.Record, metric string, added []plan.Metric) (value float64, invalid string) {
	value, missing := Value(r, metric, added)
	if missing != "" {
		return 0, missing
	}
	return value, invalidBy(r)
}

// invalidBy says which checks found a repetition not to be valid, those that are named left aside; empty if it is
// valid.
func invalidBy(r *record.Record, aside ...string) string {
	var words []string
	_, checks := validity.Of(r)
	for _, c := range checks {
		if c.Level == validity.Invalid && !slices.Contains(aside, c.Name) {
			words = append(words, c.Words)
		}
	}
	return strings.Join(words, "; ")
}

// ProbeOfCapacity says what a probe of a search for a capacity came to by its record, and why if it says nothing.
// Added are the metrics that the experiment adds; failures are for the objective to judge. Services that did not keep
// up fail it whatever else was measured, and so do percentiles that lie among failed requests; but where the machine
// was busy with something else, that says nothing of them.
//
// Source: docs/method.md#capacities.
func ProbeOfCapacity(r *record.Record, objective expr.Node, added []plan.Metric) (o stats.Outcome, invalid string) {
	if words, disturbed := validity.Disturbed(r); disturbed {
		return stats.ProbeInvalid, words
	}
	if r.Failure != "" || fellBehind(r) {
		return stats.ProbeFailed, ""
	}
	aside := []string{validity.ErrorsCheck}
	if r.IsOpenLoop() && float64(r.Load.Open.Blocked) > (1-keepsUp)*float64(r.Load.Open.Due) {
		// Requests waited for answers to earlier ones, which the latency has in it.
		aside = append(aside, validity.OfferedCheck, validity.LagCheck)
	}
	if words := invalidBy(r, aside...); words != "" {
		return stats.ProbeInvalid, words
	}
	v, err := expr.Eval(objective, newReading(r, added))
	without, isMissing := errors.AsType[*missingError](err)
	switch {
	case isMissing && (without.reason == "no answers" || strings.HasPrefix(without.reason, "among failures") ||
		strings.HasPrefix(without.reason, "> ")):
		return stats.ProbeFailed, "" // too few requests were answered
	case err != nil:
		return stats.ProbeInvalid, expr.MessageOf(err)
	case v.Truth:
		return stats.ProbeMet, ""
	}
	return stats.ProbeFailed, ""
}

// fellBehind reports whether services did not keep up with an open loop: too little of what was sent was answered, or
// requests could not even be sent since all connections waited for answers.
//
// Source: docs/method.md#quantities-checked.
func fellBehind(r *record.Record) bool {
	if !r.IsOpenLoop() {
		return false
	}
	l := r.Load.Open
	unsent := l.Due - l.Sent
	return l.Sent > 0 && float64(r.Load.Completed)/float64(l.Sent) < keepsUp ||
		float64(unsent) > (1-keepsUp)*float64(l.Due) && l.Blocked >= unsent
}
