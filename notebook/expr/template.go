package expr

import (
	"errors"
	"slices"
	"strings"

	"benchbook/internal/slice"
)

const (
	templateOpen  = "${{"
	templateClose = "}}"
)

// maxFilled bounds a filled Template in bytes.
const maxFilled = 100_000

// Template is a text with expressions in it: http://server:${{ matrix.port }}/.
type Template []Part

// Part is a piece of a Template.
type Part struct {
	Span        // in the text, with ${{ and }}
	Text string // with ${{ and }}
	Expr Node   // the parsed Text, with spans in the whole text; nil if literal
}

// ErrDeferred is returned, or wrapped, by an Env for a name whose value comes later, from a search.
var ErrDeferred = errors.New("not known yet")

// ParseTemplate parses a text in which ${{ … }} are expressions. Everything else, even $VAR, is literal.
//
// The error is an *Error whose Span counts from the start of text.
func ParseTemplate(text string) (t Template, err error) {
	defer catch(&err)
	for pos := 0; pos < len(text); pos = t[len(t)-1].End {
		if literal, _, _ := strings.Cut(text[pos:], templateOpen); literal != "" {
			t = append(t, Part{Span: Span{pos, pos + len(literal)}, Text: literal})
		} else {
			t = append(t, parsePart(text, pos))
		}
	}
	return t, nil
}

// parsePart reads the expression that opens at start.
func parsePart(text string, start int) Part {
	begin := start + len(templateOpen)
	inside, _, closed := strings.Cut(text[begin:], templateClose)
	// Without its end, the expression would fail at words of the literal text.
	if !closed || strings.Contains(inside, templateOpen) {
		fail(Span{start, begin}, templateOpen+" is never closed", "write }} after the expression")
	}
	if strings.TrimSpace(inside) == "" {
		failEmpty(Span{start, begin + len(inside) + len(templateClose)})
	}
	p := newParser(lexer{src: text, begin: begin, pos: begin})
	n := p.expression()
	if !p.tok.is("}") || !strings.HasPrefix(text[p.tok.Start:], templateClose) {
		p.failUnexpected(templateClose)
	}
	end := p.tok.Start + len(templateClose)
	return Part{Span: Span{start, end}, Text: text[start:end], Expr: n}
}

// Names returns every selector of t, in the order of the text.
func (t Template) Names() []*Selector {
	return slices.Concat(slice.Map(t, func(p Part) []*Selector { return Selectors(p.Expr) })...)
}

// Fill replaces the expressions of t by their values. In an expression that returns ErrDeferred, known names become
// literals and the rest stays as written. Values may contain expressions, so callers parse the result again.
//
// Any other error is an *Error from the evaluation.
func (t Template) Fill(env Env) (string, error) {
	var text strings.Builder
	for _, part := range t {
		if part.Expr == nil {
			text.WriteString(part.Text)
			continue
		}
		v, err := single(part.Expr, env)
		switch {
		case err == nil:
			text.WriteString(v.String())
		case errors.Is(err, ErrDeferred):
			known, err := part.known(env)
			if err != nil {
				return "", err
			}
			text.WriteString(known)
		default:
			return "", err
		}
		if text.Len() > maxFilled {
			return "", errorAt(part.Span, "with the values that it names the text has more than %d bytes", maxFilled)
		}
	}
	return text.String(), nil
}

// known returns the text of a deferred part with the values of names that env knows: quantities, truth values, and
// strings without templates.
//
// The error is an *Error at an unknown name.
func (p Part) known(env Env) (string, error) {
	var text strings.Builder
	at := p.Start
	for _, s := range Selectors(p.Expr) {
		v, err := single(s, env)
		if errors.Is(err, ErrDeferred) {
			continue
		}
		if err != nil {
			return "", err
		}
		word, ok := v.literal()
		if !ok {
			continue
		}
		text.WriteString(p.Text[at-p.Start:s.Start-p.Start] + word)
		at = s.End
	}
	text.WriteString(p.Text[at-p.Start:])
	return text.String(), nil
}
