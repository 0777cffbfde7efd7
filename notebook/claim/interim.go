package claim

import (
	"strings"

	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
)

// cellsOf are the cells that a test is about; some may be there twice.
func cellsOf(t test) []*dataset.Cell { return cellsIn(sidesOf(t)) }

func cellsIn(sides []side) (out []*dataset.Cell) {
	for _, s := range sides {
		out = append(out, s.cells...)
	}
	return out
}

// judgeAtLevel judges a claim at the level that interim analyses of its cells leave. Its intervals are those that are
// printed all the same.
//
// Source: docs/method.md#number-of-looks.
func judgeAtLevel(t test) Judgement {
	printed := t.judge(stats.DefaultAlpha)
	printed.Level = stats.DefaultAlpha
	interim := dataset.InterimAnalysesOf(cellsOf(t))
	if interim.Count() < 2 || isBySearches(t) {
		return printed
	}
	level := interim.Level(stats.DefaultAlpha)
	j := t.judge(level)
	j.print(&printed)
	j.Level = level
	j.Marks = append(j.Marks, dataset.InterimMark(interim))
	return j
}

// print gives a judgement, and its parts, the intervals of the one that is printed.
func (j *Judgement) print(printed *Judgement) {
	j.Effect = printed.Effect
	if j.Verdict == stats.Inconclusive && printed.Verdict != stats.Inconclusive {
		j.Reason = strings.Replace(j.Reason, "the interval reaches", "the interval at the stricter level reaches", 1)
	}
	for i := range j.Parts {
		j.Parts[i].print(&printed.Parts[i])
	}
}
