package record

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A number of a record has a tag "range" that says which values it can have: "0.." is zero or more, "-1.." also -1 for
// what is not known, and "any" can be negative too. Whoever computes with records relies on it, so that a record that
// was damaged or edited costs itself and nothing else.
const rangeTag = "range"

// largest is more than any count, size in bytes or time in seconds that was ever measured: sums of such numbers still
// fit.
const largest = 1e15

// farthest is how many times larger or smaller than one a number can be. Ratios of such numbers can still be drawn.
const farthest = 1e30

// Measurable reports whether a number can be a sample.
func Measurable(x float64) bool {
	size := math.Abs(x)
	return size == 0 || size >= 1/farthest && size <= farthest
}

// maxRepetitions is more repetitions than anybody plans: some loops go over all that are planned.
const maxRepetitions = 100_000

// maxOrder is more than all repetitions that an article can plan, with those of A/A pairs: their order is drawn again.
const maxOrder = 400_000

// check says what in a record cannot be, with the field as the file has it; nil for a sound one.
func (r *Record) check() error {
	if err := checkNumbers(reflect.ValueOf(r).Elem(), "", ""); err != nil {
		return err
	}
	if wrong := r.contradictions(); len(wrong) > 0 {
		return wrong[0]
	}
	return nil
}

// invalidMetric is the error for a metric with a name that none can have.
const invalidMetric = "%s: invalid metric %.100q: " + MetricNameHint

// contradictions are the numbers that do not go together.
func (r *Record) contradictions() (out []error) {
	add := func(wrong bool, format string, args ...any) {
		if wrong {
			out = append(out, fmt.Errorf(format, args...))
		}
	}
	add(!r.Ended.IsZero() && r.Ended.Before(r.Started), "it ended before it started")
	add(r.Planned > maxRepetitions, "planned is %d, and %d is the most there can be", r.Planned, maxRepetitions)
	add(r.Repetition > maxRepetitions, "repetition is %d, and %d is the most there can be", r.Repetition, maxRepetitions)
	add(r.Order.Of > maxOrder, "order.of is %d, and %d is the most there can be", r.Order.Of, maxOrder)
	for i, s := range r.Samples {
		add(s.Metric == "", "a sample has no metric")
		add(!IsMetricName(s.Metric), invalidMetric, "a sample", s.Metric)
		add(slices.ContainsFunc(r.Samples[:i], func(o Sample) bool { return o.Metric == s.Metric }),
			"there are two samples of %s", s.Metric)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Missing)) {
		add(!IsMetricName(name), invalidMetric, "missing", name)
	}
	r.loadContradictions(add)
	for i, look := range r.Looks {
		add(look < 1 || i > 0 && look <= r.Looks[i-1], "looks are %v, and have to rise from 1", r.Looks)
	}
	if n := len(r.Looks); n > 0 && r.Search == nil {
		add(r.Looks[n-1] != r.Planned, "the last look is after %d rounds, and planned is %d", r.Looks[n-1], r.Planned)
	}
	if s := r.Search; s != nil {
		add(s.Metric != "" && !IsMetricName(s.Metric), invalidMetric, "search", s.Metric)
		add(s.Kind != SearchTune && s.Kind != SearchCapacity, "search.kind is %q: there are %s and %s", s.Kind, SearchTune,
			SearchCapacity)
		add(s.Hi > 0 && s.Lo > s.Hi, "search: lo is %v, and hi is %v", s.Lo, s.Hi)
	}
	return out
}

// loadContradictions adds those of a load.
func (r *Record) loadContradictions(add func(wrong bool, format string, args ...any)) {
	add(r.Load == nil && len(r.Histograms) > 0, "there are histograms, and no load")
	for name, h := range r.Histograms {
		add(!IsMetricName(name), invalidMetric, "histograms", name)
		add(h.Min > h.Max, "histograms.%s: min is %v, and max is %v", name, h.Min, h.Max)
		add(h.Overflow > h.Count, "histograms.%s: overflow is %d, and count is %d", name, h.Overflow, h.Count)
	}
	if l := r.Load; l != nil {
		seconds := int(math.Ceil(l.Window))
		add(l.Attempted >= 0 && l.Failed > l.Attempted, "load: failed is %d, and attempted is %d", l.Failed, l.Attempted)
		add(len(l.Completions) > seconds+1, "load: completions has %d seconds, and the window %d", len(l.Completions),
			seconds)
		add(len(l.Answers) > seconds+1, "load: answers has %d seconds, and the window %d", len(l.Answers), seconds)
		add(len(l.Answers) != len(l.Latencies), "load: answers has %d seconds, and latencies %d", len(l.Answers),
			len(l.Latencies))
		if o := l.Open; o != nil {
			add(o.Sent > o.Due, "load.open: sent is %d, and due is %d", o.Sent, o.Due)
		}
	}
}

// checkNumbers looks at all numbers in a value. Those in lists and mappings have the range of their field.
func checkNumbers(v reflect.Value, path, within string) error {
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		return checkNumber(float64(v.Int()), path, within)
	case reflect.Float64:
		return checkNumber(v.Float(), path, within)
	case reflect.Pointer:
		if !v.IsNil() {
			return checkNumbers(v.Elem(), path, within)
		}
	case reflect.Slice:
		if k := v.Type().Elem().Kind(); k == reflect.Uint8 || k == reflect.String {
			return nil
		}
		for i := range v.Len() {
			if err := checkNumbers(v.Index(i), path+"["+strconv.Itoa(i)+"]", within); err != nil {
				return err
			}
		}
	case reflect.Map:
		for of := v.MapRange(); of.Next(); {
			if err := checkNumbers(of.Value(), path+"."+of.Key().String(), within); err != nil {
				return err
			}
		}
	case reflect.Struct:
		return checkFields(v, path)
	}
	return nil
}

func checkFields(v reflect.Value, path string) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue // of a time
		}
		if err := checkNumbers(v.Field(i), below(path, f), f.Tag.Get(rangeTag)); err != nil {
			return err
		}
	}
	return nil
}

// below is the path of a field in a file.
func below(path string, f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if path == "" {
		return name
	}
	return path + "." + name
}

// checkNumber holds a number to the range of its field.
func checkNumber(x float64, path, within string) error {
	least, most := 0.0, largest
	switch within {
	case "any":
		least, most = -farthest, farthest
	case "-1..":
		least = -1
	}
	written := strconv.FormatFloat(x, 'g', -1, 64)
	switch {
	case x < least:
		return fmt.Errorf("%s is %s, and cannot be less than %v", path, written, least)
	case x > most:
		return fmt.Errorf("%s is %s, and cannot be more than %v", path, written, most)
	case !Measurable(x):
		return fmt.Errorf("%s is %s, and cannot be so near to 0", path, written)
	}
	return nil
}
