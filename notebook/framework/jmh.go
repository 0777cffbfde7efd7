package framework

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// result is a metric of JMH, with the values of each fork or, in the mode SampleTime, percentiles.
type result struct {
	Score       float64            `json:"score"`
	Unit        string             `json:"scoreUnit"`
	Percentiles map[string]float64 `json:"scorePercentiles"`
	Raw         [][]float64        `json:"rawData"`
}

// jmh reads the file of JMH's -rf json. Times become the metric time, throughputs ops. The parameters of a benchmark
// are appended to its name, as in "org.sample.Sums.join/n=10". Metrics of profilers keep their names, except
// gc.alloc.rate.norm, which becomes bytes. JMH's MB are 1024·1024 bytes. Times of one benchmark in two modes are
// refused, since they cannot be compared.
//
// Source: JMH 1.37.
func jmh(output []byte, c *collector) error {
	return documents(output, func(list *[]struct {
		Name      string            `json:"benchmark"`
		Mode      string            `json:"mode"`
		Params    map[string]string `json:"params"`
		Primary   result            `json:"primaryMetric"`
		Secondary map[string]result `json:"secondaryMetrics"`
	}) error {
		modes := map[string]string{}
		for _, b := range *list {
			for _, p := range slices.Sorted(maps.Keys(b.Params)) {
				b.Name += "/" + p + "=" + b.Params[p]
			}
			unit, isTime := strings.CutSuffix(b.Primary.Unit, "/op")
			base, isRate := strings.CutPrefix(b.Primary.Unit, "ops/")
			of := fmt.Sprint(b.Name, " ", isTime)
			if before, isKnown := modes[of]; isKnown && before != b.Mode {
				return fmt.Errorf("benchmark %.100q has times in the modes %.20s and %.20s: choose one with -bm", b.Name, before, b.Mode)
			}
			modes[of] = b.Mode
			switch {
			case isTime:
				b.Primary.addTo(c, b.Name, "time", 1, jmhUnit(unit))
			case isRate && perSecond[base] > 0:
				b.Primary.addTo(c, b.Name, "ops", perSecond[base], "1/s")
			default:
				return fmt.Errorf("benchmark %.100q is in %.20q", b.Name, b.Primary.Unit)
			}
			for _, name := range slices.Sorted(maps.Keys(b.Secondary)) {
				r := b.Secondary[name]
				if metric := strings.TrimPrefix(name, "·"); metric == "gc.alloc.rate.norm" {
					r.addTo(c, b.Name, "bytes", 1, "B")
				} else {
					r.addTo(c, b.Name, metricName(metric), 1, jmhUnit(strings.TrimSuffix(r.Unit, "/op")))
				}
			}
		}
		return nil
	})
}

// perSecond has how many of each unit of time make up a second.
var perSecond = map[string]float64{"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1, "min": 1.0 / 60, "hr": 1.0 / 3600,
	"day": 1.0 / 86400}

// jmhUnit returns a unit of JMH as expressions write it, or unchanged if they have none like it.
func jmhUnit(unit string) string {
	known := map[string]string{"min": "m", "hr": "h", "MB/sec": "MiB/s", "counts": "1"}
	if other, ok := known[unit]; ok {
		return other
	}
	return unit
}

func (r *result) addTo(c *collector, name, metric string, factor float64, unit string) {
	if len(r.Raw) == 0 {
		score := r.Score
		if median, ok := r.Percentiles["50.0"]; ok {
			score = median
		}
		c.add(name, metric, score*factor, 0, unit)
	}
	for _, fork := range r.Raw {
		for _, value := range fork {
			c.add(name, metric, value*factor, 0, unit)
		}
	}
}
