package record

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
)

// rangeTag is the tag for the range of a number: "0.." from zero, "-1.." with -1 for unknown, "any" negative ones too.
const rangeTag = "range"

const (
	largest        = 1e15    // more than any count, size in bytes or time in seconds; sums of such numbers still fit
	farthest       = 1e30    // how many times larger or smaller than 1 a number may be, so that ratios can be drawn
	maxRepetitions = 100_000 // bounds loops over planned repetitions
	maxOrder       = 400_000 // more than an article can plan, with A/A pairs; the order is drawn again from it
)

// Measurable reports whether a number may be a sample.
func Measurable(x float64) bool {
	size := math.Abs(x)
	return size == 0 || size >= 1/farthest && size <= farthest
}

// Faults are sentences on what is wrong in a record.
type Faults []string

func (f *Faults) add(wrong bool, format string, args ...any) {
	if wrong {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}

// check returns the first impossible number or name in a record as an error.
func (r *Record) check() error {
	if bad := checkNumbers(reflect.ValueOf(r), ""); bad != nil {
		return errors.New(strings.TrimPrefix(bad.Error(), "."))
	}
	var found Faults
	found.add(!r.Ended.IsZero() && r.Ended.Before(r.Started), "it ended before it started")
	found.add(r.Planned > maxRepetitions, "planned is %d, and %d is the most there can be", r.Planned, maxRepetitions)
	found.add(r.Repetition > maxRepetitions, "repetition is %d, and %d is the most there can be", r.Repetition,
		maxRepetitions)
	found.add(r.Order.Of > maxOrder, "order.of is %d, and %d is the most there can be", r.Order.Of, maxOrder)
	r.checkMetrics(&found)
	for i, look := range r.Looks {
		found.add(look < 1 || i > 0 && look <= r.Looks[i-1], "looks are %v, and have to rise from 1", r.Looks)
	}
	if n := len(r.Looks); n > 0 && r.Search == nil {
		found.add(r.Looks[n-1] != r.Planned, "the last look is after %d rounds, and planned is %d", r.Looks[n-1], r.Planned)
	}
	if s := r.Search; s != nil {
		found.add(s.Kind != SearchTune && s.Kind != SearchCapacity, "search.kind is %q: there are %s and %s", s.Kind,
			SearchTune, SearchCapacity)
		found.add(s.Hi > 0 && s.Lo > s.Hi, "search: lo is %v, and hi is %v", s.Lo, s.Hi)
	}
	found.add(r.Load == nil && len(r.Histograms) > 0, "there are histograms, and no load")
	for name, h := range r.Histograms {
		found.add(h.Min > h.Max, "histograms.%s: min is %v, and max is %v", name, h.Min, h.Max)
		found.add(h.Overflow > h.Count, "histograms.%s: overflow is %d, and count is %d", name, h.Overflow, h.Count)
	}
	if r.Load != nil {
		r.Load.check(&found)
	}
	if len(found) > 0 {
		return errors.New(found[0])
	}
	return nil
}

// checkMetrics finds names that cannot be on a page, and repeated samples of one metric of one benchmark.
func (r *Record) checkMetrics(found *Faults) {
	check := func(where, name string) {
		found.add(!IsMetricName(name), "%s: invalid metric %.100q: "+MetricNameHint, where, name)
	}
	type id struct{ benchmark, metric string }
	seen := map[id]bool{}
	for _, s := range r.Samples {
		this := id{s.Benchmark, s.Metric}
		found.add(s.Metric == "", "a sample has no metric")
		found.add(seen[this], "there are two samples of %s", s.Metric)
		found.add(s.Benchmark != "" && !IsBenchmarkName(s.Benchmark), "invalid benchmark %.100q: "+BenchmarkNameHint,
			s.Benchmark)
		check("a sample", s.Metric)
		seen[this] = true
	}
	for name := range r.Missing {
		check("missing", name)
	}
	for name := range r.Histograms {
		check("histograms", name)
	}
	if s := r.Search; s != nil && s.Metric != "" {
		check("search", s.Metric)
	}
}

// check finds lists longer than the window, and counts larger than their total.
func (l *Load) check(found *Faults) {
	seconds := int(math.Ceil(l.Window))
	found.add(l.Attempted >= 0 && l.Failed > l.Attempted, "load: failed is %d, and attempted is %d", l.Failed, l.Attempted)
	found.add(len(l.Completions) > seconds+1, "load: completions has %d seconds, and the window %d", len(l.Completions),
		seconds)
	found.add(len(l.Answers) > seconds+1, "load: answers has %d seconds, and the window %d", len(l.Answers), seconds)
	found.add(len(l.Answers) != len(l.Latencies), "load: answers has %d seconds, and latencies %d", len(l.Answers),
		len(l.Latencies))
	if o := l.Open; o != nil {
		found.add(o.Sent > o.Due, "load.open: sent is %d, and due is %d", o.Sent, o.Due)
	}
}

// checkNumbers checks all numbers in a value. Those in lists and mappings have the range of their field. The error
// begins with the path of the number within the value.
func checkNumbers(v reflect.Value, within string) error {
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		return checkNumber(float64(v.Int()), within)
	case reflect.Float64:
		return checkNumber(v.Float(), within)
	case reflect.Pointer:
		return checkNumbers(v.Elem(), within) // a nil pointer has none
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil // text
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

// checkFields checks the numbers in the fields of a struct.
func checkFields(v reflect.Value) error {
	for i := range v.NumField() {
		value := v.Field(i)
		if isText(value) {
			continue
		}
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue // such as those of time.Time
		}
		if bad := checkNumbers(value, field.Tag.Get(rangeTag)); bad != nil {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			return fmt.Errorf(".%s%w", name, bad)
		}
	}
	return nil
}

// isText reports whether a value is text, or a mapping to texts, and so has no numbers.
func isText(v reflect.Value) bool {
	return v.Kind() == reflect.String || v.Kind() == reflect.Map && v.Type().Elem().Kind() == reflect.String
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
