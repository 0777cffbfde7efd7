// Package outcome says what became of claims: in a sentence that states what was measured, in a word, and as the
// measured value next to the published one.
//
// A sentence never states the hypothesis, only what the records show: that of a contradicted claim is as true as that
// of a supported one. Every number has the interval by which its claim is judged.
package outcome

import (
	"html/template"
	"regexp"
	"slices"
	"strings"

	"benchbook/internal/slice"
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
	switch v {
	case stats.Supported:
		return "as claimed"
	case stats.Stronger:
		return string(v)
	case stats.Contradicted:
		return "not as claimed"
	case stats.Inconclusive:
		return "undecided"
	}
	return wording.NotMeasured
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
	prospect = "\x01p" // what would decide the claim, in a sentence of its own
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

// Title is the sentence for headings: without its full stop and what would decide it, and without its interval, unless
// that is what leaves the claim undecided.
func (s Sentence) Title(v stats.Verdict) Sentence {
	s = s.Unfinished().without(prospects)
	if v != stats.Inconclusive {
		s = s.without(intervals)
	}
	return s
}
