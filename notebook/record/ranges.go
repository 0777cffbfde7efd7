package record

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
)

// rangeTag is the tag with the range of a number: "0.." from zero, "-1.." also -1 for unknown, "any" also negative.
const rangeTag = "range"

const (
	largest        = 1e15    // more than any count, size in bytes or time in seconds: sums of such numbers still fit
	farthest       = 1e30    // how many times larger or smaller than 1 a number can be: ratios can still be drawn
	maxRepetitions = 100_000 // bounds loops over planned repetitions
	maxOrder       = 400_000 // more than an article can plan, A/A pairs included: their order is drawn again
)

// Measurable reports whether a number can be a sample.
func Measurable(x float64) bool {
	size := math.Abs(x)
	return size == 0 || size >= 1/farthest && size <= farthest
}

// check returns an error for the first impossible number or name in a record.
func (r *Record) check() error {
	if bad := checkNumbers(reflect.ValueOf(r).Elem(), ""); bad != nil {
		return errors.New(strings.TrimPrefix(bad.Error(), "."))
	}
	var first error
	wrong := func(is bool, format string, args ...any) {
		if is && first == nil {
			first = fmt.Errorf(format, args...)
		}
	}
	wrong(!r.Ended.IsZero() && r.Ended.Before(r.Started), "it ended before it started")
	wrong(r.Planned > maxRepetitions, "planned is %d, and %d is the most there can be", r.Planned, maxRepetitions)
	wrong(r.Repetition > maxRepetitions, "repetition is %d, and %d is the most there can be", r.Repetition, maxRepetitions)
	wrong(r.Order.Of > maxOrder, "order.of is %d, and %d is the most there can be", r.Order.Of, maxOrder)
	r.checkSamples(wrong)
	r.eachMetric(func(where, name string) {
		wrong(!IsMetricName(name), "%s: invalid metric %.100q: "+MetricNameHint, where, name)
	})
	r.checkLooks(wrong)
	if s := r.Search; s != nil {
		wrong(s.Kind != SearchTune && s.Kind != SearchCapacity, "search.kind is %q: there are %s and %s", s.Kind, SearchTune,
			SearchCapacity)
		wrong(s.Hi > 0 && s.Lo > s.Hi, "search: lo is %v, and hi is %v", s.Lo, s.Hi)
	}
	wrong(r.Load == nil && len(r.Histograms) > 0, "there are histograms, and no load")
	for name, h := range r.Histograms {
		wrong(h.Min > h.Max, "histograms.%s: min is %v, and max is %v", name, h.Min, h.Max)
		wrong(h.Overflow > h.Count, "histograms.%s: overflow is %d, and count is %d", name, h.Overflow, h.Count)
	}
	if r.Load != nil {
		r.Load.check(wrong)
	}
	return first
}

// checkSamples finds samples without a valid name, and two of one metric of one benchmark.
func (r *Record) checkSamples(wrong func(is bool, format string, args ...any)) {
	type id struct{ benchmark, metric string }
	seen := map[id]bool{}
	for _, s := range r.Samples {
		wrong(s.Metric == "", "a sample has no metric")
		wrong(seen[id{s.Benchmark, s.Metric}], "there are two samples of %s", s.Metric)
		wrong(s.Benchmark != "" && !IsBenchmarkName(s.Benchmark), "invalid benchmark %.100q: "+BenchmarkNameHint, s.Benchmark)
		seen[id{s.Benchmark, s.Metric}] = true
	}
}

// checkLooks finds looks that do not rise from 1 to the repetitions planned.
func (r *Record) checkLooks(wrong func(is bool, format string, args ...any)) {
	for i, look := range r.Looks {
		wrong(look < 1 || i > 0 && look <= r.Looks[i-1], "looks are %v, and have to rise from 1", r.Looks)
	}
	if n := len(r.Looks); n > 0 && r.Search == nil {
		wrong(r.Looks[n-1] != r.Planned, "the last look is after %d rounds, and planned is %d", r.Looks[n-1], r.Planned)
	}
}

// check finds lists longer than the window, and counts larger than their whole.
func (l *Load) check(wrong func(is bool, format string, args ...any)) {
	seconds := int(math.Ceil(l.Window))
	wrong(l.Attempted >= 0 && l.Failed > l.Attempted, "load: failed is %d, and attempted is %d", l.Failed, l.Attempted)
	wrong(len(l.Completions) > seconds+1, "load: completions has %d seconds, and the window %d", len(l.Completions),
		seconds)
	wrong(len(l.Answers) > seconds+1, "load: answers has %d seconds, and the window %d", len(l.Answers), seconds)
	wrong(len(l.Answers) != len(l.Latencies), "load: answers has %d seconds, and latencies %d", len(l.Answers),
		len(l.Latencies))
	if o := l.Open; o != nil {
		wrong(o.Sent > o.Due, "load.open: sent is %d, and due is %d", o.Sent, o.Due)
	}
}

// eachMetric calls give with each name of a metric on pages, and its place in the record.
func (r *Record) eachMetric(give func(where, name string)) {
	for _, s := range r.Samples {
		give("a sample", s.Metric)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Missing)) {
		give("missing", name)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Histograms)) {
		give("histograms", name)
	}
	if s := r.Search; s != nil && s.Metric != "" {
		give("search", s.Metric)
	}
}

// checkNumbers checks all numbers in a value. Those in lists and mappings have the range of their field. The error
// begins with the path of a number below the value.
func checkNumbers(v reflect.Value, within string) error {
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		return checkNumber(float64(v.Int()), within)
	case reflect.Float64:
		return checkNumber(v.Float(), within)
	case reflect.Pointer:
		if !v.IsNil() {
			return checkNumbers(v.Elem(), within)
		}
	case reflect.Slice:
		if k := v.Type().Elem().Kind(); k == reflect.Uint8 || k == reflect.String {
			return nil
		}
		for i := range v.Len() {
			if bad := checkNumbers(v.Index(i), within); bad != nil {
				return fmt.Errorf("[%d]%w", i, bad)
			}
		}
	case reflect.Map:
		for of := v.MapRange(); of.Next(); {
			if bad := checkNumbers(of.Value(), within); bad != nil {
				return fmt.Errorf(".%s%w", of.Key(), bad)
			}
		}
	case reflect.Struct:
		return checkFields(v)
	}
	return nil
}

func checkFields(v reflect.Value) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue // of a time
		}
		if bad := checkNumbers(v.Field(i), f.Tag.Get(rangeTag)); bad != nil {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			return fmt.Errorf(".%s%w", name, bad)
		}
	}
	return nil
}

func checkNumber(x float64, within string) error {
	least, most := 0.0, largest
	switch within {
	case "any":
		least, most = -farthest, farthest
	case "-1..":
		least = -1
	}
	switch {
	case x < least:
		return fmt.Errorf(" is %v, and cannot be less than %v", x, least)
	case x > most:
		return fmt.Errorf(" is %v, and cannot be more than %v", x, most)
	case !Measurable(x):
		return fmt.Errorf(" is %v, and cannot be so near to 0", x)
	}
	return nil
}
