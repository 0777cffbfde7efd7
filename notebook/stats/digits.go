package stats

import "math"

// Digits is the most significant digits that a value is printed with whose measurement has a relative step.
//
// Source: docs/figures.md#digits.
func Digits(resolution float64) int {
	const exact = 1e-9 // 0.001 is a thousandth
	return max(1, 1+int(math.Floor(exact-math.Log10(resolution))))
}

// LastDigit is what the last of these digits is worth, a power of ten. The difference of the value and another number
// is known as finely.
func LastDigit(value, resolution float64) float64 {
	return math.Pow10(int(math.Floor(math.Log10(math.Abs(value)))) + 1 - Digits(resolution))
}
