package expr

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLength bounds an expression in bytes, so that no tree is too deep for the stack.
const maxLength = 10_000

type tokenKind int

const (
	tokenNone tokenKind = iota // before the first token
	tokenEnd
	tokenWord     // a name with its dots
	tokenQuantity // see token.quantity
	tokenString   // text has no quotes
	tokenSymbol
)

type token struct {
	Span
	kind     tokenKind
	text     string
	quantity *Quantity
}

// is reports whether t is the given symbol or keyword.
func (t token) is(text string) bool {
	return (t.kind == tokenSymbol || t.kind == tokenWord) && t.text == text
}

// binds returns the precedence of t as a binary operator; 0 if it is not one.
func (t token) binds() int {
	if t.kind != tokenSymbol && t.kind != tokenWord {
		return 0
	}
	return precedence[Op(t.text)]
}

func (t token) isComparison() bool { return t.binds() == bindsCompare }

// lexer reads one token at a time, so that an expression can end in the middle of src.
type lexer struct {
	src        string
	begin, pos int
	inline     bool // \| means |, for Markdown tables
}

// symbols are the signs of the language, longest first, and hints for signs that it lacks.
var symbols = []struct{ text, hint string }{
	{"=~", "there are no regular expressions: = and != compare whole texts"},
	{"&&", "write and"},
	{"||", "write or"},
	{"==", ""}, {"!=", ""}, {"<=", ""}, {">=", ""},
	{"<", ""}, {">", ""}, {"=", ""},
	{"+", ""}, {"-", ""}, {"*", ""}, {"/", ""},
	{"(", ""}, {")", ""}, {"{", ""}, {"}", ""}, {",", ""}, {"|", ""},
	{"!", "write not"},
	{"−", "write the hyphen -"}, {"–", "write the hyphen -"},
	{"“", `write straight quotes: "`}, {"”", `write straight quotes: "`}, {"„", `write straight quotes: "`},
	{"‘", "write straight quotes: '"}, {"’", "write straight quotes: '"}, {"`", "write straight quotes: '"},
	{".", "a number starts with a digit, and a name with a letter"},
	{"%", "a share is written 5%, and there is no remainder"},
	{"[", `cells are picked in braces, as in throughput{server="async"}; a selector of several cells is a list`},
	{"$", "names have no $ before them"},
}

// next reads a token or fails.
func (l *lexer) next() token {
	l.skipSpace()
	if l.pos-l.begin > maxLength {
		fail(Span{l.begin, l.pos}, "the expression is too long",
			"give its parts names under values, at most "+strconv.Itoa(maxLength)+" bytes each")
	}
	start := l.pos
	r := l.peek()
	switch {
	case start == len(l.src):
		return token{Span: Span{start, start}, kind: tokenEnd}
	case unicode.IsLetter(r):
		return l.path()
	case r >= '0' && r <= '9':
		q := l.quantity()
		return token{Span: q.Span, kind: tokenQuantity, text: q.Text, quantity: q}
	case r == '"' || r == '\'':
		return l.quoted()
	}
	rest := l.src[start:]
	if l.inline && strings.HasPrefix(rest, `\|`) {
		l.pos += len(`\|`)
		return token{Span: Span{start, l.pos}, kind: tokenSymbol, text: "|"}
	}
	for _, s := range symbols {
		if !strings.HasPrefix(rest, s.text) {
			continue
		}
		l.pos += len(s.text)
		if s.hint != "" {
			fail(Span{start, l.pos}, "unexpected "+s.text, s.hint)
		}
		return token{Span: Span{start, l.pos}, kind: tokenSymbol, text: s.text}
	}
	_, size := utf8.DecodeRuneInString(rest)
	fail(Span{start, start + size}, "unexpected "+strconv.Quote(rest[:size]),
		"remove this character, or, in a text, put the text in quotes")
	panic("unreachable")
}

// peek returns the next character without reading it; utf8.RuneError at the end.
func (l *lexer) peek() rune {
	r, _ := utf8.DecodeRuneInString(l.src[l.pos:])
	return r
}

func (l *lexer) skipSpace() { l.take(unicode.IsSpace) }

// take reads and returns characters for as long as belongs accepts them.
func (l *lexer) take(belongs func(rune) bool) string {
	rest := l.src[l.pos:]
	end := strings.IndexFunc(rest, func(r rune) bool { return !belongs(r) })
	if end < 0 {
		end = len(rest)
	}
	l.pos += end
	return rest[:end]
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// isWordRune reports whether r may be inside a name. Marks belong to letters in many scripts.
func isWordRune(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

func isNameRune(r rune) bool { return r == '-' || isWordRune(r) }

// name reads a name, without hyphens at its end.
func (l *lexer) name() {
	taken := l.take(isNameRune)
	l.pos -= len(taken) - len(strings.TrimRight(taken, "-"))
}

// path reads a name with its dots.
func (l *lexer) path() token {
	start := l.pos
	l.name()
	for strings.HasPrefix(l.src[l.pos:], ".") {
		l.pos++
		switch r := l.peek(); {
		case unicode.IsLetter(r):
			l.name()
		case isDigit(r):
			l.take(isDigit)
			l.refuseMinus(start)
			if rest := l.take(isWordRune); rest != "" {
				fail(Span{start, l.pos}, "a name starts with a letter, unlike the last part of "+l.src[start:l.pos],
					"percentiles are written latency.p99, codes status.404; quote a text")
			}
		default:
			fail(Span{start, l.pos}, "a name or a number must follow the dot of "+l.src[start:l.pos], "")
		}
	}
	return token{Span: Span{start, l.pos}, kind: tokenWord, text: l.src[start:l.pos]}
}

// refuseMinus fails at a hyphen right after digits that belong to the text from start: only names have hyphens.
func (l *lexer) refuseMinus(start int) {
	rest, found := strings.CutPrefix(l.src[l.pos:], "-")
	if r, _ := utf8.DecodeRuneInString(rest); !found || !isWordRune(r) {
		return
	}
	left := l.src[start:l.pos]
	l.take(isNameRune)
	fail(Span{start, l.pos}, "minus needs spaces", "write "+left+" - "+l.src[start+len(left)+1:l.pos])
}

// quoted reads a string, which has no escapes and ends on its line.
func (l *lexer) quoted() token {
	start := l.pos
	mark := l.src[start : start+1]
	text, _, isClosed := strings.Cut(l.src[start+1:], mark)
	if line, _, isBroken := strings.Cut(text, "\n"); isBroken || !isClosed {
		fail(Span{start, start + 1 + len(line)}, "the string is not terminated", "close it with "+mark)
	}
	l.pos = start + 1 + len(text) + 1
	if l.inline {
		text = strings.ReplaceAll(text, `\|`, "|")
	}
	return token{Span: Span{start, l.pos}, kind: tokenString, text: text}
}

// numeral matches a number without a unit.
var numeral = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?`)

// quantity reads a number and its unit.
func (l *lexer) quantity() *Quantity {
	start := l.pos
	number := numeral.FindString(l.src[start:])
	if l.pos += len(number); strings.HasPrefix(l.src[l.pos:], ".") {
		l.take(func(r rune) bool { return r == '.' || isNameRune(r) })
		fail(Span{start, l.pos}, l.src[start:l.pos]+" is not a number", "if it is a text, quote it")
	}
	unit := l.unit()
	l.refuseMinus(start)
	q := &Quantity{Span: Span{start, l.pos}, Unit: unit, Text: l.src[start:l.pos]}
	var ok bool
	if q.Value, ok = unit.toBaseExactly(number); !ok {
		fail(q.Span, "the number is too large", "")
	}
	return q
}

// unit reads the unit after a number: touching it or, for % and words, after spaces.
func (l *lexer) unit() Unit {
	start := l.pos
	if l.perSecond() {
		return Unit{"/s", Rate, 1, 1}
	}
	l.skipSpace()
	first := l.pos
	if strings.HasPrefix(l.src[first:], "%") {
		l.pos++
	} else {
		l.take(isWordRune)
		if u, _ := findUnit(l.src[first:l.pos]); u.Dimension == Size {
			l.perSecond()
		}
	}
	symbol := l.src[first:l.pos]
	touching := first == start
	u, known := findUnit(symbol)
	if known && (touching || l.unitEnds(l.pos)) {
		return u
	}
	if touching && symbol != "" {
		fail(Span{first, l.pos}, "unknown unit "+strconv.Quote(symbol), hintUnit(symbol))
	}
	l.pos = start
	return Unit{}
}

// perSecond reads /s if it comes next, and reports whether it did.
func (l *lexer) perSecond() bool {
	if !strings.HasPrefix(l.src[l.pos:], "/s") || !l.unitEnds(l.pos+len("/s")) {
		return false
	}
	l.pos += len("/s")
	return true
}

// unitEnds reports whether a unit can end at pos, rather than begin a selector or a call: 10/s is a rate, 10/server a
// division.
func (l *lexer) unitEnds(pos int) bool {
	r, _ := utf8.DecodeRuneInString(l.src[pos:])
	return !isWordRune(r) && r != '.' && r != '{' && r != '('
}
