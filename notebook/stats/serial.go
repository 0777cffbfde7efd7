package stats

import "slices"

const (
	// MinSerial is the fewest values whose correlation is estimated.
	MinSerial = 10
	// MaxCorrelation is the strongest correlation that intervals are widened for: threefold.
	MaxCorrelation = 0.8
)

// SerialCorrelation estimates how much each value resembles the one before it: the autocorrelation of lag 1, on
// logarithms where all values are positive, corrected for its bias (nr + 1)/(n − 3), and cut to [0, MaxCorrelation]. It
// is 0 for fewer than MinSerial values, and for values that are all the same.
//
// Source: docs/method.md#correlated-repetitions; Marriott and Pope, Biometrika 1954.
func SerialCorrelation(values []float64) float64 {
	n := len(values)
	if n < MinSerial || slices.Min(values) == slices.Max(values) {
		return 0
	}
	y, _ := logarithms(values)
	mean, _ := moments(y)
	products, squares := 0.0, 0.0
	for i, v := range y {
		squares += (v - mean) * (v - mean)
		if i > 0 {
			products += (v - mean) * (y[i-1] - mean)
		}
	}
	rho := (float64(n)*products/squares + 1) / float64(n-3)
	if !(rho > 0) { // it is not a number for values that are not
		return 0
	}
	return min(rho, MaxCorrelation)
}

// serial is the variance of a mean of correlated values over that of independent ones: (1 + ρ)/(1 − ρ).
//
// Source: docs/method.md#correlated-repetitions.
func (c Cell) serial() float64 {
	rho := min(max(0, c.Correlation), MaxCorrelation)
	return (1 + rho) / (1 - rho)
}
