package source

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A trap is a place where YAML probably reads something else than what the author meant.
type trap struct {
	rule          string
	start, end    int // of the characters to blame
	message, hint string
}

// quoteThis returns the trap of a value that needs quotes because of the characters [start, end).
func quoteThis(start, end int, message string, args ...any) *trap {
	return &trap{rule: "quote-this", start: start, end: end, message: fmt.Sprintf(message, args...), hint: inQuotes}
}

// oddSpaces matches white space that YAML takes for letters, as indentation or behind a colon.
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

// GluedKey matches a key whose colon has no space behind it.
var GluedKey = regexp.MustCompile(`^([\pL_][\pL\d_.-]*):([^\s/:\\].*)$`)

// gluedAt returns the trap of key:value in [p, end); nil if there is none.
func (f *Fragment) gluedAt(p, end int) *trap {
	m := GluedKey.FindStringSubmatch(f.Text[p:end])
	if m == nil {
		return nil
	}
	colon := p + len(m[1])
	return &trap{rule: "yaml-syntax", start: colon, end: colon + 1, message: "a key's colon needs a space behind it",
		hint: "write " + m[1] + ": " + strings.TrimSpace(m[2])}
}

// column returns how many spaces the line at p begins with.
func (f *Fragment) column(p int) int { return len(f.Text[p:]) - len(strings.TrimLeft(f.Text[p:], " ")) }

// isEnd reports whether a line end or white space is at p.
func (f *Fragment) isEnd(p int) bool { return p >= len(f.Text) || isSpace(f.Text[p]) }
