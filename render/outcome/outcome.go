// Package outcome says what became of claims: in a sentence that states what was measured, in a word, and as the
// measured value next to the published one.
//
// A sentence never states the hypothesis, only what the records show, so it is true for every verdict. Every number
// has the interval by which its claim is judged.
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

// Outcome is what became of a claim.
type Outcome struct {
	Sentence  Sentence
	Word      string // "as claimed", "not as claimed", "undecided", "not measured"
	Here      string // what was measured: "+4.5 %", "37 of 40 pairs"
	Interval  string // of Here, in brackets; may be empty
	Published string // the same as published; empty if nothing was
}

// Markdown reads a line that an author wrote, as markup and as text.
type Markdown func(line string) (shown template.HTML, text string)

// Of returns the outcome of a claim. Without markdown, sentences of the author are text.
func Of(d *dataset.Dataset, j claim.Judgement, markdown Markdown) Outcome {
	if markdown == nil {
		markdown = func(line string) (template.HTML, string) { return template.HTML(template.HTMLEscapeString(line)), line }
	}
	sentence, ok := says(d, &j, markdown)
	if !ok {
		sentence = sentenceOf(&j)
	}
	o := Outcome{Sentence: sentence, Word: Word(j.Outcome()), Published: Published(d, &j)}
	o.Here, o.Interval = here(&j)
	return o
}

// Word relates an outcome to the claim. It follows sentences that state the outcome: the name of a verdict
// follows the claim itself.
func Word(v stats.Verdict) string {
	words := map[stats.Verdict]string{stats.Supported: "as claimed", stats.Stronger: string(stats.Stronger),
		stats.Contradicted: "not as claimed", stats.Inconclusive: "undecided"}
	return cmp.Or(words[v], wording.NotMeasured)
}

// CellsOf returns the measured cells that a claim is about.
func CellsOf(j claim.Judgement) (cells []*dataset.Cell) {
	if j.Effect != nil {
		cells = slices.Clone(j.Effect.Cells)
	}
	for _, p := range j.Parts {
		cells = slice.Add(cells, CellsOf(p)...)
	}
	return cells
}

// Sentence is one sentence or two, as text and as markup, with marks around the value of the effect, its interval, and
// what would decide the claim.
type Sentence struct{ text, shown string }

// Kinds of marked words.
const (
	value    = "\x01v"
	interval = "\x01i" // with its brackets; a space goes before it
	prospect = "\x01p" // what would decide the claim, or the limit that leaves it undecided: not in headings
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

// marked marks words of a kind; none stay none.
func marked(kind, words string) string {
	if words == "" {
		return ""
	}
	return kind + words + markEnd
}

// Text is the sentence without markup.
func (s Sentence) Text() string { return noMarks.Replace(s.text) }

// HTML is the sentence with the effect emphasized.
func (s Sentence) HTML() template.HTML {
	shown := intervals.ReplaceAllString(s.shown, ` <span class="iv">$1</span>`)
	return template.HTML(noMarks.Replace(values.ReplaceAllString(shown, "<b>$1</b>")))
}

// each changes the text and the markup of a sentence.
func (s Sentence) each(change func(string) string) Sentence {
	return Sentence{change(s.text), change(s.shown)}
}

// without is the sentence without what a pattern matches.
func (s Sentence) without(pattern *regexp.Regexp) Sentence {
	return s.each(func(words string) string { return pattern.ReplaceAllString(words, "") })
}

// WithoutInterval is the sentence for places that show the interval next to it.
func (s Sentence) WithoutInterval() Sentence { return s.without(intervals) }

// CutInterval returns the sentence without the interval that it ends with, and that interval; empty if there is none.
func (s Sentence) CutInterval() (before Sentence, last string) {
	m := lastInterval.FindStringSubmatch(s.text)
	if m == nil || !lastInterval.MatchString(s.shown) { // which may have markup behind it
		return s, ""
	}
	return s.without(lastInterval), m[1]
}

// Unfinished is the sentence without its full stop.
func (s Sentence) Unfinished() Sentence {
	return s.each(func(words string) string { return fullStop.ReplaceAllString(words, "$1") })
}

// Title is the sentence for headings: without its full stop, what would decide it and the limit that leaves it undecided,
// and without its interval, unless the claim is undecided.
func (s Sentence) Title(v stats.Verdict) Sentence {
	s = s.Unfinished().without(prospects)
	if v != stats.Inconclusive {
		s = s.without(intervals)
	}
	return s
}

// writtenFor returns the author's sentence for the verdict; empty without one. Where only the other of two sessions leaves
// a claim undecided, it is the sentence for the newest, which says so: the one for an undecided claim would not fit the
// interval in it.
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

// written is the author's sentence of a claim for a verdict; empty without one.
func written(c *article.Claim, v stats.Verdict) string {
	if always := c.Says.Always.Value; always != "" && v != stats.NotMeasured {
		return always
	}
	return map[stats.Verdict]string{stats.Supported: c.Says.Supported.Value, stats.Stronger: c.Says.Contradicted.Value,
		stats.Contradicted: c.Says.Contradicted.Value, stats.Inconclusive: c.Says.Inconclusive.Value}[v]
}

// isUnconfirmed reports whether a claim is undecided only because the other of two sessions does not confirm the newest.
func isUnconfirmed(j *claim.Judgement) bool {
	return j.Verdict == stats.Inconclusive && len(j.Parts) == 0 && len(j.Sessions) == 2 &&
		j.Sessions[0].Verdict != stats.Inconclusive
}

// saidForm is the form in which the sentence of a claim writes a ratio: the numbers next to it have the same.
func saidForm(j *claim.Judgement) form {
	switch line := writtenFor(j); {
	case j.IsRatio && strings.Contains(line, "{effect} as "):
		return asFactor
	case j.IsRatio && strings.Contains(line, "{effect}"):
		return asDifference
	}
	return bySize
}

// says is the author's sentence for the verdict; false without one, and if it asks for something unknown.
func says(d *dataset.Dataset, j *claim.Judgement, markdown Markdown) (said Sentence, ok bool) {
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
		limits := "" // of the claim that the effect has not left behind: ", and the limit is +5 %"
		if j.Effect != nil && (j.Form != claim.Fewer || j.Region.Lo > 0) {
			limits = marked(prospect, bound(j, EffectOf(j), quantity{}))
		}
		said = said.each(func(words string) string { return "Undecided: " + strings.TrimSuffix(words, ".") + limits + "." })
	}
	return said, ok
}

// interrupting finds an interval before the end of a clause, where it interrupts nothing: "17 % fewer requests than before
// [−22 to −11 %], and". Markup between them leaves it where it is.
var interrupting = regexp.MustCompile(`(` + interval + `[^\x01\x02]*` + markEnd + `)` +
	`((?:&(?:[a-z0-9#]+;)?|[^<&.,;:\x01]|[.,;:]+[^ .,;:<\x01])*)([.,;:]+(?: |$))`)

// fillAll replaces the placeholders of a line; false if one asks for something unknown.
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

// placeholders finds those that mean something.
func placeholders(text string) [][]int {
	return slice.Filter(claim.Placeholder.FindAllStringIndex(text, -1), func(m []int) bool {
		return claim.IsPlaceholder(text[m[0]+1 : m[1]-1])
	})
}

// fill returns the value of a placeholder, with its pieces marked; empty if it is unknown. Before "as many" a ratio is a
// factor.
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

// nameOfSide is the name of side a or b, next to the other; empty if the claim has no such side.
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
