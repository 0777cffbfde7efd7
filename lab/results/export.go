package results

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"unicode"

	"benchbook/lab/terminal"
	"benchbook/notebook/record"
)

// An Cell is a trial with the values of its valid repetitions.
type Cell struct {
	article, experiment, host, profile, run, trial string
	parameters                                     []record.Parameter // and labels
	metrics                                        []CellMetric       // those that were measured
	isCommand                                      bool
	exit                                           int // status with which a command that did not fail has ended
}

type CellMetric struct {
	record.Metric
	repetitions []int // empty for a search
	values      []float64
	centre      float64
	lo, hi      *float64
}

// ExportedCells are the cells that have values. Disturbed ones are known within bounds, which no format has.
func ExportedCells(list []ShowJSON) []Cell {
	var out []Cell
	for _, s := range list {
		for _, e := range s.Experiments {
			for _, c := range e.Cells {
				cell := Cell{article: s.Article, experiment: e.Experiment, host: s.Host, profile: s.Profile, run: c.Run,
					trial: c.Trial, parameters: slices.Concat(c.Parameters, c.Labels), isCommand: c.cell.Trial.Command != nil}
				if cell.isCommand {
					cell.exit = c.cell.Trial.Command.ExpectExit
				}
				for _, m := range c.Metrics {
					isDisturbed := slices.Contains(m.result.Disturbed(), true)
					if m.result.Missing == "" && len(m.result.Values) > 0 && !isDisturbed {
						cell.metrics = append(cell.metrics, CellMetric{m.result.Metric, m.result.Repetitions(), m.result.Values,
							m.result.Estimate.Centre, m.Lo, m.Hi})
					}
				}
				if !c.Calibration && len(cell.metrics) > 0 {
					out = append(out, cell)
				}
			}
		}
	}
	return out
}

// repetition is the number of the i-th value; 0 for what a search found.
func (m *CellMetric) repetition(i int) int {
	if i < len(m.repetitions) {
		return m.repetitions[i]
	}
	return 0
}

// value is that of a repetition.
func (m *CellMetric) value(repetition int) (float64, bool) {
	for i, v := range m.values {
		if m.repetition(i) == repetition {
			return v, true
		}
	}
	return 0, false
}

// repetitions are those that some metric has a value of.
func (c *Cell) repetitions() []int {
	var out []int
	for _, m := range c.metrics {
		for i := range m.values {
			out = append(out, m.repetition(i))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ExportedJSON is one value as export prints it with --format json, in a list. Fields are added to it in later
// versions, none are renamed or removed.
type ExportedJSON struct {
	Article    string            `json:"article"`
	Experiment string            `json:"experiment"`
	Host       string            `json:"host"`
	Profile    string            `json:"profile"`
	Run        string            `json:"run"`
	Trial      string            `json:"trial"`
	Parameters map[string]string `json:"parameters"`
	Repetition int               `json:"repetition"` // 0 for what a search found
	Metric     string            `json:"metric"`
	Unit       string            `json:"unit"`
	Value      float64           `json:"value"`
}

// What the format of Go's benchmarks does not allow in names: white space anywhere, a slash in a part, an end that is a
// number of cores.
var (
	notInName   = regexp.MustCompile(`[\s/]+`)
	likeCores   = regexp.MustCompile(`-\d+$`)
	unitOfBench = map[string]string{"s": "sec", "B": "bytes", "B/s": "bytes/sec", "1/s": "per-sec", "1": "ratio",
		"": "ratio", "cores": "cores"}
)

// exportBenchfmt prints a line for each repetition. Units are made of a metric and its base unit, so that benchstat
// keeps the metrics apart; which of them are better when higher is said first.
//
// Source: golang.org/design/14313-benchmark-format; golang.org/x/perf/benchfmt.
func exportBenchfmt(w io.Writer, cells []Cell) error {
	var b bytes.Buffer
	said := map[string]bool{}
	for _, c := range cells {
		for _, m := range c.metrics {
			if unit := BenchUnit(m.Metric); !said[unit] && m.Better != "" {
				said[unit] = true
				fmt.Fprintf(&b, "Unit %s better=%s\n", unit, m.Better)
			}
		}
	}
	var head string
	names := map[string]int{}
	for _, c := range cells {
		if now := fmt.Sprintf("article: %s\nexperiment: %s\nhost: %s\nprofile: %s\n", c.article, c.experiment, c.host,
			c.profile); now != head {
			head = now
			b.WriteString("\n" + head)
		}
		name := benchName(&c)
		if names[name]++; names[name] > 1 { // as go test does
			name = fmt.Sprintf("%s#%02d", name, names[name]-1)
		}
		for _, repetition := range c.repetitions() {
			fmt.Fprintf(&b, "%s 1", name)
			for _, m := range c.metrics {
				if v, ok := m.value(repetition); ok {
					fmt.Fprintf(&b, " %s %s", terminal.Exact(&v), BenchUnit(m.Metric))
				}
			}
			b.WriteString("\n")
		}
	}
	_, err := w.Write(bytes.TrimPrefix(b.Bytes(), []byte("\n")))
	return err
}

func benchName(c *Cell) string {
	clean := func(text string) string { return notInName.ReplaceAllString(text, "_") }
	name := []rune(clean(c.experiment))
	name[0] = unicode.ToUpper(name[0])
	out := "Benchmark" + string(name)
	for _, p := range c.parameters {
		out += "/" + clean(p.Name) + "=" + clean(p.Value)
	}
	if likeCores.MatchString(out) {
		out += "-1" // which is taken for the number of cores, in the place of what was there
	}
	return out
}

// BenchUnit is the unit that benchstat keeps a metric apart by.
func BenchUnit(m record.Metric) string {
	unit, ok := unitOfBench[m.Unit]
	if !ok {
		unit = notInName.ReplaceAllString(m.Unit, "_")
	}
	return m.Name + "-" + unit
}
