// Package delay is what an origin and a link share: they act at given times, for thousands of connections at once, and
// say how late they were.
package delay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Range of the histogram of a Lateness, which has two digits.
const (
	leastLateness = time.Microsecond
	mostLateness  = time.Minute
)

// ReportEvery is the interval at which a server writes its lateness to the log.
const ReportEvery = 250 * time.Millisecond

// A report is a line of latenessPrefix and JSON. Other programs may write lines with the same prefix, so reports are
// recognised by reportBegin.
const (
	latenessPrefix = "lateness "
	reportBegin    = latenessPrefix + `{"count":`
)

// Lateness counts how late a server acted. Goroutines may share it.
type Lateness struct {
	mu        sync.Mutex
	histogram *hdrhistogram.Histogram
}

// NewLateness returns an empty Lateness.
func NewLateness() *Lateness {
	return &Lateness{histogram: hdrhistogram.New(int64(leastLateness), int64(mostLateness), 2)}
}

// Add counts one act that came late after the time that it was due.
func (l *Lateness) Add(late time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.histogram.RecordValue(int64(min(max(late, leastLateness), mostLateness))) // it lies within the range
}

// LatenessReport summarises a Lateness.
type LatenessReport struct {
	Count int64         `json:"count"`
	P50   time.Duration `json:"p50_ns"`
	P99   time.Duration `json:"p99_ns"`
	Max   time.Duration `json:"max_ns"`
}

// Report summarises the acts so far.
func (l *Lateness) Report() LatenessReport {
	l.mu.Lock()
	defer l.mu.Unlock()
	return LatenessReport{Count: l.histogram.TotalCount(), P50: time.Duration(l.histogram.ValueAtPercentile(50)),
		P99: time.Duration(l.histogram.ValueAtPercentile(99)), Max: time.Duration(l.histogram.Max())}
}

// watch writes a report every quarter of a second in which the count has grown, until the context is done.
func (l *Lateness) watch(ctx context.Context, w io.Writer) error {
	ticker := time.NewTicker(ReportEvery)
	defer ticker.Stop()
	for written := int64(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		report := l.Report()
		if report.Count == written {
			continue
		}
		line, err := json.Marshal(report)
		if err == nil {
			_, err = fmt.Fprintf(w, "%s%s\n", latenessPrefix, line)
		}
		if err != nil {
			return fmt.Errorf("writing how late answers are: %w", err)
		}
		written = report.Count
	}
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
		// The log may end within a report.
		begun := len(line) > len(latenessPrefix) && bytes.HasPrefix([]byte(reportBegin), line)
		if !begun && !bytes.HasPrefix(line, []byte(reportBegin)) {
			out = append(out, line...)
		}
	}
	return out
}

// ReadLateness returns the last report in a log; ok is false if it has none.
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
