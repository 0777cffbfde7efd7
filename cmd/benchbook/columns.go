package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// lineWidth is how wide lines for people are where what they say can be broken.
const lineWidth = 110

func runes(s string) int { return utf8.RuneCountInString(s) }

// padded is s, filled with spaces to a width in characters.
func padded(s string, width int) string { return s + strings.Repeat(" ", max(0, width-runes(s))) }

// printColumns writes rows of the same number of cells, aligned, each after an indent.
func printColumns(w io.Writer, indent string, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], runes(cell))
		}
	}
	for _, row := range rows {
		line := indent
		for i, cell := range row {
			line += padded(cell, widths[i]+2)
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

// wrap breaks a text at spaces into lines of at most width characters. A longer word has a line of its own.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case runes(line)+1+runes(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
