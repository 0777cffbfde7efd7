package cellview

import (
	"math"
	"strings"

	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
	"benchbook/render/table"
	"benchbook/render/wording"
)

// Ends returns the ends of the interval or range of a result; NaN without one.
func Ends(r dataset.Result) (lo, hi float64) {
	v := Estimate(r)
	return v.Lo, v.Hi
}

// HasFailed reports whether a result is missing because the cell failed.
func HasFailed(missing string) bool { return strings.HasPrefix(missing, "failed") }

// few says how many runs there were where they are too few for an interval.
var few = map[stats.IntervalKind]string{stats.NoInterval: "1\u00a0run", stats.RangeOfTwo: "2\u00a0runs"}

// Estimate converts a result for a table.
func Estimate(r dataset.Result) table.Value {
	v := table.Value{Missing: r.Missing, Unsure: wording.Unsure(r), Published: math.NaN(),
		Figure: wording.Figure{Value: r.Estimate.Centre, Lo: math.NaN(), Hi: math.NaN()}}
	if r.Missing != "" {
		return v
	}
	v.Step, v.Exact, v.Few = r.Step(), r.Estimate.Kind == stats.Exact, few[r.Estimate.Kind]
	switch r.Estimate.Kind {
	case stats.Exact, stats.Given, stats.NoInterval: // a mark says why there is no interval
		return v
	case stats.BySearch: // the highest that may be tried says all that there is of an interval
		if v.AtLeast = math.IsInf(r.Estimate.Interval.Hi, 1); v.AtLeast {
			return v
		}
	}
	v.Lo, v.Hi = r.Estimate.Interval.Lo, r.Estimate.Interval.Hi
	return v
}

// EstimateKinds are the kinds of estimates in a table or figure, with the repetitions of those that have an interval.
type EstimateKinds struct {
	Intervals, TwoRuns, OneRun bool
	Searched                   bool // found by a search
	Exact                      bool // counted, and the same in all repetitions
	low, high                  int
}

func KindsOf(cells []*dataset.Cell, metrics ...string) EstimateKinds {
	var k EstimateKinds
	for _, cell := range cells {
		for _, m := range metrics {
			r := cell.Metric(m)
			switch {
			case r.Missing != "" || r.Estimate.Kind == stats.Given:
			case r.Estimate.Kind == stats.Exact:
				k.Exact = true
			case r.Estimate.Kind == stats.NoInterval:
				k.OneRun = true
			case r.Estimate.Kind == stats.RangeOfTwo:
				k.TwoRuns = true
			case r.Estimate.Kind == stats.BySearch:
				k.Searched = true
			default:
				if n := r.Estimate.N; !k.Intervals || n < k.low {
					k.low = n
				}
				k.Intervals, k.high = true, max(k.high, r.Estimate.N)
			}
		}
	}
	return k
}

// Sub describes estimates of these kinds for the line below a title.
func (k EstimateKinds) Sub() string {
	exact := ""
	if k.Exact {
		exact = "; counts that are the same in all repetitions have no interval"
	}
	switch {
	case k.Intervals && (k.TwoRuns || k.OneRun):
		return "Median with 95\u202f% interval, where there are enough runs" + exact
	case k.Intervals:
		return "Median with 95\u202f% interval" + exact
	case k.TwoRuns && k.OneRun:
		return "One or two runs, no intervals"
	case k.TwoRuns:
		return "Centre of two runs, with the smaller and the larger"
	case k.OneRun:
		return "One run, no interval"
	case k.Searched:
		return "Value found by a search, with its range"
	case k.Exact:
		return "The same count in all repetitions"
	}
	return ""
}

// HowTo explains the marks of a figure, for estimates and for intervals.
func (k EstimateKinds) HowTo(mark, interval string) (out []string) {
	add := func(occurs bool, words string) {
		if occurs {
			out = append(out, words)
		}
	}
	add(k.Intervals, mark+": median. "+interval+": 95\u202f% interval over "+k.Repetitions()+".")
	add(k.Searched, mark+": value found by a search. "+interval+": its range.")
	add(k.TwoRuns, mark+" of two runs: their centre. Line: from the smaller to the larger.")
	add(k.OneRun, mark+" of a single run: its value; its variation is unknown.")
	return out
}

func (k EstimateKinds) Repetitions() string {
	return Origin{Measured: 1, Low: k.low, High: k.high}.Repetitions()
}
