package outcome

import (
	"math"
	"slices"

	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// Published writes the published size of the effect of a claim; empty if nothing was published.
func Published(d *dataset.Dataset, j *claim.Judgement) string {
	if j.Claim == nil || j.Claim.Expect.Node == nil {
		return ""
	}
	x, ok := j.Published()
	isWritten := ok // by the author, with as many digits as there are
	switch {
	case ok && len(j.Sides) == 0 || j.Form == claim.Pairs:
		if ok {
			return counted(j, int(x))
		}
		return publishedPairs(d, j)
	case !ok && j.Effect != nil:
		x, ok = PublishedNumber(d, j.Claim.Expect.Node, j.Effect.Cells, j.IsRatio)
	}
	switch m := j.Sides; {
	case !ok:
		return ""
	case j.IsRatio:
		return publishedRatio(j, x, isWritten)
	case j.Form == claim.Fewer:
		return wording.PercentUnit.Exact(x)
	default:
		return wording.UnitFor(m[0].Metric.Unit, m[0].Metric.Share, x).Exact(x)
	}
}

// publishedRatio writes a published ratio in the form of the sentence beside it.
func publishedRatio(j *claim.Judgement, x float64, isWritten bool) string {
	switch isFactor := saidForm(j) == asFactor; {
	case isFactor && x < 1:
		return wording.PercentUnit.Exact(math.Round(x*100) / 100)
	case isFactor:
		return factorWords(x)
	case isWritten:
		return limitWords(x)
	}
	return Effect{Ratio: x}.Text()
}

// publishedPairs counts the pairs of which the published numbers are as claimed.
func publishedPairs(d *dataset.Dataset, j *claim.Judgement) string {
	held := 0
	for i := range j.Parts {
		p := &j.Parts[i]
		if len(p.Sides) != 2 || p.Sides[0].Metric.Name != p.Sides[1].Metric.Name {
			return ""
		}
		var numbers [2]float64
		for k, s := range p.Sides {
			v, ok := d.Published(s.Cells[0], s.Metric.Name, "")
			if !ok {
				return ""
			}
			numbers[k] = v.Number
		}
		x := numbers[0] / numbers[1]
		if stats.Judge(stats.Interval{Lo: x, Hi: x}, p.Region) == stats.Supported {
			held++
		}
	}
	return counted(j, held)
}

// PublishedNumber returns the published value of the only metric of an expression: of one cell, or the ratio of two.
func PublishedNumber(d *dataset.Dataset, n expr.Node, cells []*dataset.Cell, isRatio bool) (float64, bool) {
	n, err := d.Expand(n)
	if err != nil {
		return 0, false
	}
	selectors := expr.Selectors(n)
	if len(selectors) == 0 || slices.ContainsFunc(selectors,
		func(s *expr.Selector) bool { return s.Name != selectors[0].Name }) {
		return 0, false
	}
	var numbers []float64
	for _, cell := range cells {
		p, ok := d.Published(cell, selectors[0].Name, "")
		if !ok {
			return 0, false
		}
		numbers = append(numbers, p.Number)
	}
	call, isCall := n.(*expr.Call)
	switch {
	case !isRatio && len(numbers) == 1:
		return numbers[0], true
	case isRatio && len(numbers) == 2 && numbers[1] > 0:
		return numbers[0] / numbers[1], true
	case isCall && call.Name == "fewer" && len(numbers) == 2 && cells[0].Metric(selectors[0].Name).Metric.Share:
		return numbers[1] - numbers[0], true
	}
	return 0, false
}
