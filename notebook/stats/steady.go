package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Trend is where the values of a repetition went while it was measured.
type Trend string

const (
	NotTested Trend = "not tested" // too few values, or nothing to compare with
	Steady    Trend = "steady"
	Rising    Trend = "rising"
	Falling   Trend = "falling"
)

// Drift is what a series of equal intervals of time says about steadiness.
type Drift struct {
	Trend Trend
	Share float64 // how far the values went over the whole series, as a share of their median; negative if they fell
	P     float64 // two-sided, of a trend at least as strong by chance
}

// batches is how many means a series is cut into, so that values beside each other need not be independent.
const batches = 10

// Steadiness tells whether a series of completions per second, or of mean latencies per second, was steady. It rises or
// falls if the Mann-Kendall test of ten batch means says so at 0.05 and the Theil-Sen slope over the whole series is
// more than delta.
//
// The last values, one less than ten at most, are cut off. A series of fewer than ten values, or one whose batches have
// the median 0, is not tested. The error is ErrNotFinite.
//
// Source: docs/method.md#steady-state; Mann 1945; Sen 1968.
func Steadiness(series []float64, delta float64) (Drift, error) {
	if err := (Cell{Values: series}).check(); err != nil {
		return Drift{}, err
	}
	size := len(series) / batches
	if size == 0 {
		return Drift{Trend: NotTested}, nil
	}
	means := make([]float64, batches)
	for i := range means {
		for _, v := range series[i*size : (i+1)*size] {
			means[i] += v / float64(size)
		}
	}
	middle := Median(means)
	if middle == 0 {
		return Drift{Trend: NotTested}, nil
	}
	d := Drift{Trend: Steady, Share: batches * Median(slopes(means)) / middle, P: mannKendall(means)}
	if d.P <= DefaultAlpha && math.Abs(d.Share) > delta {
		d.Trend = Rising
		if d.Share < 0 {
			d.Trend = Falling
		}
	}
	return d, nil
}

// slopes are those between all pairs of values, one step apart each.
func slopes(values []float64) []float64 {
	var all []float64
	for j := range values {
		for i := range j {
			all = append(all, (values[j]-values[i])/float64(j-i))
		}
	}
	return all
}

// mannKendall returns the two-sided p of a trend of values against their place: exact without ties, else by a normal
// distribution with continuity correction.
//
// Source: docs/method.md#steady-state; Kendall, Rank Correlation Methods, ch. 4.
func mannKendall(values []float64) float64 {
	places := make([]float64, len(values))
	s := 0
	for j := range values {
		places[j] = float64(j)
		for i := range j {
			s += cmp.Compare(values[j], values[i])
		}
	}
	s = max(s, -s)
	n := len(values)
	tied := len(slices.Compact(slices.Sorted(slices.Values(values)))) < n
	switch {
	case s == 0:
		return 1
	case !tied:
		return min(1, 2*atMostInversions(n, (n*(n-1)/2-s)/2))
	}
	return 2 * distuv.UnitNormal.Survival(max(0, float64(s-1))/math.Sqrt(varianceOfS(places, values)))
}

// Unsteady tells the common trend of the repetitions of a cell: the one that more than half of them have, else Steady.
// Those that were not tested count as without a trend; NotTested is for a cell none of whose repetitions were.
//
// Source: docs/method.md#steady-state.
func Unsteady(repetitions []Trend) Trend {
	count := map[Trend]int{}
	for _, t := range repetitions {
		count[t]++
	}
	switch n := len(repetitions); {
	case 2*count[Rising] > n:
		return Rising
	case 2*count[Falling] > n:
		return Falling
	case count[NotTested] == n:
		return NotTested
	}
	return Steady
}
