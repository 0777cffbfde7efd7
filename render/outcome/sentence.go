package outcome

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// sentenceOf returns the generated sentence about a claim.
func sentenceOf(j *claim.Judgement) Sentence {
	var words string
	switch j.Verdict {
	case stats.NotMeasured:
		words = notMeasured(j)
	case stats.Inconclusive:
		words = undecided(j)
	default:
		words = clause(j)
	}
	if counted, isValue := strings.CutPrefix(words, value); isValue {
		words = value + wording.Capital(counted)
	} else {
		words = wording.Capital(words)
	}
	if !fullStop.MatchString(words) {
		words += "."
	}
	return Sentence{words, template.HTMLEscapeString(words)}
}

// notMeasured repeats the text of the claim, since the sentence is often a heading and the evidence gives the reason.
// Without a text it gives the reason.
func notMeasured(j *claim.Judgement) string {
	if text := strings.TrimSuffix(j.Claim.Text.Value, "."); text != "" {
		return wording.NotMeasured + ": " + text
	}
	if j.Reason == "" || j.Reason == wording.NotMeasured {
		return wording.NotMeasured
	}
	return wording.NotMeasured + ": " + strings.TrimPrefix(j.Reason, wording.NotMeasured+": ")
}

// undecided states an undecided claim, after how many repetitions or sessions, and what would decide it; or that the
// other of two sessions disagrees.
func undecided(j *claim.Judgement) string {
	n, after := Repetitions(j), ""
	sessions := sessionsOf(j)
	switch {
	case j.IsOneSearch():
		after = "after one search, of the two that a verdict needs"
	case isUnconfirmed(j):
		newest := *j
		if newest.Verdict = j.Sessions[0].Verdict; newest.Verdict == stats.Stronger {
			newest.Verdict = stats.Contradicted
		}
		return "undecided, as another session does not confirm it: " + clause(&newest)
	case sessions > 0:
		after = "over " + wording.Count(sessions, "session")
	case n > 0:
		after = "after " + wording.Count(n, "repetition")
		if isMore(j, n) {
			after = fmt.Sprintf("after %d or more repetitions", n)
		}
		if n < stats.MinRepetitions {
			after += fmt.Sprintf(", of the %d that a verdict needs", stats.MinRepetitions)
		}
	}
	words := strings.TrimSpace("undecided "+after) + ": "
	if len(j.Parts) > 0 { // the clause says which of them are undecided
		words = strings.TrimPrefix(after+" ", " ")
	}
	words += clause(j)
	if needed := needed(j, n); needed != "" && sessions == 0 {
		words += marked(prospect, ". "+needed)
	}
	return words
}

// needed says how many repetitions might decide an inconclusive claim of n; "" if unknown.
func needed(j *claim.Judgement, n int) string {
	them := "it"
	if len(j.Parts) > 0 && countOf(j, stats.Inconclusive) != 1 {
		them = "them"
	}
	about := "About"
	switch {
	case j.Form == claim.Fewer && j.Effect != nil && j.Effect.Interval != nil && j.Effect.Interval.Hi < j.Region.Lo:
		return fmt.Sprintf("A verdict that it is less needs %s.", wording.Count(stats.MinContradicted, "repetition"))
	case j.Needed == 0 || n < stats.MinRepetitions:
		return ""
	case j.Needed <= n:
		about = "Another run of"
	}
	return fmt.Sprintf("%s %s would have an even chance of deciding %s.", about, wording.Count(j.Needed, "repetition"), them)
}

// Repetitions returns how many repetitions a claim rests on: the fewest of its cells; 0 if unknown, as over sessions.
func Repetitions(j *claim.Judgement) int {
	return fewest(j, func(k stats.IntervalKind) bool { return k != stats.BySearch && k != stats.OverSessions })
}

// sessionsOf returns how many sessions a claim rests on: the fewest of its parts; 0 for fewer than three.
func sessionsOf(j *claim.Judgement) int {
	return fewest(j, func(k stats.IntervalKind) bool { return k == stats.OverSessions })
}

// fewest returns the smallest N of the effects with a wanted kind of interval; 0 if there are none.
func fewest(j *claim.Judgement, wanted func(stats.IntervalKind) bool) (least int) {
	if j.Effect != nil {
		if wanted(j.Effect.Kind) {
			return j.Effect.N
		}
		return 0
	}
	for i := range j.Parts {
		if n := fewest(&j.Parts[i], wanted); n > 0 && (least == 0 || n < least) {
			least = n
		}
	}
	return least
}

// isMore reports whether an effect of the claim rests on more than n repetitions.
func isMore(j *claim.Judgement, n int) bool {
	return j.Effect != nil && j.Effect.N > n || slices.ContainsFunc(j.Parts, func(p claim.Judgement) bool { return isMore(&p, n) })
}

// clause states what was measured, for the middle of a sentence.
func clause(j *claim.Judgement) string {
	switch {
	case j.Form == claim.Pairs:
		return pairs(j)
	case j.Form == claim.All:
		return comparisons(j)
	case j.Effect == nil:
		return j.Reason
	case j.Form == claim.Limit:
		return limit(j)
	case j.Form == claim.Fewer:
		return fewer(j)
	}
	return ratio(j)
}

// ratio compares two sides, or two ratios: "throughput was 4.5 % higher for a than for b [+1.5 to +7.5 %]".
func ratio(j *claim.Judgement) string {
	e, q := EffectOf(j), quantityOf(j.Sides[0].Metric)
	c := comparisonOf(j.Sides[0], j.Sides[1])
	if j.Form == claim.Gap {
		q, c = quantity{"larger", "smaller", "large"}, gapBetween(j)
	}
	words := compared(e, q, c)
	if within := nearness(j); within != "" && j.Verdict == stats.Supported {
		words = c.first() + " was within " + within + " of " + c.second() + ": " + marked(value, e.Text())
	}
	return c.within + words + marked(interval, e.Bracketed()) + bound(j, e, q)
}

// compared writes a ratio as a comparison, without a direction if its interval includes one.
func compared(e Effect, q quantity, c comparison) string {
	effect := marked(value, e.Text())
	switch form := e.shown(); {
	case form == asDifference && !e.isDecided():
		return c.first() + " differed from " + c.second() + " by " + effect
	case form == asPart:
		return c.first() + " was " + effect + " of " + c.second()
	case !e.isDecided():
		return c.first() + " was " + effect + " " + c.second()
	case form == asDifference:
		direction := q.higher
		if e.Ratio < 1 {
			direction = q.lower
		}
		return c.compare(marked(value, e.percent(e.Ratio)+" "+direction), "than")
	}
	return c.compare(effect+" as "+q.as, "as")
}

// nearness returns the margin of a claim that two values are about equal: "10 %"; "" for other claims.
func nearness(j *claim.Judgement) string {
	if j.Form != claim.Near || math.Abs(j.Region.Lo*j.Region.Hi-1) > 1e-9 {
		return ""
	}
	return marginWords(j.Region.Hi - 1)
}

func marginWords(share float64) string {
	return wording.PercentUnit.Exact(math.Round(share*1000) / 1000)
}

// bound relates an effect to the limits of its claim; "" if the sentence already does.
func bound(j *claim.Judgement, e Effect, q quantity) string {
	lo, hi := e.limits()
	switch {
	case lo+hi == "":
		return ""
	case j.Verdict == stats.Inconclusive:
		return openLimits(j, lo, hi)
	case j.Form == claim.Compared || j.Form == claim.Gap:
		return smallest(j, e, q)
	case j.Form == claim.Near:
		return around(j)
	case (hi == "") == (j.Verdict == stats.Supported):
		return ", above the limit of " + lo + hi
	}
	return ", below the limit of " + lo + hi
}

// openLimits names the limits that leave a claim undecided: all, or those that only a stricter interval includes.
func openLimits(j *claim.Judgement, lo, hi string) string {
	one, two := ", and the limit is ", ", and the limits are "
	if j.Strict != nil {
		includes := ", but a " + wording.Confidence(j.Strict.Level) + " interval includes the limit"
		one, two = includes+" of ", includes+"s of "
		if !j.Strict.Contains(j.Region.Lo) {
			lo = ""
		}
		if !j.Strict.Contains(j.Region.Hi) {
			hi = ""
		}
	}
	if lo == "" || hi == "" {
		return one + lo + hi
	}
	return two + lo + " and " + hi
}

// around says what a decided ratio is near to or not.
func around(j *claim.Judgement) string {
	middle, not := math.Sqrt(j.Region.Lo*j.Region.Hi), ""
	if j.Verdict == stats.Contradicted {
		not = "not "
	}
	switch within := nearness(j); {
	case j.Outcome() == stats.Stronger:
		return ", beyond the claimed " + ratioWords(middle, Effect{Ratio: middle}.shown())
	case within != "" && not == "": // the sentence already says it
		return ""
	case within != "":
		return ", not within " + within
	}
	return fmt.Sprintf(", %swithin %s of %s", not, marginWords(j.Region.Hi/middle-1), times.Exact(math.Round(middle*1000)/1000))
}

// smallest says why a decided difference is below the smallest effect; "" if it is not.
func smallest(j *claim.Judgement, e Effect, q quantity) string {
	limit := e.Region.Lo
	if math.IsInf(limit, 0) {
		limit = e.Region.Hi
	}
	delta, direction := marginWords(math.Max(limit, 1/limit)-1), q.higher
	if limit < 1 {
		direction = q.lower
	}
	lo, hi := e.ends()
	isStrict := j.Op == expr.Greater || j.Op == expr.Less
	switch {
	case isStrict == (j.Verdict == stats.Supported) || limit == 1: // it is beyond the limit
		return ""
	case limit > 1 && hi < 1 || limit < 1 && lo > 1: // the direction says it
		return ""
	case limit > 1 && lo > 1 || limit < 1 && hi < 1:
		return ", less than the " + delta + " that counts as a difference"
	}
	return ": it was not " + delta + " " + direction
}

// limit compares a value with its limit.
func limit(j *claim.Judgement) string {
	e, side := EffectOf(j), j.Sides[0]
	words := nounOf(side.Metric) + " for " + nameOf(side.Cells[0]) + " was " + marked(value, e.Text())
	if e.Of.Kind == stats.Exact {
		words += " in all " + wording.Count(e.Of.N, "repetition")
	} else {
		words += marked(interval, e.Bracketed())
	}
	return words + bound(j, e, quantity{})
}

// fewer compares the shares of failed requests.
func fewer(j *claim.Judgement) string {
	e, c, x := EffectOf(j), comparisonOf(j.Sides[0], j.Sides[1]), *j.Effect
	words := c.within + "the share of requests that failed"
	if kind, ok := strings.CutPrefix(j.Sides[0].Metric.Name, "errors."); ok {
		words += " by " + kind
	}
	direction, lo, hi := " lower ", math.NaN(), math.NaN()
	if x.Interval != nil {
		lo, hi = x.Interval.Lo, x.Interval.Hi
	}
	if x.Number < 0 {
		direction, lo, hi = " higher ", -hi, -lo
	}
	if lo <= 0 && hi >= 0 {
		words += " " + c.b + " differed from that " + c.a + " by " + marked(value, e.Text()) + marked(interval, e.Bracketed())
	} else {
		words += " was " + marked(value, points.Quantity(math.Abs(x.Number), e.Decimals)) + direction + c.a + " than " + c.b
		if x.Interval != nil {
			words += marked(interval, "["+wording.Plain.Between(100*lo, 100*hi, e.Decimals)+"]")
		}
	}
	if j.Region.Lo > 0 {
		words += bound(j, e, quantity{})
	}
	return words
}

// heldWords says how many of n items a claim holds for: "all 40 pairs", "37 of 40 pairs", "neither pair".
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

// comparisons states the parts that decide a claim, or counts them if there are many.
func comparisons(j *claim.Judgement) string {
	const most = 3
	n, chosen := len(j.Parts), slice.Filter(j.Parts, func(p claim.Judgement) bool { return p.Verdict == j.Verdict })
	if len(chosen) == 0 {
		return j.Reason
	}
	cameOut := map[stats.Verdict]string{stats.Supported: "came out as claimed", stats.Contradicted: "came out against the claim",
		stats.Inconclusive: phrase.Verb(len(chosen), "is", "are") + " undecided"}
	count := marked(value, heldWords(len(chosen), n, "comparisons")) + " " + cameOut[j.Verdict]
	if len(chosen) > most {
		return count
	}
	clauses := clause(&chosen[0])
	for i := range chosen[1:] {
		if a, b := &chosen[i], &chosen[i+1]; isAgain(a, b) {
			clauses += " and" + strings.TrimPrefix(bound(b, EffectOf(b), quantity{}), ",")
		} else {
			clauses += "; " + clause(b)
		}
	}
	if len(chosen) == n && j.Verdict != stats.Inconclusive {
		return clauses
	}
	return count + ": " + clauses
}

// isAgain reports whether a and b are limits of the same value.
func isAgain(a, b *claim.Judgement) bool {
	return a.Form == claim.Limit && b.Form == claim.Limit && b.Effect != nil && b.Verdict != stats.Inconclusive &&
		a.Sides[0].Metric.Name == b.Sides[0].Metric.Name && slices.Equal(a.Sides[0].Cells, b.Sides[0].Cells)
}

// measuredEffect writes the measured effect and its interval for Outcome.
func measuredEffect(j *claim.Judgement) (words, interval string) {
	switch {
	case j.Verdict == stats.NotMeasured:
	case j.Form == claim.Pairs:
		return decidedCount(j), ""
	case j.Effect != nil:
		e := EffectOf(j)
		return e.Text(), e.Bracketed()
	case len(j.Parts) > 0:
		return counted(j, countOf(j, stats.Supported)), ""
	}
	return wording.NotMeasured, ""
}

// Said writes an effect, such as that of another session, with its interval in the form of the claim's own.
func Said(j *claim.Judgement, q *dataset.Quantity) string {
	other := *j
	other.Effect = q
	return EffectOf(&other).InFormOf(EffectOf(j)).With()
}

// counted says how many parts of a claim hold: "3 of 4 comparisons".
func counted(j *claim.Judgement, held int) string {
	of := "comparison"
	if j.Form == claim.Pairs {
		of = "pair"
	}
	return fmt.Sprintf("%d of %s", held, phrase.Count(len(j.Parts), of))
}
