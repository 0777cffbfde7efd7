package show

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

// benchCell is a trial with the values of its valid repetitions.
type benchCell struct {
	article, experiment, host, profile string
	trial                              string
	parameters                         []record.Parameter // and labels
	metrics                            []benchMetric      // measured ones
}

type benchMetric struct {
	record.Metric
	repetitions []int // empty for a search
	values      []float64
}

// benchCells returns the cells with values. Disturbed values are left out: the format has no bounds for them.
func benchCells(list []ShowJSON) []benchCell {
	var out []benchCell
	for _, s := range list {
		for _, e := range s.Experiments {
			for _, c := range e.Cells {
				cell := benchCell{article: s.Article, experiment: e.Experiment, host: s.Host, profile: s.Profile,
					trial: c.Trial, parameters: slices.Concat(c.Parameters, c.Labels)}
				for _, m := range c.Metrics {
					isDisturbed := slices.Contains(m.result.Disturbed(), true)
					if m.result.Missing == "" && len(m.result.Values) > 0 && !isDisturbed {
						cell.metrics = append(cell.metrics, benchMetric{m.result.Metric, m.result.Repetitions(), m.result.Values})
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

// repetition returns the number of the i-th value; 0 for a search.
func (m *benchMetric) repetition(i int) int {
	if i < len(m.repetitions) {
		return m.repetitions[i]
	}
	return 0
}

// value returns the value of a repetition.
func (m *benchMetric) value(repetition int) (float64, bool) {
	for i, v := range m.values {
		if m.repetition(i) == repetition {
			return v, true
		}
	}
	return 0, false
}

// repetitions returns the repetitions with a value of any metric.
func (c *benchCell) repetitions() []int {
	var out []int
	for _, m := range c.metrics {
		for i := range m.values {
			out = append(out, m.repetition(i))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// What the format of Go's benchmarks does not allow in names: white space anywhere, a slash in a part, an end that is a
// number of cores.
var (
	notInName   = regexp.MustCompile(`[\s/]+`)
	likeCores   = regexp.MustCompile(`-\d+$`)
	unitOfBench = map[string]string{"s": "sec", "B": "bytes", "B/s": "bytes/sec", "1/s": "per-sec", "1": "ratio",
		"": "ratio", "cores": "cores"}
)

// exportBenchfmt prints a line for each repetition. A unit is a metric with its base unit, so that benchstat keeps
// metrics apart. Unit lines at the top say which direction is better.
//
// Source: golang.org/design/14313-benchmark-format; golang.org/x/perf/benchfmt.
func exportBenchfmt(w io.Writer, cells []benchCell) error {
	var b bytes.Buffer
	said := map[string]bool{}
	for _, c := range cells {
		for _, m := range c.metrics {
			if unit := benchUnit(m.Metric); !said[unit] && m.Better != "" {
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
					fmt.Fprintf(&b, " %s %s", terminal.Exact(&v), benchUnit(m.Metric))
				}
			}
			b.WriteString("\n")
		}
	}
	_, err := w.Write(bytes.TrimPrefix(b.Bytes(), []byte("\n")))
	return err
}

func benchName(c *benchCell) string {
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

// benchUnit returns the unit by which benchstat tells metrics apart.
func benchUnit(m record.Metric) string {
	unit, ok := unitOfBench[m.Unit]
	if !ok {
		unit = notInName.ReplaceAllString(m.Unit, "_")
	}
	return m.Name + "-" + unit
}
