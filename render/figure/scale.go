package figure

import (
	"iter"
	"math"
	"strconv"
	"strings"
)

// tickStep is a distance between ticks: digit times ten to the power of exponent, digit being 1, 2 or 5.
type tickStep struct{ digit, exponent int }

// times is n steps, as exact as a float64 can be, so that ticks are labelled without a tail of nines.
func (s tickStep) times(n float64) float64 {
	if s.exponent < 0 {
		return n * float64(s.digit) / math.Pow10(-s.exponent)
	}
	return n * float64(s.digit) * math.Pow10(s.exponent)
}

// maxSteps is how many steps a scale has at most.
const maxSteps = 8

// linearTicks gives the sets of round ticks with which a scale from lo to hi can be marked, densest first and
// without end. The first and last tick of a set enclose lo and hi. hi must be above lo.
func linearTicks(lo, hi float64) iter.Seq2[tickStep, []float64] {
	return func(yield func(tickStep, []float64) bool) {
		// A step ten times finer than the span has too many ticks, whatever its digit.
		for e := int(math.Floor(math.Log10(hi-lo))) - 1; ; e++ {
			for _, digit := range []int{1, 2, 5} {
				step := tickStep{digit, e}
				// A value that is on a tick but for rounding must not cost another step.
				const slack = 1e-9
				first := math.Floor(lo/step.times(1) + slack)
				last := math.Ceil(hi/step.times(1) - slack)
				if last-first > maxSteps {
					continue
				}
				var ticks []float64
				for n := first; n <= last; n++ {
					ticks = append(ticks, step.times(n))
				}
				if !yield(step, ticks) {
					return
				}
			}
		}
	}
}

// label writes a tick with the digits of its step, separators of thousands and a minus sign (U+2212).
func (s tickStep) label(v float64) string {
	const longest = 12 // digits before or behind the point; more cannot be read
	if s.exponent < -longest || math.Abs(v) >= math.Pow10(longest+1) {
		return strings.ReplaceAll(strconv.FormatFloat(v, 'g', -1, 64), "-", "−")
	}
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(math.Abs(v), 'f', max(0, -s.exponent), 64), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if v < 0 {
		return "−" + whole
	}
	return whole
}
