package results

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"unicode"

	"gonum.org/v1/gonum/stat"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/csvtext"
	"benchbook/slice"
)

// Exporters are the formats of export, by name: each writes cells for another program.
var Exporters = map[string]func(io.Writer, []Cell) error{
	"benchfmt":  exportBenchfmt,
	FormatCSV:   exportCSV,
	FormatJSON:  exportJSON,
	"bmf":       exportBMF,
	"hyperfine": exportHyperfine,
}

// ExportFormats lists the formats of export.
func ExportFormats() []string { return slices.Sorted(maps.Keys(Exporters)) }

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

// metric gives one that was measured.
func (c *Cell) metric(name string) (CellMetric, bool) {
	return slice.Find(c.metrics, func(m CellMetric) bool { return m.Name == name })
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

func exportCSV(w io.Writer, cells []Cell) error {
	var names []string // of parameters, in the order in which they come
	for _, c := range cells {
		for _, p := range c.parameters {
			names = slice.Add(names, p.Name)
		}
	}
	rows := [][]string{csvtext.Head([]string{"article", "experiment", "host", "profile", "run", "trial"}, names,
		[]string{"repetition", "metric", "unit", "value"})}
	for _, c := range cells {
		for _, m := range c.metrics {
			for i, v := range m.values {
				row := []string{c.article, c.experiment, c.host, c.profile, c.run, c.trial}
				for _, name := range names {
					row = append(row, valueOf(c.parameters, name))
				}
				rows = append(rows, append(row, strconv.Itoa(m.repetition(i)), m.Name, cmp.Or(m.Unit, "1"), terminal.Exact(&v)))
			}
		}
	}
	return terminal.PrintCSV(w, rows)
}

func valueOf(parameters []record.Parameter, name string) string {
	p, _ := slice.Find(parameters, func(p record.Parameter) bool { return p.Name == name })
	return p.Value
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

func exportJSON(w io.Writer, cells []Cell) error {
	out := []ExportedJSON{}
	for _, c := range cells {
		for _, m := range c.metrics {
			for i, v := range m.values {
				out = append(out, ExportedJSON{c.article, c.experiment, c.host, c.profile, c.run, c.trial, c.named(),
					m.repetition(i), m.Name, cmp.Or(m.Unit, "1"), v})
			}
		}
	}
	return lab.PrintJSON(w, out)
}

func (c *Cell) named() map[string]string {
	out := map[string]string{}
	for _, p := range c.parameters {
		out[p.Name] = p.Value
	}
	return out
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

// exportBMF prints Bencher Metric Format.
//
// Source: bencher.dev/docs/reference/bencher-metric-format.
func exportBMF(w io.Writer, cells []Cell) error {
	type measure struct {
		Value float64  `json:"value"`
		Lower *float64 `json:"lower_value,omitempty"`
		Upper *float64 `json:"upper_value,omitempty"`
	}
	out := map[string]map[string]measure{}
	for _, c := range cells {
		measures := map[string]measure{}
		for _, m := range c.metrics {
			measures[m.Name] = measure{m.centre, m.lo, m.hi}
		}
		out[c.article+"#"+c.experiment+" "+c.trial] = measures
	}
	return lab.PrintJSON(w, out)
}

// exportHyperfine prints what hyperfine --export-json writes. Each repetition is one of its runs.
//
// Source: sharkdp/hyperfine src/benchmark/benchmark_result.rs.
func exportHyperfine(w io.Writer, cells []Cell) error {
	type result struct {
		Command    string            `json:"command"`
		Mean       float64           `json:"mean"`
		Stddev     *float64          `json:"stddev"` // null for one run
		Median     float64           `json:"median"`
		User       float64           `json:"user"`
		System     float64           `json:"system"`
		Min        float64           `json:"min"`
		Max        float64           `json:"max"`
		Times      []float64         `json:"times"`
		ExitCodes  []int             `json:"exit_codes"`
		Parameters map[string]string `json:"parameters,omitempty"`
	}
	out := struct {
		Results []result `json:"results"`
	}{Results: []result{}}
	for _, c := range cells {
		real, timed := c.metric("time.real")
		if !c.isCommand || !timed {
			continue
		}
		user, hasUser := c.metric("time.user")
		system, hasSystem := c.metric("time.sys")
		if !hasUser || !hasSystem {
			continue
		}
		mean, deviation := stat.MeanStdDev(real.values, nil)
		r := result{Command: c.article + "#" + c.experiment + " " + c.trial, Mean: mean, Median: stats.Median(real.values),
			User: stat.Mean(user.values, nil), System: stat.Mean(system.values, nil), Min: slices.Min(real.values),
			Max: slices.Max(real.values), Times: real.values, ExitCodes: make([]int, len(real.values)), Parameters: c.named()}
		for i := range r.ExitCodes {
			r.ExitCodes[i] = c.exit // those that ended otherwise have failed, and no time
		}
		if len(real.values) > 1 {
			r.Stddev = &deviation
		}
		out.Results = append(out.Results, r)
	}
	if len(out.Results) == 0 {
		return errors.New("hyperfine times commands, and none was timed here: choose another format")
	}
	return lab.PrintJSON(w, out)
}
