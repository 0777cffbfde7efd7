package framework

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// notJSON matches values that Google Benchmark prints and JSON does not allow.
var notJSON = regexp.MustCompile(`(?m)^(\s*"[^"\n]*": )-?(?:NaN|Infinity)(,?)$`)

// notMetrics are numbers about how a benchmark was run, and times, which have metrics of their own.
var notMetrics = []string{"family_index", "per_family_instance_index", "repetitions", "repetition_index", "threads",
	"iterations", "real_time", "cpu_time"}

// googleRun is a repetition of a benchmark, or an aggregate of its repetitions.
type googleRun struct {
	Name      string  `json:"run_name"`
	Type      string  `json:"run_type"`
	Aggregate string  `json:"aggregate_name"`
	Failed    bool    `json:"error_occurred"`
	Failure   string  `json:"error_message"`
	Skipped   bool    `json:"skipped"` // since 1.8
	Why       string  `json:"skip_message"`
	Real      float64 `json:"real_time"`
	CPU       float64 `json:"cpu_time"`
	Unit      string  `json:"time_unit"`
	all       map[string]any
}

// check returns an error for a benchmark that was not measured.
func (r *googleRun) check() error {
	switch {
	case r.Skipped:
		return fmt.Errorf("benchmark %.100q was skipped: %.200s", r.Name, r.Why)
	case r.Failed:
		return fmt.Errorf("benchmark %.100q failed: %.200s", r.Name, r.Failure)
	}
	return nil
}

// googleBenchmark reads the JSON of Google Benchmark. For repeated benchmarks it takes the repetitions, or the median
// if there are only aggregates. Counters become metrics.
//
// Source: Google Benchmark 1.7.1.
func googleBenchmark(output []byte, c *collector) error {
	var runs []googleRun
	err := documents(notJSON.ReplaceAll(output, []byte("${1}null${2}")), func(doc *struct {
		Benchmarks []json.RawMessage `json:"benchmarks"`
	}) error {
		for _, data := range doc.Benchmarks {
			var r googleRun
			if err := json.Unmarshal(data, &r); err != nil {
				return err
			}
			if err := json.Unmarshal(data, &r.all); err != nil {
				return err
			}
			if err := r.check(); err != nil {
				return err
			}
			runs = append(runs, r)
		}
		return nil
	})
	repeated := map[string]bool{}
	for _, r := range runs {
		repeated[r.Name] = repeated[r.Name] || r.Type == "iteration"
	}
	for _, r := range runs {
		if r.Type != "iteration" && (repeated[r.Name] || r.Aggregate != "median") {
			continue
		}
		c.add(r.Name, "time", r.Real, 0, r.Unit)
		c.add(r.Name, "cpu_time", r.CPU, 0, r.Unit)
		for _, name := range slices.Sorted(maps.Keys(r.all)) {
			value, isNumber := r.all[name].(float64)
			if isNumber && !slices.Contains(notMetrics, name) && !strings.HasPrefix(name, "aggregate") {
				c.add(r.Name, metricName(name), value, 0, unitOfRate[name])
			}
		}
	}
	return err
}
