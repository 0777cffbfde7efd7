package stats

import (
	"math"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// Three runs, six with an outlier, and ten are examples of docs/method.md.
func TestSummarize(t *testing.T) {
	for _, tt := range []struct {
		name           string
		cell           Cell
		alpha          float64
		centre, lo, hi string
		kind           IntervalKind
		coverage       string
	}{
		{"one run", values(12.3), 0.05, "12.3", "-Inf", "+Inf", NoInterval, "0"},
		{"two runs", values(12.7, 11.9), 0.05, "12.3", "11.9", "12.7", RangeOfTwo, "0"},
		{"three runs", values(102, 98, 105), 0.05, "101.71943", "93.24616", "110.75910", TOnLogs, "0.95"},
		{"five runs", values(102, 98, 105, 99, 101), 0.05, "101", "97.642", "104.412", TOnLogs, "0.95"},
		{"six runs with an outlier", values(10, 11, 12, 13, 14, 40), 0.05, "12.489996", "10", "40", SignedRanks, "0.96875"},
		{"ten runs", values(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 0.05, "4.898979", "2.645751", "7.745967", SignedRanks, "0.95117"},
		{"equal readings", values(7, 7, 7), 0.05, "7", "6.99498", "7.00502", TOnLogs, "0.95"},
		{"equal readings of a coarse clock", Cell{Values: []float64{7, 7, 7}, Resolution: 0.01}, 0.05,
			"7", "6.94998", "7.05038", TOnLogs, "0.95"},
		{"zeros of what cannot be negative", Cell{Values: []float64{0, 0, 3}, NonNegative: true}, 0.05,
			"0.75", "0", "5.3027", TOnValues, "0.95"},
		{"zeros of what can be negative", values(0, 0, 3), 0.05, "0.75", "-3.3027", "5.3027", TOnValues, "0.95"},
		{"all zero", Cell{Values: []float64{0, 0, 0}, NonNegative: true}, 0.05, "0", "0", "0", TOnValues, "0.95"},
		{"six runs at a corrected level", values(10, 11, 12, 13, 14, 40), 0.05 / 3,
			"12.489996", "-Inf", "+Inf", SignedRanks, "1"},
		{"six equal readings of a coarse clock", Cell{Values: []float64{7, 7, 7, 7, 7, 7}, Resolution: 0.01}, 0.05,
			"7", "6.98385", "7.01619", SignedRanks, "0.96875"},
		{"six runs, one of them zero", values(0, 1, 2, 3, 4, 5), 0.05, "2.5", "0", "5", SignedRanks, "0.96875"},
		{"seven runs at a corrected level", values(10, 11, 12, 13, 14, 15, 40), 0.05 / 3,
			"12.980726", "10", "40", SignedRanks, "0.98438"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := must.Get(Summarize(tt.cell, tt.alpha))
			assert.Equal(t, [2]any{got.N, got.Kind}, [2]any{len(tt.cell.Values), tt.kind}, "n and kind")
			wantNumber(t, "centre", got.Centre, tt.centre)
			wantInterval(t, got.Interval, tt.lo, tt.hi)
			wantNumber(t, "coverage", got.Coverage, tt.coverage)
			assert.Equal(t, HasEnds(got.N, false, tt.alpha), got.N >= 3 && !math.IsInf(got.Interval.Lo, -1), "HasEnds")
			if claim := got.ClaimInterval(); got.N < 3 && claim != unbounded() || got.N >= 3 && claim != got.Interval {
				t.Errorf("%d runs are judged by %v", got.N, claim)
			}
		})
	}
	_, err := Summarize(Cell{}, 0.05)
	assert.Is(t, err, ErrNoValues, "no run")
}

func TestErrorShare(t *testing.T) {
	for _, tt := range []struct {
		name              string
		failed, attempted []int64
		n                 int
		centre, lo, hi    string
	}{
		{"no failures", []int64{0, 0, 0}, []int64{1000, 1000, 1000}, 3, "0", "0", "0.0012289"},
		{"a burst", []int64{0, 12, 0}, []int64{1000, 1000, 1000}, 3, "0.004", "0", "0.012"},
		{"all failed", []int64{5, 5}, []int64{5, 5}, 2, "1", "0.6915", "1"},
		{"evenly", []int64{10, 10, 10}, []int64{100, 100, 100}, 3, "0.1", "0.0685", "0.1397"},
		{"a repetition without attempts", []int64{0, 12, 0}, []int64{1000, 1000, 0}, 2, "0.006", "0", "0.012"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := must.Get(ErrorShare(tt.failed, tt.attempted, 0.05))
			assert.Equal(t, [3]any{got.N, got.Kind, got.Coverage}, [3]any{tt.n, ClopperPearson, 0.95}, "n, kind, coverage")
			wantNumber(t, "centre", got.Centre, tt.centre)
			wantInterval(t, got.Interval, tt.lo, tt.hi)
		})
	}
}

// Without failures the upper end is 1-(alpha/2)^(1/n) for n attempts.
func TestErrorShareOfMany(t *testing.T) {
	for _, n := range []int64{1, 10, 1e3, 1e6, 1e9} {
		got := must.Get(ErrorShare([]int64{0}, []int64{n}, 0.05))
		want := -math.Expm1(math.Log(0.025) / float64(n))
		assert.Near(t, got.Interval.Hi/want, 1, 1e-6, "upper end of 0 of %d, over %v", n, want)
	}
}

func TestErrorShareRefused(t *testing.T) {
	for _, tt := range []struct {
		name              string
		failed, attempted []int64
		alpha             float64
		want              string
	}{
		{"nothing attempted", []int64{0, 0}, []int64{0, 0}, 0.05, "no values"},
		{"no repetitions", nil, nil, 0.05, "no values"},
		{"more failed than attempted", []int64{0, 3}, []int64{2, 2}, 0.05, "repetition 2: 3 failed of 2"},
		{"negative count", []int64{-1}, []int64{2}, 0.05, "repetition 1: -1 failed of 2"},
		{"lists of different length", []int64{1}, []int64{2, 2}, 0.05, "for 1 repetitions and of attempts for 2"},
		{"alpha of one", []int64{1}, []int64{2}, 1, "alpha"},
	} {
		_, err := ErrorShare(tt.failed, tt.attempted, tt.alpha)
		assert.Error(t, err, tt.want)
	}
}

// Digits follows docs/figures.md#digits.
func TestDigits(t *testing.T) {
	for _, test := range []struct {
		resolution float64
		want       int
	}{{0.001, 4}, {0.0025, 3}, {0.01, 3}, {0.025, 2}, {0.1, 2}, {0.3, 1}, {1, 1}, {3, 1}} {
		assert.Equal(t, Digits(test.resolution), test.want, "Digits(%v)", test.resolution)
	}
	const centre = 486.67
	assert.Equal(t, Digits(0.001*centre/centre), 4, "digits of a thousandth of %v", centre)
}

func TestLastDigit(t *testing.T) {
	for _, test := range []struct{ value, resolution, want float64 }{
		{1.1, 0.001, 0.001}, {0.9, 0.001, 0.0001}, {-486.67, 0.001, 0.1}, {2, 0.1, 0.1}, {12345, 0.001, 10},
	} {
		assert.Near(t, LastDigit(test.value, test.resolution)/test.want, 1, 1e-12, "last digit of %+v, over it", test)
	}
}

func TestOutliers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		want   Outlying
	}{
		{"the example, five", []float64{100, 101, 99, 100, 130}, Outlying{At: []int{4}}},
		{"the example, three", []float64{100, 101, 130}, Outlying{Wide: true}},
		{"three that are close", []float64{100, 101, 124}, Outlying{}},
		{"two", []float64{100, 1000}, Outlying{}},
		{"equal but for a small one", []float64{100, 100, 100, 100, 104}, Outlying{}}, // far by the score, but within δ
		{"equal but for two", []float64{60, 100, 100, 100, 100, 100, 140}, Outlying{At: []int{0, 6}}},
		{"spread", []float64{80, 90, 100, 110, 120}, Outlying{}},
		{"a zero", []float64{0, 100, 100, 100, 100}, Outlying{}},
		{"none", nil, Outlying{}},
	} {
		got := must.Get(Outliers(Cell{Values: tt.values}, 0.05))
		assert.Slice(t, got.At, tt.want.At, "%s: outliers", tt.name)
		assert.Equal(t, got.Wide, tt.want.Wide, "%s: wide apart", tt.name)
	}
	// Differences below the resolution are not outliers.
	coarse := Cell{Values: []float64{10, 10, 10, 10, 11}, Resolution: 0.1}
	assert.Slice(t, must.Get(Outliers(coarse, 0.05)).At, nil, "outliers one step of the measurement away")
	_, err := Outliers(Cell{Values: []float64{1, math.Inf(1), 1}}, 0.05)
	assert.Is(t, err, ErrNotFinite, "infinite")
}
