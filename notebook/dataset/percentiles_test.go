package dataset

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

// The points of a distribution equal the percentiles that metrics give, pooled and for single repetitions.
func TestPercentilesAreThoseOfMetrics(t *testing.T) {
	b := recordtest.New(t, servers)
	factor := 1.0
	b.Measure("servers", "a", "1", []float64{1000, 1010, 990}, func(r *record.Record) {
		recordtest.Ladder(t, 2000, factor, 3)(r)
		factor *= 1.1
	})
	cell := cellOf(t, datasetOf(b), "a")
	d, missing := cell.Percentiles("latency")
	if missing != "" {
		t.Fatal(missing)
	}
	found := map[string]PercentilePoint{}
	for i, p := range d.Points {
		if i > 0 && (d.Points[i-1].Percent >= p.Percent || d.Points[i-1].Pooled > p.Pooled) {
			t.Errorf("p%v of %v s comes after p%v of %v s", p.Percent, p.Pooled, d.Points[i-1].Percent, d.Points[i-1].Pooled)
		}
		found[fmt.Sprintf("latency.p%.9g", p.Percent)] = p
	}
	for _, name := range []string{"latency.p50", "latency.p90", "latency.p99"} {
		p, ok := found[name]
		r := cell.Metric(name)
		if !ok || !r.Estimate.Interval.Contains(p.Pooled) || !reflect.DeepEqual(p.Estimate, r.Estimate) {
			t.Errorf("%s: %+v, and the metric is %+v", name, p, r)
		}
	}
}

func TestPercentilesEnd(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change recordtest.Change
		last   float64 // the last percentile
		each   float64 // the last one with an interval over single repetitions
		end    string
	}{
		{"where fewer than ten attempts lie beyond", recordtest.Ladder(t, 1000, 1, 0), 100 * (1 - 10.0/3000), 99, "needs more than 3000 answers"},
		{"where only failures are slower", recordtest.Ladder(t, 1000, 1, 250), 80, 80, "among failures"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, missing := measure(t, []float64{1000, 1010, 990}, tt.change).Percentiles("latency")
			if missing != "" || len(d.Points) == 0 || d.End != tt.end || d.N != 3 {
				t.Fatalf("%q, %d points of %d repetitions, end %q, want %q", missing, len(d.Points), d.N, d.End, tt.end)
			}
			const slack = 1e-9
			for _, p := range d.Points {
				if p.Percent > tt.last+slack || (p.Estimate.N > 0) != (p.Percent <= tt.each+slack) {
					t.Errorf("p%v has the estimate %+v; the last is to be %v, and the last of each repetition %v", p.Percent,
						p.Estimate, tt.last, tt.each)
				}
			}
			if last := d.Points[len(d.Points)-1].Percent; last < tt.last-3 {
				t.Errorf("the last is p%v, and could be p%v", last, tt.last)
			}
		})
	}
}

// A missing timeline or distribution gives its reason in words.
func TestNoCourseAndNoDistribution(t *testing.T) {
	const ab = "ab"
	for _, tt := range []struct {
		name             string
		measure          func(b *recordtest.Fixture)
		percentiles, all string // why there are none; all is for seconds
	}{
		{"not measured", func(*recordtest.Fixture) {}, "not measured", "not measured"},
		{"failed", func(b *recordtest.Fixture) {
			b.Measure("servers", "a", "1", []float64{1, 1, 1}, func(r *record.Record) {
				r.Failure, r.Load, r.Histograms = "exited with status 1", nil, nil
			})
		}, "failed: exited with status 1", "failed: exited with status 1"},
		{"another tool", func(b *recordtest.Fixture) {
			b.Measure("servers", "a", "1", []float64{900, 910, 905}, func(r *record.Record) {
				r.Load.Tool, r.Histograms, r.Load.Completions = ab, nil, nil
				r.Samples = append(r.Samples, record.Sample{Metric: "latency.p50", Value: .01, Unit: "s"},
					record.Sample{Metric: "throughput", Value: 900, Unit: "1/s"})
			})
		}, "no histogram: ab tells single percentiles only", "not recorded by second: ab does not report it"},
		{"a window of less than a second", func(b *recordtest.Fixture) {
			b.Measure("servers", "a", "1", []float64{900, 910, 905}, func(r *record.Record) {
				r.Load.Window, r.Load.Completions = .5, []int64{450}
			})
		}, "", "the window is shorter than a second"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := recordtest.New(t, servers)
			tt.measure(b)
			cell := cellOf(t, datasetOf(b), "a")
			_, missing := cell.Percentiles("latency")
			assert.Equal(t, missing, tt.percentiles, "of percentiles")
			_, missing = cell.Seconds("throughput")
			assert.Equal(t, missing, tt.all, "of seconds")
		})
	}
}

func TestSeconds(t *testing.T) {
	b := recordtest.New(t, servers)
	b.Measure("servers", "a", "1", []float64{100, 100, 100, 100}, func(r *record.Record) {
		r.Load.Window = 10.4
		r.Load.Completions, r.Load.Answers, r.Load.Latencies = nil, nil, nil
		for i := range int64(11) { // the last covers the remaining 0.4 s
			r.Load.Completions = append(r.Load.Completions, 100+i)
			r.Load.Answers = append(r.Load.Answers, i)
			r.Load.Latencies = append(r.Load.Latencies, float64(i)/2)
		}
		if r.Repetition == 2 {
			r.Failure = "exited with status 1"
		}
	})
	cell := cellOf(t, datasetOf(b), "a")
	s, missing := cell.Seconds("throughput")
	if missing != "" || !reflect.DeepEqual(s.Repetitions, []int{1, 3, 4}) || len(s.Values[0]) != 10 ||
		s.Values[2][9] != 109 || s.Metric.Unit != "1/s" {
		t.Errorf("%q, %+v", missing, s)
	}
	s, missing = cell.Seconds("latency.mean")
	if missing != "" || s.Metric.Name != "latency.mean" || !math.IsNaN(s.Values[0][0]) || s.Values[0][9] != .5 {
		t.Errorf("%q, %+v", missing, s)
	}
	for _, metric := range []string{"memory.server", "latency.p99"} {
		_, missing = cell.Seconds(metric)
		assert.Contains(t, missing, metric+" is not recorded by second")
	}
}

// If a single repetition has most of the slow answers, the pooled percentile differs.
func TestRepetitionsThatDisagreeInTheTail(t *testing.T) {
	for _, tt := range []struct {
		name    string
		factors []float64
		pooled  float64
		marked  bool
	}{
		{"all alike", []float64{1, 1.01, 0.99, 1, 1}, 0.99, false},
		{"one with all slow ones", []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 20}, 18, true},
		{"two have no interval", []float64{1, 20}, 19.6, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cell := measure(t, slices.Repeat([]float64{1000}, len(tt.factors)), func(r *record.Record) {
				recordtest.Ladder(t, 1000, tt.factors[r.Repetition-1], 0)(r)
			})
			r := cell.Metric("latency.p99")
			if r.Missing != "" || slices.Contains(r.Marks, markTail) != tt.marked {
				t.Fatalf("%q, marks %q", r.Missing, r.Marks)
			}
			d, _ := cell.Percentiles("latency")
			i := slices.IndexFunc(d.Points, func(p PercentilePoint) bool { return math.Abs(p.Percent-99) < 1e-9 })
			if pooled := d.Points[i].Pooled; math.Abs(pooled-tt.pooled) > tt.pooled/100 {
				t.Errorf("pooled %v, want %v", pooled, tt.pooled)
			}
		})
	}
}

// A longer timeout makes a larger histogram, but both merge into one distribution.
func TestMergingHistogramsOfSeveralSizes(t *testing.T) {
	c := measure(t, []float64{1000, 1000, 1000})
	larger := hdrhistogram.New(1, 120e9, 3)
	must.Do(larger.RecordValues(100e9, 7))
	encoded := must.Get(larger.Encode(hdrhistogram.V2CompressedEncodingCookieBase))
	c.Records[1].Histograms["latency"] = record.Histogram{HDR: string(encoded), Count: 7, Min: 100, Max: 100, Sum: 700}
	c.Records[1].Load.Attempted = 7
	d, err := distributionOf("latency", c.decode, c.Records...)
	x, missing := d.bars.At(d.histogram, d.histogram.Count)
	assert.Equal(t, x, 100, "the largest, missing %q", missing)
	if want := 2*c.Records[0].Histograms["latency"].Count + 7; err != nil || d.histogram.Count != want || d.attempts != want {
		t.Errorf("%d of %d, want %d, %v", d.histogram.Count, d.attempts, want, err)
	}
	broken := *c.Records[2]
	broken.Histograms = map[string]record.Histogram{"latency": {HDR: "?", Count: 5}}
	_, err = distributionOf("latency", c.decode, c.Records[0], &broken)
	assert.Error(t, err, "") // an unreadable one is not skipped
}
