package yamltext

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"benchbook/notebook/source"
)

// How the characters of a scalar were written.
const (
	plainly      = 0    // as they are; lines may be folded
	inProse      = '|'  // as they are, but that in tables of Markdown a backslash stands before a pipe
	singleQuoted = '\'' // a quote is doubled
	doubleQuoted = '"'  // with escapes
)

// align walks along a value and the text it was read from, which begins at p, and gives the runs, with places in
// text, and where the text ends, behind its quote if it has one. It fails if the value is not that of the text.
func align(text string, p int, value string, quoting byte) (runs []source.Run, end int, ok bool) {
	add := func(at, length, width int) {
		if n := len(runs) - 1; n >= 0 && length == width {
			if last := &runs[n]; last.Length == last.Width && last.Start+last.Width == p &&
				text[p] != '\n' && text[p-1] != '\n' { // what Markdown took away may stand between two lines
				last.Length += length
				last.Width += width
				return
			}
		}
		runs = append(runs, source.Run{At: at, Length: length, Start: p, Width: width})
	}
	i := 0
	quoted := quoting == singleQuoted || quoting == doubleQuoted
	for i < len(value) || quoted {
		switch {
		case p >= len(text):
			if !quoted && strings.Trim(value[i:], "\n") == "" {
				return runs, p, true // line ends of the last line
			}
			return nil, 0, false
		case quoting == singleQuoted && strings.HasPrefix(text[p:], "''"):
			if i >= len(value) || value[i] != '\'' {
				return nil, 0, false
			}
			add(i, 1, 2)
			i, p = i+1, p+2
		case quoted && text[p] == quoting:
			return runs, p + 1, i == len(value)
		case quoting == inProse && value[i] == '|' && strings.HasPrefix(text[p:], `\|`):
			add(i, 1, 2)
			i, p = i+1, p+2
		case quoting == doubleQuoted && text[p] == '\\':
			decoded, width, ok := unescape(text[p:])
			if !ok || !strings.HasPrefix(value[i:], decoded) {
				return nil, 0, false
			}
			if decoded != "" {
				add(i, len(decoded), width)
			}
			i, p = i+len(decoded), p+width
		case i < len(value) && text[p] == value[i]:
			add(i, 1, 1)
			i, p = i+1, p+1
		case i < len(value) && isSpace(value[i]) && isSpace(text[p]):
			add(i, 1, 0) // one space or line end for all the white space that was folded here
			i++
		case isSpace(text[p]):
			p++
		default:
			return nil, 0, false
		}
	}
	return runs, p, true
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// escapes of one letter in double quotes.
//
// Source: YAML 1.2, 5.7.
var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r", 'e': "\x1b", ' ': " ",
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
