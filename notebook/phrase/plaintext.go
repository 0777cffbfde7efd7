// Package plaintext shows the characters of a text that would act instead of being read: on a terminal, or on the text
// around them.
//
// They are the control characters, and the controls that turn the direction of text, by which it reads otherwise than
// it is. Each is shown by its number in the way of JSON, where it stays what it is. Letters of scripts that run from
// right to left are text like any other, and so are the marks that such text is written with.
package phrase

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Sign stands for a character: its number, as in \u202e.
func Escape(r rune) string { return fmt.Sprintf(`\u%04x`, r) }

// acts says whether a character acts instead of being read. White space that texts have lines and columns by does not.
func acts(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r':
		return false
	case r < ' ', r >= 0x7f && r <= 0x9f: // C0, DEL and C1
		return true
	}
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' // embeddings and overrides, isolates
}

// String is a text with signs for the characters that act.
func Plain(s string) string {
	at := firstActing(s)
	if at < 0 {
		return s
	}
	var b strings.Builder
	for at >= 0 {
		r, size := utf8.DecodeRuneInString(s[at:])
		b.WriteString(s[:at])
		b.WriteString(Escape(r))
		s = s[at+size:]
		at = firstActing(s)
	}
	return b.String() + s
}

// Bytes is String for text that may be a whole page; it is given back as it is if nothing in it acts.
func PlainBytes(text []byte) []byte {
	if firstActing(text) < 0 {
		return text
	}
	return []byte(Plain(string(text)))
}

// firstActing is where the first character that acts begins; -1 if none does.
func firstActing[T string | []byte](text T) int {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= ' ' && c < 0x7f, c == '\t', c == '\n', c == '\r':
		case c < ' ', c == 0x7f:
			return i
		case c == 0xc2 || c == 0xe2: // which C1, and the controls of direction, begin with
			if r, _ := utf8.DecodeRuneInString(string(text[i:min(len(text), i+utf8.UTFMax)])); acts(r) {
				return i
			}
		}
	}
	return -1
}
