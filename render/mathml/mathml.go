// Package mathml turns formulas written in TeX into MathML, which browsers set by themselves: a page needs no script, no
// fonts and no service for them.
//
// It knows what formulas about measurements are made of: letters, numbers, operators, relations, Greek, indices, fractions,
// roots, sums, accents, brackets that grow, words, matrices, cases and aligned lines. A command that it does not know is an
// error with its name. No part of a formula becomes markup: all of it is text within elements of ours.
package mathml

import (
	"errors"
	"fmt"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Errors that Convert wraps.
var (
	ErrUnknown = errors.New("unknown command") // a name after a backslash that is not known
	ErrSyntax  = errors.New("cannot be read")  // braces, arguments or environments that do not fit together
)

// maxDepth bounds how deeply a formula is nested, and so the depth of what a browser has to set.
const maxDepth = 64

// Convert gives the math element of a formula. Display says that it stands on a line of its own, not within a sentence. The
// source goes along as an annotation, for who copies it.
//
// The error wraps ErrUnknown or ErrSyntax.
func Convert(tex string, display bool) (string, error) {
	p := &parser{rest: tex}
	row, err := p.row("")
	if err != nil {
		return "", err
	}
	attribute := ""
	if display {
		attribute = ` display="block"`
	}
	return "<math" + attribute + "><semantics><mrow>" + row + `</mrow><annotation encoding="application/x-tex">` +
		html.EscapeString(strings.TrimSpace(tex)) + "</annotation></semantics></math>", nil
}

// parser reads a formula from its beginning.
type parser struct {
	rest  string
	depth int
}

// next takes a token: a command with its backslash, a number, or one character. It is empty at the end.
func (p *parser) next() string {
	p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace)
	n := p.length()
	token := p.rest[:n]
	p.rest = p.rest[n:]
	return token
}

// peek is the token that next would take.
func (p *parser) peek() string {
	was := p.rest
	token := p.next()
	p.rest = was
	return token
}

func (p *parser) length() int {
	switch {
	case p.rest == "":
		return 0
	case p.rest[0] == '\\':
		if n := letters(p.rest[1:]); n > 0 {
			return 1 + n
		}
		_, n := utf8.DecodeRuneInString(p.rest[1:])
		return 1 + n
	case isDigit(p.rest[0]):
		return number(p.rest)
	}
	_, n := utf8.DecodeRuneInString(p.rest)
	return n
}

func letters(s string) int {
	for i, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return i
		}
	}
	return len(s)
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// number is the length of digits with at most one point within them.
func number(s string) int {
	n, point := 0, false
	for n < len(s) && (isDigit(s[n]) || s[n] == '.' && !point && n+1 < len(s) && isDigit(s[n+1])) {
		point = point || s[n] == '.'
		n++
	}
	return n
}

// row reads up to the token that ends it and takes that, too; "" is the end of the formula.
func (p *parser) row(end string) (string, error) {
	row, by, err := p.until(end)
	if err == nil && by != end {
		return "", fmt.Errorf("%w: %q where %s is expected", ErrSyntax, by, orEnd(end))
	}
	return row, err
}

func orEnd(token string) string {
	if token == "" {
		return "the end of the formula"
	}
	return "\"" + token + "\""
}

// enders end a row, whoever began it.
var enders = map[string]bool{"": true, "}": true, "&": true, `\\`: true, `\right`: true, `\end`: true}

// until reads up to a token that ends a row, and says which it was.
func (p *parser) until(end string) (row, by string, err error) {
	if p.depth++; p.depth > maxDepth {
		return "", "", fmt.Errorf("%w: it is nested too deeply", ErrSyntax)
	}
	defer func() { p.depth-- }()
	var b strings.Builder
	for {
		token := p.next()
		if enders[token] || token == end {
			return b.String(), token, nil
		}
		item, err := p.item(token)
		if err != nil {
			return "", "", err
		}
		b.WriteString(item)
	}
}

// item is one symbol or group with what stands above and below it.
func (p *parser) item(token string) (string, error) {
	base, limits := "<mrow></mrow>", false
	if token == "^" || token == "_" || token == "'" {
		p.rest = token + " " + p.rest // an index of nothing
	} else {
		var err error
		if base, limits, err = p.atom(token); err != nil {
			return "", err
		}
	}
	var below, above string
	for {
		switch p.peek() {
		case "_", "^":
			mark := p.next()
			index, err := p.argument()
			if err != nil {
				return "", err
			}
			to := &below
			if mark == "^" {
				to = &above
			}
			if *to != "" && !(mark == "^" && strings.HasSuffix(*to, prime)) {
				return "", fmt.Errorf("%w: two %q for one symbol", ErrSyntax, mark)
			}
			*to += index
		case "'":
			p.next()
			above += prime
		default:
			symbol := indexed(base, below, above, limits)
			if functions[strings.TrimPrefix(token, `\`)] != "" && token[0] == '\\' {
				symbol = p.apart(symbol)
			}
			return symbol, nil
		}
	}
}

// apart keeps the name of a function from running into what stands beside it.
func (p *parser) apart(name string) string {
	const thin = "0.17em"
	if next := p.peek(); enders[next] || strings.Contains("()[]", next) {
		return space(thin) + name
	}
	return space(thin) + name + space(thin)
}

const prime = "<mo>′</mo>"

// indexed puts indices to a symbol: those of sums and limits go above and below it where there is room.
func indexed(base, below, above string, limits bool) string {
	name := map[[2]bool]string{{true, false}: "msub", {false, true}: "msup", {true, true}: "msubsup"}
	if limits {
		name = map[[2]bool]string{{true, false}: "munder", {false, true}: "mover", {true, true}: "munderover"}
	}
	element, ok := name[[2]bool{below != "", above != ""}]
	if !ok {
		return base
	}
	out := "<" + element + ">" + base
	for _, index := range []string{below, above} {
		if index != "" {
			out += "<mrow>" + index + "</mrow>"
		}
	}
	return out + "</" + element + ">"
}

// argument is a group in braces, or one symbol.
func (p *parser) argument() (string, error) {
	token := p.next()
	switch {
	case token == "{":
		return p.row("}")
	case enders[token] || token == "^" || token == "_":
		return "", fmt.Errorf("%w: an argument is missing before %s", ErrSyntax, orEnd(token))
	}
	if isDigit(token[0]) { // x^10 is x to the 1, and then 0
		p.rest, token = token[1:]+p.rest, token[:1]
	}
	if p.depth++; p.depth > maxDepth {
		return "", fmt.Errorf("%w: it is nested too deeply", ErrSyntax)
	}
	defer func() { p.depth-- }()
	atom, _, err := p.atom(token)
	return atom, err
}

// words is the text of a group in braces, as it is written.
func (p *parser) words() (string, error) {
	rest, ok := strings.CutPrefix(strings.TrimLeftFunc(p.rest, unicode.IsSpace), "{")
	text, after, closed := strings.Cut(rest, "}")
	if !ok || !closed || strings.ContainsAny(text, `{\`) {
		return "", fmt.Errorf("%w: words stand in braces, without others in them", ErrSyntax)
	}
	p.rest = after
	return text, nil
}

// atom is one symbol, group or command with its arguments; limits tells that its indices go above and below it.
func (p *parser) atom(token string) (element string, limits bool, err error) {
	first, _ := utf8.DecodeRuneInString(token)
	switch {
	case token == "{":
		row, err := p.row("}")
		return "<mrow>" + row + "</mrow>", false, err
	case first == '\\':
		return p.command(token[1:])
	case isDigit(token[0]):
		return "<mn>" + token + "</mn>", false, nil
	case unicode.IsLetter(first):
		return "<mi>" + html.EscapeString(token) + "</mi>", false, nil
	case token == "-":
		return "<mo>−</mo>", false, nil
	case token == "~":
		return space("0.33em"), false, nil
	case strings.Contains("()[]|", token):
		return fence(token), false, nil
	}
	return "<mo>" + html.EscapeString(token) + "</mo>", false, nil
}

// fence is a bracket in its own size.
func fence(bracket string) string {
	return `<mo stretchy="false">` + html.EscapeString(bracket) + "</mo>"
}

func space(width string) string { return `<mspace width="` + width + `"></mspace>` }

// command is what a name after a backslash stands for.
func (p *parser) command(name string) (element string, limits bool, err error) {
	if s, ok := symbols[name]; ok {
		return s, false, nil
	}
	if s, ok := functions[name]; ok {
		return s, false, nil
	}
	if s, ok := large[name]; ok {
		return s, true, nil
	}
	if mark, ok := accents[name]; ok {
		over, err := p.argument()
		element := "mover"
		if name == "underline" {
			element = "munder"
		}
		return "<" + element + ` accent="true"><mrow>` + over + "</mrow><mo>" + mark + "</mo></" + element + ">", false, err
	}
	switch name {
	case "frac", "dfrac", "tfrac", "binom":
		element, err = p.fraction(name)
	case "sqrt":
		element, err = p.root()
	case "text", "mathrm", "textrm", "operatorname":
		var words string
		words, err = p.words()
		switch name {
		case "text", "textrm":
			element = "<mtext>" + html.EscapeString(strings.ReplaceAll(words, " ", "\u00a0")) + "</mtext>"
		default:
			element = `<mi mathvariant="normal">` + html.EscapeString(words) + "</mi>"
		}
	case "mathbf", "boldsymbol":
		var words string
		words, err = p.words()
		element = "<mi>" + html.EscapeString(strings.Map(bold, words)) + "</mi>"
	case "left":
		element, err = p.brackets()
	case "begin":
		element, err = p.environment()
	default:
		err = fmt.Errorf(`%w \%s`, ErrUnknown, name)
	}
	return element, false, err
}

// bold is the bold form that a letter or digit has of its own.
func bold(r rune) rune {
	switch {
	case r >= 'A' && r <= 'Z':
		return r - 'A' + '𝐀'
	case r >= 'a' && r <= 'z':
		return r - 'a' + '𝐚'
	case r >= '0' && r <= '9':
		return r - '0' + '𝟎'
	}
	return r
}

func (p *parser) fraction(name string) (string, error) {
	above, err := p.argument()
	if err != nil {
		return "", err
	}
	below, err := p.argument()
	if err != nil {
		return "", err
	}
	inner := "<mrow>" + above + "</mrow><mrow>" + below + "</mrow>"
	switch name {
	case "binom":
		return `<mrow><mo>(</mo><mfrac linethickness="0">` + inner + "</mfrac><mo>)</mo></mrow>", nil
	case "dfrac":
		return `<mstyle displaystyle="true"><mfrac>` + inner + "</mfrac></mstyle>", nil
	case "tfrac":
		return `<mstyle displaystyle="false"><mfrac>` + inner + "</mfrac></mstyle>", nil
	}
	return "<mfrac>" + inner + "</mfrac>", nil
}

func (p *parser) root() (string, error) {
	degree := ""
	if p.peek() == "[" {
		p.next()
		var err error
		if degree, err = p.row("]"); err != nil {
			return "", err
		}
	}
	of, err := p.argument()
	if degree == "" {
		return "<msqrt>" + of + "</msqrt>", err
	}
	return "<mroot><mrow>" + of + "</mrow><mrow>" + degree + "</mrow></mroot>", err
}

// brackets reads \left( … \right), which grow with what is between them.
func (p *parser) brackets() (string, error) {
	left, err := bracket(p.next())
	if err != nil {
		return "", err
	}
	row, err := p.row(`\right`)
	if err != nil {
		return "", err
	}
	right, err := bracket(p.next())
	return "<mrow>" + left + row + right + "</mrow>", err
}

func bracket(token string) (string, error) {
	if token == "." {
		return "", nil
	}
	name, isCommand := strings.CutPrefix(token, `\`)
	if s, ok := fences[name]; ok && isCommand {
		token = s
	} else if isCommand || len(token) != 1 || !strings.Contains("()[]|/", token) {
		return "", fmt.Errorf("%w: %s is no bracket", ErrSyntax, orEnd(token))
	}
	return "<mo>" + html.EscapeString(token) + "</mo>", nil
}

// environments are those that have cells, with the brackets around them and what their tables are besides: a style sheet
// aligns the columns of the classes.
var environments = map[string]struct{ left, right, attributes string }{
	"matrix": {}, "pmatrix": {left: "(", right: ")"}, "bmatrix": {left: "[", right: "]"}, "vmatrix": {left: "|", right: "|"},
	"cases": {left: "{", attributes: ` class="cases"`}, "aligned": {attributes: aligned}, "align": {attributes: aligned},
	"align*": {attributes: aligned},
}

const aligned = ` class="aligned" displaystyle="true"`

func (p *parser) environment() (string, error) {
	name, err := p.words()
	if err != nil {
		return "", err
	}
	e, ok := environments[name]
	if !ok {
		return "", fmt.Errorf(`%w \begin{%s}`, ErrUnknown, name)
	}
	var b strings.Builder
	b.WriteString("<mrow>")
	if e.left != "" {
		b.WriteString("<mo>" + e.left + "</mo>")
	}
	b.WriteString("<mtable" + e.attributes + "><mtr><mtd>")
	for {
		cell, by, err := p.until("")
		if err != nil {
			return "", err
		}
		b.WriteString(cell)
		switch by {
		case "&":
			b.WriteString("</mtd><mtd>")
		case `\\`:
			b.WriteString("</mtd></mtr><mtr><mtd>")
		case `\end`:
			if end, err := p.words(); err != nil || end != name {
				return "", fmt.Errorf(`%w: \begin{%s} is not ended`, ErrSyntax, name)
			}
			b.WriteString("</mtd></mtr></mtable>")
			if e.right != "" {
				b.WriteString("<mo>" + e.right + "</mo>")
			}
			return b.String() + "</mrow>", nil
		default:
			return "", fmt.Errorf(`%w: \begin{%s} is not ended`, ErrSyntax, name)
		}
	}
}
