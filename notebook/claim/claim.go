// Package claim judges the claims of an article by what was measured.
//
// A claim is read as a Test: cells to compare, and the region where their ratio, difference or value must lie. Judging
// a test gives a Judgement: a verdict, the effect with its interval, and caveats for readers. The forms and their rules
// are in docs/claims.md, the statistics in docs/method.md.
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
	Parts   []Judgement       // for every and "and", each judged alone
	Mostly  bool              // the claim is not supported, but most of its pairs are
	Invalid bool              // a cell is not valid

	// Sessions holds what each session says alone, the one shown first; nil if there is only one. With three or more,
	// Effect is over all of them.
	Sessions []Session

	// Strict is the interval that leaves the verdict open where that of Effect alone would decide it; else nil.
	Strict *StrictInterval

	se      float64        // the standard error of the effect, of a ratio's logarithm
	span    stats.Interval // where the effect may be besides its error, after a disturbance or a search; else zero
	isExact bool           // all values of each side are the same
	// outcomesDiffer says that two sessions have different outcomes, so the claim is not stronger than claimed.
	outcomesDiffer bool

	// All is the judgement with the repetitions that checks of their own result left out; nil if there are none.
	All *Judgement
}

// StrictInterval is an interval at the stricter level that several looks at a claim require.
//
// Source: docs/method.md#number-of-looks.
type StrictInterval struct {
	stats.Interval         // in the unit of the effect
	Level          float64 // alpha, below 0.05
}

// Outcome returns the verdict, or stats.Stronger for a contradicted claim of a size whose whole interval lies farther
// from 1 than that size. A claim with parts is stronger if each part is supported or stronger.
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

// Tally returns counts of the parts' outcomes: "4 comparisons: 3 supported, 1 inconclusive", or "holds mostly, for 37
// of 40 pairs: 37 supported, 3 inconclusive". It is empty for a claim without parts.
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

// Results holds the judgements on all claims of an article.
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

// Judge judges one claim. A mistaken claim, which Check reports, is not measured, for the reason of the mistake.
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
	t = t.withSessions(others)
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

// Check returns the mistake in a claim, or nil. It needs no records.
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

// unfit returns why a cell cannot carry a headline claim; "" if all can.
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

// leftOutByResult counts the repetitions in all sessions that checks of their own result left out.
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

// Applies reports whether a part of the text and all parts around it fit what was measured. Text outside of parts, nil,
// always does. A test that is not measured fails.
//
// Source: docs/article.md#parts-for-one-outcome.
func (r *Results) Applies(p *article.ConditionalPart) bool { return p == nil || r.applies()[p.Number] }

func (r *Results) appliesByPart() []bool {
	verdicts := map[string]stats.Verdict{}
	for _, j := range r.Claims {
		verdicts[j.Claim.Name.Value] = j.Verdict
	}
	applies := make([]bool, len(r.Data.Doc.Parts))
	for i, p := range r.Data.Doc.Parts { // outer parts come first
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
