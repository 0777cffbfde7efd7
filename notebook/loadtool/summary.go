package loadtool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"benchbook/notebook/record"
)

// summary is the JSON object that a driver of an article prints for all of its requests. Absent keys are not measured.
type summary struct {
	Began     *float64           `json:"began"`  // Unix time of the start of the window, in seconds
	Window    *float64           `json:"window"` // seconds
	Attempted *int64             `json:"attempted"`
	Failed    *int64             `json:"failed"`
	Completed *int64             `json:"completed"`
	Failures  map[string]int64   `json:"failures"` // by kind
	Statuses  map[string]int64   `json:"statuses"` // of all answers
	Latency   map[string]float64 `json:"latency"`  // seconds: p50, mean, max
	Step      float64            `json:"step"`     // of Latency
	Histogram string             `json:"histogram"`
	Unit      string             `json:"unit"` // of the values of Histogram
}

// Summary reads the summary of a driver. kinds are the failures that it may count. The error wraps ErrNoSamples.
//
// Source: docs/drivers.md#one-summary.
func Summary(printed []byte, kinds []string) (*Output, error) {
	o := newOutput(record.DriverTool)
	o.Connecting = true
	var s summary
	if err := ReadObject(bytes.TrimSpace(printed), &s); err != nil {
		o.fail("what it printed %v", err)
		return nil, o.err
	}
	switch {
	case s.Attempted == nil || s.Window == nil:
		o.fail("its summary has no attempted or no window")
	case !isMeasurable(*s.Window) || duration(*s.Window) == 0:
		o.fail("its window is %v s", *s.Window)
	case s.Began != nil && UnixTime(*s.Began).IsZero():
		o.fail("it began at %v s", *s.Began)
	case s.Histogram != "" && s.Latency != nil:
		o.fail("it has both a histogram and a latency")
	}
	if o.err != nil {
		return nil, o.err
	}
	o.Window = duration(*s.Window)
	if s.Began != nil {
		o.Started = UnixTime(*s.Began)
	}
	o.addCounts(&s, kinds)
	if s.Histogram != "" {
		o.addHistogram(s.Histogram, s.Unit)
	} else {
		o.addLatency(s.Latency, s.Step)
	}
	return o.checked()
}

// addCounts adds the counts of requests, answers and failures.
func (o *Output) addCounts(s *summary, kinds []string) {
	for _, n := range []struct{ to, from *int64 }{{&o.Attempted, s.Attempted}, {&o.Failed, s.Failed},
		{&o.Completed, s.Completed}} {
		if n.from != nil {
			*n.to = o.wholeNumber(float64(*n.from))
		}
	}
	if s.Completed == nil && o.Failed >= 0 {
		o.Completed = max(0, o.Attempted-o.Failed)
	}
	for _, kind := range slices.Sorted(maps.Keys(s.Failures)) {
		if !slices.Contains(kinds, kind) {
			o.fail("unknown kind of failure %q: known are %s", kind, strings.Join(kinds, ", "))
		}
	}
	if sum := o.sum(s.Failures); o.Failed >= 0 && sum > o.Failed {
		o.fail("failures by kind are %d, and failed is %d", sum, o.Failed)
	}
	if o.Failures = s.Failures; s.Statuses != nil {
		if all, _ := o.countAnswers(s.Statuses); all > o.Attempted {
			o.fail("%d answers have a status, and %d requests were attempted", all, o.Attempted)
		}
	}
}

// addLatency adds percentiles, mean and maximum, in seconds.
func (o *Output) addLatency(values map[string]float64, step float64) {
	if !isMeasurable(step) {
		o.fail("its step is %v s", step)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		metric := "latency." + name
		if m, known := record.LookupMetric(metric); !known || m.Unit != "s" {
			o.fail("unknown latency %q: write p50, p99.9, mean or max", name)
		}
		o.add(metric, reading{values[name], step}, "s")
		if name == "mean" {
			o.Timed = max(0, o.Completed)
		}
	}
}

// addHistogram adds the times of all right answers from an encoded histogram whose values are in unit.
func (o *Output) addHistogram(encoded, unit string) {
	size, ok := seconds[unit]
	if !ok {
		o.fail("the histogram's unit is %q: write s, ms, us or ns", unit)
		return
	}
	step := size
	if unit == "ns" {
		step = 0
	}
	times := newDistribution()
	_, err := record.Histogram{HDR: encoded}.Each(func(from, to, n int64) error {
		if n > maxCount-times.count {
			return errors.New("it counts too many")
		}
		times.add((float64(from)+float64(to))/2*size, n)
		return nil
	})
	switch {
	case err != nil:
		o.fail("its histogram cannot be read: %w", err)
	case times.count > 0 && (o.Completed >= 0 && o.Completed != times.count || times.count > o.Attempted):
		o.fail("its histogram has %d times, and of %d requests %d were completed", times.count, o.Attempted, o.Completed)
	}
	o.Timed = times.count
	o.addTimes(times, step)
}

// ReadObject reads one JSON object into a struct that has all of its keys. The error continues a sentence about the
// text, such as "is empty".
func ReadObject(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	switch key, isUnknown := strings.CutPrefix(fmt.Sprint(err), "json: unknown field "); {
	case err == nil && int(d.InputOffset()) == len(text):
		return nil
	case len(text) == 0:
		return errors.New("is empty")
	case !json.Valid(text):
		return fmt.Errorf("is not one JSON object: %q", LastLine(text))
	case isUnknown:
		return fmt.Errorf("has an unknown key %s", key)
	case text[0] != '{':
		return fmt.Errorf("is JSON, and not an object: %q", LastLine(text))
	}
	return fmt.Errorf("cannot be read: %w", record.InvalidJSON(err))
}
