package claim

import (
	"fmt"
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// A Doubt is why a claim cannot be decided by what is planned.
type Doubt struct {
	Claim *article.Claim
	Words string
	Hint  string

	at          source.Pos
	experiments []string // that it concerns
}

// String is the doubt in one line.
func (d *Doubt) String() string {
	return "claim " + d.Claim.Name.Value + ": " + d.Words + "; " + d.Hint
}

// Undecidable finds the claims that the planned repetitions cannot decide, whatever is measured. Mistaken claims, which
// Check reports, are left out.
func Undecidable(d *dataset.Dataset) []Doubt {
	var out []Doubt
	for _, c := range d.Doc.Claims {
		t, err := newTest(d, c)
		if err != nil {
			continue
		}
		if doubt := fewRepetitions(t); doubt != nil {
			doubt.Claim, doubt.at = c, c.Expect.Text.Pos
			out = append(out, *doubt)
		}
	}
	return out
}

// Warn adds doubts to problems, where they arise.
func Warn(doubts []Doubt, problems *source.Problems) {
	for _, doubt := range doubts {
		problems.Warn("too-few-repetitions", doubt.at, "%s", doubt.Words).Hint = doubt.Hint
	}
}

// Concerns reports whether the doubt is about cells of an experiment.
func (d *Doubt) Concerns(experiment string) bool { return slices.Contains(d.experiments, experiment) }

// fewRepetitions doubts a claim that fewer repetitions are planned for than a verdict needs: three, and more where one
// of several parts decides it only at a stricter level that ranks of so few do not reach.
//
// Source: docs/method.md#one-cell, docs/method.md#ratios and docs/method.md#several-comparisons.
func fewRepetitions(t test) *Doubt {
	for _, s := range sidesOf(t) {
		for _, e := range experimentsOf([]side{s}) {
			if n := e.Most(); n < stats.MinRepetitions && needsRepetitions(s) {
				return &Doubt{experiments: []string{e.Name},
					Words: fmt.Sprintf("a verdict needs %d repetitions, and experiment %q has %d", stats.MinRepetitions, e.Name, n),
					Hint:  fmt.Sprintf("write repetitions: %d or more", stats.MinRepetitions)}
			}
		}
	}
	var out *Doubt
	strictest := 1.0
	looks := 1
	for _, e := range experimentsOf(sidesOf(t)) {
		looks = max(looks, len(e.Looks))
	}
	walk(t, stats.Level(stats.DefaultAlpha, looks), func(part test, alpha float64) {
		hasEnds, sides := stats.HasEnds, sidesOf(part)
		switch part.(type) {
		case ratioTest, ratiosTest:
			hasEnds = stats.RatioHasEnds
		}
		for _, s := range sides {
			e := s.cells[0].Experiment.Plan
			isShare := s.metric.Name == "failed" // whose interval shrinks with attempts
			if isShare || s.geomean || !needsRepetitions(s) || alpha >= strictest || hasEnds(e.Most(), alpha) {
				continue
			}
			strictest = alpha
			enough := e.Most()
			for !hasEnds(enough, alpha) {
				enough++
			}
			out = &Doubt{experiments: []string{e.Name},
				Words: fmt.Sprintf("one of its parts decides it only at a confidence of %.4g %%, for which %d repetitions are "+
					"too few", 100*(1-alpha), e.Most()),
				Hint: fmt.Sprintf("write repetitions: %d or more", enough)}
		}
	})
	return out
}

// walk visits the parts of a test that have none themselves, with the level at which each decides the whole alone.
func walk(t test, alpha float64, visit func(test, float64)) {
	group, ok := t.(groupTest)
	if !ok {
		visit(t, alpha)
		return
	}
	for _, part := range group.parts {
		walk(part, alpha/float64(len(group.parts)), visit)
	}
}

// needsRepetitions reports whether a side is estimated from repetitions; the value of a search is not.
func needsRepetitions(s side) bool { return !record.IsSearched(s.metric.Name) }

func experimentsOf(sides []side) []*plan.Experiment {
	var out []*plan.Experiment
	for _, c := range cellsIn(sides) {
		out = slice.Add(out, c.Experiment.Plan)
	}
	return out
}
