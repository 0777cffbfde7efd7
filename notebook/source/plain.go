package source

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Escape returns the number of a character as JSON writes it: \u202e.
func Escape(r rune) string { return fmt.Sprintf(`\u%04x`, r) }

// isActive reports whether a character acts on a terminal or turns the direction of the text around it: control
// characters except white space, embeddings, overrides and isolates. Letters and marks of right-to-left scripts are
// plain text.
func isActive(r rune) bool {
	if unicode.IsControl(r) {
		return r != '\t' && r != '\n' && r != '\r'
	}
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' // embeddings and overrides, isolates
}

// Plain escapes the active characters of a text.
func Plain(s string) string { return string(PlainBytes([]byte(s))) }

// PlainBytes is Plain for a whole page; a page without active characters is returned uncopied.
func PlainBytes(text []byte) []byte {
	var out []byte
	for {
		at := bytes.IndexFunc(text, isActive)
		switch {
		case at >= 0:
			r, size := utf8.DecodeRune(text[at:])
			out = append(append(out, text[:at]...), Escape(r)...)
			text = text[at+size:]
		case out == nil:
			return text
		default:
			return append(out, text...)
		}
	}
}
