package claim

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/slice"
)

// shuffles are how often the values of cells are handed round.
const shuffles = 20

// Unmoved warns of those of some claims that the records support and that they support as well when the cells have
// each other's values, in the reverse order and shuffled, and when single values lie on the other side of their
// limit: such a claim would hold whatever had been measured. It gives the number of claims that were moved.
//
// Not asked are claims that hold for equal cells too, such as same(a, b) and a >= b: cells that are alike can be
// exchanged. The dataset is left as it is, and the same records have the same shuffles.
func Unmoved(d *dataset.Dataset, claims []*article.Claim, problems *source.Problems) (moved int) {
	for _, claim := range claims {
		if Judge(d, claim).Verdict != stats.Supported {
			continue
		}
		m := mutation{d: d.Copy(), random: rand.New(rand.NewPCG(1, 1))}
		t, err := newTest(m.d, claim)
		if err != nil || holdsForEquals(t) {
			continue
		}
		m.survey(t)
		if m.isMoved(t) {
			moved++
			continue
		}
		problems.Warn("unmoved-claim", claim.Expect.Text.Pos,
			"claim %q is still supported when the values of its cells are reversed or shuffled",
			claim.Name.Value).Hint = "claim something that depends on which cell has which value"
	}
	return moved
}

// holdsForEquals reports whether a test is of ratios alone that may all be 1.
func holdsForEquals(t test) bool {
	return !slices.ContainsFunc(leaves(t), func(part test) bool {
		region, isRatio := ratioRegion(part)
		return !isRatio || region.Lo >= 1 || region.Hi <= 1
	})
}

// isMoved judges a claim with the values of its cells reversed, and shuffled, until the verdict is another one.
func (m *mutation) isMoved(t test) bool {
	real := make([]dataset.Result, len(m.points))
	for i, p := range m.points {
		real[i] = p.cell.Metric(p.metric)
	}
	try := func(order []int) bool {
		for i, p := range m.points {
			r := real[order[i]]
			if limit, ok := m.centre[p.metric]; ok {
				// Beyond the limit instead of before it, or the other way round.
				if number := limit * clearly; r.Estimate.Centre >= limit {
					r = p.cell.MadeUp(p.metric, limit*limit/number, hardly)
				} else {
					r = p.cell.MadeUp(p.metric, number, hardly)
				}
			}
			p.cell.SetResult(p.metric, r)
		}
		return judgeAtLevel(t).Verdict != stats.Supported
	}
	if try(m.exchanged(real, slices.Reverse)) {
		return true
	}
	for range shuffles {
		if try(m.exchanged(real, func(list []int) {
			m.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		})) {
			return true
		}
	}
	return false
}

// exchanged says whose value each point gets: the points of one metric, in the order of their values, exchange them
// as change says.
func (m *mutation) exchanged(real []dataset.Result, change func([]int)) []int {
	order := make([]int, len(m.points))
	var metrics []string
	for i, p := range m.points {
		order[i] = i
		metrics = slice.Add(metrics, p.metric)
	}
	for _, metric := range metrics {
		var from []int
		for i, p := range m.points {
			if p.metric == metric {
				from = append(from, i)
			}
		}
		slices.SortStableFunc(from, func(a, b int) int {
			return cmp.Compare(real[a].Estimate.Centre, real[b].Estimate.Centre)
		})
		to := slices.Clone(from)
		change(to)
		for k, i := range from {
			order[i] = to[k]
		}
	}
	return order
}
