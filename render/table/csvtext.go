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

// WriteCSV writes rows as CSV, in which text stays text; the first is usually the head. Characters that would act on a
// terminal are shown by their numbers.
func WriteCSV(w io.Writer, rows [][]string) error {
	cell := func(text string) string { return CSVCell(source.Plain(text)) }
	return csv.NewWriter(w).WriteAll(slice.Map(rows, func(row []string) []string { return slice.Map(row, cell) }))
}

// CSVHead joins our columns with parameters and labels of an article as fields between them. A field with the name of one
// of our columns is called as in expressions: matrix.run.
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

// openers begin formulas; programs for East Asian text take the wide forms for the same.
const openers = "=+-@＝＋－＠"

// CSVCell puts an apostrophe before text that a spreadsheet would compute, as a formula may call other machines. Text that
// begins with an apostrophe gets another, so removing one gives the text back. Numbers stay as they are.
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
