package claim

import (
	"fmt"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Unbounded says of an experiment which claims some of its cells cannot decide with the repetitions that are planned:
// where a claim has several parts, one of them decides it only at a stricter level, at which so few repetitions have
// no interval with two ends. Claims that are mistaken, which Check reports, are left out.
//
// Source: docs/method.md#one-cell and docs/method.md#several-comparisons.
func Unbounded(doc *article.Document, p *plan.Plan, experiment string) []string {
	d := dataset.WithoutRecords(doc, p)
	var out []string
	for _, claim := range doc.Claims {
		t, err := newTest(d, claim)
		if err != nil {
			continue
		}
		if n, alpha := unboundedPart(t, experiment, stats.DefaultAlpha); n > 0 {
			enough := n
			for !stats.HasEnds(enough, alpha) {
				enough++
			}
			out = append(out, fmt.Sprintf("%s: one of its parts decides it only at a confidence of %.4g %%, for which %d "+
				"repetitions are too few; use %d",
				claim.Name.Value, 100*(1-alpha), n, enough))
		}
	}
	return out
}

// unboundedPart looks for a part of a test whose interval has no ends at its level: it gives the planned repetitions
// and that level, the strictest one, or 0 if there is none.
func unboundedPart(t test, experiment string, alpha float64) (repetitions int, level float64) {
	var sides []side
	switch t := t.(type) {
	case groupTest:
		for _, part := range t.parts {
			if n, at := unboundedPart(part, experiment, alpha/float64(len(t.parts))); n > 0 && (repetitions == 0 || at < level) {
				repetitions, level = n, at
			}
		}
	case limitTest:
		sides = []side{t.side}
	case fewerTest:
		sides = []side{t.a, t.b}
	}
	for _, s := range sides {
		e := s.cells[0].Experiment
		// The interval of a share shrinks with attempts; with less than six repetitions t has one at any level.
		if n := e.Plan.Repetitions; e.Plan.Name == experiment && s.metric.Name != "failed" &&
			!record.IsSearched(s.metric.Name) && n >= stats.MinRepetitions && !stats.HasEnds(n, alpha) {
			return n, alpha
		}
	}
	return repetitions, level
}
