package claim

import (
	"math"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/phrase"
)

// Published returns what the author says that the original found: a ratio for a claim about one, a value in base units
// for one about a limit, a share for one about failures, and a count for one about pairs or parts. It is false if the
// author says nothing, or nothing that fits.
func (j *Judgement) Published() (float64, bool) {
	if j.Claim == nil || j.Claim.Published.Node == nil || j.Form == "" {
		return 0, false
	}
	x, err := j.readPublished(j.Claim.Published.Node)
	return x, err == nil
}

// CheckPublished says what is wrong with the published number of a claim, which is right otherwise.
func CheckPublished(d *dataset.Dataset, c *article.Claim) error {
	j := Judge(d, c)
	if c.Published.Node == nil || j.Form == "" {
		return nil
	}
	_, err := j.readPublished(c.Published.Node)
	return err
}

func (j *Judgement) readPublished(n expr.Node) (float64, error) {
	q, sign := n, 1.0
	if u, ok := n.(*expr.Unary); ok && u.Op == expr.Sub {
		q, sign = u.X, -1
	}
	number, ok := q.(*expr.Quantity)
	if !ok {
		return 0, dataset.Mistake(n.Pos(), "wrong-value", "write one number, such as 1.26, 26% or 130ms",
			"what the original found is not a number")
	}
	x, unit := sign*number.Value, number.Unit
	mistake := func(what, hint string) error {
		return dataset.Mistake(n.Pos(), "wrong-unit", hint, "the claim is about %s, and %s is none", what, n)
	}
	if j.IsRatio {
		return publishedRatio(n, x, unit, mistake)
	}
	switch j.Form {
	case Limit:
		m := j.Sides[0].Metric
		if d := dataset.DimensionOf(m); m.Unit != "" && !d.Like(unit.Dimension) {
			return 0, mistake("a "+d.String(), "write it in "+d.Base())
		}
		return x, nil
	case Fewer:
		if unit.Symbol != "%" {
			return 0, mistake("a difference of shares", "write it in %: by how much smaller the first share was")
		}
		return x, nil
	default:
		if unit.Symbol != "" || x != math.Trunc(x) || x < 0 || x > float64(len(j.Parts)) {
			return 0, dataset.Mistake(n.Pos(), "wrong-value", "write how many of them came out as claimed",
				"the claim has %s, and %s is not a number of them", phrase.Plural(len(j.Parts), "comparison"), n)
		}
		return x, nil
	}
}

// publishedRatio reads a ratio, which may be written as a difference in per cent.
func publishedRatio(n expr.Node, x float64, unit expr.Unit, mistake func(what, hint string) error) (float64, error) {
	if unit.Symbol == "%" {
		x++
	} else if unit.Symbol != "" {
		return 0, mistake("a ratio", "write it as 1.26, or as 26% for the difference")
	}
	if x <= 0 {
		return 0, dataset.Mistake(n.Pos(), "wrong-value", "write it as 1.26, or as 26% for the difference",
			"a ratio is more than 0, and %s is not", n)
	}
	return x, nil
}
