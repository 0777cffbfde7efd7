package main

import (
	"bytes"
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

func cleaned(text []byte) []byte {
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
