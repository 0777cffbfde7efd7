// Package terminal formats text for people: columns, wrapped lines and errors, without terminal control sequences.
package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// LineWidth is the width to which lines for people are wrapped, in characters.
const LineWidth = 110

// Width returns the number of characters in a text.
func Width(s string) int { return utf8.RuneCountInString(s) }

// PrintColumns writes rows with aligned columns, each after an indent. All rows must have the same number of cells.
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

// WrapLast wraps the last cell of each row to width characters. Further lines become rows of their own, indented.
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
