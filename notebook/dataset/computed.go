package dataset

import (
	"errors"
	"slices"

	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// readWith gives one metric of one repetition that could be run, or the reason why it has none; the metric may be one that an experiment
// computes from others.
func readWith(decode decoder, r *record.Record, metric string, added []plan.Metric) (value float64, missing string) {
	i := slices.IndexFunc(added, func(m plan.Metric) bool { return m.Name == metric && m.Value != "" })
	if i < 0 {
		return read(decode, r, metric)
	}
	n, err := expr.Parse(added[i].Value)
	if err != nil {
		return 0, "not measured: " + err.Error()
	}
	v, err := expr.Eval(n, repetition{decode, r, added})
	var without *missingError
	switch {
	case errors.As(err, &without):
		return 0, without.reason
	case err != nil:
		return 0, "not measured: " + err.Error()
	}
	return v.Number, ""
}

// A missingError is a metric that another one is computed from, and that a repetition does not have.
type missingError struct{ reason string }

func (e *missingError) Error() string { return e.reason }

// A repetition is what names mean in an expression that is about it alone. It implements expr.Env. That added metrics do not go round
// in a circle is seen to when they are planned.
type repetition struct {
	decode decoder
	record *record.Record
	added  []plan.Metric
}

// Select implements expr.Env.
func (e repetition) Select(s *expr.Selector) (expr.Value, error) {
	value, missing := readWith(e.decode, e.record, s.Name, e.added)
	if missing != "" {
		return expr.Value{}, &missingError{missing}
	}
	m, known := record.LookupMetric(s.Name)
	if i := slices.IndexFunc(e.added, func(m plan.Metric) bool { return m.Name == s.Name }); i >= 0 {
		m, known = e.added[i].Metric, true
	}
	if !known { // a program printed it
		sample, _ := e.record.Sample(s.Name)
		m.Unit = sample.Unit
	}
	dimension := expr.Share
	if !m.Share {
		u, _ := expr.ParseUnit(m.Unit) // what is no unit has no dimension
		dimension = u.Dimension
	}
	return expr.NumberOf(value, dimension), nil
}

// Call implements expr.Env.
func (repetition) Call(c *expr.Call) (expr.Value, error) {
	return expr.Value{}, &expr.Error{Span: c.Span, Msg: c.Name + " compares cells, and this is about one repetition"}
}

// needsAll says that a metric is not available for a cell of which a valid repetition lacks it: the ones that lack it would have been
// the slow ones, or the best.
func needsAll(metric string, added []plan.Metric) bool {
	if isTime(metric) || metric == "throughput.per_core" {
		return true
	}
	for _, m := range added {
		if m.Name != metric || m.Value == "" {
			continue
		}
		n, err := expr.Parse(m.Value)
		return err == nil && slices.ContainsFunc(expr.Selectors(n), func(s *expr.Selector) bool { return needsAll(s.Name, added) })
	}
	return false
}
