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
	if v := Estimate(r); r.Missing == "" {
		return v.Lo, v.Hi
	}
	return math.NaN(), math.NaN()
}

// HasFailed reports whether a result is missing because the cell failed.
func HasFailed(missing string) bool { return strings.HasPrefix(missing, "failed") }

// Bound is an end of an interval for a data file; nil for none.
func Bound(has bool, v float64) any {
	if !has || math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}

// Sub describes estimates of these kinds for the line below a title.
func (k EstimateKinds) Sub() string {
	switch {
	case k.Intervals && (k.TwoRuns || k.OneRun):
		return "Median with 95\u202f% interval, where there are enough runs"
	case k.Intervals:
		return "Median with 95\u202f% interval"
	case k.TwoRuns && k.OneRun:
		return "One or two runs, no intervals"
	case k.TwoRuns:
		return "Centre of two runs"
	case k.Searched:
		return "Value found by a search, with its range"
	case k.Exact && !k.OneRun:
		return "The same count in all repetitions"
	}
	return "One run, no interval"
}

// Estimate converts a result for a table.
func Estimate(r dataset.Result) table.Value {
	v := table.Value{Missing: r.Missing, Unsure: wording.Unsure(r), Centre: r.Estimate.Centre, Lo: math.NaN(), Hi: math.NaN(),
		Published: math.NaN()}
	if r.Missing != "" {
		return v
	}
	v.Step, v.Exact = r.Step(), r.Estimate.Kind == stats.Exact
	switch r.Estimate.Kind {
	case stats.Exact:
	case stats.Given: // a mark says why there is no interval
	case stats.NoInterval:
		v.Few = "1\u00a0run"
	case stats.WithinRun:
		v.Few = "within one run"
		v.Lo, v.Hi = r.Estimate.Interval.Lo, r.Estimate.Interval.Hi
	case stats.RangeOfTwo:
		v.Few = "2\u00a0runs"
		v.Lo, v.Hi = r.Estimate.Interval.Lo, r.Estimate.Interval.Hi
	case stats.BySearch:
		if v.AtLeast = math.IsInf(r.Estimate.Interval.Hi, 1); v.AtLeast {
			break // the highest that may be tried was found, and says all that there is of an interval
		}
		v.Lo, v.Hi = r.Estimate.Interval.Lo, r.Estimate.Interval.Hi
	default:
		v.Lo, v.Hi = r.Estimate.Interval.Lo, r.Estimate.Interval.Hi
	}
	return v
}

// EstimateKinds are the kinds of estimates in a table or figure, with the repetitions of those that have an interval.
type EstimateKinds struct {
	Intervals, TwoRuns, OneRun bool
	WithinRun                  bool // one run, with the interval within it
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
			case r.Estimate.Kind == stats.WithinRun:
				k.OneRun, k.WithinRun = true, true
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

// Words lists every kind that occurs.
func (k EstimateKinds) Words() string {
	within := ""
	if k.WithinRun {
		within = " except within the run for percentiles"
	}
	var out, alone []string // what is said of each kind beside others, and by itself
	add := func(occurs bool, beside, byItself string) {
		if occurs {
			out, alone = append(out, beside), append(alone, byItself)
		}
	}
	intervals := "pseudo-median of " + k.Repetitions() + ", 95\u202f% interval beside it"
	add(k.Intervals, intervals, intervals)
	add(k.TwoRuns, "for two runs their centre, with smallest and largest beside it",
		"centre of two runs, with smallest and largest beside it")
	add(k.OneRun, "for a single run its value, without an interval"+within, "single run, so no intervals"+within)
	add(k.Searched, searchedWords, searchedWords)
	add(k.Exact, "counts that are the same in all repetitions stand alone", "the same count in all repetitions")
	if len(alone) == 1 {
		return alone[0]
	}
	return strings.Join(out, "; ")
}

const searchedWords = "value found by a search, with its range beside it"

func (k EstimateKinds) Repetitions() string {
	return Origin{Measured: 1, Low: k.low, High: k.high}.Repetitions()
}
