package outcome

import (
	"fmt"
	"html/template"
	"math"
	"regexp"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// A writer writes sentences about the claims of a dataset.
type writer struct {
	d        *dataset.Dataset
	markdown func(line string) (template.HTML, string)
}

// lines are the sentences of claims without one of their author. The others are named by what they compare.
var lines = map[string]string{
	"limit":      "{noun} for {a} was {effect}{bound}",
	"difference": "{within}{noun} was {size} for {a} than for {b}{interval}{bound}",
	"open":       "{within}{noun} for {a} differed from {other} for {b} by {effect}{bound}",
	"times":      "{within}{noun} for {a} was {value} {other} for {b}{interval}{bound}",
	"part":       "{within}{noun} for {a} was {value} of {other} for {b}{interval}{bound}",
	"pairs":      "{within}{noun} was {direction} for {a} than for {b} in {held}{rest}",
	"none":       "none of the {count} pairs is decided by {noun}",
	"fewer":      "{noun}, {b} minus {a}: {effect}{bound}",
	"gap":        "{what}: {effect}{bound}",
}

// lineOf is the name of the line of a claim that was measured.
func lineOf(j *claim.Judgement, e Effect) string {
	switch {
	case j.Form == claim.Pairs && countOf(j, stats.Supported)+countOf(j, stats.Contradicted) == 0:
		return "none"
	case j.Form == claim.Pairs:
		return "pairs"
	case j.Form == claim.Limit:
		return "limit"
	case j.Form == claim.Fewer:
		return "fewer"
	case j.Form == claim.Gap:
		return "gap"
	case e.shown() == asPart:
		return "part"
	case e.shown() == asTimes:
		return "times"
	case e.isDecided() && j.Sides[0].Metric.Name == j.Sides[1].Metric.Name:
		return "difference"
	}
	return "open"
}

var blank = regexp.MustCompile(`\{[a-z]+\}`)

// clause writes what was measured, for the middle of a sentence.
func (w writer) clause(s *Sentence, j *claim.Judgement) {
	switch {
	case j.Form == claim.All:
		w.group(s, j)
		return
	case j.Effect == nil && j.Form != claim.Pairs:
		s.say(j.Reason)
		return
	}
	var e Effect
	if j.Effect != nil {
		e = EffectOf(j)
	}
	c := compared{noun: nounOf(j.Sides[0].Metric), a: nameOf(j.Sides[0])}
	if len(j.Sides) > 1 {
		c = comparedOf(j.Sides[0], j.Sides[1])
	}
	line := lines[lineOf(j, e)]
	for at := blank.FindStringIndex(line); at != nil; at = blank.FindStringIndex(line) {
		s.say(line[:at[0]])
		s.blank(line[at[0]+1:at[1]-1], j, e, c)
		line = line[at[1]:]
	}
	s.say(line)
}

// blank fills a blank of a line.
func (s *Sentence) blank(name string, j *claim.Judgement, e Effect, c compared) {
	if c.other == c.noun {
		c.other = "that"
	}
	words := map[string]string{"within": c.within, "noun": c.noun, "other": c.other, "a": c.a, "b": c.b, "what": j.What,
		"count": fmt.Sprint(len(j.Parts))}
	switch name {
	case "size":
		s.add(Value, e.unsigned()+" "+directionOf(j, e))
	case "direction":
		s.say(directionOf(j, e))
	case "effect":
		s.add(Value, e.Text())
		s.add(Interval, e.Bracketed())
	case "value":
		s.add(Value, e.Text())
	case "interval":
		s.add(Interval, e.Bracketed())
	case "bound":
		s.say(bound(j, e))
	case "held":
		s.add(Value, pairsHeld(j))
	case "rest":
		s.say(othersOf(j))
	default:
		s.say(words[name])
	}
}

// directionOf is how the first side differs from the second: as measured, or as claimed of pairs.
func directionOf(j *claim.Judgement, e Effect) string {
	relations := map[expr.Op]string{expr.Greater: "higher", expr.Less: "lower", expr.GreaterEqual: "no lower",
		expr.LessEqual: "no higher"}
	switch {
	case j.Form == claim.Pairs:
		return relations[j.Op]
	case e.Ratio < 1:
		return "lower"
	}
	return "higher"
}

// bound says how an effect lies to what is claimed, unless its direction says so.
func bound(j *claim.Judgement, e Effect) string {
	region := e.Claimed()
	if j.Form == claim.Near && math.Abs(j.Region.Lo*j.Region.Hi-1) < 1e-9 {
		region = "within " + wording.PercentUnit.Exact(math.Round((j.Region.Hi-1)*1000)/1000)
	}
	limit := e.Region.Lo
	if math.IsInf(limit, 0) || limit <= 0 {
		limit = e.Region.Hi
	}
	lo, hi := e.ends()
	isDirected := j.Form == claim.Compared || j.Form == claim.Gap
	switch {
	case region == "", j.Form == claim.Fewer && j.Region.Lo <= 0:
		return ""
	case j.Verdict == stats.Inconclusive:
		return "; claimed is " + region
	case isDirected && (lo >= max(limit, 1) || hi <= min(limit, 1)):
		return ""
	case j.Verdict == stats.Contradicted:
		return ", not " + region
	}
	return ", " + region
}

// sentence states what was measured of a claim.
func (w writer) sentence(j *claim.Judgement) Sentence {
	var s Sentence
	switch j.Verdict {
	case stats.NotMeasured:
		s.say(notMeasured(j))
	case stats.Inconclusive:
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
	after := ""
	n := Repetitions(j)
	switch {
	case j.IsOneSearch():
		after = " after one search, of the two that a verdict needs"
	case n > 0:
		after = " after " + wording.Count(n, "repetition")
		if n < stats.MinRepetitions {
			after += fmt.Sprintf(", of the %d that a verdict needs", stats.MinRepetitions)
		}
	}
	s.say("undecided" + after + ": ")
	if j.Effect == nil && len(j.Parts) == 0 {
		s.say(j.Reason)
		return
	}
	w.clause(s, j)
	if needed := Needed(j); needed != "" {
		s.add(Prospect, ". "+needed)
	}
}

// Needed says how many repetitions might decide an inconclusive claim; empty if that is not known.
func Needed(j *claim.Judgement) string {
	n := Repetitions(j)
	them := "it"
	if len(j.Parts) > 0 && countOf(j, stats.Inconclusive) != 1 {
		them = "them"
	}
	about := "About"
	switch {
	case j.Verdict != stats.Inconclusive || j.Needed == 0 || n < stats.MinRepetitions:
		return ""
	case j.Needed <= n:
		about = "Another run of"
	}
	return fmt.Sprintf("%s %s would have an even chance of deciding %s.", about, wording.Count(j.Needed, "repetition"), them)
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

// heldWords count those of several for which a claim holds: "all 40 pairs", "37 of 40 pairs", "neither pair".
func heldWords(held, n int, of string) string {
	switch {
	case held == n && n == 2:
		return "both " + of + "s"
	case held == 0 && n == 2:
		return "neither " + of
	case held == n && n > 1:
		return fmt.Sprintf("all %d %ss", n, of)
	case held == 0 && n > 1:
		return fmt.Sprintf("none of %d %ss", n, of)
	}
	return fmt.Sprintf("%d of %s", held, expr.Plural(n, of))
}

func countOf(j *claim.Judgement, v stats.Verdict) int {
	return slice.Count(j.Parts, func(p claim.Judgement) bool { return p.Verdict == v })
}

// pairsHeld is how many pairs hold, in words that follow "in": "16 of 16 pairs with aiohttp and Daphne and 3 of 16 pairs with
// uvicorn".
func pairsHeld(j *claim.Judgement) string {
	held := countOf(j, stats.Supported)
	groups := grouped(j)
	if held == len(j.Parts) || held == 0 || len(groups) == 1 {
		return heldWords(held, len(j.Parts), "pair")
	}
	return wording.List(slice.Map(groups, group.words))
}

// othersOf counts the pairs that do not hold: "; 27 are undecided, 3 are against it".
func othersOf(j *claim.Judgement) string {
	var words []string
	for _, c := range []struct {
		verdict stats.Verdict
		words   string
	}{{stats.NotMeasured, "not measured"}, {stats.Inconclusive, "undecided"}, {stats.Contradicted, "against it"}} {
		if n := countOf(j, c.verdict); n > 0 {
			words = append(words, fmt.Sprintf("%d %s %s", n, expr.Verb(n, "is", "are"), c.words))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return "; " + strings.Join(words, ", ")
}

// group writes the comparisons of a claim that decide it, if they are few.
func (w writer) group(s *Sentence, j *claim.Judgement) {
	const most = 3
	n := len(j.Parts)
	chosen := slice.Filter(j.Parts, func(p claim.Judgement) bool { return p.Verdict == j.Verdict })
	came := map[stats.Verdict]string{stats.Supported: "came out as claimed", stats.Contradicted: "came out against the claim",
		stats.Inconclusive: expr.Verb(len(chosen), "is", "are") + " undecided"}[j.Verdict]
	if len(chosen) < n || n > most || j.Verdict == stats.Inconclusive {
		s.add(Value, heldWords(len(chosen), n, "comparison"))
		s.say(" " + came)
	}
	for i := range chosen {
		switch {
		case len(chosen) > most:
			return
		case i > 0:
			s.say("; ")
		case len(*s) > 0 && (*s)[len(*s)-1].Text == " "+came:
			s.say(": ")
		}
		w.clause(s, &chosen[i])
	}
}

// here is what was measured, to stand next to what was published.
func (w writer) here(j *claim.Judgement) string {
	switch {
	case j.Verdict == stats.NotMeasured || j.Effect == nil && len(j.Parts) == 0:
		return wording.NotMeasured
	case j.Form == claim.Pairs:
		return decided(j)
	case j.Effect == nil:
		return counted(j, countOf(j, stats.Supported))
	}
	return Said(j, j.Effect)
}

// Said writes an effect, such as that of another session, in the form in which the sentence of a claim has its own.
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

// decided counts the pairs that hold among those that are decided, "25 of 27 decided pairs", or those that are not if
// they are more: "38 of 40 pairs undecided".
func decided(j *claim.Judgement) string {
	held, n := countOf(j, stats.Supported), len(j.Parts)
	switch open := n - held - countOf(j, stats.Contradicted); {
	case 2*open > n:
		return fmt.Sprintf("%d of %s undecided", open, expr.Plural(n, "pair"))
	case open == 0:
		return counted(j, held)
	default:
		return fmt.Sprintf("%d of %s", held, expr.Plural(n-open, "decided pair"))
	}
}
