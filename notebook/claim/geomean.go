package claim

import (
	"maps"
	"math"
	"slices"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
)

// geomeans is the form geomean(list) > geomean(list), with its kin: one value for each round, then the ratio.
//
// Source: docs/method.md#claims-as-regions.
func (f builder) geomeans(n *expr.Binary) (test, error) {
	x, okX := n.X.(*expr.Call)
	y, okY := n.Y.(*expr.Call)
	if !okX || !okY || x.Name != "geomean" || y.Name != "geomean" || !n.Op.IsOrdering() {
		return nil, nil
	}
	var sides [2]side
	for i, c := range []*expr.Call{x, y} {
		sel, ok := c.Args[0].(*expr.Selector)
		if !ok {
			return nil, noTest(n)
		}
		s, err := f.list(sel)
		if err != nil {
			return nil, err
		}
		if record.IsSearched(s.metric.Name) {
			return nil, dataset.Mistake(sel.Span, "no-test", `compare lists by every(a, "<", b)`,
				"a search finds one value of each cell, and none of a round, so no test compares geometric means of %s",
				s.metric.Name)
		}
		s.geomean = true
		sides[i] = s
	}
	if err := comparable(n, sides[0], sides[1]); err != nil {
		return nil, err
	}
	return f.compare(n.Op, sides[0], sides[1]), nil
}

// geomeanByRound returns the geometric mean over all cells of every round that all of them have, in order. A value of
// zero makes the mean of its round zero.
func geomeanByRound(cells []map[int]float64) (values []float64) {
	for _, round := range slices.Sorted(maps.Keys(cells[0])) {
		lacks := func(c map[int]float64) bool { _, ok := c[round]; return !ok }
		if slices.ContainsFunc(cells, lacks) {
			continue
		}
		sum := 0.0
		for _, c := range cells {
			sum += math.Log(c[round])
		}
		values = append(values, math.Exp(sum/float64(len(cells))))
	}
	return values
}
