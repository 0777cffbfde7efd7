package yamltext

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A trap is a place where YAML reads something else than what the author probably meant.
type trap struct {
	rule          string
	start, end    int // of the characters to blame
	message, hint string

	value, until int // the extent of a value that has to be quoted; both 0 without one
}

// maxHint bounds a hint that quotes a line or a value, in bytes.
const maxHint = 120

// quoteThis is the trap of a value, [start, end) of the text, that has to be quoted because of the characters
// [from, to). label is what stands before the value in the line as it should be.
func (f *Fragment) quoteThis(start, end, from, to int, label, message string, args ...any) *trap {
	t := &trap{rule: "quote-this", start: from, end: to, message: fmt.Sprintf(message, args...), value: start, until: end}
	value := unquoted(f.Text[start:end])
	if t.hint = "write " + label + quoted(value); len(t.hint) > maxHint || strings.Contains(value, "\n") {
		t.hint = "write the whole value in quotes: " + label + "'…'"
	}
	return t
}

// unquoted is a value without the quotes that may stand around it.
func unquoted(text string) string {
	if encloses(text) {
		text = text[1 : len(text)-1]
	}
	return strings.TrimSpace(text)
}

// encloses says that the quotes at both ends of text belong to each other: one that stands between them looks like
// text, as in 'it's' or "say "hi" now", and not like an end, as in "a" and "b".
func encloses(text string) bool {
	last := len(text) - 1
	if last < 1 || text[0] != text[last] || text[0] != '"' && text[0] != '\'' {
		return false
	}
	i := strings.IndexByte(text[1:last], text[0])
	return i < 0 || isWord(text[i+2])
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80
}

// quoted is a value as it is written in YAML, in the kind of quotes that leaves it readable.
func quoted(s string) string {
	if strings.ContainsAny(s, "\"\\") {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return `"` + s + `"`
}

// doubleBrace is the trap of {{ }}, which templates of other languages are written in.
func (f *Fragment) doubleBrace(p, end int, label string) *trap {
	t := f.quoteThis(p, end, p, p+2, label, `"{{" means a mapping inside a mapping to YAML`)
	t.hint += "; our templates begin with ${{"
	return t
}

// oddSpaces is white space that YAML takes for letters, where it is likely to be meant as indentation or behind a colon.
var oddSpaces = regexp.MustCompile(`^ *(?:-|[\pL_][\pL\d_.-]*:)? *([\p{Zs}\x{200b}]+)`)

// oddSpace finds such white space in the line that begins at p.
func (f *Fragment) oddSpace(p int) *trap {
	m := oddSpaces.FindStringSubmatchIndex(f.lineText(p))
	if m == nil || strings.Trim(f.lineText(p)[m[2]:m[3]], " ") == "" {
		return nil
	}
	t := &trap{rule: "white-space", start: p + m[2], end: p + m[3], hint: "write ordinary spaces"}
	r, _ := utf8.DecodeRuneInString(f.Text[t.start:])
	t.message = fmt.Sprintf("U+%04X looks like a space here, but YAML takes it for a letter", r)
	return t
}

func (f *Fragment) indentLike(column, line int) string {
	switch column {
	case 0:
		return fmt.Sprintf("begin it without spaces, like line %d", f.number(line))
	case 1:
		return fmt.Sprintf("indent it by 1 space, like line %d", f.number(line))
	}
	return fmt.Sprintf("indent it by %d spaces, like line %d", column, f.number(line))
}

// gluedAt makes a trap of key:value, [p, end).
func (f *Fragment) gluedAt(p, end int) *trap {
	m := GluedKey.FindStringSubmatch(f.Text[p:end])
	if m == nil {
		return nil
	}
	colon := p + len(m[1])
	return &trap{rule: "yaml-syntax", start: colon, end: colon + 1, message: "a key's colon needs a space behind it",
		hint: "write " + m[1] + ": " + strings.TrimSpace(m[2])}
}

// column is how many spaces the line that begins at p begins with.
func (f *Fragment) column(p int) int { return len(f.Text[p:]) - len(strings.TrimLeft(f.Text[p:], " ")) }

// isEnd says that a line end or white space stands at p.
func (f *Fragment) isEnd(p int) bool { return p >= len(f.Text) || isSpace(f.Text[p]) }
