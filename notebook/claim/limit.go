package claim

import (
	"slices"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// limitTest asks whether one value lies beyond a limit.
//
// Source: docs/method.md#claims-as-regions.
type limitTest struct {
	side   side
	op     expr.Op
	region stats.Region
}

func (t limitTest) judge(alpha float64) Judgement {
	c := t.side.cells[0]
	j := Judgement{What: t.side.metric.InWords() + ", " + t.side.name(), Region: t.region}
	j.compares(Limit, t.op, t.side)
	j.note(0, false, t.side)
	if _, ok := t.side.measured(&j); !ok {
		return j
	}
	r := t.side.result(c)
	e, err := r.At(alpha)
	if err != nil {
		j.Verdict, j.Reason = stats.NotMeasured, err.Error()
		return j
	}
	effect := t.side.d.EstimateQuantity(t.side.metric, c, e)
	j.Effect = &effect
	if record.IsSearched(t.side.metric.Name) {
		return t.judgeSearched(j, r)
	}
	if e.N < stats.MinRepetitions {
		j.tooFew(t.side.name(), e.N)
		return j
	}
	j.Verdict = stats.Judge(e.ClaimInterval(), t.region)
	if j.Verdict == stats.Inconclusive {
		if r.IsErrorShare() || slices.Contains(r.Disturbed(), true) {
			// The interval of a share shrinks with attempts rather than with repetitions, and bounds do not shrink.
			j.Reason = reasonLimit
			return j
		}
		// Its errors are those of Summarize, which there were none of.
		needed, _ := stats.CellNeeded(r.Cell(), t.region, alpha, plannedLooks(t.side))
		j.Undecided(needed)
	}
	return j
}

// limit is the form a < 100ms, with its kin.
func (f builder) limit(n *expr.Binary) (test, error) {
	sel, ok := n.X.(*expr.Selector)
	y, sign := n.Y, 1.0
	if u, negated := y.(*expr.Unary); negated && u.Op == expr.Sub {
		y, sign = u.X, -1
	}
	q, isQuantity := y.(*expr.Quantity)
	if !ok || !isQuantity || !n.Op.IsOrdering() {
		return nil, nil
	}
	limit := sign * q.Value
	s, err := f.side(sel)
	if err != nil {
		return nil, err
	}
	if err := unlike(s.metric, q, n.Y.Pos()); err != nil {
		return nil, err
	}
	more := n.Op == expr.Greater || n.Op == expr.GreaterEqual
	if err := cannotBe(n, s.metric, limit, more); err != nil {
		return nil, err
	}
	if more {
		return limitTest{s, n.Op, stats.Above(limit)}, nil
	}
	return limitTest{s, n.Op, stats.Below(limit)}, nil
}

// unlike refuses limits that are not of the metric's kind.
func unlike(m record.Metric, q *expr.Quantity, at expr.Span) error {
	if d := dataset.DimensionOf(m); m.Unit != "" && !d.Like(q.Unit.Dimension) {
		return dataset.Mistake(at, "unlike-units", "write the limit in "+d.Base(), "%s is a %s, and %s a %s", m.Name, d,
			q.Text, q.Unit.Dimension)
	}
	known, ok := record.LookupMetric(m.Name)
	if ok && known.Unit == "1" && !known.Share && q.Unit.Dimension == expr.Share {
		return dataset.Mistake(at, "unlike-units", "write the limit as a number", "%s is a number, and %s a share", m.Name,
			q.Text)
	}
	return nil
}

// cannotBe refuses limits that a metric is always beyond, or never.
func cannotBe(n expr.Node, m record.Metric, limit float64, more bool) error {
	_, known := record.LookupMetric(m.Name) // only programs print metrics that may be below 0
	never, aShare := m.Name+" is never less than 0", "a share is never more than 100%"
	switch below := known && limit <= 0; {
	case below && more:
		return cannotFail(n, never)
	case below && m.Unit == "1" && !m.Share:
		return cannotHold(n, never, "write < 1 for none at all")
	case below:
		return cannotHold(n, never, "correct the number")
	case m.Share && limit >= 1 && more:
		return cannotHold(n, aShare, "correct the number")
	case m.Share && limit >= 1:
		return cannotFail(n, aShare)
	}
	return nil
}
