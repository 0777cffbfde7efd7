package load

import (
	"bytes"
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

// line is what a driver says of one request, in seconds of its own clock since its load began; or, in the first line,
// when that was.
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

// clockOff is how far times of a driver may be off, in nanoseconds: they may be printed in millionths of a second.
const clockOff = 2000

// cutError stands for a request that was under way when the load ended, which is cut then.
const cutError = "cut"

// kinds are those of failures that a driver may tell.
var kinds = slice.Map(loadgen.Kinds[:], func(k loadgen.Kind) string { return string(k) })

// A reading is what a driver told of a load.
type reading struct {
	load *spec.Load
	open bool          // the load is an open loop
	most time.Duration // how long the driver ran at most

	began    *float64 // Unix time, if it told that
	requests []loadgen.Sample
	numbers  []int // of the lines that these are from, from 1
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
		told, err := r.request(&l)
		if err != nil {
			return r.wrong(number, "%v: %s", err, loadtool.LastLine(text))
		}
		r.requests, r.numbers = append(r.requests, told), append(r.numbers, number)
	}
	if len(r.requests) == 0 {
		return errors.New("the driver told of no request")
	}
	return r.together()
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

// request reads what a line says of a request.
func (r *reading) request(l *line) (told loadgen.Sample, err error) {
	if told.Kind, err = r.outcome(l); err != nil {
		return told, err
	}
	if l.Status != 0 && (told.Kind == "" || told.Kind == loadgen.Wrong) {
		told.Status = l.Status
	}
	told.Cut = l.Error == cutError
	isSent := l.At != nil
	if r.open && !isSent && told.Kind == loadgen.Timeout {
		l.At = l.Due // it waited in vain for a connection
	}
	if err := r.checkTimes(l); err != nil {
		return told, err
	}
	told.Sent = nanoseconds(*l.At)
	told.Start, told.End = told.Sent, told.Sent+nanoseconds(*l.Latency)
	if time.Duration(told.End) > r.most {
		return told, fmt.Errorf("ends later than the driver, which ran for %.1f s", r.most.Seconds())
	}
	if r.open {
		if told.Start = nanoseconds(*l.Due); told.Sent < told.Start-clockOff {
			return told, errors.New("is of a request that was sent before it was due")
		}
		told.Start = min(told.Start, told.Sent)
	}
	if !isSent {
		told.Sent = loadgen.NeverSent
	}
	return told, nil
}

// checkTimes reports times that are missing, or cannot be.
func (r *reading) checkTimes(l *line) error {
	for _, n := range []struct {
		name   string
		x      *float64
		wanted bool
	}{{"due", l.Due, r.open}, {"at", l.At, true}, {"latency", l.Latency, true}} {
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

// outcome is the kind of failure that a line tells, empty for a right answer.
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

// together checks what all requests are in common.
func (r *reading) together() error {
	most := r.load.Connections
	if i := overlapping(r.requests, most, clockOff); i >= 0 {
		return r.wrong(r.numbers[i], "is of a request that was under way together with %d others, and the load has %d "+
			"connections (times are compared to %d µs)", most, most, clockOff/1000)
	}
	return nil
}

// counted returns the measurement of a load from its requests. It began, with its warm-up, at a moment of the clock of
// the load's machine. The error says in which way it was another load.
func counted(l *spec.Load, at Place, began time.Time, requests []loadgen.Sample) (Measurement, error) {
	r, opened, err := loadgen.Count(requestsConfig(l, at), requests)
	if err != nil {
		return Measurement{}, err
	}
	r.Start = began.Add(opened).UTC()
	m := requestsMeasured(r, l)
	delete(m.Histograms, "latency.connect") // nothing is known of connections and bytes
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
