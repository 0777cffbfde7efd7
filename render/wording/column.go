package wording

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/stats"
)

// Figure holds the numbers that determine the digits of a value, in base units.
type Figure struct {
	Value  float64
	Lo, Hi float64 // the interval; NaN, infinite or equal without one
	Step   float64 // Value times the resolution of the measurement; 0 if all digits are known
	Exact  bool    // counted, and equal in all repetitions
}

// wide is the width of an interval, relative to the number, from which its ends must look different.
const wide = 0.01

// leastDigits is the least number of significant digits.
const leastDigits = 2

// Column writes numbers that readers compare with the same unit and digits.
type Column struct {
	Unit
	shared int // digits after the point; negative numbers round before it: -1 to tens
}

// Column returns a column for readings. It shows two digits of the median width of their intervals, but no more than
// the median resolution allows for the largest reading. Readings without an interval ask for three digits. Zeros don't
// count unless all are zero.
//
// Source: docs/figures.md#digits.
func (u Unit) Column(readings ...Figure) Column {
	zeros := !slices.ContainsFunc(readings, func(r Figure) bool { return r.Value != 0 })
	var own []int
	var resolutions []float64
	largest := 0.0
	for _, r := range readings {
		if n, ok := u.own(r); ok && (zeros || r.Value != 0) {
			own = append(own, n)
		}
		if r.isRounded() {
			resolutions, largest = append(resolutions, r.Step/math.Abs(r.Value)), max(largest, math.Abs(r.Value))
		}
	}
	if len(own) == 0 {
		return Column{Unit: u}
	}
	slices.Sort(own)
	middle := float64(own[(len(own)-1)/2]+own[len(own)/2]) / 2
	shared := int(math.Floor(middle))
	if n := len(resolutions); n > 0 {
		slices.Sort(resolutions)
		shared = min(shared, u.most(Figure{Value: largest, Step: largest * resolutions[(n-1)/2]}))
	}
	return Column{u, shared}
}

// Decimals returns the digits after the point for one of the readings and its interval: the shared ones, but enough to
// show two significant digits and to tell apart the ends of an interval wider than 1 %, and no more than its step
// allows, unless WithEnds needs them. It is 0 for an exact whole number.
func (c Column) Decimals(r Figure) int {
	size := math.Abs(r.Value / c.Scale)
	if r.Exact && isWhole(size) {
		return 0
	}
	decimals := c.shared
	if own, ok := c.own(r); ok && size > 0 {
		least := decimalsOf(size, leastDigits)
		if width := r.width() / c.Scale; width > wide*size && c.Number(r.Lo, c.shared) == c.Number(r.Hi, c.shared) {
			least = max(least, decimalsOf(width, 1))
		}
		decimals = min(max(c.shared, min(least, own)), c.most(r))
	}
	return c.WithEnds(r, decimals)
}

// WithEnds increases decimals until no end of the reading's interval looks like zero unless it is, and ends that are
// more than 1 % apart differ.
func (u Unit) WithEnds(r Figure, decimals int) int {
	isWide := !isUnbounded(r.Lo) && !isUnbounded(r.Hi) && r.Hi-r.Lo > wide*max(math.Abs(r.Lo), math.Abs(r.Hi))
	lacks := func(end float64) bool {
		return !isUnbounded(end) && end != 0 && strings.Trim(u.Number(end, decimals), "0.") == ""
	}
	alike := func() bool { return isWide && u.Number(r.Lo, decimals) == u.Number(r.Hi, decimals) }
	for decimals < maxDecimals && (lacks(r.Lo) || lacks(r.Hi) || alike()) {
		decimals++
	}
	return decimals
}

// Decimals returns the digits after the point of a single reading.
func (u Unit) Decimals(r Figure) int { return u.Column(r).Decimals(r) }

// Readable returns the digits after the point of a reading in a sentence or heading: for two significant digits, all
// digits before the point, and more only to tell the interval's ends apart. It is at most Decimals.
//
// Source: docs/figures.md#digits.
func (u Unit) Readable(r Figure) int {
	decimals := u.Decimals(r)
	if size := math.Abs(r.Value / u.Scale); size > 0 && !isUnbounded(size) {
		decimals = min(decimals, u.WithEnds(r, max(0, decimalsOf(size, leastDigits))))
	}
	return decimals
}

// own returns how many digits after the point a reading asks for; false if it has no preference.
func (u Unit) own(r Figure) (int, bool) {
	const withoutInterval = 3
	size, width := math.Abs(r.Value/u.Scale), r.width()/u.Scale
	switch {
	case isUnbounded(size):
		return 0, false
	case width > 0:
		n := decimalsOf(width, 2)
		if size > 0 && (r.Lo > 0 || r.Hi < 0) {
			n = max(n, decimalsOf(size, leastDigits))
		}
		if u.Whole && isWhole(r.Value) && isWhole(r.Lo) && isWhole(r.Hi) {
			n = min(n, 0)
		}
		return n, true
	case size == 0:
		return 0, false
	case isWhole(size):
		return 0, !r.Exact // whole numbers don't ask for decimals, and exact ones have no say
	}
	return max(0, decimalsOf(size, withoutInterval)), true
}

func isWhole(v float64) bool { return v == math.Trunc(v) }

// width returns twice the narrower side of the interval, since the other may have a long tail, but at least a tenth of
// the whole. It is 0 without an interval, and the whole width if the number is one of its ends.
func (r Figure) width() float64 {
	below, above := r.Value-r.Lo, r.Hi-r.Value
	switch {
	case isUnbounded(r.Lo) && isUnbounded(r.Hi):
		return 0
	case isUnbounded(r.Lo):
		return 2 * above
	case isUnbounded(r.Hi):
		return 2 * below
	}
	if narrower := min(below, above); narrower > 0 {
		return max(2*narrower, (r.Hi-r.Lo)/10)
	}
	return r.Hi - r.Lo
}

// isRounded reports whether a step limits the digits of a reading.
func (r Figure) isRounded() bool {
	return r.Step > 0 && !r.Exact && r.Value != 0 && !isUnbounded(r.Value)
}

// most returns how many digits after the point the step of a reading allows.
func (u Unit) most(r Figure) int {
	size := math.Abs(r.Value / u.Scale)
	if !r.isRounded() {
		return math.MaxInt
	}
	return decimalsOf(size, stats.Digits(r.Step/math.Abs(r.Value)))
}

// decimalsOf returns the digits after the point that give x > 0 a number of significant digits.
func decimalsOf(x float64, digits int) int {
	text := strconv.FormatFloat(x, 'e', digits-1, 64)
	exponent, _ := strconv.Atoi(text[strings.IndexByte(text, 'e')+1:])
	return digits - 1 - exponent
}
