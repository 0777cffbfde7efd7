package framework

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// cores matches the number of processors that Go adds to the names of benchmarks.
var cores = regexp.MustCompile(`-\d+$`)

// benchfmtOutput reads the format of Go's benchmarks. It drops the number of processors at the end of names if it is
// the same in all, so that names do not depend on the machine.
//
// Source: golang.org/design/14313-benchmark-format; go1.26.
func benchfmtOutput(output []byte, c *collector) error {
	reader := benchfmt.NewReader(bytes.NewReader(output), "output")
	suffix, differs := "", false
	for first := true; reader.Scan(); {
		switch r := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return fmt.Errorf("line %d: %s", r.Line, r.Msg)
		case *benchfmt.Result:
			name := "Benchmark" + string(r.Name)
			own := cores.FindString(name)
			differs = differs || !first && own != suffix
			suffix, first = own, false
			for _, v := range r.Values {
				addGo(c, name, v)
			}
		}
	}
	if err := reader.Err(); err != nil {
		return err
	}
	if !differs {
		for _, b := range c.benchmarks {
			b.name = strings.TrimSuffix(b.name, suffix)
		}
	}
	return nil
}

// addGo adds a value. Its unit names its metric: "ns/op" is time, "p99-ns" is p99 in seconds.
func addGo(c *collector, name string, v benchfmt.Value) {
	printed, factor := v.Value, 1.0
	if v.OrigUnit != "" {
		printed, factor = v.OrigValue, v.Value/v.OrigValue
	}
	step := resolution(printed) * factor
	if printed == 0 {
		step = 0
	}
	switch unit := strings.TrimSuffix(v.Unit, "/op"); v.Unit {
	case "sec/op":
		c.add(name, "time", v.Value, step, "s")
	case "B/op":
		c.add(name, "bytes", v.Value, 0, "B")
	case "allocs/op":
		c.add(name, "allocs", v.Value, 0, "1")
	case "sec":
		c.add(name, metricName(cmp.Or(v.OrigUnit, v.Unit)), v.Value, step, "s")
	case "B":
		c.add(name, metricName(cmp.Or(v.OrigUnit, v.Unit)), v.Value, 0, "B")
	case "B/s":
		c.add(name, "bytes_per_second", v.Value, step, "B/s")
	default:
		if head, ok := strings.CutSuffix(unit, "-sec"); ok {
			c.add(name, metricName(head), v.Value, step, "s")
		} else if head, ok := strings.CutSuffix(unit, "-B"); ok {
			c.add(name, metricName(head), v.Value, 0, "B")
		} else {
			c.add(name, metricName(unit), v.Value, 0, v.Unit)
		}
	}
}

// resolution returns the value of the last printed digit of a number, apart from zeros at its end.
func resolution(printed float64) float64 {
	_, decimals, _ := strings.Cut(strconv.FormatFloat(printed, 'f', -1, 64), ".")
	return math.Pow10(-len(decimals))
}
