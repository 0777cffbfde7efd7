// Package terminal writes text for people: in columns, tables and lines of a terminal, without what would control one.
package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// LineWidth is how wide lines for people are where what they say can be broken.
const LineWidth = 110

// Width is the number of characters of a text.
func Width(s string) int { return utf8.RuneCountInString(s) }

// PrintColumns writes rows of the same number of cells, aligned, each after an indent.
func PrintColumns(w io.Writer, indent string, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], Width(cell))
		}
	}
	for _, row := range rows {
		line := indent
		for i, cell := range row {
			line += fmt.Sprintf("%-*s", widths[i]+2, cell)
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

// WrapLast breaks the last cell of rows into rows of at most width characters, the second and later ones indented.
func WrapLast(rows [][]string, width int) (out [][]string) {
	for _, row := range rows {
		last := len(row) - 1
		for i, words := range Wrap(row[last], width) {
			line := slices.Clone(row)
			if i > 0 {
				line, words = make([]string, len(row)), "  "+words
			}
			line[last] = words
			out = append(out, line)
		}
	}
	return out
}

// Wrap breaks a text at spaces into lines of at most width characters. A longer word has a line of its own.
func Wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case Width(line)+1+Width(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
