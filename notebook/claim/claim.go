// Package claim judges the claims of an article by what was measured.
//
// A claim is read as a Test in one of eleven forms: cells to compare, and the region where their ratio, difference or
// value has to lie. Judging a test gives a Judgement: a verdict, the effect with its interval, and what readers have to
// know. The forms and their rules are in docs/claims.md, the statistics in docs/method.md.
package claim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// Judgement is what the records say about a claim, or about a part of one.
type Judgement struct {
	Test
	Claim   *article.Claim
	Verdict stats.Verdict
	Effect  *dataset.Quantity // ratio, difference or value; its interval includes the noise floor; nil if unknown
	Reason  string            // why the verdict is inconclusive or not measured; "" otherwise
	Needed  int               // repetitions with an even chance to decide an inconclusive claim; 0 if unknown
	Marks   []string          // caveats: "not measured together", "different loads", "noise floor not measured", …
	Floor   float64           // the noise floor that the interval of Effect includes
	Level   float64           // alpha: 0.05, or less for several looks; 0 for parts and for claims without a test
	Parts   []Judgement       // of every and and, each judged on its own
	Mostly  bool              // not supported, but most of its pairs are
	Invalid bool              // a cell is not valid

	// Sessions are what each session says alone, that of the cells of Test first; nil if there is one. With three or more
	// Effect is of all of them.
	Sessions []Session

	// Strict is the interval that leaves the verdict open, where the interval of Effect alone would not; nil otherwise.
	Strict *StrictInterval

	se      float64        // the standard error of the effect, of a ratio's logarithm
	span    stats.Interval // what the effect may be apart from its error, because of a disturbance or a search; else zero
	isExact bool           // all values of each side are the same
	// outcomesDiffer is set if two sessions have different outcomes: then the claim is not stronger than claimed.
	outcomesDiffer bool

	// All is the judgement that includes the repetitions left out by checks of their own result; nil if there are none.
	All *Judgement
}

// StrictInterval is an interval at a level stricter than the usual one, as several looks at a claim ask for.
//
// Source: docs/method.md#number-of-looks.
type StrictInterval struct {
	stats.Interval         // in the unit of the effect
	Level          float64 // alpha, below 0.05
}

// Outcome is the verdict, or stats.Stronger for a contradicted claim of a size whose effect lies beyond that size, on
// the same side of no effect: by its whole interval, for all parts that are contradicted.
//
// Source: docs/claims.md#stronger-than-claimed.
func (j Judgement) Outcome() stats.Verdict {
	if j.Verdict == stats.Contradicted && j.isStronger() {
		return stats.Stronger
	}
	return j.Verdict
}

func (j Judgement) isStronger() bool {
	if j.Form == All {
		return len(j.Parts) > 0 && !slices.ContainsFunc(j.Parts, func(p Judgement) bool {
			return p.Verdict != stats.Supported && p.Outcome() != stats.Stronger
		})
	}
	if j.Form != Near || j.Effect == nil || j.outcomesDiffer {
		return false
	}
	interval := stats.Interval{Lo: j.Effect.Number, Hi: j.Effect.Number}
	switch {
	case j.Effect.Interval != nil:
		interval = *j.Effect.Interval
	case j.Effect.Kind != stats.Exact:
		return false
	}
	return j.Region.Lo > 1 && interval.Lo > j.Region.Hi || j.Region.Hi < 1 && interval.Hi < j.Region.Lo
}

// Tally counts the outcomes of the parts: "4 comparisons: 3 supported, 1 inconclusive", or "holds mostly, for 37 of 40
// pairs: 37 supported, 3 inconclusive". It is empty for a claim without parts.
func (j Judgement) Tally() string {
	if len(j.Parts) == 0 {
		return ""
	}
	counts, words := outcomes(j.Parts)
	if j.Mostly {
		return fmt.Sprintf("holds mostly, for %d of %d pairs: %s", counts[stats.Supported], len(j.Parts), words)
	}
	return phrase.Count(len(j.Parts), "comparison") + ": " + words
}

// outcomes counts the outcomes of judgements, also in words: "3 supported, 1 inconclusive".
func outcomes(list []Judgement) (counts map[stats.Verdict]int, words string) {
	counts = map[stats.Verdict]int{}
	for _, j := range list {
		counts[j.Outcome()]++
	}
	return counts, strings.Join(stats.VerdictsInWords(counts), ", ")
}

// Results are the judgements on all claims of an article.
type Results struct {
	Data   *dataset.Dataset
	Claims []Judgement // in the order of the article

	applies func() []bool // by part of the text
	stated  func() []StatedClaim
}

// JudgeAll judges all claims of an article.
func JudgeAll(d *dataset.Dataset) *Results {
	r := &Results{Data: d, Claims: make([]Judgement, len(d.Doc.Claims))}
	var group sync.WaitGroup
	for i, c := range d.Doc.Claims {
		group.Go(func() { r.Claims[i] = Judge(d, c) })
	}
	group.Wait()
	r.applies, r.stated = sync.OnceValue(r.appliesByPart), sync.OnceValue(r.statedClaims)
	return r
}

// Judge judges one claim. A mistaken claim, which Check reports, is not measured, and the reason is the mistake.
//
// Source: docs/claims.md#forms; docs/method.md#ratios.
func Judge(d *dataset.Dataset, c *article.Claim) Judgement {
	t, err := newTest(d, c)
	if err != nil {
		j := Judgement{Claim: c, Verdict: stats.NotMeasured, Reason: expr.MessageOf(err)}
		if !errors.Is(err, errNoExpression) {
			j.What = c.Expect.Text.Value
		}
		return j
	}
	t.looks = t.knownLooks(d, c)
	alone, others := t, slice.Map(d.OtherSessions(t.cells()), t.inSession)
	t = t.with(others)
	j := t.Judge()
	j.Sessions = sessionsOf(alone, others)
	if why := t.unfit(c); why != "" && j.Verdict != stats.NotMeasured {
		j.Verdict, j.Reason, j.Needed, j.Mostly = stats.NotMeasured, why, 0, false
	}
	if left := t.leftOutByResult(); left > 0 && j.Verdict != stats.NotMeasured {
		all := t.withCells((*dataset.Cell).WithAll).Judge() // with these repetitions
		if j.All = &all; all.Verdict != j.Verdict {
			j.Marks = append(j.Marks, fmt.Sprintf("%s %s left out by a check that depends on its result: with all "+
				"repetitions the verdict would be %s", phrase.Count(left, "repetition"), phrase.Verb(left, "is", "are"),
				all.Verdict))
		}
		j.All.setClaim(c)
	}
	j.setClaim(c)
	return j
}

// Check finds a mistake in a claim, without records.
func Check(d *dataset.Dataset, c *article.Claim) error {
	_, err := newTest(d, c)
	return err
}

func (j *Judgement) setClaim(c *article.Claim) {
	j.Claim = c
	for i := range j.Parts {
		j.Parts[i].setClaim(c)
	}
}

// unfit says which cell of a headline claim cannot carry it; "" if all can.
//
// Source: docs/validity.md#headline-claims.
func (t Test) unfit(c *article.Claim) string {
	if !c.Headline {
		return ""
	}
	cells := t.cells()
	for _, cell := range cells {
		if why := validity.Headline(cell.Records); why != "" {
			return "no headline claim can rest on " + dataset.NameOf(cell, cells...) + ", as " + why
		}
	}
	return ""
}

// leftOutByResult counts the repetitions of all sessions that are left out by checks of their own result.
func (t Test) leftOutByResult() (n int) {
	most := map[*dataset.Cell]int{} // of the metrics of a cell
	for _, one := range append([]Test{t}, t.sessions...) {
		for _, s := range one.leafSides() {
			for _, c := range s.Cells {
				if !s.isSearched() {
					most[c] = max(most[c], c.Validity().LeftOutByResult(s.Metric.Name))
				}
			}
		}
	}
	for _, left := range most {
		n += left
	}
	return n
}

// Applies reports whether a part of the text is for what was measured, and so are the parts around it. Text outside of
// parts, nil, always is. A test that is not measured is not fulfilled.
//
// Source: docs/article.md#parts-for-one-outcome.
func (r *Results) Applies(p *article.ConditionalPart) bool { return p == nil || r.applies()[p.Number] }

func (r *Results) appliesByPart() []bool {
	verdicts := map[string]stats.Verdict{}
	for _, j := range r.Claims {
		verdicts[j.Claim.Name.Value] = j.Verdict
	}
	applies := make([]bool, len(r.Data.Doc.Parts))
	for i, p := range r.Data.Doc.Parts { // a part comes after those around it
		if p.Outer != nil && !applies[p.Outer.Number] {
			continue
		}
		applies[i] = slices.Contains(p.Verdicts, verdicts[p.Claim.Value])
		if p.Test != nil {
			applies[i] = Judge(r.Data, article.TestOf(p)).Verdict == stats.Supported
		}
	}
	return applies
}
