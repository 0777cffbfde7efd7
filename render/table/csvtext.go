package table

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"benchbook/internal/slice"
	"benchbook/notebook/source"
)

// WriteCSV writes rows as CSV that is safe in spreadsheets (see CSVCell) and terminals: control characters are made
// visible.
func WriteCSV(w io.Writer, rows [][]string) error {
	cell := func(text string) string { return CSVCell(source.Plain(text)) }
	return csv.NewWriter(w).WriteAll(slice.Map(rows, func(row []string) []string { return slice.Map(row, cell) }))
}

// CSVHead returns a head with an article's parameters and labels between our own columns. A field that has the name of
// one of ours gets its name in expressions: matrix.run.
func CSVHead(before, fields, after []string) []string {
	ours := slices.Concat(before, after)
	out := slices.Clone(before)
	for _, f := range fields {
		if slices.Contains(ours, f) {
			f = "matrix." + f
		}
		out = append(out, f)
	}
	return append(out, after...)
}

// openers begin formulas. Programs for East Asian text accept the wide forms, too.
const openers = "=+-@＝＋－＠"

// CSVCell puts an apostrophe before text that a spreadsheet would run as a formula, which may call other machines. Text
// that begins with an apostrophe gets another, so that removing one restores it. Numbers stay as they are.
//
// Source: OWASP, CSV Injection.
func CSVCell(text string) string {
	begin := strings.TrimLeftFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\ufeff'
	})
	if begin == "" || !strings.ContainsRune(openers+"'", []rune(begin)[0]) {
		return text
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return text
	}
	return "'" + text
}
