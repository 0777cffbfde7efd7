package load

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/loadtool"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/loadgen"
)

// line is a line of a driver's output: a request, in seconds of the driver's clock since its load began, or in the
// first line when that was.
//
// Source: docs/drivers.md#a-line-for-each-request.
type line struct {
	Began   *float64 `json:"began"` // Unix time
	At      *float64 `json:"at"`
	Due     *float64 `json:"due"`
	Latency *float64 `json:"latency"`
	OK      *bool    `json:"ok"`
	Status  int      `json:"status"`
	Error   string   `json:"error"`
}

// clockOff is how far times of a driver may be off, in nanoseconds: they may be rounded to microseconds.
const clockOff = 2000

// cutError marks a request that was cut when the load ended.
const cutError = "cut"

// kinds are the kinds of failures that a driver may print.
var kinds = slice.Map(loadgen.Kinds[:], func(k loadgen.Kind) string { return string(k) })

// A reading collects the requests that a driver printed.
type reading struct {
	load *spec.Load
	most time.Duration // how long the driver ran at most

	began    *float64 // Unix time, if printed
	requests []loadgen.Sample
	numbers  []int // line number of each request, from 1
}

// read reads what a driver printed. The error names the line that is wrong.
func (r *reading) read(printed []byte) error {
	number := 0
	for text := range bytes.Lines(printed) {
		number++
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		var l line
		if err := loadtool.ReadObject(text, &l); err != nil {
			return r.wrong(number, "%v", err)
		}
		if l.Began != nil {
			if err := r.begins(&l); err != nil {
				return r.wrong(number, "%v", err)
			}
			continue
		}
		s, err := r.request(&l)
		if err != nil {
			return r.wrong(number, "%v: %s", err, loadtool.LastLine(text))
		}
		r.requests, r.numbers = append(r.requests, s), append(r.numbers, number)
	}
	if len(r.requests) == 0 {
		return errors.New("the driver printed no request")
	}
	most := r.load.Connections
	if i := overlapping(r.requests, most, clockOff); i >= 0 {
		return r.wrong(r.numbers[i], "is of a request that was under way together with %d others, and the load has %d "+
			"connections (times are compared to %d µs)", most, most, clockOff/1000)
	}
	return nil
}

func (r *reading) wrong(number int, format string, args ...any) error {
	return fmt.Errorf("line %d of the driver's output "+format, append([]any{number}, args...)...)
}

// begins reads the line that says when the load began.
func (r *reading) begins(l *line) error {
	switch {
	case r.began != nil || len(r.requests) > 0:
		return errors.New("says when the load began, which only the first line may")
	case l.At != nil || l.Due != nil || l.Latency != nil || l.OK != nil || l.Status != 0 || l.Error != "":
		return errors.New("says when the load began, and something of a request: that takes two lines")
	}
	r.began = l.Began
	return nil
}

// request converts a line about a request.
func (r *reading) request(l *line) (s loadgen.Sample, err error) {
	if s.Kind, err = r.outcome(l); err != nil {
		return s, err
	}
	if l.Status != 0 && (s.Kind == "" || s.Kind == loadgen.Wrong) {
		s.Status = l.Status
	}
	s.Cut = l.Error == cutError
	isSent, isOpen := l.At != nil, r.load.Rate > 0
	if isOpen && !isSent && s.Kind == loadgen.Timeout {
		l.At = l.Due // it waited in vain for a connection
	}
	if err := r.checkTimes(l); err != nil {
		return s, err
	}
	s.Sent = nanoseconds(*l.At)
	s.Start, s.End = s.Sent, s.Sent+nanoseconds(*l.Latency)
	if time.Duration(s.End) > r.most {
		return s, fmt.Errorf("ends later than the driver, which ran for %.1f s", r.most.Seconds())
	}
	if isOpen {
		if s.Start = nanoseconds(*l.Due); s.Sent < s.Start-clockOff {
			return s, errors.New("is of a request that was sent before it was due")
		}
		s.Start = min(s.Start, s.Sent)
	}
	if !isSent {
		s.Sent = loadgen.NeverSent
	}
	return s, nil
}

// checkTimes returns an error for a time that is missing, not asked for or impossible.
func (r *reading) checkTimes(l *line) error {
	for _, n := range []struct {
		name   string
		x      *float64
		wanted bool
	}{{"due", l.Due, r.load.Rate > 0}, {"at", l.At, true}, {"latency", l.Latency, true}} {
		switch {
		case n.wanted && n.x == nil:
			return fmt.Errorf("has no %s", n.name)
		case !n.wanted && n.x != nil:
			return fmt.Errorf("has %s, and the load has no rate", n.name)
		case n.x != nil && *n.x < 0:
			return fmt.Errorf("has a negative %s", n.name)
		case n.x != nil && *n.x > r.most.Seconds():
			return fmt.Errorf("has a time that is longer than the %.1f s that the driver ran", r.most.Seconds())
		}
	}
	return nil
}

// outcome returns the kind of failure that a line reports; empty for a right answer or a cut request.
func (r *reading) outcome(l *line) (loadgen.Kind, error) {
	switch {
	case l.OK == nil:
		return "", errors.New("has no ok")
	case l.Status != 0 && (l.Status < 100 || l.Status > 999):
		return "", fmt.Errorf("has an invalid status %d", l.Status)
	case *l.OK && l.Error != "":
		return "", errors.New("is ok and has an error")
	case l.Error == cutError && r.load.Cut:
		return "", nil
	case l.Error != "" && !slices.Contains(kinds, l.Error):
		return "", fmt.Errorf("has an unknown error %.100q (known are %s)", l.Error, strings.Join(kinds, ", "))
	case l.Error != "":
		return loadgen.Kind(l.Error), nil
	case !*l.OK && l.Status != 0:
		return loadgen.Wrong, nil
	case !*l.OK:
		return "", fmt.Errorf("is not ok and has no error (known are %s)", strings.Join(kinds, ", "))
	}
	return "", nil
}

func nanoseconds(seconds float64) int64 { return int64(math.Round(seconds * 1e9)) }

// overlapping returns the index of the first sample that was under way together with at least most others; -1 if there
// is none. Times may be off by off nanoseconds.
func overlapping(samples []loadgen.Sample, most int, off int64) (at int) {
	order, ends := make([]int, 0, len(samples)), make([]int64, 0, len(samples))
	for i := range samples {
		if s := &samples[i]; s.Sent != loadgen.NeverSent {
			order, ends = append(order, i), append(ends, s.End)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(samples[a].Sent, samples[b].Sent) })
	slices.Sort(ends)
	ended := 0
	for n, i := range order {
		for ended < len(ends) && ends[ended] <= samples[i].Sent+off {
			ended++
		}
		if n+1-ended > most {
			return i
		}
	}
	return -1
}

// counted returns the measurement of a load from its requests. began is when it began, with its warm-up, by the clock
// of the load's machine. The error says how the load differs from l.
func counted(l *spec.Load, at Place, began time.Time, requests []loadgen.Sample) (Measurement, error) {
	r, opened, err := loadgen.Count(requestsConfig(l, at), requests)
	if err != nil {
		return Measurement{}, err
	}
	r.Start = began.Add(opened).UTC()
	m := requestsMeasured(r, l)
	delete(m.Histograms, "latency.connect") // connections and bytes are unknown
	delete(m.Histograms, "latency.first_byte")
	m.Samples = slices.DeleteFunc(m.Samples, func(s record.Sample) bool { return s.Metric != "offered" })
	answered := int64(0)
	for _, n := range r.Status {
		answered += n
	}
	if answered < r.Answered {
		m.Load.Statuses = nil
	}
	return m, nil
}
