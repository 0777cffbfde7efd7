package show

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
)

// Names of Go's benchmarks have no white space, no slash in a part, and no number at the end unless it counts cores.
var (
	notInName   = regexp.MustCompile(`[\s\pZ\x{85}/]+`) // unicode.IsSpace is what separates fields
	likeCores   = regexp.MustCompile(`-\d+$`)
	unitOfBench = map[string]string{"s": "sec", "B": "bytes", "B/s": "bytes/sec", "1/s": "per-sec", "1": "ratio",
		"": "ratio", "cores": "cores"}
)

// benchfmt prints a line for each value of a valid repetition. A unit is a metric with its base unit, so that benchstat
// keeps metrics apart; unit lines at the top say which direction is better. Disturbed values are left out, because the
// format has no bounds for them.
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
