package show

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
)

// Names of Go's benchmarks have no white space, no slash in a part, and no number at the end unless it counts cores.
var (
	notInName   = regexp.MustCompile(`[\s/]+`)
	likeCores   = regexp.MustCompile(`-\d+$`)
	unitOfBench = map[string]string{"s": "sec", "B": "bytes", "B/s": "bytes/sec", "1/s": "per-sec", "1": "ratio",
		"": "ratio", "cores": "cores"}
)

// benchfmt prints a line for each valid repetition. A unit is a metric with its base unit, so that benchstat keeps
// metrics apart; unit lines at the top say which direction is better. Disturbed values are left out, because the format
// has no bounds for them.
//
// Source: golang.org/design/14313-benchmark-format; golang.org/x/perf/benchfmt.
func benchfmt(w io.Writer, list []*Article) error {
	var units, lines []string
	names := map[string]int{}
	for _, s := range list {
		for _, e := range s.Experiments {
			head := fmt.Sprintf("\narticle: %s\nexperiment: %s\nhost: %s\nprofile: %s", s.Article, e.Experiment, s.Host, s.Profile)
			for _, c := range e.Cells {
				values := c.benchValues(&units)
				if len(values) == 0 {
					continue
				}
				name := benchName(e.Experiment, slices.Concat(c.Parameters, c.Labels))
				if names[name]++; names[name] > 1 { // as go test does
					name = fmt.Sprintf("%s#%02d", name, names[name]-1)
				}
				if head != "" {
					lines, head = append(lines, head), ""
				}
				for _, n := range slices.Sorted(maps.Keys(values)) {
					lines = append(lines, name+" 1"+values[n])
				}
			}
		}
	}
	if len(lines) == 0 {
		return lab.Failure(errors.New("no valid results: benchbook plan lists what is missing, benchbook show tells why a " +
			"number is not valid"))
	}
	_, err := fmt.Fprintln(w, strings.TrimPrefix(strings.Join(append(units, lines...), "\n"), "\n"))
	return err
}

// benchValues writes the metrics of each repetition, by its number, and adds units with a better direction to units.
func (c *Cell) benchValues(units *[]string) map[int]string {
	values := map[int]string{} // a search has number 0
	for _, m := range c.Metrics {
		if c.Calibration || m.Missing != "" || slices.Contains(m.result.Disturbed(), true) {
			continue
		}
		if better := m.result.Metric.Better; better != "" && len(m.Values) > 0 {
			*units = slice.Add(*units, fmt.Sprintf("Unit %s better=%s", benchUnit(m.result), better))
		}
		numbers := append(m.result.Repetitions(), 0)
		for i := range m.Values {
			values[numbers[i]] += fmt.Sprintf(" %s %s", exact(&m.Values[i]), benchUnit(m.result))
		}
	}
	return values
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
		out += "-1" // without it the number would be read as that of cores
	}
	return out
}

// benchUnit returns the unit by which benchstat tells metrics apart.
func benchUnit(r dataset.Result) string {
	unit, ok := unitOfBench[r.Metric.Unit]
	if !ok {
		unit = notInName.ReplaceAllString(r.Metric.Unit, "_")
	}
	return r.Metric.Name + "-" + unit
}
