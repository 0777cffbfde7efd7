package dataset

import (
	"math"
	"slices"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// One repetition has the interval within it, with the ranks of
// docs/method.md#interval-within-one-repetition.
func TestWithinOneRun(t *testing.T) {
	for _, tt := range []struct {
		name     string
		metric   string
		n        int
		failures int64
		lo, hi   float64
	}{
		{"p99 of 1000", "latency.p99", 1000, 0, 0.983, 0.997},
		{"p50 of 30", "latency.p50", 30, 0, 0.010, 0.021},
		{"an end among failures", "latency.p50", 30, 20, 0.018, math.Inf(1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := measure(t, []float64{1000}, recordtest.Ladder(t, tt.n, 1, tt.failures)).Metric(tt.metric)
			i := r.Estimate.Interval
			near := func(a, b float64) bool { return a == b || math.Abs(a-b) <= b/1000 }
			if r.Missing != "" || r.Estimate.Kind != stats.WithinRun || !near(i.Lo, tt.lo) || !near(i.Hi, tt.hi) ||
				r.Pooled != nil {
				t.Errorf("%q %+v, want %v to %v", r.Missing, r.Estimate, tt.lo, tt.hi)
			}
		})
	}
	for _, metric := range []string{"throughput", "latency.mean", "latency.max"} {
		if r := measure(t, []float64{1000}).Metric(metric); r.Estimate.Kind != stats.NoInterval {
			t.Errorf("%s: %+v", metric, r.Estimate)
		}
	}
}

// The answers of all repetitions together give another percentile where a single repetition has most of the slow ones.
func TestRepetitionsThatDisagreeInTheTail(t *testing.T) {
	for _, tt := range []struct {
		name    string
		factors []float64
		pooled  float64
		marked  bool
	}{
		{"all alike", []float64{1, 1.01, 0.99, 1, 1}, 0.99, false},
		{"one with all slow ones", []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 20}, 18, true},
		{"two have no interval", []float64{1, 20}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := measure(t, slices.Repeat([]float64{1000}, len(tt.factors)), func(r *record.Record) {
				recordtest.Ladder(t, 1000, tt.factors[r.Repetition-1], 0)(r)
			}).Metric("latency.p99")
			if r.Missing != "" || (r.Pooled != nil) != (tt.pooled > 0) || slices.Contains(r.Marks, markTail) != tt.marked {
				t.Fatalf("%q, pooled %v, marks %q", r.Missing, r.Pooled, r.Marks)
			}
			if r.Pooled != nil && math.Abs(*r.Pooled-tt.pooled) > tt.pooled/100 {
				t.Errorf("pooled %v, want %v", *r.Pooled, tt.pooled)
			}
		})
	}
}

// A longer timeout makes a larger histogram; both are one distribution all the same.
func TestMergingHistogramsOfSeveralSizes(t *testing.T) {
	c := measure(t, []float64{1000, 1000, 1000})
	larger := hdrhistogram.New(1, 120e9, 3)
	must.Do(larger.RecordValues(100e9, 7))
	encoded := must.Get(larger.Encode(hdrhistogram.V2CompressedEncodingCookieBase))
	c.Records[1].Histograms["latency"] = record.Histogram{HDR: string(encoded), Count: 7, Min: 100, Max: 100, Sum: 700}
	c.Records[1].Load.Attempted = 7
	d, ok := c.distributionOf(c.Records, "latency")
	if x, missing := d.bars.At(d.histogram, d.histogram.Count); x != 100 {
		t.Errorf("the largest is %v %s", x, missing)
	}
	if want := 2*c.Records[0].Histograms["latency"].Count + 7; !ok || d.histogram.Count != want || d.attempts != want {
		t.Errorf("%d of %d, want %d, %v", d.histogram.Count, d.attempts, want, ok)
	}
	broken := *c.Records[2]
	broken.Histograms = map[string]record.Histogram{"latency": {HDR: "?", Count: 5}}
	if _, ok := c.distributionOf([]*record.Record{c.Records[0], &broken}, "latency"); ok {
		t.Error("one that cannot be read was left out")
	}
}
