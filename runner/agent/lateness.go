package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// ReportEvery is the interval at which origins and links report how late they were.
const ReportEvery = 250 * time.Millisecond

// latenessPrefix begins the line of the log with a report. The line has a LatenessReport in JSON after its first word.
const latenessPrefix = `lateness {"count":`

// LatenessReport says how much later than planned an origin answered, or a link sent bytes on.
type LatenessReport struct {
	Count int64         `json:"count"`
	P50   time.Duration `json:"p50_ns"`
	P99   time.Duration `json:"p99_ns"`
	Max   time.Duration `json:"max_ns"`
}

// String returns the report for people, such as "p50 30µs, p99 90µs, max 1.2ms of 5000".
func (r LatenessReport) String() string {
	round := func(d time.Duration) time.Duration { return d.Round(time.Microsecond) }
	return fmt.Sprintf("p50 %v, p99 %v, max %v of %d", round(r.P50), round(r.P99), round(r.Max), r.Count)
}

// WithoutLateness returns a log without reports. It overwrites the log.
func WithoutLateness(log []byte) []byte {
	out := log[:0]
	for line := range bytes.Lines(log) {
		if !bytes.HasPrefix(line, []byte(latenessPrefix)) {
			out = append(out, line...)
		}
	}
	return out
}

// ReadLateness returns the last report in a log; ok is false if it has none.
func ReadLateness(log []byte) (r LatenessReport, ok bool) {
	for line := range bytes.Lines(log) {
		var next LatenessReport
		if bytes.HasPrefix(line, []byte(latenessPrefix)) && json.Unmarshal(line[len("lateness "):], &next) == nil {
			r, ok = next, true
		}
	}
	return r, ok
}

// Range of a lateness in nanoseconds, which is kept with two digits.
const (
	leastLateness = int64(time.Microsecond)
	mostLateness  = int64(time.Minute)
)

type lateness struct{ histogram *hdrhistogram.Histogram }

func newLateness() *lateness {
	return &lateness{histogram: hdrhistogram.New(leastLateness, mostLateness, 2)}
}

// add counts an answer, or bytes sent on, that came late by some nanoseconds.
func (l *lateness) add(late int64) {
	_ = l.histogram.RecordValue(min(max(late, leastLateness), mostLateness)) // it lies within the range
}

func (l *lateness) report() LatenessReport {
	h := l.histogram
	return LatenessReport{Count: h.TotalCount(), P50: time.Duration(h.ValueAtPercentile(50)),
		P99: time.Duration(h.ValueAtPercentile(99)), Max: time.Duration(h.Max())}
}
