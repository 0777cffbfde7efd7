package record

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"benchbook/internal/files"
	"benchbook/internal/slice"
)

// Metric describes a metric.
type Metric struct {
	Name   string
	Unit   string // base unit: "s", "1/s", "B", "B/s", "cores", "1"
	Better string // "higher", "lower", or "" for neither
	Share  bool   // a part of one, printed as a percentage
	Title  string // for headings and captions: "Throughput"

	// Counted says that each repetition knows the number exactly, like requests and unlike sampled memory.
	Counted bool `json:"-"`
}

// InWords returns the metric as it reads in a sentence: "throughput", "latency p99", "CPU of server".
func (m Metric) InWords() string {
	if len(m.Title) > 1 && m.Title[1] >= 'a' && m.Title[1] <= 'z' {
		return strings.ToLower(m.Title[:1]) + m.Title[1:]
	}
	return m.Title
}

// IsTime reports whether a metric is computed from the times of requests.
func IsTime(metric string) bool {
	return metric == "latency.mean" || metric == "latency.max" || percentile.MatchString(metric)
}

// CountsFailures reports whether a metric is a number or share of failed requests.
func CountsFailures(metric string) bool {
	return metric == "failed" || metric == "failed.count" || isOf("errors.", metric)
}

// IsSearched reports whether a metric is found by a search: one number per cell, with the interval of the search.
func IsSearched(metric string) bool {
	return metric == "capacity.rate" || isOf("tune.", metric)
}

// isOf reports whether a metric is a family's prefix and one word. With more words, an article or a program defines it.
func isOf(family, metric string) bool {
	word, ok := strings.CutPrefix(metric, family)
	return ok && word != "" && !strings.Contains(word, ".")
}

// MetricNameHint is the hint for a metric with an invalid name.
const MetricNameHint = "use letters, digits, - and _, in words joined by dots"

// IsMetricName reports whether a metric may have a name. Names occur in expressions, on pages and in file names.
func IsMetricName(name string) bool {
	for i, word := range strings.Split(name, ".") {
		isNumber := i > 0 && word != "" && len(word) <= files.MaxName && strings.Trim(word, "0123456789") == ""
		if !files.IsWord(word) && !isNumber {
			return false
		}
	}
	return true
}

// fixed are the metrics without a variable part in their names.
var fixed = map[string]Metric{
	"throughput":          {Unit: "1/s", Better: "higher", Title: "Throughput"},
	"throughput.per_core": {Unit: "1/s", Better: "higher", Title: "Throughput per core"},
	"cpu.per_request":     {Unit: "s", Better: "lower", Title: "CPU time per request"},
	"latency.mean":        {Unit: "s", Better: "lower", Title: "Mean latency"},
	"latency.max":         {Unit: "s", Better: "lower", Title: "Longest latency"},
	"requests":            {Unit: "1", Title: "Requests", Counted: true},
	"failed":              {Unit: "1", Better: "lower", Share: true, Title: "Failed"},
	"failed.count":        {Unit: "1", Better: "lower", Title: "Failed requests", Counted: true},
	"connects":            {Unit: "1", Better: "lower", Title: "Connections opened", Counted: true},
	"bytes.in":            {Unit: "B/s", Title: "Received"},
	"bytes.out":           {Unit: "B/s", Title: "Sent"},
	"generator.cpu":       {Unit: "1", Share: true, Better: "lower", Title: "Load generator busy"},
	"time.real":           {Unit: "s", Better: "lower", Title: "Elapsed time"},
	"time.user":           {Unit: "s", Better: "lower", Title: "User CPU time"},
	"time.sys":            {Unit: "s", Better: "lower", Title: "System CPU time"},
	"memory.peak":         {Unit: "B", Better: "lower", Title: "Peak memory"},
	"offered":             {Unit: "1/s", Title: "Offered"},
	"capacity.rate":       {Unit: "1/s", Better: "higher", Title: "Capacity"},
}

var percentile = regexp.MustCompile(
	`^(latency|latency\.connect|latency\.tls|latency\.first_byte|service|lag)\.p(\d\d?(?:\.\d{1,6})?)$`)

// percentileTitles are the titles of families of times, as printed before a percentile.
var percentileTitles = map[string]string{"latency": "Latency", "latency.connect": "Connect", "latency.tls": "TLS",
	"latency.first_byte": "First byte", "service": "Service time", "lag": "Lag"}

// FailureKinds are the kinds of failed requests, as in errors.KIND.
var FailureKinds = []string{"connect", "reset", "timeout", "closed", "malformed", "short", "wrong", "ports"}

// LookupMetric returns a metric of benchbook's own by name. Percentiles are above 0 and below 100.
func LookupMetric(name string) (m Metric, ok bool) {
	if m, ok = fixed[name]; ok {
		m.Name = name
		return m, true
	}
	if f := percentile.FindStringSubmatch(name); f != nil && strings.Trim(f[2], "0.") != "" {
		title := percentileTitles[f[1]]
		return Metric{Name: name, Unit: "s", Better: "lower", Title: title + " p" + f[2]}, true
	}
	for _, family := range []struct {
		prefix string
		m      Metric
	}{
		{"errors.", Metric{Unit: "1", Better: "lower", Title: "Failures: ", Counted: true}},
		{"status.", Metric{Unit: "1", Title: "Answers with status ", Counted: true}},
		{"cpu.", Metric{Unit: "cores", Better: "lower", Title: "CPU of "}},
		{"memory.", Metric{Unit: "B", Better: "lower", Title: "Memory of "}},
		{"tune.", Metric{Unit: "1", Title: "Chosen "}},
		{"net.listen_overflows.", Metric{Unit: "1", Better: "lower", Title: "Listen overflows of ", Counted: true}},
		{"net.retransmits.", Metric{Unit: "1", Better: "lower", Title: "Retransmits of ", Counted: true}},
	} {
		if isOf(family.prefix, name) {
			m = family.m
			m.Name, m.Title = name, m.Title+strings.TrimPrefix(name, family.prefix)
			return m, true
		}
	}
	return Metric{}, false
}

// OtherName returns the metric that other tools call word, or the latency percentile for a word such as p99.
func OtherName(word string) (string, bool) {
	if m, ok := LookupMetric("latency." + word); ok && strings.HasPrefix(word, "p") {
		return m.Name, true
	}
	name, ok := otherMetrics[strings.ToLower(word)]
	return name, ok
}

// otherMetrics maps names in other tools to metrics.
var otherMetrics = map[string]string{
	"rps": "throughput", "qps": "throughput", "tps": "throughput", "thruput": "throughput", "rate": "throughput",
	"requests_per_second": "throughput", "requests_per_sec": "throughput", "req_per_sec": "throughput",
	"median": "latency.p50", "avg": "latency.mean", "mean": "latency.mean", "response_time": "latency.p50",
	"errors": "failed", "error_rate": "failed", "failures": "failed", "failed.rate": "failed", "non_2xx": "failed",
	"time": "time.real", "elapsed": "time.real", "duration": "time.real", "runtime": "time.real", "wall": "time.real",
	"memory": "memory.peak", "mem": "memory.peak", "rss": "memory.peak", "max_rss": "memory.peak",
}

// The smallest effects that count where a claim names none, as shares. They follow how much a metric differs between
// two copies of the same cell.
const (
	smallest       = 0.05
	smallestOfCPU  = 0.1  // and of memory
	smallestOfTail = 0.25 // of percentiles from 90 on, and maxima: 14 of 31 A/A pairs of p99 differ by more than 5 %
)

// SmallestEffect returns the smallest difference in a metric that counts, as a share.
//
// Source: docs/method.md#smallest-effects.
func SmallestEffect(metric string) float64 {
	if f := percentile.FindStringSubmatch(metric); f != nil && f[2][0] == '9' && len(f[2]) > 1 && f[2][1] != '.' ||
		metric == "latency.max" {
		return smallestOfTail
	}
	for _, prefix := range []string{"cpu.", "memory.", "time.user", "time.sys", "throughput.per_core"} {
		if strings.HasPrefix(metric, prefix) {
			return smallestOfCPU
		}
	}
	return smallest
}

// BenchmarkAxis is the parameter that names a benchmark, in experiments that read a framework's output.
const BenchmarkAxis = "benchmark"

// maxBenchmarkName is the longest name of a benchmark in bytes.
const maxBenchmarkName = 200

// BenchmarkNameHint is the hint for a benchmark with an invalid name.
const BenchmarkNameHint = "it has 1 to 200 bytes of UTF-8, without control characters, and with no space at its ends"

// IsBenchmarkName reports whether a benchmark may have a name. Names occur on pages, and quoted in expressions.
func IsBenchmarkName(name string) bool {
	return name != "" && len(name) <= maxBenchmarkName && utf8.ValidString(name) && strings.TrimSpace(name) == name &&
		!strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) })
}

// benchmarkMetrics are the metrics that frameworks share. Others have the framework's name for them.
var benchmarkMetrics = map[string]Metric{
	"time":             {Unit: "s", Better: "lower", Title: "Time"},
	"cpu_time":         {Unit: "s", Better: "lower", Title: "CPU time"},
	"bytes":            {Unit: "B", Better: "lower", Title: "Bytes allocated"},
	"allocs":           {Unit: "1", Better: "lower", Title: "Allocations"},
	"ops":              {Unit: "1/s", Better: "higher", Title: "Operations"},
	"bytes_per_second": {Unit: "B/s", Better: "higher", Title: "Bytes processed"},
	"items_per_second": {Unit: "1/s", Better: "higher", Title: "Items processed"},
}

// LookupBenchmarkMetric returns a metric that frameworks share, by name.
func LookupBenchmarkMetric(name string) (m Metric, ok bool) {
	m, ok = benchmarkMetrics[name]
	m.Name = name
	return m, ok
}

// Measured describes what an experiment measures, and so which metrics it has.
type Measured struct {
	Command bool // it times a program, which may print its own metrics; else it has a load
	// Benchmarks says that the program is a benchmark framework: it prints metrics for each benchmark.
	Benchmarks bool
	OpenLoop   bool     // requests leave on schedule
	Capacity   bool     // it searches for the highest rate
	Services   []string // names
	Searches   []string // names of tuned values
	Added      []Metric // defined by the experiment
}

// serviceFamilies are the prefixes of metrics that end in the name of a service.
var serviceFamilies = []string{"cpu.", "memory.", "net.listen_overflows.", "net.retransmits."}

// Lookup returns a metric of the experiment by name. A program may print any metric, whose unit is unknown here.
func (e Measured) Lookup(name string) (m Metric, ok bool) {
	if m, ok = slice.Find(e.Added, func(m Metric) bool { return m.Name == name }); ok {
		return m, true
	}
	m, known := LookupMetric(name)
	if e.Benchmarks {
		if m, ok = LookupBenchmarkMetric(name); ok {
			return m, true
		}
		return Metric{Name: name, Title: name}, !known
	}
	family, last := "", name
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		family, last = name[:i+1], name[i+1:]
	}
	switch {
	case family == "tune.":
		return m, slices.Contains(e.Searches, last)
	case name == "capacity.rate":
		return m, e.Capacity
	case e.Command && !known:
		return Metric{Name: name, Title: name}, true
	case e.Command || !known:
		return m, known
	}
	return m, e.hasOfLoad(name, family, last)
}

// hasOfLoad reports whether an experiment with a load has a known metric, given also its family and last word.
func (e Measured) hasOfLoad(name, family, last string) bool {
	switch {
	case family == "time." || name == "memory.peak":
		return false
	case name == "cpu.per_request":
		return len(e.Services) > 0
	case slices.Contains(serviceFamilies, family):
		return slices.Contains(e.Services, last)
	case family == "errors.":
		return slices.Contains(FailureKinds, last)
	case family == "status.":
		return len(last) == 3 && strings.Trim(last, "0123456789") == ""
	case name == "offered" || strings.HasPrefix(name, "service.p") || strings.HasPrefix(name, "lag.p"):
		return e.OpenLoop
	}
	return true
}

// Names returns the names of the experiment's metrics for suggestions, with only the usual percentiles.
func (e Measured) Names() []string {
	var names []string
	if e.Benchmarks {
		names = []string{"time", "bytes", "allocs", "ops", "bytes_per_second", "items_per_second", "cpu_time"}
	} else if e.Command {
		names = []string{"time.real", "time.user", "time.sys", "memory.peak"}
	} else {
		names = []string{"throughput", "throughput.per_core", "latency.p50", "latency.p90", "latency.p99", "latency.mean",
			"latency.max", "requests", "failed", "failed.count", "connects", "bytes.in", "bytes.out", "generator.cpu"}
	}
	for _, m := range e.Added {
		names = append(names, m.Name)
	}
	for _, search := range e.Searches {
		names = append(names, "tune."+search)
	}
	if e.Capacity {
		names = append(names, "capacity.rate")
	}
	if e.OpenLoop {
		names = append(names, "offered", "service.p50", "service.p99", "lag.p50", "lag.p99")
	}
	if e.Command {
		return names
	}
	for _, kind := range FailureKinds {
		names = append(names, "errors."+kind)
	}
	if len(e.Services) > 0 {
		names = append(names, "cpu.per_request")
	}
	for _, service := range e.Services {
		for _, family := range serviceFamilies {
			names = append(names, family+service)
		}
	}
	return names
}
