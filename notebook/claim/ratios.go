package claim

import (
	"errors"
	"math"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// ratiosTest asks whether the ratio of a to b, as a multiple of that of c to d, lies in a region: whether a gap is
// wider here than there.
//
// Source: docs/method.md#ratios and docs/method.md#claims-as-regions, with four cells.
type ratiosTest struct {
	over, under ratioTest // of which regions and changes play no part
	op          expr.Op
	region      stats.Region
}

func (t ratiosTest) judge(alpha float64) Judgement {
	j := Judgement{What: t.over.what() + ", against " + t.under.names(), Region: t.region, IsRatio: true}
	if t.over.a.metric.Name != t.under.a.metric.Name {
		j.What = t.over.what() + ", against " + t.under.what()
	}
	j.compares(Gap, t.op, t.sides()...)
	// Each of the two ratios may be off by the noise floor of its cells.
	var first, second Judgement
	first.note(t.over.delta, true, t.over.a, t.over.b)
	second.note(t.over.delta, true, t.under.a, t.under.b)
	j.note(t.over.delta, false, t.sides()...)
	for _, mark := range append(first.Marks, second.Marks...) {
		j.mark(mark)
	}
	j.Floor = math.Hypot(first.Floor, second.Floor)

	var cells [4]stats.Cell
	for i, s := range t.sides() {
		var ok bool
		if cells[i], ok = s.measured(&j); !ok {
			return j
		}
	}
	c, err := stats.RatioOfRatios(cells[0], cells[1], cells[2], cells[3], alpha)
	if err != nil && !errors.Is(err, stats.ErrTooFew) {
		j.Verdict, j.Reason = stats.Inconclusive, "there is no ratio: "+err.Error()
		for i, r := range []ratioTest{t.over, t.under} {
			a, b := cells[2*i], cells[2*i+1]
			if _, err := stats.Ratio(a, b, alpha); errors.Is(err, stats.ErrNotPositive) {
				j.Reason = "there is no ratio: " + dataset.NoRatio(err, r.a.name(r.b), a, r.b.name(r.a), b)
				break
			}
		}
		return j
	}
	c.Interval = c.Widen(j.Floor, alpha)
	effect := dataset.RatioOf(c, false)
	effect.What, effect.Cells = j.What, cellsIn(t.sides())
	j.Effect = &effect
	if err != nil {
		for i, s := range t.sides() {
			if n := len(cells[i].Values); n < stats.MinRepetitions {
				j.tooFew(s.name(t.sides()...), n)
				return j
			}
		}
	}
	switch j.Verdict = stats.Judge(c.Interval, t.region); {
	case j.Verdict == stats.Inconclusive && c.IsDisturbed():
		j.Reason = reasonLimit
	case j.Verdict == stats.Inconclusive:
		j.Undecided(stats.Needed(c, t.region, j.Floor, alpha, plannedLooks(t.sides()...)))
	}
	return j
}

func (t ratiosTest) sides() []side { return []side{t.over.a, t.over.b, t.under.a, t.under.b} }

// ratios is the form ratio(a, b) > ratio(c, d), with its kin.
func (f builder) ratios(n *expr.Binary) (test, error) {
	x, okX := n.X.(*expr.Call)
	y, okY := n.Y.(*expr.Call)
	if !okX || !okY || x.Name != "ratio" || y.Name != "ratio" || !n.Op.IsOrdering() {
		return nil, nil
	}
	var both [2]ratioTest
	for i, c := range []*expr.Call{x, y} {
		a, b, err := f.sides(c, c.Args[0], c.Args[1])
		if err != nil {
			return nil, err
		}
		if record.IsSearched(a.metric.Name) {
			return nil, dataset.Mistake(c.Pos(), "no-test", "compare the values themselves, by >",
				"a search finds one value of a cell, so no test compares ratios of %s", a.metric.Name)
		}
		both[i] = ratioTest{a: a, b: b, delta: f.delta}
	}
	if both[0].equals(both[1]) {
		return nil, dataset.Mistake(n.Pos(), "same-cells", "compare the ratios of different cells",
			"both sides are the same: %s", both[0].names())
	}
	return ratiosTest{over: both[0], under: both[1], op: n.Op, region: regionOf(n.Op, f.delta)}, nil
}
