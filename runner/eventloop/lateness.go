package eventloop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Bounds of what a Lateness tells apart: from a microsecond to a minute, to two digits.
const (
	leastLateness = int64(time.Microsecond)
	mostLateness  = int64(time.Minute)
)

// ReportEvery is how often a Lateness is written down while it grows.
const ReportEvery = 250 * time.Millisecond

// latenessPrefix begins the lines that Watch writes, and reportBegin is all that never changes in them: other programs
// may write how late something is, too.
const (
	latenessPrefix = "lateness "
	reportBegin    = latenessPrefix + `{"count":`
)

// Lateness is by how much acts came after the times that they were due.
type Lateness struct {
	histogram *hdrhistogram.Histogram
	reported  int64 // acts in the last line
}

// NewLateness makes one without any acts.
func NewLateness() *Lateness {
	return &Lateness{histogram: hdrhistogram.New(leastLateness, mostLateness, 2)}
}

// Add notes an act that came so many nanoseconds after its time.
func (l *Lateness) Add(ns int64) {
	_ = l.histogram.RecordValue(min(max(ns, leastLateness), mostLateness)) // it lies within the bounds
}

// LatenessReport says in numbers how late acts were.
type LatenessReport struct {
	Count int64         `json:"count"`
	P50   time.Duration `json:"p50_ns"`
	P99   time.Duration `json:"p99_ns"`
	Max   time.Duration `json:"max_ns"`
}

// Report sums up.
func (l *Lateness) Report() LatenessReport {
	return LatenessReport{Count: l.histogram.TotalCount(), P50: time.Duration(l.histogram.ValueAtPercentile(50)),
		P99: time.Duration(l.histogram.ValueAtPercentile(99)), Max: time.Duration(l.histogram.Max())}
}

// String is the report in words for people: "p50 30µs, p99 90µs, max 1.2ms of 5000".
func (r LatenessReport) String() string {
	round := func(d time.Duration) time.Duration { return d.Round(time.Microsecond) }
	return fmt.Sprintf("p50 %v, p99 %v, max %v of %d", round(r.P50), round(r.P99), round(r.Max), r.Count)
}

// WithoutLateness takes the reports out of what a program wrote, which is overwritten.
func WithoutLateness(log []byte) []byte {
	out := log[:0]
	for line := range bytes.Lines(log) {
		// the last one may be half of one
		begun := len(line) > len(latenessPrefix) && bytes.HasPrefix([]byte(reportBegin), line)
		if !begun && !bytes.HasPrefix(line, []byte(reportBegin)) {
			out = append(out, line...)
		}
	}
	return out
}

// ReadLateness finds the last report in what a program wrote; ok is false where there is none.
func ReadLateness(log []byte) (r LatenessReport, ok bool) {
	for line := range strings.Lines(string(log)) {
		if data, found := strings.CutPrefix(line, latenessPrefix); found && strings.HasSuffix(line, "\n") {
			var next LatenessReport
			if err := json.Unmarshal([]byte(data), &next); err == nil {
				r, ok = next, true
			}
		}
	}
	return r, ok
}
