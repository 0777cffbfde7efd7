package expr

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Inline is the content of {value} in running text: an expression with filters.
type Inline struct {
	Expr    Node
	Filters []Filter // in the order of the source, each at most once
}

// Filter says how to show a value.
type Filter struct {
	Span
	Name   string // round, percent, unit or interval
	Digits int    // of round: digits after the decimal point
	Unit   Unit   // of unit: the unit to show
}

// maxDigits is the most digits that round accepts.
const maxDigits = 15

// filters are the filters by name.
var filters = map[string]struct {
	usage string
	read  func(f *Filter, arg string) bool
}{
	"round": {"| round 2", func(f *Filter, arg string) bool {
		var err error
		f.Digits, err = strconv.Atoi(arg)
		return err == nil && f.Digits >= 0 && f.Digits <= maxDigits
	}},
	"percent": {"| percent", func(f *Filter, arg string) bool { return arg == "" }},
	"unit": {"| unit ms", func(f *Filter, arg string) bool {
		var known bool
		f.Unit, known = ParseUnit(arg)
		return known && arg != ""
	}},
	"interval": {"| interval", func(f *Filter, arg string) bool { return arg == "" }},
}

// ParseInline parses an expression and the filters after it, as in "a / b | round 2". A pipe may be written \|, as
// Markdown tables require, even in strings.
//
// The error is an *Error.
func ParseInline(text string) (Inline, error) {
	return readAll(lexer{src: text, inline: true}, filterOrEnd, func(p *parser) (in Inline) {
		if in.Expr = p.expression(); p.tok.is("|") {
			p.advance()
			in.Filters = p.filters()
		}
		return in
	})
}

// ParseFilters parses filters without an expression, as in "round 2 | unit ms". The error is an *Error.
func ParseFilters(text string) ([]Filter, error) {
	return readAll(lexer{src: text, inline: true}, filterOrEnd, (*parser).filters)
}

const filterOrEnd = "a filter or the end"

// filters reads filters separated by pipes.
func (p *parser) filters() (list []Filter) {
	for {
		f := p.filter()
		if slices.ContainsFunc(list, func(g Filter) bool { return g.Name == f.Name }) {
			fail(f.Span, "the filter "+f.Name+" is given twice", "remove one")
		}
		if list = append(list, f); !p.tok.is("|") {
			return list
		}
		p.advance()
	}
}

// filter reads a filter's name and its argument, up to the next pipe.
func (p *parser) filter() Filter {
	name := p.tok
	const all = "filters are round, percent, unit and interval"
	if name.kind != tokenWord {
		p.failExpected("a filter", all)
	}
	known, ok := filters[name.text]
	if !ok {
		usage := func(name string) string { return filters[name].usage }
		fail(name.Span, "unknown filter "+strconv.Quote(name.text),
			didYouMean(name.text, slices.Sorted(maps.Keys(filters)), usage, all))
	}
	f := Filter{Span: name.Span, Name: name.text}
	arg := p.src[name.End:]
	if end := strings.IndexByte(arg, '|'); end >= 0 {
		arg = strings.TrimSuffix(arg[:end], `\`)
	}
	f.End = name.End + len(strings.TrimRightFunc(arg, unicode.IsSpace))
	if !known.read(&f, strings.TrimSpace(arg)) {
		fail(f.Span, "the filter "+f.Name+" does not read "+strconv.Quote(strings.TrimSpace(arg)), "write "+known.usage)
	}
	p.pos = f.End
	p.advance()
	return f
}
