package record

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// BenchmarkAxis is the parameter with the name of a benchmark, in experiments that read a framework's output.
const BenchmarkAxis = "benchmark"

// maxBenchmarkName is the longest name of a benchmark in bytes.
const maxBenchmarkName = 200

// BenchmarkNameHint is the hint for a benchmark with an invalid name.
const BenchmarkNameHint = "it has 1 to 200 bytes of UTF-8, without control characters, and with no space at its ends"

// IsBenchmarkName reports whether a benchmark can have a name. Names are on pages, and in expressions in quotes.
func IsBenchmarkName(name string) bool {
	return name != "" && len(name) <= maxBenchmarkName && utf8.ValidString(name) && strings.TrimSpace(name) == name &&
		!strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) })
}

// benchmarkMetrics are the metrics that frameworks have in common. What else they report has the framework's name.
var benchmarkMetrics = map[string]Metric{
	"time":             {Unit: "s", Better: "lower", Title: "Time"},
	"cpu_time":         {Unit: "s", Better: "lower", Title: "CPU time"},
	"bytes":            {Unit: "B", Better: "lower", Title: "Bytes allocated"},
	"allocs":           {Unit: "1", Better: "lower", Title: "Allocations"},
	"ops":              {Unit: "1/s", Better: "higher", Title: "Operations"},
	"bytes_per_second": {Unit: "B/s", Better: "higher", Title: "Bytes processed"},
	"items_per_second": {Unit: "1/s", Better: "higher", Title: "Items processed"},
}

// LookupBenchmarkMetric finds a metric that frameworks have in common by its name.
func LookupBenchmarkMetric(name string) (m Metric, ok bool) {
	m, ok = benchmarkMetrics[name]
	m.Name = name
	return m, ok
}
