package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Trend says how values moved during a repetition.
type Trend string

const (
	NotTested Trend = "not tested" // too few values, or nothing to compare with
	Steady    Trend = "steady"
	Rising    Trend = "rising"
	Falling   Trend = "falling"
)

// Drift is the trend of values over equal intervals of time.
type Drift struct {
	Trend Trend
	Share float64 // change over the series, as a share of the median; negative if values fell
	P     float64 // two-sided, for a trend at least as strong by chance
}

// batches is the number of means that a series is divided into, so that neighbouring values need not be independent.
const batches = 10

// Steadiness returns whether a series of completions, or of mean latencies, per second was steady. It rises or falls if
// the Mann-Kendall test of ten batch means says so at 0.05 and the Theil-Sen slope over the series is more than delta.
//
// Up to nine values at the end are cut off. A series of fewer than ten values, or with a median batch of 0, is not
// tested. The error is ErrNotFinite.
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
	for i, v := range series[:batches*size] {
		means[i/size] += v / float64(size)
	}
	middle := Median(means)
	if middle == 0 {
		return Drift{Trend: NotTested}, nil
	}
	var slopes []float64 // of all pairs, one step apart each
	for j := range means {
		for i := range j {
			slopes = append(slopes, (means[j]-means[i])/float64(j-i))
		}
	}
	d := Drift{Trend: Steady, Share: batches * Median(slopes) / middle, P: mannKendall(means)}
	if d.P <= DefaultAlpha && math.Abs(d.Share) > delta {
		d.Trend = Rising
		if d.Share < 0 {
			d.Trend = Falling
		}
	}
	return d, nil
}

// mannKendall returns the two-sided p of a trend of values over their index: exact without ties, else from a normal
// distribution with continuity correction.
//
// Source: docs/method.md#steady-state; Kendall, Rank Correlation Methods, ch. 4.
func mannKendall(values []float64) float64 {
	s := 0
	for j := range values {
		for i := range j {
			s += cmp.Compare(values[j], values[i])
		}
	}
	s = max(s, -s)
	n := len(values)
	isTied := len(slices.Compact(slices.Sorted(slices.Values(values)))) < n
	switch {
	case s == 0:
		return 1
	case !isTied:
		return min(1, 2*atMostInversions(n, (n*(n-1)/2-s)/2))
	}
	return 2 * distuv.UnitNormal.Survival(max(0, float64(s-1))/math.Sqrt(varianceOfS(values)))
}

// atMostInversions returns the share of all orders of n things with at most k inversions.
func atMostInversions(n, k int) float64 {
	// share[i] is the share of orders with exactly i inversions. The m-th thing goes before 0 to m-1 of those placed,
	// equally likely, and adds as many inversions.
	share := make([]float64, k+1)
	share[0] = 1
	for m := 2; m <= n; m++ {
		for i := k; i >= 0; i-- {
			sum := 0.0
			for added := range min(m, i+1) {
				sum += share[i-added]
			}
			share[i] = sum / float64(m)
		}
	}
	p := 0.0
	for _, s := range share {
		p += s
	}
	return min(1, p)
}

// varianceOfS returns the variance of S over all orders of values, corrected for ties.
func varianceOfS(values []float64) float64 {
	weight := func(t float64) float64 { return t * (t - 1) * (2*t + 5) }
	sizes := map[float64]float64{} // of groups of equal values
	for _, v := range values {
		sizes[v]++
	}
	v := weight(float64(len(values)))
	for _, t := range sizes {
		v -= weight(t)
	}
	return v / 18
}

// Unsteady returns the trend of more than half of a cell's repetitions, else Steady. A repetition that was not tested
// has no trend; NotTested means that none was tested.
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
