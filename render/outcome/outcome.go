// Package outcome states the outcome of claims: in a sentence, in a word, and as the measured value next to the
// published one.
//
// A sentence states what was measured, never the hypothesis, so it is true for every verdict. Its numbers have the
// interval that judges the claim.
package outcome

import (
	"cmp"
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// Outcome is the outcome of a claim.
type Outcome struct {
	Sentence  Sentence
	Word      string // "as claimed", "not as claimed", "undecided", "not measured"
	Here      string // what was measured: "+4.5 %", "37 of 40 pairs"
	Interval  string // of Here, in brackets; may be empty
	Published string // the published counterpart of Here; may be empty
}

// Markdown renders a line of the author's Markdown as HTML and as text.
type Markdown func(line string) (shown template.HTML, text string)

// Of returns the outcome of a claim. A nil markdown shows the author's sentences as they are.
func Of(d *dataset.Dataset, j claim.Judgement, markdown Markdown) Outcome {
	if markdown == nil {
		markdown = func(line string) (template.HTML, string) { return template.HTML(template.HTMLEscapeString(line)), line }
	}
	sentence, ok := authorSentence(d, &j, markdown)
	if !ok {
		sentence = sentenceOf(&j)
	}
	o := Outcome{Sentence: sentence, Word: Word(j.Outcome()), Published: Published(d, &j)}
	o.Here, o.Interval = measuredEffect(&j)
	return o
}

// Word relates an outcome to the claim: "as claimed". It suits sentences that state the outcome, while the name of a
// verdict suits the claim itself.
func Word(v stats.Verdict) string {
	words := map[stats.Verdict]string{stats.Supported: "as claimed", stats.Stronger: string(stats.Stronger),
		stats.Contradicted: "not as claimed", stats.Inconclusive: "undecided"}
	return cmp.Or(words[v], wording.NotMeasured)
}

// CellsOf returns the cells behind the effect of a claim and of its parts.
func CellsOf(j claim.Judgement) (cells []*dataset.Cell) {
	if j.Effect != nil {
		cells = slices.Clone(j.Effect.Cells)
	}
	for _, p := range j.Parts {
		cells = slice.Add(cells, CellsOf(p)...)
	}
	return cells
}

// Sentence is one or two sentences, as text and as HTML, with marks around the effect, its interval, and what would
// decide the claim.
type Sentence struct{ text, shown string }

// Marks begin with one of these and end with markEnd.
const (
	value    = "\x01v"
	interval = "\x01i" // with its brackets; replaced by a space
	prospect = "\x01p" // what would decide the claim, or the limit that leaves it undecided; removed in headings
	markEnd  = "\x02"
)

var (
	values       = regexp.MustCompile(value + `([^\x01\x02]*)` + markEnd)
	intervals    = regexp.MustCompile(interval + `([^\x01\x02]*)` + markEnd)
	lastInterval = regexp.MustCompile(interval + `([^\x01\x02]*)` + markEnd + `$`)
	prospects    = regexp.MustCompile(prospect + `[^\x01\x02]*` + markEnd)
	fullStop     = regexp.MustCompile(`\.(\x02?)$`)
	noMarks      = strings.NewReplacer(value, "", interval, " ", prospect, "", markEnd, "")
)

// marked puts marks of a kind around words, unless they are empty.
func marked(kind, words string) string {
	if words == "" {
		return ""
	}
	return kind + words + markEnd
}

// Text returns the sentence as plain text.
func (s Sentence) Text() string { return noMarks.Replace(s.text) }

// HTML returns the sentence with the effect emphasized.
func (s Sentence) HTML() template.HTML {
	shown := intervals.ReplaceAllString(s.shown, ` <span class="iv">$1</span>`)
	return template.HTML(noMarks.Replace(values.ReplaceAllString(shown, "<b>$1</b>")))
}

// each applies change to the text and the HTML of a sentence.
func (s Sentence) each(change func(string) string) Sentence {
	return Sentence{change(s.text), change(s.shown)}
}

// without returns the sentence without matches of a pattern.
func (s Sentence) without(pattern *regexp.Regexp) Sentence {
	return s.each(func(words string) string { return pattern.ReplaceAllString(words, "") })
}

// WithoutInterval returns the sentence for places that show the interval separately.
func (s Sentence) WithoutInterval() Sentence { return s.without(intervals) }

// CutInterval cuts off an interval at the end of the sentence. Without one, it returns the sentence and "".
func (s Sentence) CutInterval() (before Sentence, last string) {
	m := lastInterval.FindStringSubmatch(s.text)
	if m == nil || !lastInterval.MatchString(s.shown) { // HTML may follow it
		return s, ""
	}
	return s.without(lastInterval), m[1]
}

// Unfinished returns the sentence without its full stop.
func (s Sentence) Unfinished() Sentence {
	return s.each(func(words string) string { return fullStop.ReplaceAllString(words, "$1") })
}

// Title returns the sentence for headings: without full stop and prospects, and without intervals unless the claim is
// undecided.
func (s Sentence) Title(v stats.Verdict) Sentence {
	s = s.Unfinished().without(prospects)
	if v != stats.Inconclusive {
		s = s.without(intervals)
	}
	return s
}

// writtenFor returns the author's sentence for the verdict, or "". For an unconfirmed claim it adapts the sentence for
// the newest session, whose interval it shows: the sentence for an undecided claim would not fit that.
func writtenFor(j *claim.Judgement) string {
	if j.Claim == nil {
		return ""
	}
	if isUnconfirmed(j) {
		line := written(j.Claim, j.Sessions[0].Verdict)
		if line == "" {
			return ""
		}
		return strings.TrimSuffix(line, ".") + ", unconfirmed by another session."
	}
	return written(j.Claim, j.Verdict)
}

// written returns the author's sentence of a claim for a verdict, or "".
func written(c *article.Claim, v stats.Verdict) string {
	if always := c.Says.Always.Value; always != "" && v != stats.NotMeasured {
		return always
	}
	return map[stats.Verdict]string{stats.Supported: c.Says.Supported.Value, stats.Stronger: c.Says.Contradicted.Value,
		stats.Contradicted: c.Says.Contradicted.Value, stats.Inconclusive: c.Says.Inconclusive.Value}[v]
}

// isUnconfirmed reports whether a claim is undecided only because the other of two sessions disagrees with the newest.
func isUnconfirmed(j *claim.Judgement) bool {
	return j.Verdict == stats.Inconclusive && len(j.Parts) == 0 && len(j.Sessions) == 2 &&
		j.Sessions[0].Verdict != stats.Inconclusive
}

// saidForm returns the form in which the sentence of a claim writes a ratio, for the numbers next to it.
func saidForm(j *claim.Judgement) form {
	switch line := writtenFor(j); {
	case j.IsRatio && strings.Contains(line, "{effect} as "):
		return asFactor
	case j.IsRatio && strings.Contains(line, "{effect}"):
		return asDifference
	}
	return bySize
}

// authorSentence returns the author's sentence for the verdict; ok is false without one, or with an unknown placeholder.
func authorSentence(d *dataset.Dataset, j *claim.Judgement, markdown Markdown) (said Sentence, ok bool) {
	line := writtenFor(j)
	if line == "" {
		return said, false
	}
	shown, text := markdown(line)
	said = Sentence{text, string(shown)}
	if len(placeholders(text)) != len(placeholders(said.shown)) { // one is in an attribute
		return said, true
	}
	said.text, ok = fillAll(d, j, said.text, func(words string) string { return words })
	said.shown, _ = fillAll(d, j, said.shown, template.HTMLEscapeString)
	said = said.each(func(words string) string { return interrupting.ReplaceAllString(words, "$2$1$3") })
	if j.Verdict == stats.Inconclusive && j.Claim.Says.Always.Value != "" && !isUnconfirmed(j) {
		limits := "" // within the interval: ", and the limit is +5 %"
		if j.Effect != nil && (j.Form != claim.Fewer || j.Region.Lo > 0) {
			limits = marked(prospect, bound(j, EffectOf(j), quantity{}))
		}
		said = said.each(func(words string) string { return "Undecided: " + strings.TrimSuffix(words, ".") + limits + "." })
	}
	return said, ok
}

// interrupting matches an interval and the rest of its clause, to move the interval to the clause's end: "17 % fewer
// requests than before [−22 to −11 %], and". It does not match across HTML.
var interrupting = regexp.MustCompile(`(` + interval + `[^\x01\x02]*` + markEnd + `)` +
	`((?:&(?:[a-z0-9#]+;)?|[^<&.,;:\x01]|[.,;:]+[^ .,;:<\x01])*)([.,;:]+(?: |$))`)

// fillAll replaces the placeholders of a line; it returns false if one is unknown.
func fillAll(d *dataset.Dataset, j *claim.Judgement, line string, escape func(string) string) (string, bool) {
	var b strings.Builder
	at := 0
	for _, m := range placeholders(line) {
		filled := fill(d, j, line[m[0]+1:m[1]-1], strings.HasPrefix(line[m[1]:], " as "))
		if filled == "" {
			return "", false
		}
		b.WriteString(line[at:m[0]] + escape(filled))
		at = m[1]
	}
	return b.String() + line[at:], true
}

// placeholders returns the ranges of the known placeholders in a text.
func placeholders(text string) [][]int {
	return slice.Filter(claim.Placeholder.FindAllStringIndex(text, -1), func(m []int) bool {
		return claim.IsPlaceholder(text[m[0]+1 : m[1]-1])
	})
}

// fill returns the value of a placeholder, with marks, or "" if it is unknown. If isFactor, it writes a ratio as in
// "2 times as many".
func fill(d *dataset.Dataset, j *claim.Judgement, name string, isFactor bool) string {
	switch name {
	case "effect":
		return fillEffect(j, isFactor)
	case "verdict":
		return Word(j.Outcome())
	case "repetitions":
		if n := Repetitions(j); n > 0 {
			return strconv.Itoa(n)
		}
		return ""
	case "published":
		return Published(d, j)
	}
	return nameOfSide(j, name)
}

func fillEffect(j *claim.Judgement, isFactor bool) string {
	switch {
	case j.Form == claim.Pairs && len(j.Parts) > 0:
		return marked(value, pairsHeld(j))
	case j.Effect == nil && len(j.Parts) > 0:
		words := marked(value, counted(j, countOf(j, stats.Supported)))
		if open := countOf(j, stats.Inconclusive); open > 0 {
			words += fmt.Sprintf(" (%d undecided)", open)
		}
		return words
	case j.Effect == nil:
		return ""
	}
	e := EffectOf(j)
	if !j.IsRatio {
		return marked(value, e.Text()) + marked(interval, e.Bracketed())
	}
	if isFactor {
		e.form = asFactor
		return marked(value, e.Text()) + marked(interval, e.Bracketed())
	}
	e.form = asDifference
	more, less := "more", "less"
	if m := j.Sides[0].Metric; m.Unit == "1/s" || m.Counted {
		less = "fewer"
	}
	if lo, hi := e.ends(); lo < 1 && hi > 1 { // neither more nor less
		return marked(value, e.percent(lo)+" "+less+" to "+e.percent(hi)+" "+more)
	}
	if e.Ratio < 1 {
		more = less
	}
	return marked(value, e.percent(e.Ratio)+" "+more) + marked(interval, e.Bracketed())
}

// nameOfSide returns the name that tells side a or b from the other; "" if the claim has no such side.
func nameOfSide(j *claim.Judgement, which string) string {
	var names [2]string
	switch {
	case len(j.Sides) == 0:
	case len(j.Sides) == 1:
		names[0] = nameOf(j.Sides[0].Cells[0])
	case j.Form == claim.Pairs:
		for i, s := range j.Sides[:2] {
			names[i] = ofEach(s, matchesOf(s))
		}
	default:
		c := comparisonOf(j.Sides[0], j.Sides[1])
		names = [2]string{c.a, c.b}
	}
	if which == "b" {
		names[0] = names[1]
	}
	return strings.TrimPrefix(strings.TrimPrefix(names[0], "for "), "over ")
}
