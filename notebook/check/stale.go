package check

import (
	"bytes"
	"math"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// nearby is the largest factor between a typed number and a measured one that are about the same thing.
const nearby = 2

// StaleNumbers warns of numbers that the author typed next to measured ones of the same unit in a sentence and that lie
// outside their intervals: the measurement has changed, and the words have not. Published numbers stay as they are, and
// parts of the text that do not apply say nothing.
//
// Source: docs/command.md#check, stale-number.
func StaleNumbers(results *claim.Results, problems *source.Problems) {
	for _, p := range passagesOf(results.Data.Doc) {
		if results.Applies(p.part) {
			p.check(results, problems)
		}
	}
}

// A passage is the source text of one paragraph, heading, cell of a table or line in YAML.
type passage struct {
	text []byte
	at   func(start, end int) source.Pos // place of bytes of the text
	part *article.ConditionalPart        // around it; nil without one
}

func passagesOf(doc *article.Document) []passage {
	var out []passage
	_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if first := n.FirstChild(); entering && first != nil && first.Type() == ast.TypeInline && n.Type() == ast.TypeBlock {
			out = append(out, passageOf(doc, n))
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	for _, l := range doc.Lines {
		out = append(out, passage{[]byte(l.Text.Value), l.Text.At, l.Part})
	}
	return out
}

// passageOf is the text of a block without the marks between its lines, as in quotations.
func passageOf(doc *article.Document, block ast.Node) passage {
	p := passage{part: article.ConditionalPartOf(block)}
	lines := block.Lines()
	if lines.Len() == 0 {
		return p
	}
	from := lines.At(0).Start
	for i := range lines.Len() {
		line := lines.At(i)
		p.text = append(p.text, bytes.Repeat([]byte(" "), line.Start-from-len(p.text))...)
		p.text = append(p.text, line.Value(doc.Text)...)
	}
	p.at = func(start, end int) source.Pos { return doc.Source.Pos(from+start, from+end) }
	return p
}

var (
	// hidden are parts of a text whose numbers say nothing: code, which may be a measured value, and addresses of links.
	hidden = regexp.MustCompile("`[^`]*`" + `|\]\([^()\s]*\)`)

	// sentenceEnd is a full stop with space after it, and no capital letter or abbreviation before it.
	sentenceEnd = regexp.MustCompile(`[^\s.\p{Lu}][.!?][)"'”’]*\s`)

	// typed is a number with its unit: digits in groups or not, a unit or its words.
	typed = regexp.MustCompile(`(?:^|[\s(\[“"'~≈–-])((\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?)[ \x{a0}\x{202f}]?` +
		`(?:(?:[\pL]+ )?(per second|a second|percent|times|×|seconds?|milliseconds?|microseconds?|[µμ]?[\pL%/]+))`)
)

// unitWords are units as they are written in sentences.
var unitWords = map[string]string{
	"per second": "/s", "a second": "/s", "percent": "%", "times": "", "×": "",
	"second": "s", "seconds": "s", "millisecond": "ms", "milliseconds": "ms", "microsecond": "us", "microseconds": "us",
}

// check compares the typed numbers of each sentence with its measured values.
func (p passage) check(results *claim.Results, problems *source.Problems) {
	text := hidden.ReplaceAllStringFunc(string(p.text), func(s string) string { return strings.Repeat("`", len(s)) })
	text = strings.NewReplacer("\n", " ", "*", " ").Replace(text)
	code := hidden.FindAllIndex(p.text, -1)
	for start := 0; start < len(text); {
		end := len(text)
		if m := sentenceEnd.FindStringIndex(text[start:]); m != nil {
			end = start + m[1]
		}
		var values []*article.InlineValue
		for _, c := range code {
			if v := valueAt(results.Data.Doc, p.at(c[0], c[1])); v != nil && c[0] >= start && c[0] < end {
				values = append(values, v)
			}
		}
		if len(values) > 0 {
			for _, l := range p.literals(text, start, end) {
				l.compare(results, values, problems)
			}
		}
		start = end
	}
}

// valueAt returns the measured value at a place, or nil.
func valueAt(doc *article.Document, at source.Pos) *article.InlineValue {
	for _, v := range doc.Values {
		if start := v.Written.Pos.Start; v.Valid && start >= at.Start && start < at.End {
			return v
		}
	}
	return nil
}

// A literal is a number with a unit that an author typed.
type literal struct {
	number    float64 // in the base unit
	precision float64 // half a step of its last digit, in the same unit
	unit      expr.Unit
	text      source.Text // number and unit
}

// literals finds the numbers with units in text[start:end].
func (p passage) literals(text string, start, end int) []literal {
	var out []literal
	for at := start; at < end; {
		m := typed.FindStringSubmatchIndex(text[at:end])
		if m == nil {
			break
		}
		sub := func(i int) string { return text[at+m[2*i] : at+m[2*i+1]] }
		symbol, ok := unitWords[sub(4)]
		if !ok {
			symbol = sub(4)
		}
		number := strings.ReplaceAll(sub(1), ",", "")
		_, decimals, _ := strings.Cut(number, ".")
		unit, ok := expr.ParseUnit(symbol)
		if q, err := expr.ParseQuantity(number); ok && err == nil {
			out = append(out, literal{number: unit.ToBase(q.Value),
				precision: unit.ToBase(0.5 * math.Pow10(-len(decimals))), unit: unit,
				text: source.Text{Value: text[at+m[2] : at+m[9]], Pos: p.at(at+m[2], at+m[9])}})
		}
		at += m[3] // units may share their space with the next number
	}
	return out
}

// compare warns of a typed number that is near a measured value, and in the interval of none.
func (l literal) compare(results *claim.Results, values []*article.InlineValue, problems *source.Problems) {
	var stale *article.InlineValue
	var interval stats.Interval // of it
	for _, v := range values {
		q, ok := measured(results, v)
		if !ok || q.Dimension() != l.unit.Dimension {
			continue
		}
		switch lo, hi := l.number-l.precision, l.number+l.precision; {
		case hi >= q.Interval.Lo && lo <= q.Interval.Hi:
			return
		case stale == nil && math.Max(q.Number/l.number, l.number/q.Number) <= nearby && q.Number > 0:
			stale, interval = v, *q.Interval
		}
	}
	if stale == nil || l.isPublished(results.Data.Doc) {
		return
	}
	unit := l.unit.Symbol
	if unit != "" && !strings.HasPrefix(unit, "/") {
		unit = " " + unit
	}
	problems.Warn("stale-number", l.text.Pos, "%q contradicts the measured value beside it: %.4g to %.4g%s",
		l.text.Value, l.unit.FromBase(interval.Lo), l.unit.FromBase(interval.Hi), unit).
		Hint = "write `{value} " + stale.Written.Value + "` instead, or correct it"
}

// measured returns the result of a value in a sentence; false if it has no interval over repetitions.
func measured(results *claim.Results, v *article.InlineValue) (dataset.Quantity, bool) {
	q, err := results.Data.Eval(v.Inline.Expr, "")
	if err == nil {
		q, _ = results.WithClaimInterval(v.Inline.Expr, q)
	}
	return q, err == nil && q.Interval != nil && q.Kind != stats.WithinRun
}

// isPublished reports whether a typed number is a published one of the article.
func (l literal) isPublished(doc *article.Document) bool {
	for _, b := range doc.Published {
		for _, row := range b.Rows {
			for _, m := range row.Metrics {
				if math.Abs(m.Value.Number-l.number) <= l.precision*(1+1e-9) {
					return true
				}
			}
		}
	}
	return false
}
