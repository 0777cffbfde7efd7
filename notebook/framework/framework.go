// Package framework reads the output of benchmark frameworks: the metrics of each benchmark.
//
// Values from one process are not repetitions. If a framework prints several values of a metric, the result is their
// median.
package framework

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Bounds of an output.
const (
	// MaxOutput is the largest size that is read, in bytes.
	MaxOutput     = 16 << 20
	maxBenchmarks = 1000
	maxMetrics    = 50 // of one benchmark
)

// parsers are the formats by name. They add what they find to a collector.
var parsers = map[string]func(output []byte, c *collector) error{
	"benchfmt":         benchfmtOutput,
	"criterion":        criterion,
	"google-benchmark": googleBenchmark,
	"hyperfine":        hyperfine,
	"jmh":              jmh,
	"pytest-benchmark": pytestBenchmark,
}

// Formats returns the names of the formats.
func Formats() []string { return slices.Sorted(maps.Keys(parsers)) }

// Parse returns a sample for each metric of each benchmark in an output, in its order, in base units. It returns an
// error for an unknown format, and for an output that is in another format, has no benchmark or exceeds a bound.
func Parse(format string, output []byte) ([]record.Sample, error) {
	parse, ok := parsers[format]
	if !ok {
		return nil, fmt.Errorf("no format %q", format)
	}
	c := &collector{seen: map[string]*benchmark{}}
	if len(output) > MaxOutput {
		return nil, fmt.Errorf("the %s output has more than %d MiB", format, MaxOutput>>20)
	}
	err := parse(output, c)
	if err == nil {
		err = c.err
	}
	if err == nil && len(c.benchmarks) == 0 {
		err = errors.New("it has no benchmark")
	}
	if err != nil {
		return nil, fmt.Errorf("the %s output cannot be used: %w", format, err)
	}
	return c.samples(), nil
}

// collector collects the values of an output.
type collector struct {
	benchmarks []*benchmark
	seen       map[string]*benchmark // by name
	err        error                 // the first value that cannot be used
}

type benchmark struct {
	name    string
	metrics []*metric
}

type metric struct {
	record.Sample // in a base unit, or in one of the framework's own
	values        []float64
}

// add adds a value of a metric of a benchmark. step is the resolution in the same unit, 0 if that is fine enough.
func (c *collector) add(name, metricName string, value, step float64, unit string) {
	if c.err != nil {
		return
	}
	if u, known := expr.ParseUnit(unit); known {
		value, step, unit = u.ToBase(value), u.ToBase(step), u.Dimension.Base()
	}
	_, isCommon := record.LookupBenchmarkMetric(metricName)
	if !record.Measurable(step) {
		step = 0
	}
	b := c.seen[name]
	switch {
	case !record.IsBenchmarkName(name):
		c.err = fmt.Errorf("a benchmark is called %.100q: %s", name, record.BenchmarkNameHint)
	case !expr.IsName(metricName) || !record.IsMetricName(metricName):
		c.err = fmt.Errorf("benchmark %.100q has a metric called %.100q: %s", name, metricName, record.MetricNameHint)
	case !record.Measurable(value) || isCommon && value < 0:
		c.err = fmt.Errorf("benchmark %.100q has %s of %v", name, metricName, value)
	case b == nil && len(c.benchmarks) == maxBenchmarks:
		c.err = fmt.Errorf("it has more than %d benchmarks", maxBenchmarks)
	}
	if c.err != nil {
		return
	}
	if b == nil {
		b = &benchmark{name: name}
		c.benchmarks, c.seen[name] = append(c.benchmarks, b), b
	}
	c.err = b.add(record.Sample{Metric: metricName, Value: value, Unit: unit, Step: step, Benchmark: name})
}

func (b *benchmark) add(s record.Sample) error {
	m, isKnown := slice.Find(b.metrics, func(m *metric) bool { return m.Metric == s.Metric })
	if !isKnown {
		m = &metric{Sample: s}
		b.metrics = append(b.metrics, m)
	}
	switch {
	case len(b.metrics) > maxMetrics:
		return fmt.Errorf("benchmark %.100q has more than %d metrics", s.Benchmark, maxMetrics)
	case m.Unit != s.Unit:
		return fmt.Errorf("benchmark %.100q has %s in %.20q and in %.20q", s.Benchmark, s.Metric, m.Unit, s.Unit)
	}
	m.values, m.Step = append(m.values, s.Value), max(m.Step, s.Step)
	return nil
}

// samples returns the median of each metric.
func (c *collector) samples() (out []record.Sample) {
	for _, b := range c.benchmarks {
		for _, m := range b.metrics {
			m.Value, m.Benchmark = stats.Median(m.values), b.name
			out = append(out, m.Sample)
		}
	}
	return out
}

// metricName makes a metric's name from the name or unit that a framework gives it: "widgets/op" becomes widgets. A
// name that means something else to benchbook gets the prefix "own.". The result may be invalid.
func metricName(text string) string {
	text = strings.ReplaceAll(strings.TrimSuffix(text, "/op"), "/", "_per_")
	name := strings.Trim(strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || record.IsMetricName("x"+string(r)) {
			return r
		}
		return '_'
	}, text), "._-")
	_, isOurs := record.LookupMetric(name)
	if isOurs || slices.Contains([]string{"and", "or", "not", "true", "false"}, name) {
		return "own." + name
	}
	return name
}

// documents decodes the JSON documents of an output, one after another, and calls each with them.
func documents[T any](output []byte, each func(*T) error) error {
	decoder := json.NewDecoder(bytes.NewReader(output))
	for {
		var doc T
		switch err := decoder.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: is there something else on standard output? Then let the framework write a file, and "+
				"name it under output", record.InvalidJSON(err))
		}
		if err := each(&doc); err != nil {
			return err
		}
	}
}
