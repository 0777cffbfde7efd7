package loadtool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// summary is what a driver says of all of its requests together: a JSON object. What is not in it is not measured.
type summary struct {
	Began     *float64           `json:"began"`  // Unix time of the start of the window, in seconds
	Window    *float64           `json:"window"` // seconds
	Attempted *int64             `json:"attempted"`
	Failed    *int64             `json:"failed"`
	Completed *int64             `json:"completed"`
	Failures  map[string]int64   `json:"failures"` // by kind
	Statuses  map[string]int64   `json:"statuses"` // of all answers
	Latency   map[string]float64 `json:"latency"`  // seconds: p50, mean, max
	Step      float64            `json:"step"`     // of these
	Histogram string             `json:"histogram"`
	Unit      string             `json:"unit"` // of its values
}

// Units are those that the values of a histogram of a driver can have, in seconds.
var histogramUnits = map[string]float64{"s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}

// Summary reads what a driver of an article said of all of its requests together; kinds are those of failures that it
// may tell. The error wraps ErrNoSamples.
//
// Source: docs/drivers.md#one-summary.
func Summary(printed []byte, kinds []string) (*Output, error) {
	o := empty(record.DriverTool)
	o.Connecting = true
	var s summary
	if err := ReadObject(bytes.TrimSpace(printed), &s); err != nil {
		return o.fail("what it printed %v", err)
	}
	if s.Attempted == nil || s.Window == nil {
		return o.fail("its summary has no attempted or no window")
	}
	if !finite(*s.Window) || long(*s.Window) == 0 {
		return o.fail("its window is %v s", *s.Window)
	}
	o.Window = long(*s.Window)
	o.requests(&s)
	if s.Began != nil {
		if o.Started = time.Unix(0, int64(long(*s.Began))); long(*s.Began) == 0 {
			return o.fail("it began at %v s", *s.Began)
		}
	}
	o.kinds(s.Failures, kinds)
	if s.Statuses != nil {
		if all, _ := o.answers(s.Statuses); all > o.Attempted {
			o.fail("%d answers have a status, and %d requests were attempted", all, o.Attempted)
		}
	}
	switch {
	case s.Histogram != "" && s.Latency != nil:
		o.fail("it has both a histogram and a latency")
	case s.Histogram != "":
		o.histogram(s.Histogram, s.Unit)
	default:
		o.latencies(s.Latency, s.Step)
	}
	return o.whole()
}

// requests takes over how many there were.
func (o *Output) requests(s *summary) {
	for _, n := range []struct{ to, from *int64 }{{&o.Attempted, s.Attempted}, {&o.Failed, s.Failed},
		{&o.Completed, s.Completed}} {
		if n.from == nil {
			continue
		}
		if *n.to = *n.from; *n.to < 0 || *n.to > maxCount {
			o.fail("invalid number of requests %d", *n.to)
		}
	}
	if s.Completed == nil && o.Failed >= 0 {
		o.Completed = max(0, o.Attempted-o.Failed)
	}
}

// kinds takes over how many requests failed, by kind.
func (o *Output) kinds(failures map[string]int64, known []string) {
	sum := int64(0)
	for _, kind := range slices.Sorted(maps.Keys(failures)) {
		n := failures[kind]
		switch {
		case !slices.Contains(known, kind):
			o.fail("unknown kind of failure %q: known are %s", kind, strings.Join(known, ", "))
			return
		case n < 0 || n > maxCount-sum:
			o.fail("invalid number of failures %d", n)
			return
		}
		sum += n
	}
	if o.Failed >= 0 && sum > o.Failed {
		o.fail("failures by kind are %d, and failed is %d", sum, o.Failed)
	}
	o.Failures = failures
}

// latencies takes over percentiles, mean and maximum.
func (o *Output) latencies(of map[string]float64, step float64) {
	if !finite(step) {
		o.fail("its step is %v s", step)
	}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		metric := "latency." + name
		if m, known := record.LookupMetric(metric); !known || m.Unit != "s" {
			o.fail("unknown latency %q: write p50, p99.9, mean or max", name)
			return
		}
		if o.add(metric, of[name], step, "s"); name == "mean" {
			o.Timed = max(0, o.Completed)
		}
	}
}

// histogram takes over the times of all right answers.
func (o *Output) histogram(encoded, unit string) {
	seconds, ok := histogramUnits[unit]
	if !ok {
		o.fail("the histogram's unit is %q: write s, ms, us or ns", unit)
		return
	}
	hdr := hdrhistogram.New(1, int64(highest), 3)
	h := record.Histogram{Step: seconds, Min: math.Inf(1)}
	if unit == "ns" {
		h.Step = 0
	}
	err := new(record.Decoder).Each(record.Histogram{HDR: encoded}, func(from, to, n int64) error {
		if n > maxCount-h.Count {
			return errors.New("it counts too many")
		}
		value := (float64(from) + float64(to)) / 2 * seconds
		h.Count += n
		h.Min, h.Max = min(h.Min, float64(from)*seconds), max(h.Max, float64(to)*seconds)
		h.Sum += value * float64(n)
		if value > highest.Seconds() || hdr.RecordValues(int64(value*1e9), n) != nil {
			h.Overflow += n
		}
		return nil
	})
	switch {
	case err != nil:
		o.fail("its histogram cannot be read: %w", err)
		return
	case h.Count == 0:
		return
	case o.Completed >= 0 && o.Completed != h.Count || h.Count > o.Attempted:
		o.fail("its histogram has %d times, and of %d requests %d were completed", h.Count, o.Attempted, o.Completed)
		return
	case !finite(h.Sum) || !finite(h.Max):
		o.fail("its histogram has times of up to %v s", h.Max)
		return
	}
	data, err := hdr.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		o.fail("encoding the times of requests: %w", err)
		return
	}
	h.HDR = string(data)
	o.Histograms, o.Timed = map[string]record.Histogram{"latency": h}, h.Count
}

// ReadObject reads one JSON object into a struct whose fields have all of its keys. The error says what is wrong with
// it, behind its name: "is not JSON".
func ReadObject(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err == nil && int(d.InputOffset()) == len(text) {
		return nil
	}
	var fields map[string]json.RawMessage
	switch {
	case len(text) == 0:
		return errors.New("is empty")
	case !json.Valid(text):
		return fmt.Errorf("is not one JSON object: %q", LastLine(text))
	case json.Unmarshal(text, &fields) != nil || fields == nil:
		return fmt.Errorf("is JSON, and not an object: %q", LastLine(text))
	}
	known := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(reflect.TypeOf(into).Elem()) {
		known[f.Tag.Get("json")] = f
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		f, ok := known[key]
		if !ok {
			hint := source.Suggest(key, slices.Sorted(maps.Keys(known)))
			return fmt.Errorf("has an unknown key %q: %s", key, hint)
		}
		if json.Unmarshal(fields[key], reflect.New(f.Type).Interface()) != nil {
			return fmt.Errorf("has an invalid %s: %s", key, LastLine([]byte(fields[key])))
		}
	}
	return fmt.Errorf("is not one JSON object: %q", LastLine(text))
}
