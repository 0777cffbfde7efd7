package source

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// How the characters of a scalar were written.
const (
	plainly      = 0    // as they are; lines may be folded
	inProse      = '|'  // as they are, but that in tables of Markdown a backslash stands before a pipe
	singleQuoted = '\'' // a quote is doubled
	doubleQuoted = '"'  // with escapes
)

// An aligner walks along a value and the text it was read from.
type aligner struct {
	text, value string
	p, i        int // how far it has come in each
	quoting     byte
	runs        []Run
}

// align gives the runs of a value in the text it was read from, which begins at p, and where the text ends, behind its
// quote if it has one. It fails if the value is not that of the text.
func align(text string, p int, value string, quoting byte) (runs []Run, end int, ok bool) {
	a := aligner{text: text, value: value, p: p, quoting: quoting}
	quoted := quoting == singleQuoted || quoting == doubleQuoted
	for a.i < len(value) || quoted {
		rest := text[min(a.p, len(text)):]
		switch {
		case rest == "": // only line ends of the last line may be left
			return a.runs, a.p, !quoted && strings.Trim(value[a.i:], "\n") == ""
		case quoted && rest[0] == quoting && !strings.HasPrefix(rest, "''"):
			return a.runs, a.p + 1, a.i == len(value)
		case !a.step(rest, value[a.i:]):
			return nil, 0, false
		}
	}
	return a.runs, a.p, true
}

// step takes what text and value go on with; false if that does not belong together.
func (a *aligner) step(text, value string) bool {
	switch {
	case a.quoting == singleQuoted && strings.HasPrefix(text, "''"):
		return strings.HasPrefix(value, "'") && a.take(1, 2)
	case a.quoting == inProse && strings.HasPrefix(value, "|") && strings.HasPrefix(text, `\|`):
		return a.take(1, 2)
	case a.quoting == doubleQuoted && text[0] == '\\':
		return a.takeEscape(text, value)
	case strings.HasPrefix(value, text[:1]):
		return a.take(1, 1)
	case value != "" && isSpace(value[0]) && isSpace(text[0]):
		return a.take(1, 0) // one space or line end for all the white space that was folded here
	}
	return isSpace(text[0]) && a.take(0, 1)
}

func (a *aligner) takeEscape(text, value string) bool {
	decoded, width, ok := unescape(text)
	return ok && strings.HasPrefix(value, decoded) && a.take(len(decoded), width)
}

// take goes on by so many bytes of the value, which are as many of the text.
func (a *aligner) take(length, width int) bool {
	if last := len(a.runs) - 1; length > 0 && (last < 0 || length != width || !a.continues(a.runs[last])) {
		a.runs = append(a.runs, Run{At: a.i, Length: length, Start: a.p, Width: width})
	} else if length > 0 {
		a.runs[last].Length += length
		a.runs[last].Width += width
	}
	a.i, a.p = a.i+length, a.p+width
	return true
}

// continues says that what is taken now stands right behind a run. What Markdown took away may stand between two lines.
func (a *aligner) continues(last Run) bool {
	return last.Length == last.Width && last.Start+last.Width == a.p && a.text[a.p] != '\n' && a.text[a.p-1] != '\n'
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// escapes of one letter in double quotes.
//
// Source: YAML 1.2, 5.7.
var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r", 'e': "\x1b",
	' ': " ",
	'"': `"`, '\'': "'", '\\': `\`, 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
}

// digits is how many hexadecimal digits follow an escape's letter.
var digits = map[byte]int{'x': 2, 'u': 4, 'U': 8}

// unescape reads the escape that s, a backslash first, begins with, and says how long it is; an escaped line end
// stands for nothing.
func unescape(s string) (decoded string, width int, ok bool) {
	if len(s) < 2 {
		return "", 1, false
	}
	if s[1] == '\n' || strings.HasPrefix(s[1:], "\r\n") {
		end := 1 + strings.IndexByte(s[1:], '\n') + 1
		return "", end + len(s[end:]) - len(strings.TrimLeft(s[end:], " \t")), true
	}
	if decoded, ok := escapes[s[1]]; ok {
		return decoded, 2, true
	}
	n := digits[s[1]]
	if n == 0 || len(s) < 2+n {
		_, size := utf8.DecodeRuneInString(s[1:])
		return "", 1 + size, false
	}
	code, err := strconv.ParseUint(s[2:2+n], 16, 32)
	if err != nil || !utf8.ValidRune(rune(code)) {
		return "", 2, false
	}
	return string(rune(code)), 2 + n, true
}
