package validity

import (
	"math"
	"slices"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

// If too few other repetitions are valid, disturbed ones count within bounds, for metrics that add up over the window.
func TestDisturbedRepetitionsWithinBounds(t *testing.T) {
	const words = "2 of 3 repetitions of a are disturbed (others used 16 % of the CPU): " +
		"the interval allows for up to 1.47 times the speed"
	busy := recordtest.Disturbed(0.16, 0)
	with := func(others ...recordtest.Change) recordtest.Change {
		return func(r *record.Record) {
			busy(r)
			for _, change := range others {
				change(r)
			}
		}
	}
	nothing := []float64(nil)
	for _, tt := range []struct {
		name   string
		metric string
		n      int
		change recordtest.Change
		which  []int
		want   []float64 // the factors
		words  string
	}{
		{"two of three", "throughput", 3, busy, []int{1, 3}, []float64{1.4705882, 1, 1.4705882}, words},
		{"all", "throughput", 3, busy, []int{1, 2, 3}, []float64{1.4705882, 1.4705882, 1.4705882}, "3 of 3 repetitions of " +
			"a are disturbed (others used 16 % of the CPU): the interval allows for up to 1.47 times the speed"},
		{"steal, beside others within their limit", "throughput", 3, recordtest.Disturbed(0.1, 0.15), []int{2, 3},
			[]float64{1, 2, 2}, "2 of 3 repetitions of a are disturbed (15 % of the CPU time was stolen): the interval allows " +
				"for up to 2.00 times the speed"},
		{"the cell is valid without them", "throughput", 5, busy, []int{2, 4}, nothing, ""},
		{"latencies", "latency.p50", 3, busy, []int{1, 3}, nothing, ""},
		{"use of CPUs", "cpu.server", 3, busy, []int{1, 3}, nothing, ""},
		{"the cell as a whole", "", 3, busy, []int{1, 3}, nothing, ""},
		{"fewer than an interval needs", "throughput", 2, busy, []int{1, 2}, nothing, ""},
		{"no bound, as others had a CPU all the time", "throughput", 3, recordtest.Disturbed(0.4, 0.1), []int{1, 3},
			nothing, ""},
		{"steal is not known", "throughput", 3, recordtest.Disturbed(0.16, -1), []int{1, 3}, nothing, ""},
		{"nothing is known of the machine", "throughput", 3, with(func(r *record.Record) { r.Machine = nil }), []int{1, 3},
			nothing, ""},
		{"the number of CPUs is not known", "throughput", 3, with(func(r *record.Record) { r.Facts = nil }), []int{1, 3},
			nothing, ""},
		{"several machines", "throughput", 3, with(func(r *record.Record) { r.Host += "+other" }), []int{1, 3}, nothing, ""},
		{"another check found them invalid too", "throughput", 3, with(recordtest.Failing(1000)), []int{1, 3}, nothing, ""},
		{"they failed", "throughput", 3, recordtest.Failed("it ended"), []int{1, 3}, nothing, ""},
		{"they stalled", "throughput", 3, with(func(r *record.Record) {
			h := r.Histograms["latency"]
			h.Max = 1.03
			r.Histograms["latency"] = h
			r.Samples = append(r.Samples, record.Sample{Metric: overflowsOf + "server", Value: 1, Unit: "1"})
		}), []int{1, 3}, nothing, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := recordtest.New(t, recordtest.Article(recordtest.Servers))
			b.Measure("servers", "a", "1", []float64{1000, 1010, 990, 1005, 995}[:tt.n],
				recordtest.Only("a", tt.change, tt.which...))
			a := NewReport(b.Records).For(tt.metric)
			isNear := func(x, y float64) bool { return math.Abs(x-y) < 1e-7 }
			if !slices.EqualFunc(a.Slowed, tt.want, isNear) || a.Disturbed("a") != tt.words {
				t.Errorf("slowed by %v: %q\nwant %v: %q", a.Slowed, a.Disturbed("a"), tt.want, tt.words)
			}
			if tt.want == nil {
				return
			}
			if a.Level != Warn || slices.Contains(a.Valid, false) || a.LeftOut("") != "" {
				t.Errorf("it is %v, valid are %v, left out: %q", a.Level, a.Valid, a.LeftOut(""))
			}
			assert.Equal(t, NewReport(b.Records).Level(), Invalid, "the cell")
		})
	}
}

// Repetitions left out for another reason name that reason.
func TestDisturbedAndLeftOut(t *testing.T) {
	b := recordtest.New(t, recordtest.Article(recordtest.Servers))
	b.Measure("servers", "a", "1", []float64{1000, 1010, 990, 1005, 995},
		recordtest.Only("a", recordtest.Disturbed(0.16, 0), 1, 2), recordtest.Only("a", recordtest.Failing(1000), 5))
	a := NewReport(b.Records).For("throughput")
	assert.Slice(t, a.Valid, []bool{true, true, true, true, false}, "valid")
	const left = "1 of 5 repetitions is not valid: errors 9.1 %"
	const disturbed = "2 of 5 repetitions are disturbed (others used 16 % of the CPU): the interval allows for up to " +
		"1.47 times the speed"
	assert.Equal(t, [2]string{a.LeftOut(""), a.Disturbed("")}, [2]string{left, disturbed})
}

// With a running target, what others used is unknown: a generator that waited for a core was disturbed.
func TestDisturbedBesideRunningTarget(t *testing.T) {
	b := recordtest.New(t, recordtest.Article(recordtest.Servers))
	b.Measure("servers", "a", "1", []float64{1000, 1010, 990}, func(r *record.Record) {
		r.Load.Health = &record.Health{Standstill: -1, Waiting: 0.6}
	})
	for _, outside := range []bool{false, true} {
		for _, r := range b.Records {
			r.Facts = map[string]string{}
			if outside {
				r.Facts[record.FactTarget] = "127.0.0.1"
			}
		}
		assert.Equal(t, NeedsRepeating(b.Records), outside, "is measured again, for a target that runs already: %v", outside)
	}
}

// The main reason is the most frequent one; among equals, the one that may have caused the others.
func TestReasonOfRepetition(t *testing.T) {
	busy, failing := recordtest.Disturbed(0.4, 0), recordtest.Failing(1000)
	waiting := func(r *record.Record) { r.Load.Health = &record.Health{Waiting: 0.47} }
	for _, tt := range []struct {
		name    string
		changes []recordtest.Change
		want    string
	}{
		{"valid", nil, ""},
		{"all by one check", []recordtest.Change{recordtest.Only("a", waiting)},
			"the load generator waited for a core for 47 % of the window"},
		{"all by two checks", []recordtest.Change{recordtest.Only("a", waiting), recordtest.Only("a", busy)},
			"others used 40 % of the CPU; and another reason"},
		{"most by what follows", []recordtest.Change{recordtest.Only("a", waiting, 1, 2), recordtest.Only("a", busy, 3)},
			"2 of 3 repetitions: the load generator waited for a core for 47 % of the window; and another reason"},
		{"three", []recordtest.Change{recordtest.Only("a", waiting), recordtest.Only("a", busy), recordtest.Only("a", failing)},
			"others used 40 % of the CPU; and 2 more reasons"},
		{"one failed", []recordtest.Change{recordtest.Only("a", recordtest.Failed("it ended"), 2), recordtest.Only("a", waiting, 3)},
			"1 of 3 repetitions: failed; and another reason"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := recordtest.New(t, recordtest.Article(recordtest.Servers))
			b.Measure("servers", "a", "1", []float64{1000, 1010, 990}, tt.changes...)
			assert.Equal(t, NewReport(b.Records).For("latency.p50").Because(), tt.want)
		})
	}
}
