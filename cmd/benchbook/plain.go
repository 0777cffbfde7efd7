package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"unicode"
	"unicode/utf8"
)

// plain writes text without what would control a terminal: programs and articles of others have a part in what we print.
type plain struct{ w io.Writer }

// sequences are those that colour a terminal, move in it, or name its window.
var sequences = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?)`)

// colours are those of them that only change how text looks.
var colours = regexp.MustCompile(`^\x1b\[[0-9;]*m`)

func (p plain) Write(text []byte) (int, error) {
	if _, err := p.w.Write(cleaned(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// turning are the characters that turn the direction of text, so that it reads otherwise than it is.
var turning = regexp.MustCompile(`[\x{061C}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2066}-\x{2069}]`)

// cleaned is a text as it may reach a terminal. Characters that turn it are shown by their numbers, in the way of JSON, where they stay
// what they are.
func cleaned(text []byte) []byte {
	text = turning.ReplaceAllFunc(text, func(c []byte) []byte { return fmt.Appendf(nil, `\u%04x`, bytes.Runes(c)[0]) })
	return bytes.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || !unicode.IsControl(r) && r != utf8.RuneError {
			return r
		}
		if r == utf8.RuneError {
			return '?'
		}
		return -1
	}, sequences.ReplaceAll(text, nil))
}
