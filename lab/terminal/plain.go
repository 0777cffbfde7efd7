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

// Plain writes text without what would control a terminal: programs and articles of others have a part in what we
// print.
type Plain struct{ To io.Writer }

// sequences are those that colour a terminal, move in it, or name its window.
var sequences = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?)`)

func (p Plain) Write(text []byte) (int, error) {
	if _, err := p.To.Write(cleaned(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// marks are invisible letters of a direction. Text from right to left is written with them, but names and commands are
// not.
var marks = regexp.MustCompile(`[\x{061C}\x{200E}\x{200F}]`)

// cleaned is a text as it may reach a terminal. Control sequences are left out; what turns text is shown, as on
// pages.
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

// Text returns what a program wrote without what controls a terminal.
func Text(s string) string { return string(cleaned([]byte(s))) }

// Clean is a name or words of an author, or what came of them, in one line without what controls a terminal.
func Clean(words string) string { return strings.ReplaceAll(string(cleaned([]byte(words))), "\n", " ") }
