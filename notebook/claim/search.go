package claim

import (
	"slices"
	"strings"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// judgeSearched asks whether the ratio of two values that searches found lies in the region: by the intervals of
// both, neither widened nor in need of repetitions.
//
// Source: docs/method.md#claims-as-regions and docs/method.md#capacities.
func (t ratioTest) judgeSearched(j Judgement) Judgement {
	a, b := t.a.cells[0].Metric(t.a.metric.Name), t.b.cells[0].Metric(t.b.metric.Name)
	for _, s := range []struct {
		side side
		r    dataset.Result
	}{{t.a, a}, {t.b, b}} {
		if s.r.Estimate.Kind != stats.BySearch {
			j.Verdict, j.Reason = stats.NotMeasured, s.side.d.Lacks(s.side.cells[0], dataset.Result{Metric: s.r.Metric,
				Missing: strings.Join(s.r.Marks, "; ")})
			return j
		}
	}
	q := dataset.SearchedRatio(a, b, false)
	q.Cells, q.What = []*dataset.Cell{t.a.cells[0], t.b.cells[0]}, j.What
	if dataset.Finite(q.Number) {
		j.Effect = &q
	}
	interval := a.Estimate.Interval.Over(b.Estimate.Interval)
	if j.Verdict = stats.Judge(interval, t.region); j.Verdict == stats.Inconclusive {
		j.Reason = "the two search results are too close together, or unbounded"
	}
	return j
}

// judgeSearched asks whether a value that a search found lies beyond a limit: by the interval of the search.
//
// Source: docs/method.md#claims-as-regions.
func (t limitTest) judgeSearched(j Judgement, r dataset.Result) Judgement {
	if r.Estimate.Kind != stats.BySearch {
		j.Effect, j.Verdict, j.Reason = nil, stats.NotMeasured, strings.Join(r.Marks, "; ")
		return j
	}
	if j.Verdict = stats.Judge(r.Estimate.Interval, t.region); j.Verdict == stats.Inconclusive {
		j.Reason = "the limit lies in the range that the search left open"
	}
	return j
}

// isBySearches reports whether all that a test is about was found by searches, which are not stopped by results.
func isBySearches(t test) bool {
	return !slices.ContainsFunc(sidesOf(t), func(s side) bool { return !record.IsSearched(s.metric.Name) })
}
