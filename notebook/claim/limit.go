package claim

import (
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
	region stats.Region
}

func (t limitTest) judge(alpha float64) Judgement {
	c := t.side.cells[0]
	j := Judgement{What: t.side.metric.InWords() + ", " + t.side.name(), Region: t.region}
	j.note(0, false, t.side)
	if _, ok := t.side.Measured(&j); !ok {
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
		if r.IsErrorShare() {
			// The interval of a share shrinks with attempts rather than with repetitions.
			j.Reason = reasonLimit
			return j
		}
		// Its errors are those of Summarize, which there were none of.
		needed, _ := stats.CellRepetitions(r.Cell(), t.region, alpha)
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
	if d := dataset.DimensionOf(s.metric); s.metric.Unit != "" && !d.Like(q.Unit.Dimension) {
		return nil, dataset.Mistake(n.Y.Pos(), "unlike-units", "write the limit in "+d.Base(),
			"%s is a %s, and %s a %s", s.metric.Name, d, q.Text, q.Unit.Dimension)
	}
	more := n.Op == expr.Greater || n.Op == expr.GreaterEqual
	_, zero := record.LookupMetric(s.metric.Name) // only programs print metrics that may be below it
	switch {
	case more && zero && limit <= 0:
		return nil, cannotFail(n, s.metric.Name+" is never less than 0")
	case more && s.metric.Share && limit >= 1:
		return nil, cannotHold(n, "a share is never more than 100%", "correct the number")
	case !more && zero && limit <= 0 && s.metric.Unit == "1" && !s.metric.Share:
		return nil, cannotHold(n, s.metric.Name+" is never less than 0", "write < 1 for none at all")
	case !more && zero && limit <= 0:
		return nil, cannotHold(n, s.metric.Name+" is never less than 0", "correct the number")
	case !more && s.metric.Share && limit >= 1:
		return nil, cannotFail(n, "a share is never more than 100%")
	}
	region := stats.Below(limit)
	if more {
		region = stats.Above(limit)
	}
	return limitTest{s, region}, nil
}
