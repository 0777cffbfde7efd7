package outcome

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"

	"benchbook/internal/slice"
	"benchbook/render/wording"
)

// A writer writes sentences about the claims of a dataset.
type writer struct {
	d        *dataset.Dataset
	markdown func(line string) (template.HTML, string)
}

// sentence states what was measured of a claim.
func (w writer) sentence(j *claim.Judgement) Sentence {
	var s Sentence
	switch {
	case j.Verdict == stats.NotMeasured:
		s.say(notMeasured(j))
	case j.Verdict == stats.Inconclusive:
		w.undecided(&s, j)
	default:
		w.clause(&s, j)
	}
	return s.finished()
}

// notMeasured repeats what was claimed, as this is a heading in many places; the reason is part of the evidence. It is
// the reason where the author gave no text.
func notMeasured(j *claim.Judgement) string {
	if text := strings.TrimSuffix(j.Claim.Text.Value, "."); text != "" {
		return wording.NotMeasured + ": " + text
	}
	if j.Reason == "" || j.Reason == wording.NotMeasured {
		return wording.NotMeasured
	}
	return wording.NotMeasured + ": " + strings.TrimPrefix(j.Reason, wording.NotMeasured+": ")
}

// undecided says after how many repetitions, and how many would decide.
func (w writer) undecided(s *Sentence, j *claim.Judgement) {
	before := "undecided"
	n := Repetitions(j)
	switch {
	case j.IsOneSearch():
		before = "undecided after one search, of the two that a verdict needs"
	case n == 0:
	case n < stats.MinRepetitions:
		before = fmt.Sprintf("undecided after %s, of the %d that a verdict needs",
			wording.Count(n, "repetition"), stats.MinRepetitions)
	default:
		before = "undecided after " + wording.Count(n, "repetition")
	}
	if len(j.Parts) > 0 { // which say what is undecided
		before = strings.TrimSpace(strings.TrimPrefix(before, "undecided"))
	} else {
		before += ":"
	}
	s.say(strings.TrimPrefix(before+" ", " "))
	if j.Effect == nil && len(j.Parts) == 0 {
		s.say(j.Reason)
		return
	}
	w.clause(s, j)
	if needed := needed(j, n); needed != "" {
		s.add(Prospect, ". "+needed)
	}
}

// needed says how many repetitions might decide an inconclusive claim.
func needed(j *claim.Judgement, n int) string {
	them := "it"
	if len(j.Parts) > 0 && countOf(j, stats.Inconclusive) != 1 {
		them = "them"
	}
	switch {
	case j.Form == claim.Fewer && j.Effect.Interval != nil && j.Effect.Interval.Hi < j.Region.Lo:
		return fmt.Sprintf("A verdict that it is less needs %s.", wording.Count(stats.MinContradicted, "repetition"))
	case j.Needed == 0 || n < stats.MinRepetitions:
		return ""
	case j.Needed <= n:
		return fmt.Sprintf("Another run of %s would have an even chance of deciding %s.",
			wording.Count(j.Needed, "repetition"), them)
	}
	return fmt.Sprintf("About %s would have an even chance of deciding %s.", wording.Count(j.Needed, "repetition"), them)
}

// Repetitions counts those that a claim rests on: the fewest of its cells; 0 if that is not known.
func Repetitions(j *claim.Judgement) int {
	if j.Effect != nil {
		if j.Effect.Kind == stats.BySearch {
			return 0
		}
		return j.Effect.N
	}
	fewest := 0
	for i := range j.Parts {
		if n := Repetitions(&j.Parts[i]); n > 0 && (fewest == 0 || n < fewest) {
			fewest = n
		}
	}
	return fewest
}

// clause writes what was measured, for the middle of a sentence.
func (w writer) clause(s *Sentence, j *claim.Judgement) {
	switch {
	case j.Form == claim.Pairs:
		s.pairs(j)
	case j.Form == claim.All:
		w.group(s, j)
	case j.Effect == nil:
		s.say(j.Reason)
	case j.Form == claim.Limit:
		w.limit(s, j)
	case j.Form == claim.Fewer:
		w.fewer(s, j)
	case j.Form == claim.Gap:
		w.gap(s, j)
	default:
		w.ratio(s, j)
	}
}

// ratio writes how one side compares with another: "throughput was 4.5 % higher for a than for b [+1.5 to +7.5 %]".
func (w writer) ratio(s *Sentence, j *claim.Judgement) {
	e, q := EffectOf(j), quantityOf(j.Sides[0].Metric)
	c := w.comparison(j.Sides[0], j.Sides[1])
	s.say(c.within)
	if within, isNear := nearness(j); isNear && j.Verdict == stats.Supported {
		s.say(fmt.Sprintf("%s was within %s of %s: ", c.first(), within, c.second()))
		s.add(Value, e.Text())
	} else {
		s.compared(e, q, c)
	}
	s.add(Interval, e.Bracketed())
	s.say(bound(j, e, q))
}

// compared writes a ratio as a comparison, or as a difference where it may be to either side.
func (s *Sentence) compared(e Effect, q quantity, c comparison) {
	switch {
	case !e.isDecided() && e.asPercent():
		s.say(fmt.Sprintf("%s differed from %s by ", c.first(), c.second()))
		s.add(Value, e.Text())
	case e.asShare():
		s.say(c.first() + " was ")
		s.add(Value, e.Text())
		s.say(" of " + c.second())
	case !e.isDecided():
		s.say(c.first() + " was ")
		s.add(Value, e.Text())
		s.say(" " + c.second())
	case e.asPercent():
		direction := q.higher
		if e.Ratio < 1 {
			direction = q.lower
		}
		s.compare(e.unsigned()+" "+direction, "", "than", c)
	default:
		s.compare(e.Text(), " as "+q.as, "as", c)
	}
}

// compare writes "throughput was VALUE for a than for b".
func (s *Sentence) compare(value, behind, than string, c comparison) {
	if c.other != "" {
		s.say(c.first() + " was ")
		s.add(Value, value)
		s.say(fmt.Sprintf("%s %s %s", behind, than, c.second()))
		return
	}
	s.say(c.noun + " was ")
	s.add(Value, value)
	s.say(fmt.Sprintf("%s %s %s %s", behind, c.a, than, c.b))
}

// nearness is how near to each other a claim says that two values are: "10 %"; false for claims of another form, and
// of another ratio than one.
func nearness(j *claim.Judgement) (string, bool) {
	if j.Form != claim.Near || math.Abs(j.Region.Lo*j.Region.Hi-1) > 1e-9 {
		return "", false
	}
	return marginWords(j.Region.Hi - 1), true
}

func marginWords(share float64) string {
	return wording.PercentUnit.Exact(math.Round(share*1000) / 1000)
}

// bound relates an effect to the limit of its claim, unless its direction says so.
func bound(j *claim.Judgement, e Effect, q quantity) string {
	if j.Verdict == stats.Inconclusive {
		return limitsOf(e)
	}
	switch j.Form {
	case claim.Compared, claim.Gap:
		return smallest(j, e, q)
	case claim.Near:
		return around(j)
	}
	return beyond(j, e)
}

// limitsOf names the limits that leave a claim undecided.
func limitsOf(e Effect) string {
	switch lo, hi := e.limitsInForm(); {
	case lo != "" && hi != "":
		return ", and the limits are " + lo + " and " + hi
	case lo+hi != "":
		return ", and the limit is " + lo + hi
	}
	return ""
}

// beyond says on which side of its limit an effect lies.
func beyond(j *claim.Judgement, e Effect) string {
	lo, hi := e.limitsInForm()
	side := "below"
	if (hi == "") == (j.Verdict == stats.Supported) {
		side = "above"
	}
	return ", " + side + " the limit of " + lo + hi
}

// around says of a ratio that is near one other than 1, or not near the one claimed, what it is or is not near.
func around(j *claim.Judgement) string {
	if j.Outcome() == stats.Stronger {
		middle := math.Sqrt(j.Region.Lo * j.Region.Hi)
		return fmt.Sprintf(", beyond the claimed %s", limitWords(middle))
	}
	not := ""
	if j.Verdict == stats.Contradicted {
		not = "not "
	}
	within, isNear := nearness(j)
	switch middle := math.Sqrt(j.Region.Lo * j.Region.Hi); {
	case isNear && not == "":
		return ""
	case isNear:
		return ", not within " + within
	default:
		return fmt.Sprintf(", %swithin %s of %s", not, marginWords(j.Region.Hi/middle-1),
			times.Exact(math.Round(middle*1000)/1000))
	}
}

// smallest says why a difference does not count.
func smallest(j *claim.Judgement, e Effect, q quantity) string {
	limit := e.Region.Lo
	if math.IsInf(limit, 0) {
		limit = e.Region.Hi
	}
	delta := marginWords(math.Max(limit, 1/limit) - 1)
	wanted, direction := 1, q.higher // the side on which the claim is false, where a difference does not count
	if limit < 1 {
		wanted, direction = -1, q.lower
	}
	lo, hi := e.ends()
	side := 0
	if lo > 1 {
		side = 1
	} else if hi < 1 {
		side = -1
	}
	isStrict := j.Op == expr.Greater || j.Op == expr.Less
	switch {
	case isStrict == (j.Verdict == stats.Supported):
		return "" // it is beyond the limit
	case side == -wanted || limit == 1:
		return ""
	case side == wanted:
		return ", less than the " + delta + " that counts as a difference"
	}
	return ": it was not " + delta + " " + direction
}

// gap writes how a ratio compares with another ratio.
func (w writer) gap(s *Sentence, j *claim.Judgement) {
	e, c := EffectOf(j), w.gapBetween(j)
	q := quantity{higher: "larger", lower: "smaller", as: "large"}
	s.say(c.within)
	s.compared(e, q, c)
	s.add(Interval, e.Bracketed())
	s.say(bound(j, e, q))
}

// limit writes one value and its limit.
func (w writer) limit(s *Sentence, j *claim.Judgement) {
	e, side := EffectOf(j), j.Sides[0]
	s.say(fmt.Sprintf("%s for %s was ", quantityOf(side.Metric).noun, nameOf(side)))
	s.value(e)
	s.say(bound(j, e, quantity{}))
}

// value writes an effect that is not a ratio.
func (s *Sentence) value(e Effect) {
	s.add(Value, e.Text())
	if e.Of.Kind == stats.Exact {
		s.say(" in all " + wording.Count(e.Of.N, "repetition"))
	} else if words := e.Bracketed(); words != "" {
		s.add(Interval, words)
	}
}

// fewer writes by how much the shares of requests that failed differ.
func (w writer) fewer(s *Sentence, j *claim.Judgement) {
	e, c := EffectOf(j), w.comparison(j.Sides[0], j.Sides[1])
	failed := "failed"
	if step, ok := strings.CutPrefix(j.Sides[0].Metric.Name, "errors.step."); ok {
		failed = "failed in step " + step
	} else if kind, ok := strings.CutPrefix(j.Sides[0].Metric.Name, "errors."); ok {
		failed = "failed by " + kind
	}
	s.say(c.within + "the share of requests that " + failed)
	x := *j.Effect
	switch isDecided := x.Interval == nil || x.Interval.Lo > 0 || x.Interval.Hi < 0; {
	case !isDecided:
		s.say(fmt.Sprintf(" %s differed from that %s by ", c.b, c.a))
		s.add(Value, e.Text())
		s.add(Interval, e.Bracketed())
	default:
		direction, interval := " lower ", x.Interval
		if x.Number < 0 {
			direction = " higher "
			if interval != nil {
				interval = &stats.Interval{Lo: -interval.Hi, Hi: -interval.Lo}
			}
		}
		s.say(" was ")
		s.add(Value, wording.Points(math.Abs(x.Number), e.Decimals))
		s.say(direction + c.a + " than " + c.b)
		if interval != nil {
			s.add(Interval, "["+wording.Plain.Between(100*interval.Lo, 100*interval.Hi, e.Decimals)+"]")
		}
	}
	if j.Region.Lo > 0 {
		s.say(bound(j, e, quantity{}))
	}
}

// heldWords counts the items for which a claim holds: "all 40 pairs", "37 of 40 pairs", "neither pair".
func heldWords(held, n int, of string) string {
	switch {
	case held == n && n == 2:
		return "both " + of
	case held == 0 && n == 2:
		return "neither " + strings.TrimSuffix(of, "s")
	case held == n:
		return fmt.Sprintf("all %d %s", n, of)
	case held == 0:
		return fmt.Sprintf("none of %d %s", n, of)
	}
	return fmt.Sprintf("%d of %d %s", held, n, of)
}

func countOf(j *claim.Judgement, v stats.Verdict) int {
	return slice.Count(j.Parts, func(p claim.Judgement) bool { return p.Verdict == v })
}

// group writes the comparisons of a claim that decide it.
func (w writer) group(s *Sentence, j *claim.Judgement) {
	n := len(j.Parts)
	chosen := slice.Filter(j.Parts, func(p claim.Judgement) bool { return p.Verdict == j.Verdict })
	if len(chosen) == 0 {
		s.say(j.Reason)
		return
	}
	clauses, fit := w.clauses(chosen)
	if len(chosen) < n || !fit || j.Verdict == stats.Inconclusive {
		s.add(Value, heldWords(len(chosen), n, "comparisons"))
		s.say(" " + cameOut(j.Verdict, len(chosen)))
		if fit {
			s.say(": ")
		}
	}
	*s = append(*s, clauses...)
}

func cameOut(v stats.Verdict, n int) string {
	switch v {
	case stats.Supported:
		return "came out as claimed"
	case stats.Contradicted:
		return "came out against the claim"
	}
	return expr.Verb(n, "is", "are") + " undecided"
}

// clauses writes comparisons one after the other; false if there are many.
func (w writer) clauses(parts []claim.Judgement) (out Sentence, fit bool) {
	const most = 3
	if len(parts) > most {
		return nil, false
	}
	for i := range parts {
		p := &parts[i]
		switch {
		case i > 0 && isAgain(&parts[i-1], p):
			out.say(" and" + strings.TrimPrefix(bound(p, EffectOf(p), quantity{}), ","))
			continue
		case i > 0:
			out.say("; ")
		}
		w.clause(&out, p)
	}
	return out, true
}

// isAgain reports whether two limits are of the same value.
func isAgain(a, b *claim.Judgement) bool {
	return a.Form == claim.Limit && b.Form == claim.Limit && b.Effect != nil && b.Verdict != stats.Inconclusive &&
		a.Sides[0].Metric.Name == b.Sides[0].Metric.Name && slices.Equal(a.Sides[0].Cells, b.Sides[0].Cells)
}

// here writes the measured effect, next to the published one.
func (w writer) here(j *claim.Judgement) string {
	switch {
	case j.Verdict == stats.NotMeasured:
		return wording.NotMeasured
	case j.Form == claim.Pairs:
		return decided(j)
	case j.Effect == nil && len(j.Parts) > 0:
		return counted(j, countOf(j, stats.Supported))
	case j.Effect == nil:
		return wording.NotMeasured
	}
	return Said(j, j.Effect)
}

// Said writes an effect, such as one of another session, in the form of the claim's sentence.
func Said(j *claim.Judgement, q *dataset.Quantity) string {
	other := *j
	other.Effect = q
	return EffectOf(&other).With()
}

// counted counts the parts of a claim: "3 of 4 comparisons".
func counted(j *claim.Judgement, held int) string {
	of := "comparison"
	if j.Form == claim.Pairs {
		of = "pair"
	}
	return fmt.Sprintf("%d of %s", held, expr.Plural(len(j.Parts), of))
}
