package source

import (
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
	at := firstActive(s)
	if at < 0 {
		return s
	}
	var b strings.Builder
	for at >= 0 {
		r, size := utf8.DecodeRuneInString(s[at:])
		b.WriteString(s[:at])
		b.WriteString(Escape(r))
		s = s[at+size:]
		at = firstActive(s)
	}
	return b.String() + s
}

// PlainBytes is Plain for a whole page; a page without active characters is returned uncopied.
func PlainBytes(text []byte) []byte {
	if firstActive(text) < 0 {
		return text
	}
	return []byte(Plain(string(text)))
}

// firstActive returns the offset of the first active character, -1 without one.
func firstActive[T string | []byte](text T) int {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= ' ' && c < 0x7f, c == '\t', c == '\n', c == '\r':
		case c < ' ', c == 0x7f:
			return i
		case c == 0xc2 || c == 0xe2: // first bytes of C1 and of the controls of direction
			if r, _ := utf8.DecodeRuneInString(string(text[i:min(len(text), i+utf8.UTFMax)])); isActive(r) {
				return i
			}
		}
	}
	return -1
}
