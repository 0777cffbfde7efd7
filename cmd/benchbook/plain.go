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

func (p plain) Write(text []byte) (int, error) {
	kept := bytes.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || !unicode.IsControl(r) && r != utf8.RuneError {
			return r
		}
		if r == utf8.RuneError {
			return '?'
		}
		return -1
	}, sequences.ReplaceAll(text, nil))
	if _, err := p.w.Write(kept); err != nil {
		return 0, err
	}
	return len(text), nil
}
