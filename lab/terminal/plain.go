package terminal

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"benchbook/notebook/source"
)

// Plain removes terminal control sequences from what it writes: parts of our output come from programs and articles of
// other people.
type Plain struct{ To io.Writer }

// sequences matches escape sequences that colour text, move the cursor or set the window's title.
var sequences = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?)`)

func (p Plain) Write(text []byte) (int, error) {
	if _, err := p.To.Write(cleaned(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// marks matches invisible characters that set the direction of text. Right-to-left prose needs them; names and commands
// do not.
var marks = regexp.MustCompile(`[\x{061C}\x{200E}\x{200F}]`)

// cleaned returns text that is safe to print to a terminal: control sequences are removed, and characters that change
// its direction are shown as escapes.
func cleaned(text []byte) []byte {
	text = bytes.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?'
		case r != '\n' && r != '\t' && unicode.IsControl(r):
			return -1
		}
		return r
	}, sequences.ReplaceAll(text, nil))
	return marks.ReplaceAllFunc(source.PlainBytes(text),
		func(c []byte) []byte { return []byte(source.Escape(bytes.Runes(c)[0])) })
}

// Text returns the output of a program without terminal control sequences.
func Text(s string) string { return string(cleaned([]byte(s))) }

// Clean returns words of an author on one line, without terminal control sequences.
func Clean(words string) string { return strings.ReplaceAll(string(cleaned([]byte(words))), "\n", " ") }
