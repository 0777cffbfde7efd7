package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/notebook/dataset"
	"benchbook/notebook/source"
	"benchbook/render/csvtext"
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
		return "", fmt.Errorf("no format %q: %s", f.name, source.Suggest(f.name, formats()))
	}
	if f.asJSON && f.name != formatJSON {
		if cmd.Flags().Changed("format") {
			return "", fmt.Errorf("--json and --format %s: give one of them", f.name)
		}
		return formatJSON, nil
	}
	return f.name, nil
}

// measuredJSON is one metric of a cell as show and compare print it with --format json.
type measuredJSON struct {
	Repetitions int       `json:"repetitions"`
	Value       *float64  `json:"value"`
	Lo          *float64  `json:"lo"`
	Hi          *float64  `json:"hi"`
	Interval    string    `json:"interval,omitempty"` // how it was made
	Missing     string    `json:"missing,omitempty"`
	Values      []float64 `json:"values"` // one per valid repetition
}

func measuredData(r dataset.Result) measuredJSON {
	out := measuredJSON{Missing: r.Missing, Values: append([]float64{}, r.Values...)}
	if e := r.Estimate; r.Missing == "" {
		out.Repetitions, out.Interval, out.Value = e.N, string(e.Kind), finite(e.Centre)
		out.Lo, out.Hi = finite(e.Interval.Lo), finite(e.Interval.Hi)
	}
	return out
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
	if err := csvtext.Write(w, rows); err != nil {
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
