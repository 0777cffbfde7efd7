package show

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/render/table"
)

// A Table is a table of text cells.
type Table struct {
	Head  []string // may be nil
	Rows  [][]string
	Right []int // columns that Markdown aligns to the right
}

// all returns the rows, after the head if there is one.
func (t Table) all() [][]string {
	if t.Head == nil {
		return t.Rows
	}
	return slices.Concat([][]string{t.Head}, t.Rows)
}

// CSV writes the table as CSV.
func (t Table) CSV(w io.Writer) error {
	if err := table.WriteCSV(w, t.all()); err != nil {
		return lab.Failure(fmt.Errorf("writing CSV: %w", err))
	}
	return nil
}

// Markdown writes the table as Markdown. Cells are escaped.
func (t Table) Markdown(w io.Writer) {
	rule := make([]string, len(t.Head))
	for i := range rule {
		rule[i] = "---"
		if slices.Contains(t.Right, i) {
			rule[i] = "--:"
		}
	}
	for i, row := range t.all() {
		fmt.Fprintf(w, "| %s |\n", strings.Join(slice.Map(row, Escape), " | "))
		if i == 0 {
			fmt.Fprintf(w, "|%s|\n", strings.Join(rule, "|"))
		}
	}
	fmt.Fprintln(w)
}

// A Section is a part of a Report: a title, then lines, a table and notes.
type Section struct {
	Title string
	Lines []string
	Table Table
	Notes []string
}

// A Report is the output of a verb for people.
type Report []Section

// Text writes the report with an empty line between sections.
func (r Report) Text(w io.Writer) {
	for i, s := range r {
		if i > 0 && s.Title != "" {
			fmt.Fprintln(w)
		}
		indent := ""
		if s.Title != "" {
			fmt.Fprintln(w, s.Title)
			indent = "  "
		}
		for _, line := range s.Lines {
			fmt.Fprintf(w, "%s%s\n", indent, strings.Join(terminal.Wrap(line, terminal.LineWidth), "\n"+indent+"  "))
		}
		terminal.PrintColumns(w, indent, s.Table.all())
		for _, note := range s.Notes {
			fmt.Fprintf(w, "%s%s\n", indent, note)
		}
	}
}

// Markdown writes the report as a comment for a pull request.
func (r Report) Markdown(w io.Writer) {
	list := func(lines []string) {
		for _, line := range lines {
			fmt.Fprintf(w, "- %s\n", Escape(strings.TrimSpace(line)))
		}
		if len(lines) > 0 {
			fmt.Fprintln(w)
		}
	}
	title := "**%s**\n\n"
	for _, s := range r {
		fmt.Fprintf(w, title, Escape(s.Title))
		title = "#### %s\n\n" // for all sections after the first
		list(s.Lines)
		if len(s.Table.Rows) > 0 {
			s.Table.Markdown(w)
		}
		list(s.Notes)
	}
}

var markdown = strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]",
	`\]`)

// Escape escapes text for a line or a cell of Markdown.
func Escape(text string) string { return markdown.Replace(text) }

// A Number is a value with its interval, unrounded and in the base unit. Missing parts are null.
type Number struct {
	Value *float64 `json:"value"`
	Lo    *float64 `json:"lo"`
	Hi    *float64 `json:"hi"`
}

func numberOf(q *dataset.Quantity) (n Number) {
	if q != nil {
		n.Value = finite(q.Number)
		if q.Interval != nil {
			n.Lo, n.Hi = finite(q.Interval.Lo), finite(q.Interval.Hi)
		}
	}
	return n
}

// finite returns v, or nil if v is infinite or NaN, which JSON cannot write.
func finite(v float64) *float64 {
	if !dataset.Finite(v) {
		return nil
	}
	return &v
}

// exact writes all digits of a number; for nil it is empty.
func exact(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}

// Names of Go's benchmarks have no white space, no slash within a part, and no trailing number except a count of cores.
var (
	notInName   = regexp.MustCompile(`[\s\pZ\x{85}/]+`) // benchfmt splits fields by unicode.IsSpace
	likeCores   = regexp.MustCompile(`-\d+$`)
	unitOfBench = map[string]string{"s": "sec", "B": "bytes", "B/s": "bytes/sec", "1/s": "per-sec", "1": "ratio",
		"": "ratio", "cores": "cores"}
)

// benchfmt prints a line for each value of a valid repetition. Units contain the metric, so that benchstat keeps
// metrics apart; unit lines at the top say which direction is better. Disturbed values are left out because the format
// cannot express bounds.
//
// Source: golang.org/design/14313-benchmark-format; golang.org/x/perf/benchfmt.
func benchfmt(w io.Writer, list []*Article) error {
	var units, lines []string
	for _, s := range list {
		for _, e := range s.Experiments {
			lines = append(lines, fmt.Sprintf("\narticle: %s\nexperiment: %s\nhost: %s\nprofile: %s", s.Article, e.Experiment,
				s.Host, s.Profile))
			for _, c := range e.Cells {
				name := benchName(e.Experiment, slices.Concat(c.Parameters, c.Labels))
				for _, m := range c.Metrics {
					if c.Calibration || m.Missing != "" || slices.Contains(m.result.Disturbed(), true) {
						continue
					}
					unit := benchUnit(m.result)
					if better := m.result.Metric.Better; better != "" && len(m.Values) > 0 {
						units = slice.Add(units, fmt.Sprintf("Unit %s better=%s", unit, better))
					}
					for i := range m.Values {
						lines = append(lines, fmt.Sprintf("%s 1 %s %s", name, exact(&m.Values[i]), unit))
					}
				}
			}
		}
	}
	_, err := fmt.Fprintln(w, strings.Join(append(units, lines...), "\n"))
	return err
}

func benchName(experiment string, parameters []record.Parameter) string {
	clean := func(text string) string { return notInName.ReplaceAllString(text, "_") }
	name := []rune(clean(experiment))
	name[0] = unicode.ToUpper(name[0])
	out := "Benchmark" + string(name)
	for _, p := range parameters {
		out += "/" + clean(p.Name) + "=" + clean(p.Value)
	}
	if likeCores.MatchString(out) {
		out += "-1" // else the trailing number would be read as a count of cores
	}
	return out
}

// benchUnit returns a metric's name and base unit, as the unit for benchstat.
func benchUnit(r dataset.Result) string {
	unit, ok := unitOfBench[r.Metric.Unit]
	if !ok {
		unit = notInName.ReplaceAllString(r.Metric.Unit, "_")
	}
	return r.Metric.Name + "-" + unit
}
