// Package csvtext writes CSV whose text stays text.
//
// A spreadsheet computes what begins like a formula, also where a program printed it, and a formula may call other
// machines. CSV has no way to say "this is text", so an apostrophe goes before such a cell, which spreadsheets take for
// just that. Numbers stay as they are, whatever their sign. Who reads the file with a program takes one apostrophe off
// the front of cells that have one; JSON beside the file, where there is some, has the text as it was. Characters that
// would act on a terminal are shown by their numbers.
//
// Source: OWASP, CSV Injection.
package table

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"benchbook/notebook/source"
)

// Write writes rows as CSV; the first is usually the head.
func WriteCSV(w io.Writer, rows [][]string) error {
	c := csv.NewWriter(w)
	for _, row := range rows {
		line := make([]string, len(row))
		for i, cell := range row {
			line[i] = CSVCell(source.Plain(cell))
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// Head joins our columns with parameters and labels of an article as fields between them. A field with the name of one
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

// Cell quotes text that a spreadsheet would compute by an apostrophe in front. Text that begins with an apostrophe gets
// another, so removing one gives the text back.
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
