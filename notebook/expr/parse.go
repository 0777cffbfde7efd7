package expr

import (
	"regexp"
	"strconv"
	"strings"
)

// maxDepth bounds the nesting of parentheses and calls.
const maxDepth = 100

// Parse parses one expression, which is all of src.
//
// The error is an *Error at the first mistake; its Span lies in src, and is empty only if src is. Functions are looked
// up, other names are not.
func Parse(src string) (Node, error) {
	return readAll(lexer{src: src}, "the end", (*parser).expression)
}

// ParseAt parses an expression from another source, and gives all of it one place.
func ParseAt(src string, at Span) (Node, error) {
	n, err := Parse(src)
	if err != nil {
		return nil, err
	}
	Walk(n, func(n Node) bool { n.place(at); return true })
	return n, nil
}

// readAll reads a source by a method of the parser, after which only the end may follow.
func readAll[T any](l lexer, expected string, read func(*parser) T) (all T, err error) {
	defer catch(&err)
	p := newParser(l)
	if all = read(p); p.tok.kind != tokenEnd {
		p.failUnexpected(expected)
	}
	return all, nil
}

// parser is a recursive descent over the grammar of docs/expressions.md#grammar; operators climbs their precedence. Its
// methods fail with a panic, see fail.
type parser struct {
	lexer
	tok, prev token // tok is the next to read
	depth     int
}

func newParser(l lexer) *parser {
	p := &parser{lexer: l}
	p.tok = p.next()
	return p
}

func (p *parser) advance() {
	p.prev = p.tok
	p.tok = p.next()
}

// list reads items, if any, separated by commas, up to the end sign.
func (p *parser) list(end string, item func()) {
	if p.tok.is(end) {
		return
	}
	for item(); p.tok.is(","); item() {
		p.advance()
	}
}

func (p *parser) expression() Node {
	if p.depth++; p.depth > maxDepth {
		fail(p.prev.Span, "the expression is nested too deeply", "give its parts names under values")
	}
	x := p.operators(precedence[Or])
	p.depth--
	return x
}

// operators reads operands and the operators between them with at least a precedence. They group to the left.
func (p *parser) operators(least int) Node {
	start := p.tok.Start
	x := p.operand(least)
	for p.tok.binds() >= least {
		op := Op(p.tok.text)
		p.advance()
		y := p.operators(precedence[op] + 1)
		x = &Binary{Span{start, p.prev.End}, op, x, y}
		if op.IsComparison() && p.tok.isComparison() {
			fail(p.tok.Span, "comparisons do not chain", "write a < b and b < c")
		}
	}
	if p.tok.is("=") {
		fail(p.tok.Span, "= does not compare", "write ==")
	}
	return x
}

// operand reads an operand, after an optional minus, or after "not" if least allows its precedence.
func (p *parser) operand(least int) Node {
	start, op := p.tok.Start, Op(p.tok.text)
	var x Node
	switch {
	case p.tok.is("not") && least <= bindsNot:
		p.advance()
		x = p.operators(bindsCompare)
	case p.tok.is("-"):
		p.advance()
		x = p.primary()
	default:
		return p.primary()
	}
	return &Unary{Span{start, p.prev.End}, op, x}
}

func (p *parser) primary() Node {
	t := p.tok
	switch t.kind {
	case tokenQuantity:
		p.advance()
		return t.quantity
	case tokenString:
		p.advance()
		return &String{t.Span, t.text}
	case tokenWord:
		if t.is("and") || t.is("or") || t.is("not") {
			break
		}
		p.advance()
		switch {
		case p.tok.is("("):
			return p.call(t)
		case t.is("true"), t.is("false"):
			return &Bool{t.Span, t.text == "true"}
		}
		return p.selector(t)
	case tokenSymbol:
		if t.is("(") {
			p.advance()
			x := p.expression()
			p.close(t, ")")
			return x
		}
	}
	p.failValue()
	panic("unreachable")
}

func (p *parser) call(name token) Node {
	c := &Call{Name: name.text}
	open := p.tok
	p.advance()
	if _, known := functions[name.text]; !known && p.tok.kind == tokenWord {
		ahead := p.lexer // a copy, so that p stays where it is
		if sign := ahead.next(); sign.is("=") || sign.isComparison() {
			fail(Span{name.Start, open.End}, "cells are picked in braces", "write "+name.text+"{"+p.tok.text+`="value"}`)
		}
	}
	p.list(")", func() { c.Args = append(c.Args, p.expression()) })
	p.close(open, ")")
	c.Span = Span{name.Start, p.prev.End}
	checkCall(c, name.Span)
	return c
}

// percentile matches the names of metrics that end in a percentile, such as latency.connect.p99.9.
var percentile = regexp.MustCompile(`^(?:latency|service|lag)\.(?:.*\.)?p([0-9]+(?:\.[0-9]+)?)$`)

func (p *parser) selector(name token) Node {
	s := &Selector{Span: name.Span, Name: name.text}
	if found := percentile.FindStringSubmatch(s.Name); found != nil {
		if p, err := strconv.ParseFloat(found[1], 64); err != nil || p <= 0 || p >= 100 {
			fail(s.Span, "a percentile lies between 0 and 100", "the largest latency is latency.max")
		}
	}
	if !p.tok.is("{") {
		return s
	}
	open := p.tok
	p.advance()
	p.list("}", func() { s.Matches = append(s.Matches, p.match()) })
	if p.tok.kind != tokenEnd && !p.tok.is("}") {
		p.failExpected(", or }", "quote a value that is more than a word")
	}
	p.close(open, "}")
	s.Span.End = p.prev.End
	return s
}

func (p *parser) match() Match {
	name := p.tok
	if name.kind != tokenWord {
		p.failExpected("the name of a parameter", `write {server="async"}`)
	}
	if strings.Contains(name.text, ".") {
		fail(name.Span, "parameters have no dots in their names", "write the last word of "+name.text+" alone")
	}
	p.advance()
	op := p.tok
	switch {
	case op.is("=="):
		fail(op.Span, "== cannot be used in braces", "write = instead")
	case !op.is("=") && !op.isComparison():
		p.failExpected("= != < <= > or >= after "+strconv.Quote(name.text), "write "+name.text+`="value", or axis="`+name.text+`" with the name of its axis`)
	}
	p.tok = p.matchValue()
	m := Match{Span{name.Start, p.tok.End}, name.text, Op(op.text), p.tok.text}
	if _, err := ParseQuantity(m.Value); err != nil && m.Op.IsOrdering() {
		fail(p.tok.Span, op.text+" needs a quantity, and "+strconv.Quote(m.Value)+" is not one", "compare texts with = and !=")
	}
	p.advance()
	return m
}

// matchValue reads the value of a match. Outside of quotes it follows other rules than the rest of the language: 3.10.1
// and 2026-11-20 are texts.
func (p *parser) matchValue() token {
	p.skipSpace()
	start := p.pos
	if r := p.peek(); r == '"' || r == '\'' {
		return p.quoted()
	}
	if r := p.peek(); !isWordRune(r) || r == '_' {
		p.prev, p.tok = p.tok, p.next()
		p.failExpected("a value after "+p.prev.text, "quote what is neither a word nor a quantity")
	}
	p.take(func(r rune) bool { return r == '.' || isNameRune(r) })
	if _, err := ParseQuantity(p.src[start:p.pos]); err == nil {
		if !p.perSecond() && strings.HasPrefix(p.src[p.pos:], "%") {
			p.pos++
		}
	}
	t := token{Span: Span{start, p.pos}, kind: tokenWord, text: p.src[start:p.pos]}
	if strings.HasSuffix(t.text, "-") || strings.HasSuffix(t.text, ".") {
		fail(t.Span, "a bare word does not end in "+t.text[len(t.text)-1:], "quote it")
	}
	return t
}

func (p *parser) close(open token, sign string) {
	if p.tok.is(sign) {
		p.advance()
		return
	}
	if p.tok.kind == tokenEnd {
		fail(open.Span, "expected a closing "+sign, "this "+open.text+" is never closed")
	}
	p.failUnexpected("a closing " + sign)
}

func (p *parser) failValue() {
	switch {
	case p.prev.kind == tokenNone && p.tok.kind == tokenEnd:
		failEmpty(Span{0, len(p.src)})
	case p.tok.is("{"):
		fail(p.tok.Span, "expected a value, found {", "name a metric before the braces")
	}
	hint := "write a metric, such as throughput, or a number with its unit"
	if p.tok.isComparison() {
		hint = "write a value on each side of " + p.tok.text
		if p.prev.is(",") || p.prev.is("(") {
			hint = `quote it, as in every(a, "<", b)`
		}
	}
	p.failExpected("a value", hint)
}

func failEmpty(at Span) {
	fail(at, "the expression is empty", "write a value, such as throughput or 100ms")
}

// failExpected reports that tok is not the expected token. At the end of the source it points at the last token.
func (p *parser) failExpected(what, hint string) {
	if p.tok.kind == tokenEnd {
		fail(p.prev.Span, "expected "+what+", found the end", hint)
	}
	fail(p.tok.Span, "expected "+what+", found "+p.source(p.tok), hint)
}

// failUnexpected reports that tok cannot follow a whole value.
func (p *parser) failUnexpected(expected string) {
	tok, prev := p.source(p.tok), p.source(p.prev)
	switch {
	case p.tok.kind == tokenSymbol && p.tok.text == "|":
		fail(p.tok.Span, "unexpected |", `filters come last, and only after {value}; for "or" write or`)
	case p.tok.kind == tokenSymbol:
		fail(p.tok.Span, "expected "+expected+", found "+tok, "")
	case p.tok.kind == tokenEnd:
		fail(p.prev.Span, "expected "+expected+" after "+prev, "")
	}
	hint := "write an operator, such as + or <, or a comma between arguments; quote what is a text"
	if p.prev.kind == tokenQuantity && p.tok.kind == tokenWord {
		hint = hintUnit(tok)
	}
	for _, word := range []string{tok, prev} {
		if lower := strings.ToLower(word); lower == "and" || lower == "or" || lower == "not" {
			hint = "write " + lower + " in lower case"
		}
	}
	fail(p.tok.Span, "expected an operator between "+prev+" and "+tok, hint)
}

// source returns a token as written.
func (p *parser) source(t token) string { return p.src[t.Start:t.End] }

// IsName reports whether a text is a name alone, such as that of a metric: tables, figures and claims can use no other.
func IsName(text string) bool {
	n, err := Parse(text)
	s, ok := n.(*Selector)
	return err == nil && ok && s.Name == text && len(s.Matches) == 0
}
