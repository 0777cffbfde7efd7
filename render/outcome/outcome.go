// Package outcome says what became of claims: in a sentence that states what was measured, in a word, and as the
// measured value next to the published one.
//
// A sentence never states the hypothesis, only what the records show: that of a contradicted claim is as true as that
// of a supported one. Every number has the interval by which its claim is judged.
package outcome

import (
	"html/template"
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
	Here      string // what was measured, with its interval: "+4.5 % [+1.5 to +7.5 %]", "37 of 40 pairs"
	Published string // the same as published; empty if nothing was
}

// Options say how sentences of authors are read.
type Options struct {
	Markdown func(line string) (shown template.HTML, text string) // nil: they are text
}

// Of returns the outcome of a claim.
func Of(d *dataset.Dataset, j claim.Judgement, o Options) Outcome {
	w := writer{d, o.Markdown}
	if w.markdown == nil {
		w.markdown = func(line string) (template.HTML, string) { return template.HTML(template.HTMLEscapeString(line)), line }
	}
	sentence := w.says(&j)
	if sentence == nil {
		sentence = w.sentence(&j)
	}
	return Outcome{Sentence: sentence, Word: Word(j.Outcome()), Here: w.here(&j), Published: Published(d, &j)}
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

// A Piece is a part of a sentence.
type Piece struct {
	Kind Kind
	Text string
	HTML template.HTML // of words that have markup; empty for Text as it is
}

// Kind is what a piece is.
type Kind int

const (
	Words    Kind = iota
	Value         // of the effect
	Interval      // of the effect, with its brackets; a space goes before it
	Prospect      // what would decide the claim, in a sentence of its own
)

// Sentence is one sentence or two, in pieces.
type Sentence []Piece

// Text is the sentence without markup.
func (s Sentence) Text() string {
	var b strings.Builder
	for _, p := range s {
		if p.Kind == Interval {
			b.WriteByte(' ')
		}
		b.WriteString(p.Text)
	}
	return b.String()
}

// HTML is the sentence with the effect emphasized.
func (s Sentence) HTML() template.HTML {
	var b strings.Builder
	for _, p := range s {
		html := string(p.HTML)
		if html == "" {
			html = template.HTMLEscapeString(p.Text)
		}
		switch p.Kind {
		case Value:
			html = "<b>" + html + "</b>"
		case Interval:
			html = ` <span class="iv">` + html + "</span>"
		}
		b.WriteString(html)
	}
	return template.HTML(b.String())
}

// WithoutInterval is the sentence for places that show the interval next to it.
func (s Sentence) WithoutInterval() Sentence {
	var out Sentence
	for _, p := range s {
		if p.Kind != Interval {
			out = append(out, p)
		}
	}
	return out
}

// Unfinished is the sentence without its full stop.
func (s Sentence) Unfinished() Sentence {
	out := slices.Clone(s)
	for n := len(out) - 1; n >= 0; n-- {
		last := &out[n]
		if last.Text = strings.TrimSuffix(last.Text, "."); last.Text != "" {
			last.HTML = template.HTML(strings.TrimSuffix(string(last.HTML), "."))
			break
		}
		out = out[:n]
	}
	return out
}

// Title is the sentence for headings: without its full stop and what would decide it, and without its interval, unless
// that is what leaves the claim undecided.
func (s Sentence) Title(v stats.Verdict) Sentence {
	return slices.DeleteFunc(s.Unfinished(), func(p Piece) bool {
		return p.Kind == Prospect || p.Kind == Interval && v != stats.Inconclusive
	})
}

func (s *Sentence) say(words string) { s.add(Words, words) }

func (s *Sentence) add(kind Kind, words string) {
	if words != "" {
		*s = append(*s, Piece{Kind: kind, Text: words})
	}
}

// finished begins a sentence with a capital and ends it with a full stop.
func (s Sentence) finished() Sentence {
	if len(s) == 0 {
		return s
	}
	if first, _, _ := strings.Cut(s[0].Text, " "); !strings.Contains(first, ".") { // the name of a metric stays as it is
		s[0].Text = wording.Capital(s[0].Text)
	}
	if !strings.HasSuffix(s[len(s)-1].Text, ".") {
		s.say(".")
	}
	return s
}
