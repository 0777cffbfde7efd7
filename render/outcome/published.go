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
	switch {
	case !ok && len(j.Parts) > 0:
		x, ok = publishedParts(d, j)
	case !ok:
		x, ok = publishedEffect(d, j.Test)
	}
	switch {
	case !ok:
		return ""
	case len(j.Parts) > 0:
		return counted(j, int(x))
	case j.IsRatio:
		return publishedRatio(j, x, isWritten)
	case j.Form == claim.Fewer:
		return wording.PercentUnit.Exact(x)
	}
	m := j.Sides[0].Metric
	return wording.UnitFor(m.Unit, m.Share, x).Exact(x)
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
	n := len(side.Cells)
	if n == 0 || n > 1 && !side.Geomean {
		return 0, false
	}
	mean := 1.0
	for _, cell := range side.Cells {
		p, ok := d.Published(cell, side.Metric.Name, "")
		if !ok || n > 1 && p.Number <= 0 {
			return 0, false
		}
		mean *= math.Pow(p.Number, 1/float64(n))
	}
	return mean, true
}
