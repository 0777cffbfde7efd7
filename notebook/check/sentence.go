package check

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/article"

	"benchbook/notebook/expr"
	"benchbook/notebook/source"
)

// A sentence is one in running text, as far as it has numbers.
type sentence struct {
	values   []*article.InlineValue   // measured ones, in order
	literals []literal                // typed ones, in order
	part     *article.ConditionalPart // that it stands in; nil if it stands in none
}

// A literal is a number with a unit that an author typed in running text.
type literal struct {
	number    float64 // in the base unit of Dimension
	precision float64 // half a step of its last digit, in the same unit
	unit      expr.Unit
	dimension expr.Dimension // Share for percentages; Plain for what is so many times something
	text      source.Text    // number and unit
}

// sentencesOf gives the sentences of prose, headings, tables, titles and captions that have both measured values and
// numbers typed with a unit. Code and whatever else stands in blocks are no part of them.
func sentencesOf(doc *article.Document) []sentence {
	var out []sentence
	_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if first := n.FirstChild(); entering && first != nil && first.Type() == ast.TypeInline && n.Type() == ast.TypeBlock {
			p := prose{part: article.ConditionalPartOf(n), source: doc.Text, at: doc.Source.Pos}
			p.read(n)
			out = append(out, p.sentences()...)
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	for _, l := range doc.Lines {
		p := prose{part: l.Part, source: []byte(l.Text.Value), at: l.Text.At, coded: l.Values}
		p.read(l.Tree)
		out = append(out, p.sentences()...)
	}
	return out
}

// prose is the text of one block, with a sign of ours for each measured value.
type prose struct {
	part   *article.ConditionalPart
	source []byte                            // that its nodes are segments of
	at     func(start, end int) source.Pos   // where bytes of source stand in the article
	coded  map[ast.Node]*article.InlineValue // pieces of code that are measured values, where they are no nodes of ours

	text   strings.Builder
	pieces []piece
	values []*article.InlineValue
}

// A piece is a part of the text that stands in the source as it is.
type piece struct{ at, start int }

// valueSign stands for a measured value, and for nothing else, since Unicode has it as no character.
const valueSign = '\uffff'

func (p *prose) read(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			p.pieces = append(p.pieces, piece{p.text.Len(), c.Segment.Start})
			p.text.Write(c.Segment.Value(p.source))
			if c.SoftLineBreak() || c.HardLineBreak() {
				p.text.WriteByte(' ')
			}
		case *article.InlineValue:
			p.add(c)
		case *ast.CodeSpan:
			if v := p.coded[c]; v != nil {
				p.add(v)
			} else {
				p.text.WriteByte('`')
			}
		default:
			p.read(c)
		}
	}
}

func (p *prose) add(v *article.InlineValue) {
	p.text.WriteRune(valueSign)
	p.values = append(p.values, v)
}

var (
	// proseEnd is what ends a sentence: a stop with space behind it, and not a capital letter or an abbreviation before
	// it.
	proseEnd = regexp.MustCompile(`[^\s.\p{Lu}][.!?][)"'”’]*\s`)

	// typed is a number as it is typed, with its unit: digits in groups or not, a unit of ours or its words.
	typed = regexp.MustCompile(`(?:^|[\s(\[“"'~≈–-])((\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?)[ \x{a0}\x{202f}]?` +
		`(?:(?:[\pL]+ )?(per second|a second|percent|times|×|seconds?|milliseconds?|microseconds?|[µμ]?[\pL%/]+))`)
)

// unitWords are units as they are written in sentences.
var unitWords = map[string]string{
	"per second": "/s", "a second": "/s", "percent": "%", "times": "", "×": "",
	"second": "s", "seconds": "s", "millisecond": "ms", "milliseconds": "ms", "microsecond": "us", "microseconds": "us",
}

func (p *prose) sentences() []sentence {
	text := p.text.String()
	if len(p.values) == 0 {
		return nil
	}
	var out []sentence
	values := p.values
	for start := 0; start < len(text); {
		end := len(text)
		if m := proseEnd.FindStringIndex(text[start:]); m != nil {
			end = start + m[1]
		}
		s := sentence{literals: p.literals(text, start, end), part: p.part}
		n := strings.Count(text[start:end], string(valueSign))
		s.values, values = values[:n], values[n:]
		if len(s.values) > 0 && len(s.literals) > 0 {
			out = append(out, s)
		}
		start = end
	}
	return out
}

// literals finds the numbers with units in text[start:end].
func (p *prose) literals(text string, start, end int) []literal {
	var out []literal
	for at := start; at < end; {
		m := typed.FindStringSubmatchIndex(text[at:end])
		if m == nil {
			break
		}
		for i := range m {
			if m[i] >= 0 {
				m[i] += at
			}
		}
		at = m[3] // units may share their space with the next number
		if l, ok := p.literal(text, m); ok {
			out = append(out, l)
		}
	}
	return out
}

func (p *prose) literal(text string, m []int) (literal, bool) {
	word := text[m[8]:m[9]]
	symbol, ok := unitWords[word]
	if !ok {
		symbol = word
	}
	unit, ok := expr.ParseUnit(symbol)
	number := strings.ReplaceAll(text[m[2]:m[3]], ",", "")
	q, err := expr.ParseQuantity(number)
	if !ok || err != nil {
		return literal{}, false
	}
	step := 0.5
	if _, decimals, found := strings.Cut(number, "."); found {
		for range decimals {
			step /= 10
		}
	}
	at := p.place(m[2])
	return literal{number: unit.ToBase(q.Value), precision: unit.ToBase(step), unit: unit, dimension: unit.Dimension,
		text: source.Text{Value: text[m[2]:m[9]], Pos: p.at(at, max(at+m[3]-m[2], p.place(m[9]-1)+1))}}, true
}

// place is where a byte of the text stands in the source.
func (p *prose) place(at int) int {
	last := piece{}
	for _, q := range p.pieces {
		if q.at > at {
			break
		}
		last = q
	}
	return min(last.start+at-last.at, len(p.source))
}
