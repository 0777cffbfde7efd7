package source

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Escape returns the number of a character as JSON writes it: \u202e.
func Escape(r rune) string { return fmt.Sprintf(`\u%04x`, r) }

// isActive reports whether a character acts on a terminal or turns the direction of the text around it: control
// characters except white space, embeddings, overrides and isolates. Letters and marks of right-to-left scripts are
// plain text.
func isActive(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r':
		return false
	case r < ' ', r >= 0x7f && r <= 0x9f: // C0, DEL and C1
		return true
	}
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' // embeddings and overrides, isolates
}

// Plain escapes the active characters of a text.
func Plain(s string) string {
	var b strings.Builder
	for {
		at := strings.IndexFunc(s, isActive)
		if at < 0 {
			break
		}
		r, size := utf8.DecodeRuneInString(s[at:])
		b.WriteString(s[:at] + Escape(r))
		s = s[at+size:]
	}
	return b.String() + s
}

// PlainBytes is Plain for a whole page; a page without active characters is returned uncopied.
func PlainBytes(text []byte) []byte {
	if !bytes.ContainsFunc(text, isActive) {
		return text
	}
	return []byte(Plain(string(text)))
}
