package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/number"
)

// The formats of show and compare.
const (
	formatText     = "text"
	formatMarkdown = "md"
	formatCSV      = "csv"
	formatJSON     = "json"
)

// formats lists them, as completion offers them.
func formats() []string { return []string{formatText, formatMarkdown, formatCSV, formatJSON} }

// A formatFlag is how a verb is told in which format to print.
type formatFlag struct {
	name   string
	asJSON bool
}

func (f *formatFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "format", formatText, "text, md (for a pull request), csv or json")
	// The only error is a flag that is not there. Formats of other verbs are others.
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats(), cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "the same as --format json")
}

// check gives the format, or says that there is none of that name.
func (f *formatFlag) check(cmd *cobra.Command) (string, error) {
	if !slices.Contains(formats(), f.name) {
		return "", fmt.Errorf("no format %q: %s", f.name, article.Suggest(f.name, formats()))
	}
	if f.asJSON && f.name != formatJSON {
		if cmd.Flags().Changed("format") {
			return "", fmt.Errorf("--json and --format %s: give one of them", f.name)
		}
		return formatJSON, nil
	}
	return f.name, nil
}

// estimateWords writes the centre of a result and its interval, or why there is none, in a unit.
func estimateWords(r dataset.Result, u number.Unit) string {
	e := r.Estimate
	switch {
	case r.Missing != "":
		return r.Missing
	case e.Kind == stats.NoInterval:
		return u.Quantity(e.Centre, u.Decimals(e.Centre, math.NaN(), math.NaN())) + " (1 run)"
	}
	decimals := u.Decimals(e.Centre, e.Interval.Lo, e.Interval.Hi)
	between := u.Range(e.Interval.Lo, e.Interval.Hi, decimals)
	if e.Kind == stats.RangeOfTwo {
		return fmt.Sprintf("%s (2 runs: %s)", u.Quantity(e.Centre, decimals), between)
	}
	return fmt.Sprintf("%s [%s]", u.Quantity(e.Centre, decimals), between)
}

// unitFor is the unit in which some results of a metric are written together.
func unitFor(m record.Metric, results ...dataset.Result) number.Unit {
	var centres []float64
	for _, r := range results {
		if r.Missing == "" {
			centres = append(centres, r.Estimate.Centre)
		}
	}
	return number.For(m.Unit, m.Share, centres...)
}

// finite is v, or nil for what JSON has no number for.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// exact writes a number for a data file; nil is empty.
func exact(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}

// printCSV writes rows, the first of which is the head.
func printCSV(w io.Writer, rows [][]string) error {
	c := csv.NewWriter(w)
	if err := c.WriteAll(rows); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

// markdown escapes text that stands in a cell of a Markdown table.
var markdown = strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`)

// printMarkdown writes a table, of which the first row is the head; right names the columns that are numbers.
func printMarkdown(w io.Writer, rows [][]string, right ...int) {
	for i, row := range rows {
		for k, cell := range row {
			fmt.Fprintf(w, "| %s ", markdown.Replace(cell))
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
