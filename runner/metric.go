package runner

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/load"
	"benchbook/runner/observe"
)

// A wantedMetric is a metric to read from the output of a service, hook, command or load.
type wantedMetric struct {
	plan.Metric
	before [][]byte // logs of the service's containers before the repetition
}

// wantedMetrics returns the metrics of the experiment that are read from output. It keeps the present logs of running
// services, whose lines come from earlier repetitions.
func (b *bench) wantedMetrics(ctx context.Context, running []engine.Container) []wantedMetric {
	var out []wantedMetric
	for _, m := range b.experiment.Metrics {
		if m.Stream == "" {
			continue // computed from other metrics when the record is read
		}
		s := wantedMetric{Metric: m}
		if m.Stream == "log" {
			for _, container := range containersOf(running, m.Service) {
				log, _ := serviceLog(ctx, container) // a lasting error shows up when the metric is read
				s.before = append(s.before, log)
			}
		}
		out = append(out, s)
	}
	return out
}

// readMetrics reads metrics after a repetition. It adds values to m.Samples and the reasons for missing ones to
// rec.Missing.
func readMetrics(ctx context.Context, metrics []wantedMetric, m *load.Measurement, running []engine.Container,
	rec *record.Record) {
	for _, s := range metrics {
		text, err := []byte(m.Wrote[s.Stream]), error(nil)
		where := map[string]string{"log": "the log of " + s.Service, "stdout": "standard output"}[s.Stream]
		where = cmp.Or(where, "what "+s.Stream+" wrote")
		if s.Stream == "log" {
			text, err = s.log(ctx, running)
		}
		var value float64
		if err == nil {
			value, err = s.read(text)
		}
		if err == nil && slices.ContainsFunc(m.Samples, func(have record.Sample) bool { return have.Metric == s.Name }) {
			err = errors.New("there is a sample of that name already")
		}
		if err != nil {
			if rec.Missing == nil {
				rec.Missing = map[string]string{}
			}
			rec.Missing[s.Name] = fmt.Sprintf("%v in %s", err, where)
			continue
		}
		m.Samples = append(m.Samples, record.Sample{Metric: s.Name, Value: value, Unit: s.Unit})
	}
}

// notFinite returns a failure for the first infinite or NaN sample, such as after a division by zero, or "".
func notFinite(samples []record.Sample) string {
	for _, s := range samples {
		if math.IsInf(s.Value, 0) || math.IsNaN(s.Value) {
			return fmt.Sprintf("%s was measured as %v, which a record cannot hold", s.Metric, s.Value)
		}
	}
	return ""
}

// log returns what the containers of a service wrote in this repetition.
func (s *wantedMetric) log(ctx context.Context, running []engine.Container) ([]byte, error) {
	var all []byte
	for i, container := range containersOf(running, s.Service) {
		log, err := serviceLog(ctx, container)
		if err != nil {
			return nil, fmt.Errorf("nothing could be read (%w)", err)
		}
		if i < len(s.before) {
			log = writtenSince(s.before[i], log)
		}
		all = append(all, log...)
	}
	return all, nil
}

// overlap is how many bytes from the end of an earlier log are searched for in the present one.
const overlap = 4 << 10

// writtenSince returns the part of a log that was written after an earlier reading of it. Engines keep only the end of
// a long log, so if the earlier text is gone, all of it is new.
func writtenSince(before, now []byte) []byte {
	if bytes.HasPrefix(now, before) {
		return now[len(before):]
	}
	end := before[max(0, len(before)-overlap):]
	if i := bytes.LastIndex(now, end); i >= 0 {
		return now[i+len(end):]
	}
	return now
}

// containersOf returns the containers of a service, without the link before it.
func containersOf(running []engine.Container, service string) []engine.Container {
	return slice.Filter(running, func(r engine.Container) bool { return observe.ServiceOf(r.Name()) == service })
}

// read extracts the metric's value from text, in the base unit.
func (s *wantedMetric) read(text []byte) (float64, error) {
	find, pattern := byPath, s.JSON
	if s.Regex != "" {
		find, pattern = byRegex, s.Regex
	}
	found, err := find(pattern, text)
	if err != nil {
		return 0, err
	}
	value, err := strconv.ParseFloat(strings.TrimSpace(found), 64)
	if err != nil || math.IsInf(value, 0) || math.IsNaN(value) {
		return 0, fmt.Errorf("invalid number %.100q", found)
	}
	if u, ok := expr.ParseUnit(s.Written); ok {
		value = u.ToBase(value)
	}
	switch {
	case record.Measurable(value):
		return value, nil
	case math.Abs(value) < 1:
		return 0, fmt.Errorf("%.100q %s is too small a number", found, s.Written)
	}
	return 0, fmt.Errorf("%.100q %s is too large a number", found, s.Written)
}

// byRegex returns the first group of the last match.
func byRegex(pattern string, text []byte) (string, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return "", err
	}
	all := re.FindAllSubmatch(text, -1)
	if len(all) == 0 {
		return "", fmt.Errorf("no match of %s", pattern)
	}
	return string(all[len(all)-1][1]), nil
}

// byPath returns the value at a dotted path in text, if it is one JSON document, or in the last JSON line that has it.
func byPath(path string, text []byte) (string, error) {
	lines := bytes.Split(text, []byte("\n"))
	slices.Reverse(lines)
	for _, one := range append([][]byte{text}, lines...) {
		decoder := json.NewDecoder(bytes.NewReader(one))
		decoder.UseNumber()
		var doc any
		if decoder.Decode(&doc) != nil || decoder.More() {
			continue
		}
		if found, ok := lookUpJSON(doc, path); ok {
			return found, nil
		}
	}
	return "", fmt.Errorf("no %s in JSON", path)
}

// lookUpJSON returns the scalar at a dotted path, such as items.0.price, as text; strings are unquoted. Doc comes from
// encoding/json; with UseNumber, numbers keep their spelling. Keys that contain a dot cannot be reached.
func lookUpJSON(doc any, path string) (value string, ok bool) {
	for step := range strings.SplitSeq(path, ".") {
		switch parent := doc.(type) {
		case map[string]any:
			if doc, ok = parent[step]; !ok {
				return "", false
			}
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(parent) {
				return "", false
			}
			doc = parent[i]
		default:
			return "", false
		}
	}
	switch doc.(type) {
	case map[string]any, []any:
		return "", false
	case nil:
		return "null", true
	}
	return fmt.Sprint(doc), true // string, json.Number, bool
}
