package record

import "strings"

// OtherName gives the metric that a word of other tools stands for, or a percentile without its family.
func OtherName(word string) (string, bool) {
	if m, ok := LookupMetric("latency." + word); ok && strings.HasPrefix(word, "p") {
		return m.Name, true
	}
	name, ok := otherMetrics[strings.ToLower(word)]
	return name, ok
}

// otherMetrics are words of other tools for our metrics.
var otherMetrics = map[string]string{
	"rps": "throughput", "qps": "throughput", "tps": "throughput", "thruput": "throughput", "rate": "throughput",
	"requests_per_second": "throughput", "requests_per_sec": "throughput", "req_per_sec": "throughput",
	"median": "latency.p50", "avg": "latency.mean", "mean": "latency.mean", "response_time": "latency.p50",
	"errors": "failed", "error_rate": "failed", "failures": "failed", "failed.rate": "failed", "non_2xx": "failed",
	"time": "time.real", "elapsed": "time.real", "duration": "time.real", "runtime": "time.real", "wall": "time.real",
	"memory": "memory.peak", "mem": "memory.peak", "rss": "memory.peak", "max_rss": "memory.peak",
}
