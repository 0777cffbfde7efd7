package stats

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/slice"
)

// Direction says which values of a metric are better, in the words of an article.
type Direction string

const (
	HigherIsBetter Direction = "higher"
	LowerIsBetter  Direction = "lower"
)

// check refuses a direction that is neither.
func (d Direction) check() error {
	if d != HigherIsBetter && d != LowerIsBetter {
		return fmt.Errorf("direction %q: a metric is better when %q or %q", d, HigherIsBetter, LowerIsBetter)
	}
	return nil
}

// compare orders values best first.
func (d Direction) compare(a, b float64) int {
	if d == HigherIsBetter {
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}

// NamedCell is a cell and what an article calls it.
type NamedCell struct {
	Name  string
	Cell  Cell
	Given bool // the values were set, like the throughput of a scheduled load: they tell no two such cells apart
}

// Grouping ranks cells by a metric, with letters for cells that do not differ.
type Grouping struct {
	Ranked  []RankedCell // best first, by centre; ties by name
	LeftOut []LeftOut    // cells that cannot be compared, in the order given
}

// RankedCell is a cell with its groups.
type RankedCell struct {
	Name    string
	Centre  float64 // as it is printed, in the unit of the values
	Letters string  // the groups it is in, such as "ab"; none for any cell if there are more than 26 groups
}

// LeftOut is a cell without a rank, and why: ErrNoValues, ErrTooFew or ErrNotPositive.
type LeftOut struct {
	Name   string
	Reason error
}

// Groups orders cells and gives the same letter to cells that do not differ: each letter is a largest set of cells
// without a pair that is apart, and a is the set with the best cells. The smallest effect has no influence. Alpha is
// the level of all pairs together, floor the noise floor, which adds to the standard error of every pair.
//
// The error is ErrNotFinite, ErrNegative, ErrResolution or ErrAlpha, or is for an unknown direction.
//
// Source: docs/method.md#rank-groups; Holm 1979; Piepho, J. Computational and Graphical Statistics 2004.
func Groups(cells []NamedCell, direction Direction, alpha, floor float64) (Grouping, error) {
	if err := checkAlpha(alpha); err != nil {
		return Grouping{}, err
	}
	if err := direction.check(); err != nil {
		return Grouping{}, err
	}
	var g Grouping
	var ranked []NamedCell
	for _, c := range cells {
		if err := c.Cell.check(); err != nil {
			return Grouping{}, fmt.Errorf("cell %q: %w", c.Name, err)
		}
		if err := c.Cell.comparable(); err != nil {
			g.LeftOut = append(g.LeftOut, LeftOut{c.Name, err})
			continue
		}
		ranked = append(ranked, c)
	}
	slices.SortStableFunc(ranked, func(a, b NamedCell) int {
		return cmp.Or(direction.compare(a.Cell.centre(), b.Cell.centre()), cmp.Compare(a.Name, b.Name))
	})

	apart := make([][]bool, len(ranked))
	for i := range apart {
		apart[i] = make([]bool, len(ranked))
	}
	for _, p := range compared(ranked, floor) {
		apart[p.a][p.b], apart[p.b][p.a] = p.p <= alpha, p.p <= alpha
	}
	letters := make([]strings.Builder, len(ranked))
	if sets := maximalSets(apart, 26); len(sets) <= 26 {
		for s, set := range sets {
			for _, i := range set {
				letters[i].WriteByte('a' + byte(s))
			}
		}
	}
	for i, c := range ranked {
		g.Ranked = append(g.Ranked, RankedCell{c.Name, c.Cell.centre(), letters[i].String()})
	}
	return g, nil
}

// pair is the comparison of two cells, by their places.
type pair struct {
	a, b int
	p    float64 // of no difference beyond the noise floor, after Holm's correction
}

// compared returns all pairs with at least one cell that is not given.
func compared(ranked []NamedCell, floor float64) []pair {
	samples := slice.Map(ranked, func(c NamedCell) sample { return newSample(c.Cell) })
	var pairs []pair
	var ps []float64
	for i, a := range samples {
		for j := i + 1; j < len(samples); j++ {
			if ranked[i].Given && ranked[j].Given {
				continue
			}
			pairs, ps = append(pairs, pair{a: i, b: j}), append(ps, a.over(samples[j]).beyond(0, floor))
		}
	}
	for i, p := range holm(ps) {
		pairs[i].p = p
	}
	return pairs
}

// holm returns the probabilities corrected for their number: sorted p(i)·(m-i+1), never smaller than the one before, at
// most 1.
func holm(ps []float64) []float64 {
	sorted := slices.Clone(ps)
	slices.Sort(sorted)
	corrected := make([]float64, len(ps))
	largest := 0.0
	for i, p := range sorted {
		largest = min(1, max(largest, p*float64(len(ps)-i)))
		corrected[i] = largest
	}
	return slice.Map(ps, func(p float64) float64 {
		i, _ := slices.BinarySearch(sorted, p)
		return corrected[i]
	})
}

// maximalSets returns all largest sets of cells without a pair that is apart, each sorted, and sorted among themselves.
// There can be exponentially many: it stops when it has more than limit.
//
// They are the maximal cliques of the cells that are not apart, found by Bron and Kerbosch with pivoting.
func maximalSets(apart [][]bool, limit int) [][]int {
	var sets [][]int
	// near returns the others that are not apart from a cell.
	near := func(cell int, others []int) []int {
		return slice.Filter(others, func(o int) bool { return o != cell && !apart[cell][o] })
	}
	// grow extends a set by each of the candidates, which are near all of it. So are the cells in done, whose sets have
	// been found already.
	var grow func(set, candidates, done []int)
	grow = func(set, candidates, done []int) {
		if len(candidates) == 0 {
			if len(done) == 0 {
				sets = append(sets, slices.Sorted(slices.Values(set)))
			}
			return
		}
		// Every maximal set has the pivot or a cell apart from it, so other candidates need not be tried.
		pivot, most := -1, -1
		for _, cell := range slices.Concat(candidates, done) {
			if n := len(near(cell, candidates)); n > most {
				pivot, most = cell, n
			}
		}
		for _, cell := range candidates {
			if cell != pivot && !apart[pivot][cell] {
				continue
			}
			if len(sets) > limit {
				return
			}
			grow(append(slices.Clone(set), cell), near(cell, candidates), near(cell, done))
			candidates = slices.DeleteFunc(slices.Clone(candidates), func(c int) bool { return c == cell })
			done = append(done, cell)
		}
	}
	all := make([]int, len(apart))
	for i := range all {
		all[i] = i
	}
	if len(all) > 0 {
		grow(nil, all, nil)
	}
	slices.SortFunc(sets, slices.Compare)
	return sets
}
