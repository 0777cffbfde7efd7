package record

import (
	"slices"
	"strings"

	"benchbook/internal/slice"
)

// Measured describes what an experiment measures, which decides its metrics.
type Measured struct {
	Command bool // it times a program, which may print its own metrics; else it has a load
	// Benchmarks says that the program is a benchmark framework: its metrics are of each benchmark.
	Benchmarks bool
	OpenLoop   bool     // requests leave on schedule
	Capacity   bool     // it searches for the highest rate
	Services   []string // names
	Searches   []string // names of tuned values
	Added      []Metric // defined by the experiment
}

// serviceFamilies are metrics with the name of a service at their end.
var serviceFamilies = []string{"cpu.", "memory.", "net.listen_overflows.", "net.retransmits."}

// Lookup finds a metric of the experiment by name. A program may print any metric: it has no unit here.
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

// hasOfLoad reports whether an experiment with a load has a known metric, by its family and last word.
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

// Names returns the metrics of the experiment, for suggestions, with the usual percentiles only.
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
