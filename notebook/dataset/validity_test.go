package dataset

import (
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/validity"
)

func TestChecksOfACell(t *testing.T) {
	d := datasetOf(recordtest.NewMeasured(t, servers,
		recordtest.Only("a", recordtest.Failing(1000), 1), recordtest.Only("a", recordtest.Failing(60), 2),
		recordtest.Only("b", recordtest.Failed("server: exited"), 3),
		recordtest.Only("", loadChangeIfAny(func(l *record.Load) { l.ForeignCPU = -1 })),
	))
	want := []validity.CheckResult{
		{Name: "run", Level: validity.OK, Words: "all 3 repetitions"},
		{Name: "Little's law", Level: validity.OK,
			Words: "Little's law gives 1.00 of the connections in use (ok within 0.05 of 1)"},
		{Name: "generator CPU", Level: validity.OK, Words: "load generator busy 30 %"},
		{Name: "foreign CPU", Level: validity.NotChecked, Words: "the host does not report it"},
		{Name: "swap", Level: validity.NotChecked, Words: "not recorded"},
		{Name: "errors", Level: validity.Invalid, Words: "1 of 3 repetitions: errors 7.7 %"},
		{Name: "overflow", Level: validity.OK, Words: "0 answers beyond the histogram"},
		{Name: "throttled", Level: validity.NotChecked, Words: "not recorded"},
		{Name: "steal", Level: validity.NotChecked, Words: "not recorded"},
		{Name: "steady state", Level: validity.OK, Words: "completions were steady"},
	}
	a := cellOf(t, d, "a")
	if got := a.Validity().Checks(); !slices.Equal(got, want) || a.Validity().Level() != validity.Invalid {
		t.Errorf("%v\n%+v\nwant\n%+v", a.Validity().Level(), got, want)
	}
	b := cellOf(t, d, "b")
	if got := b.Validity().Checks()[0]; got != (validity.CheckResult{Name: "run", Level: validity.Invalid,
		Words: "1 of 3 repetitions: failed"}) || b.Validity().Level() != validity.Invalid {
		t.Errorf("%v, %+v", b.Validity().Level(), got)
	}
	none := cellOf(t, datasetOf(recordtest.New(t, servers)), "a")
	if none.Validity().Level() != validity.NotChecked || none.Validity().Checks() != nil {
		t.Errorf("without records %v, %v", none.Validity().Level(), none.Validity().Checks())
	}
}

// The checks of a cell with a warning are about its valid repetitions; those left out have a mark.
func TestWordsOfChecksAreOfTheirLevel(t *testing.T) {
	for _, tt := range []struct {
		name   string
		shares []float64
		want   validity.CheckResult
	}{
		{"valid ones that warn", []float64{0.01, 0.1238, 0.06, 0.055, 0.01}, validity.CheckResult{Name: "foreign CPU",
			Level: validity.Warn, Words: "2 of 5 repetitions: others used 6 % of the CPU"}},
		{"none that warns", []float64{0.01, 0.1238, 0.01, 0.01, 0.01}, validity.CheckResult{Name: "foreign CPU",
			Level: validity.Warn, Words: "1 of 5 repetitions, left out: others used 12.4 % of the CPU"}},
		{"not valid", []float64{0.01, 0.13, 0.14, 0.15, 0.06}, validity.CheckResult{Name: "foreign CPU",
			Level: validity.Invalid, Words: "3 of 5 repetitions: others used 15 % of the CPU"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := recordtest.New(t, recordtest.Article(strings.Replace(recordtest.Servers, "repetitions: 3", "repetitions: 5", 1)))
			b.Measure("servers", "a", "1", []float64{1000, 1000, 1000, 1000, 1000},
				func(r *record.Record) { r.Load.ForeignCPU = tt.shares[r.Repetition-1] })
			assert.Equal(t, cellOf(t, datasetOf(b), "a").Validity().Checks()[3], tt.want)
		})
	}
}

// loadChangeIfAny leaves repetitions alone that did not run.
func loadChangeIfAny(f func(*record.Load)) recordtest.Change {
	return func(r *record.Record) {
		if r.Load != nil {
			f(r.Load)
		}
	}
}

func TestSteadyState(t *testing.T) {
	rising := []int64{80, 80, 80, 95, 95, 95, 100, 101, 99, 102, 100, 103, 101, 104, 102, 105, 103, 106, 104, 107}
	steady := slices.Repeat([]int64{100}, 20)
	completions := func(bySecond ...[]int64) recordtest.Change {
		return func(r *record.Record) {
			r.Load.Completions, r.Load.Window = bySecond[(r.Repetition-1)%len(bySecond)], 20.5
			// The half second at the end does not count as falling.
			r.Load.Completions = append(slices.Clone(r.Load.Completions), 40)
		}
	}
	for _, tt := range []struct {
		name string
		set  recordtest.Change
		want validity.CheckResult
	}{
		{"steady", completions(steady), validity.CheckResult{Name: "steady state", Level: validity.OK,
			Words: "completions were steady"}},
		{"most of them rise", completions(rising, rising, steady),
			validity.CheckResult{Name: "steady state", Level: validity.Warn,
				Words: "2 of 3 repetitions: completions were rising, by up to 16 % over the window"}},
		{"one of them rises", completions(rising, steady, steady), validity.CheckResult{Name: "steady state",
			Level: validity.OK, Words: "completions were steady"}},
		{"too short", func(r *record.Record) { r.Load.Window, r.Load.Completions = 9, r.Load.Completions[:9] },
			validity.CheckResult{Name: "steady state", Level: validity.NotChecked,
				Words: "the window has fewer than 10 whole seconds"}},
		{"latencies of an open loop fall", func(r *record.Record) {
			r.Load.Window, r.Load.Open = 20, &record.OpenLoop{Due: 100, Sent: 100}
			r.Load.Answers = slices.Repeat([]int64{10}, 20)
			r.Load.Answers[7] = 0 // a second without answers has no mean
			for i := range 20 {
				r.Load.Latencies = append(r.Load.Latencies, 10*(0.1-0.001*float64(i)))
			}
			r.Histograms["lag"] = recordtest.Histogram(t, recordtest.Times(1e-6, 100))
		}, validity.CheckResult{Name: "steady state", Level: validity.Warn,
			Words: "3 of 3 repetitions: latencies were falling, by up to 10 % over the window"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := measure(t, recordtest.ValuesA, tt.set)
			checks := c.Validity().Checks()
			assert.Equal(t, checks[len(checks)-1], tt.want)
			if marked := slices.Contains(c.Metric("throughput").Marks,
				tt.want.Words); marked != (tt.want.Level == validity.Warn) {
				t.Errorf("marks %q", c.Metric("throughput").Marks)
			}
		})
	}
}

// A single repetition has values, or reasons why not.
func TestValueOfARepetition(t *testing.T) {
	c := measure(t, recordtest.ValuesA, recordtest.Only("", func(r *record.Record) { r.Failure = "it ended" }, 3))
	value, missing := Value(c.Records[0], "throughput", nil)
	assert.Equal(t, [2]any{value, missing}, [2]any{recordtest.ValuesA[0], ""}, "throughput")
	_, missing = Value(c.Records[2], "throughput", nil)
	assert.Equal(t, missing, "failed: it ended")
}

// Checks do not judge repetitions that are older than them.
func TestChecksOfOlderRecords(t *testing.T) {
	c := measure(t, []float64{1000, 1000, 1000},
		recordtest.Only("a", recordtest.LoadChange(func(l *record.Load) { l.Health = &record.Health{} }), 1))
	assert.Equal(t, c.Validity().Level(), validity.OK, "level of the cell")
}
