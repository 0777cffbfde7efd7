package outcome

import (
	"math"

	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// Published writes the published size of the effect of a claim; empty if nothing was published.
func Published(d *dataset.Dataset, j *claim.Judgement) string {
	if j.Claim == nil || j.Claim.Expect.Node == nil {
		return ""
	}
	x, isWritten := j.Published() // by the author, with as many digits as there are
	ok := isWritten
	if len(j.Parts) > 0 {
		if !ok {
			x, ok = publishedParts(d, j)
		}
		if !ok {
			return ""
		}
		return counted(j, int(x))
	}
	if !ok {
		x, ok = publishedEffect(d, j.Test)
	}
	switch m := j.Sides; {
	case !ok || len(m) == 0:
		return ""
	case j.IsRatio:
		return publishedRatio(j, x, isWritten)
	case j.Form == claim.Fewer:
		return wording.PercentUnit.Exact(x)
	default:
		return wording.UnitFor(m[0].Metric.Unit, m[0].Metric.Share, x).Exact(x)
	}
}

// publishedRatio writes a published ratio in the form of the measured effect.
func publishedRatio(j *claim.Judgement, x float64, isWritten bool) string {
	e := Effect{Ratio: x, form: saidForm(j)}
	isFactor := e.form == asFactor
	if j.Effect != nil {
		e.form = EffectOf(j).shown()
	}
	if isWritten || isFactor && e.shown() == asTimes {
		return ratioWords(x, e.shown())
	}
	return e.Text()
}

// publishedParts counts the parts of a claim that published numbers support. It is false if one part has none.
func publishedParts(d *dataset.Dataset, j *claim.Judgement) (float64, bool) {
	held := 0
	for i := range j.Parts {
		p := &j.Parts[i]
		x, ok := publishedEffect(d, p.Test)
		if !ok {
			return 0, false
		}
		if stats.Judge(stats.Interval{Lo: x, Hi: x}, p.Region) == stats.Supported {
			held++
		}
	}
	return float64(held), true
}

// publishedEffect returns the effect of a test of one, two or four sides by published numbers, in the unit of its
// region.
func publishedEffect(d *dataset.Dataset, t claim.Test) (float64, bool) {
	x := make([]float64, len(t.Sides))
	for i, side := range t.Sides {
		number, ok := publishedSide(d, side)
		if !ok || i > 0 && side.Metric.Name != t.Sides[0].Metric.Name {
			return 0, false
		}
		x[i] = number
	}
	switch {
	case len(x) == 1:
		return x[0], true
	case t.Form == claim.Fewer && len(x) == 2 && t.Sides[0].Metric.Share:
		return x[1] - x[0], true
	case t.IsRatio && len(x) == 2 && x[1] > 0:
		return x[0] / x[1], true
	case t.IsRatio && len(x) == 4 && x[1]*x[2]*x[3] > 0:
		return x[0] / x[1] / (x[2] / x[3]), true
	}
	return 0, false
}

// publishedSide returns the published number of a side: of its only cell, or the geometric mean of its cells.
func publishedSide(d *dataset.Dataset, side claim.Side) (float64, bool) {
	if len(side.Cells) == 0 || len(side.Cells) > 1 && !side.Geomean {
		return 0, false
	}
	if len(side.Cells) == 1 {
		p, ok := d.Published(side.Cells[0], side.Metric.Name, "")
		return p.Number, ok
	}
	sum := 0.0
	for _, cell := range side.Cells {
		p, ok := d.Published(cell, side.Metric.Name, "")
		if !ok || p.Number <= 0 {
			return 0, false
		}
		sum += math.Log(p.Number)
	}
	return math.Exp(sum / float64(len(side.Cells))), true
}
