package claim

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// Open returns the trials that continue after a look, by experiment: those of undecided comparisons in undecided
// claims, and of published numbers whose order is undecided.
//
// Source: docs/method.md#number-of-looks.
func Open(d *dataset.Dataset) map[string][]string {
	out := OpenOf(d, d.Doc.Claims)
	for _, b := range d.Doc.Published {
		for _, metric := range dataset.MetricsOf(b) {
			if record.IsSearched(metric) {
				continue
			}
			a := d.AgreementWith(b, metric)
			for i, row := range a.Rows {
				if row.Open {
					addTrials(out, a.Cells[i])
				}
			}
		}
	}
	return out
}

// addTrials adds the trials of cells under the names of their experiments.
func addTrials(to map[string][]string, cells ...*dataset.Cell) {
	for _, c := range cells {
		name := c.Experiment.Plan.Name
		to[name] = slice.Add(to[name], c.Planned.Name)
	}
}

// OpenOf is Open for some claims only.
func OpenOf(d *dataset.Dataset, claims []*article.Claim) map[string][]string {
	out := map[string][]string{}
	for _, c := range claims {
		if t, j := judgeAlone(d, c); !t.isSearched() && !j.isDecided() { // no repetition would decide a search
			addTrials(out, j.openCells()...)
		}
	}
	return out
}

// judgeAlone judges a claim by the shown session. Both results are empty for a mistaken claim, which Check reports, and
// for one that cannot carry its headline.
func judgeAlone(d *dataset.Dataset, c *article.Claim) (t Test, j Judgement) {
	t, err := newTest(d, c)
	if err != nil || t.unfit(c) != "" {
		return Test{}, j
	}
	t.looks = t.knownLooks(d, c) // as Judge does, so that no run ends before its claims are decided on the page
	return t, t.Judge()
}

// CellsOf returns the cells of a claim; empty if it is mistaken.
func CellsOf(d *dataset.Dataset, c *article.Claim) []*dataset.Cell {
	t, _ := newTest(d, c) // a mistaken claim has no cells
	return slice.Add([]*dataset.Cell{}, t.cells()...)
}

// IsDecided reports whether the shown session decides a claim.
func IsDecided(d *dataset.Dataset, c *article.Claim) bool {
	_, j := judgeAlone(d, c)
	return j.isDecided()
}

// NeededOf returns the repetitions that have an even chance to decide an inconclusive claim: stats.MaxRepetitions if no
// number would do, 0 for other verdicts.
func NeededOf(d *dataset.Dataset, c *article.Claim) int {
	if _, j := judgeAlone(d, c); j.Verdict == stats.Inconclusive {
		return cmp.Or(j.Needed, stats.MaxRepetitions)
	}
	return 0
}

// ComparedWith returns the cells that may continue after a look: those that a claim or a published block compares with
// a measured one. It maps others to false.
func ComparedWith(d *dataset.Dataset, isMeasured func(*dataset.Cell) bool) map[*dataset.Cell]bool {
	out := map[*dataset.Cell]bool{}
	add := func(cells []*dataset.Cell) {
		for _, c := range cells {
			out[c] = out[c] || slices.ContainsFunc(cells, isMeasured)
		}
	}
	for _, c := range d.Doc.Claims {
		if t, err := newTest(d, c); err == nil && !t.isSearched() {
			add(t.cells())
		}
	}
	for _, b := range d.Doc.Published {
		var cells []*dataset.Cell
		for i := range b.Rows {
			cells = append(cells, d.Join(b, &b.Rows[i])...)
		}
		add(cells)
	}
	return out
}

func (j *Judgement) isDecided() bool {
	return j.Verdict == stats.Supported || j.Verdict == stats.Contradicted
}

// openCells returns the cells of comparisons that are not supported, and that more repetitions could decide.
func (j *Judgement) openCells() (out []*dataset.Cell) {
	cells := j.cells()
	if len(j.Parts) == 0 {
		hasNoRatio := j.Verdict == stats.Inconclusive && j.IsRatio && j.Effect == nil
		if hasNoRatio || j.Verdict == stats.NotMeasured &&
			(slices.ContainsFunc(cells, isHopeless) || !slices.ContainsFunc(cells, hasTooFew)) {
			return nil
		}
		return cells
	}
	for i := range j.Parts {
		switch p := &j.Parts[i]; p.Verdict {
		case stats.Supported:
		case stats.Contradicted:
			out = append(out, p.cells()...)
		default:
			out = append(out, p.openCells()...)
		}
	}
	return out
}

// hasTooFew reports whether a cell has fewer valid repetitions than a verdict needs.
func hasTooFew(c *dataset.Cell) bool {
	return len(c.Validity().ValidFor("")) < stats.MinRepetitions
}

// isHopeless reports whether all repetitions of a cell are invalid without a disturbance, so that more would not help.
func isHopeless(c *dataset.Cell) bool {
	isDisturbed := func(r *record.Record) bool { _, disturbed := validity.Disturbed(r); return disturbed }
	return len(c.Validity().ValidFor("")) == 0 && !slices.ContainsFunc(c.Records, isDisturbed)
}

// Doubt says why the planned repetitions cannot decide a claim.
type Doubt struct {
	Claim      *article.Claim
	Rule       string // of package check
	Experiment string // whose plan is in doubt
	Words      string
	Hint       string
}

// String returns the doubt in one line.
func (d Doubt) String() string {
	return "claim " + d.Claim.Name.Value + ": " + d.Words + "; " + d.Hint
}

// Undecidable returns doubts about the claims that the plan cannot decide, whatever is measured: a verdict needs three
// repetitions, a part of a claim may need more for ranks at its stricter level, and a percentile needs answers. It
// leaves out mistaken claims, which Check reports.
//
// Source: docs/method.md#one-cell, docs/method.md#ratios and docs/method.md#several-comparisons.
func Undecidable(d *dataset.Dataset) (out []Doubt) {
	for _, c := range d.Doc.Claims {
		t, err := newTest(d, c)
		if err != nil {
			continue
		}
		if doubt := cmp.Or(t.tooFewRepetitions(), t.tooFewAnswers()); doubt != nil {
			doubt.Claim = c
			out = append(out, *doubt)
		}
	}
	return out
}

// tooFewRepetitions returns the doubt about the part of the test that needs the most repetitions.
func (t Test) tooFewRepetitions() (d *Doubt) {
	looks := 1
	for _, c := range t.cells() {
		looks = max(looks, len(c.Experiment.Plan.Looks))
	}
	most := 0
	t.leaves(stats.Level(stats.DefaultAlpha, looks), func(leaf Test, alpha float64) {
		for _, s := range leaf.Sides {
			e := s.Cells[0].Experiment.Plan
			planned, enough := e.Most(), stats.MinRepetitions
			if isShare := s.Metric.Name == "failed"; !isShare && !s.Geomean { // a share's interval shrinks with attempts
				for enough = max(enough, planned); !stats.HasEnds(enough, leaf.IsRatio, alpha); {
					enough++
				}
			}
			if s.isSearched() || planned >= enough || enough <= most {
				continue
			}
			most, d = enough, &Doubt{Rule: "too-few-repetitions", Experiment: e.Name,
				Hint: fmt.Sprintf("write repetitions: %d or more", enough),
				Words: fmt.Sprintf("one of its parts decides it only at a confidence of %.4g %%, for which %d repetitions are "+
					"too few", 100*(1-alpha), planned)}
			if planned < stats.MinRepetitions {
				d.Words = fmt.Sprintf("a verdict needs %d repetitions, and experiment %q has %d", stats.MinRepetitions, e.Name,
					planned)
			}
		}
	})
	return d
}

// tooFewAnswers returns the doubt about a percentile that needs more answers than the load has requests.
func (t Test) tooFewAnswers() *Doubt {
	for _, s := range t.leafSides() {
		for _, cell := range s.Cells {
			l, need := cell.Trial.Load, dataset.AnswersNeeded(s.Metric.Name, cell.Experiment.Plan.Metrics)
			if l == nil {
				continue
			}
			sent, hint := int64(l.Requests), fmt.Sprintf("write requests: %d or more, or name a lower percentile", need)
			if l.Requests == 0 && l.Rate > 0 {
				sent = int64(l.Rate * l.Duration.Seconds())
				long := time.Duration(math.Ceil(float64(need)/l.Rate)) * time.Second
				hint = fmt.Sprintf("write duration: %v or more, or name a lower percentile", long)
			}
			if sent > 0 && sent < need {
				return &Doubt{Rule: "too-few-answers", Experiment: cell.Experiment.Plan.Name, Hint: hint,
					Words: fmt.Sprintf("%s of %s needs %d answers, and its load has %d requests", s.Metric.InWords(),
						dataset.NameOf(cell), need, sent)}
			}
		}
	}
	return nil
}

// Warn adds doubts to problems, placed at their claims.
func Warn(doubts []Doubt, problems *source.Problems) {
	for _, d := range doubts {
		problems.Warn(d.Rule, d.Claim.Expect.Text.Pos, "%s", d.Words).Hint = d.Hint
	}
}
