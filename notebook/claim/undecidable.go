package claim

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/phrase"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/slice"
)

// A Doubt is why claims cannot be decided, or not in every way, with what is planned, or not as well as they might be.
type Doubt struct {
	Claim    *article.Claim // nil if it is about the article
	IsRemark bool           // nothing is wrong
	Rule     string         // of check
	Words    string
	Hint     string

	at          source.Pos
	experiments []string // that it concerns
}

// String is the doubt in one line.
func (d *Doubt) String() string {
	words := d.Words + "; " + d.Hint
	if d.Claim != nil {
		words = "claim " + d.Claim.Name.Value + ": " + words
	}
	return words
}

// The rules of check that have a doubt.
const (
	tooFewRepetitions = "too-few-repetitions"
	tooFewAnswers     = "too-few-answers"
	limitTooNear      = "limit-too-near"
	shortWindow       = "short-window"
	busyGenerator     = "busy-generator"
	shortWarmup       = "short-warmup"
	fewPairs          = "few-pairs"
)

// Undecidable finds the claims that cannot be decided by the repetitions, the load or the measurement that the plan
// has, whatever is measured. Where a load does not say how many requests it sends, the records do. Claims that are
// mistaken, which Check reports, are left out.
//
// Source: docs/command.md#check, too-few-repetitions, too-few-answers and limit-too-near.
func Undecidable(d *dataset.Dataset) []Doubt {
	var out []Doubt
	for _, c := range d.Doc.Claims {
		t, err := newTest(d, c)
		if err != nil {
			continue
		}
		for _, doubt := range []*Doubt{cmp.Or(fewRepetitions(t), fewToContradict(t)), fewAnswers(t), nearLimit(t)} {
			if doubt != nil {
				doubt.Claim, doubt.at = c, c.Expect.Text.Pos
				out = append(out, *doubt)
			}
		}
	}
	return out
}

// Warn adds doubts to problems, where they arise.
func Warn(doubts []Doubt, problems *source.Problems) {
	for _, doubt := range doubts {
		add := problems.Warn
		if doubt.IsRemark {
			add = problems.Remark
		}
		add(doubt.Rule, doubt.at, "%s", doubt.Words).Hint = doubt.Hint
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
				return &Doubt{Rule: tooFewRepetitions, experiments: []string{e.Name},
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
	walk(t, stats.Level(stats.DefaultAlpha, looks, 1), func(part test, alpha float64) {
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
			out = &Doubt{Rule: tooFewRepetitions, experiments: []string{e.Name},
				Words: fmt.Sprintf("one of its parts decides it only at a confidence of %.4g %%, for which %d repetitions are "+
					"too few", 100*(1-alpha), e.Most()),
				Hint: fmt.Sprintf("write repetitions: %d or more", enough)}
		}
	})
	return out
}

// fewToContradict doubts a claim about failures that cannot turn out wrong: that they do not differ takes more
// repetitions than are planned.
//
// Source: docs/method.md#fewer-failures.
func fewToContradict(t test) *Doubt {
	for _, part := range leaves(t) {
		f, ok := part.(fewerTest)
		if !ok || f.by == 0 {
			continue
		}
		for _, e := range experimentsOf([]side{f.a, f.b}) {
			if e.Most() < stats.MinContradicted {
				return &Doubt{Rule: tooFewRepetitions, experiments: []string{e.Name},
					Words: fmt.Sprintf("it cannot be contradicted: that failures differ by less than %s needs %d repetitions, and "+
						"experiment %q has %d", phrase.Percent(f.by), stats.MinContradicted, e.Name, e.Most()),
					Hint: fmt.Sprintf("write repetitions: %d or more", stats.MinContradicted)}
			}
		}
	}
	return nil
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

// fewAnswers doubts a claim by a percentile of which a repetition cannot have enough requests.
//
// Source: docs/method.md#percentiles.
func fewAnswers(t test) *Doubt {
	for _, s := range sidesOf(t) {
		family, percent, _ := strings.Cut(s.metric.Name, ".p")
		p, err := stats.ParsePercentile(percent)
		if err != nil || !slices.Contains([]string{"latency", "service", "lag"}, family) {
			continue
		}
		for _, c := range s.cells {
			expected, words := expectedRequests(c)
			if need := float64(p.Need()); expected >= need {
				continue
			}
			return &Doubt{Rule: tooFewAnswers, experiments: []string{c.Experiment.Plan.Name},
				Words: fmt.Sprintf("%s needs %d requests in a repetition, and %s of %q", s.metric.InWords(), p.Need(), words,
					c.Trial.Name),
				Hint: "make the window longer or the rate higher, or claim a lower percentile"}
		}
	}
	return nil
}

// expectedRequests is how many requests a repetition of a cell sends, and where that is known from; infinite if it is
// not.
func expectedRequests(c *dataset.Cell) (float64, string) {
	l := c.Trial.Load
	switch {
	case l == nil || len(l.Stages) > 0:
	case l.Requests > 0:
		return float64(l.Requests), fmt.Sprintf("%d are sent by that", l.Requests)
	case l.Rate > 0 && l.Duration > 0:
		n := l.Rate * l.Duration.Seconds()
		return n, fmt.Sprintf("%.4g/s for %s are %.4g by that", l.Rate, l.Duration, n)
	case l.Duration > 0:
		most := 0.0
		for _, r := range c.Records {
			if r.Load != nil && r.Load.Window > 0 {
				most = max(most, float64(r.Load.Attempted)/r.Load.Window*l.Duration.Seconds())
			}
		}
		if most > 0 {
			return most, fmt.Sprintf("%.4g is the most that was recorded for the %s", most, l.Duration)
		}
	}
	return math.Inf(1), ""
}

// nearLimit doubts a claim whose limit differs from equality by less than a measurement can tell.
//
// Source: docs/method.md#words-and-defaults.
func nearLimit(t test) *Doubt {
	for _, part := range leaves(t) {
		region, ok := ratioRegion(part)
		sides := sidesOf(part)
		if !ok || slices.ContainsFunc(sides, func(s side) bool { return !needsRepetitions(s) }) {
			continue
		}
		for _, limit := range []float64{region.Lo, region.Hi} {
			if apart := math.Abs(math.Log(limit)); apart > 0 && apart < stats.MinResolution {
				return &Doubt{Rule: limitTooNear, experiments: namesOf(experimentsOf(sides)),
					Words: fmt.Sprintf("the limit %.6g is nearer to 1 than the resolution of a measurement, %g", limit,
						stats.MinResolution),
					Hint: "claim a larger effect"}
			}
		}
	}
	return nil
}

func namesOf(list []*plan.Experiment) []string {
	return slice.Map(list, func(e *plan.Experiment) string { return e.Name })
}
