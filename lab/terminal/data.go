package terminal

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"benchbook/render/table"
)

// Finite is v, or nil for what JSON has no number for.
func Finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Exact writes a number for a data file; nil is empty.
func Exact(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}

// PrintCSV writes rows, the first of which is the head.
func PrintCSV(w io.Writer, rows [][]string) error {
	if err := table.WriteCSV(w, rows); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

// Markdown escapes text that stands in a cell of a Markdown table.
var Markdown = strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]",
	`\]`)

// PrintMarkdown writes a table, of which the first row is the head; right names the columns that are numbers.
func PrintMarkdown(w io.Writer, rows [][]string, right ...int) {
	for i, row := range rows {
		for k, cell := range row {
			fmt.Fprintf(w, "| %s ", Markdown.Replace(cell))
			if k == len(row)-1 {
				fmt.Fprintln(w, "|")
			}
		}
		if i > 0 {
			continue
		}
		for k := range row {
			rule := "---"
			if slices.Contains(right, k) {
				rule = "--:"
			}
			fmt.Fprintf(w, "|%s", rule)
		}
		fmt.Fprintln(w, "|")
	}
	fmt.Fprintln(w)
}
