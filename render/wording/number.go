package wording

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/phrase"
)

// Spaces and signs of typeset numbers.
const (
	space       = "\u00a0" // between a number and a unit that is a word
	narrowSpace = "\u202f" // between a number and a per cent sign
	minus       = "\u2212"
	dash        = "\u2013" // between the ends of a range
)

// Unit is a way to write numbers of one base unit.
type Unit struct {
	Symbol string  // such as "ms", "/s", "%" or "×"; empty for plain numbers
	Scale  float64 // one Symbol in base units: 0.001 for ms
	Whole  bool    // whole numbers with whole intervals have no decimals
	Signed bool    // positive numbers have a plus sign
}

// Plain writes numbers without a unit.
var Plain = Unit{Scale: 1}

// Units of shares, of their changes, and of ratios.
var (
	PercentUnit = Unit{Symbol: "%", Scale: 0.01}
	ChangeUnit  = Unit{Symbol: "%", Scale: 0.01, Signed: true} // "+17 %"
	Times       = Unit{Symbol: "×", Scale: 1}
)

// ladders has the units for base units that have several, largest first.
var ladders = map[string][]Unit{
	"s": {{Symbol: "s", Scale: 1}, {Symbol: "ms", Scale: 1e-3}, {Symbol: "µs", Scale: 1e-6},
		{Symbol: "ns", Scale: 1e-9}},
	"B": {{Symbol: "GiB", Scale: 1 << 30}, {Symbol: "MiB", Scale: 1 << 20}, {Symbol: "KiB", Scale: 1 << 10},
		{Symbol: "B", Scale: 1}},
	"B/s": {{Symbol: "GiB/s", Scale: 1 << 30}, {Symbol: "MiB/s", Scale: 1 << 20}, {Symbol: "KiB/s", Scale: 1 << 10},
		{Symbol: "B/s", Scale: 1}},
}

// UnitFor returns the unit for writing values of a base unit together, as in a column: the one that suits the largest
// finite value. If share, base is "1" and values are shares of one. An unknown base unit is its own unit.
func UnitFor(base string, share bool, values ...float64) Unit {
	switch {
	case share:
		return PercentUnit
	case base == "1" || base == "":
		u := Plain
		u.Whole = len(values) > 0 && !slices.ContainsFunc(values, func(v float64) bool { return !isWhole(v) })
		return u
	case base == "1/s":
		return Unit{Symbol: "/s", Scale: 1}
	}
	largest := 0.0
	for _, v := range values {
		if !isUnbounded(v) {
			largest = max(largest, math.Abs(v))
		}
	}
	ladder := ladders[base]
	if largest == 0 || ladder == nil {
		return Unit{Symbol: base, Scale: 1}
	}
	for _, u := range ladder {
		if largest >= u.Scale {
			return u
		}
	}
	return ladder[len(ladder)-1]
}

// maxDecimals limits decimals to what is readable.
const maxDecimals = 9

// Number writes v, which is in base units, without the symbol. Negative decimals round to tens, hundreds and so on.
func (u Unit) Number(v float64, decimals int) string {
	return u.signed(v, fixed(v/u.Scale, decimals))
}

// Quantity writes v, which is in base units, with the symbol: "12.3 ms", "8,095/s", "17 %", "1.33×".
func (u Unit) Quantity(v float64, decimals int) string { return u.with(u.Number(v, decimals)) }

// Alone writes a quantity that has no interval and no step.
func (u Unit) Alone(v float64) string { return u.Quantity(v, u.Decimals(Figure{Value: v})) }

// Exact writes v, which is in base units, with the symbol and all digits of a published number. It cuts more than eight
// digits, which nobody typed, to six.
func (u Unit) Exact(v float64) string { return u.with(u.ExactNumber(v)) }

// ExactNumber is Exact without the symbol.
func (u Unit) ExactNumber(v float64) string {
	const exact, read, shown = 12, 8, 6 // digits beyond exact are rounding errors of the unit conversion
	x := rounded(v/u.Scale, exact)
	if rounded(x, read) != x {
		x = rounded(x, max(shown, len(strconv.FormatFloat(math.Trunc(math.Abs(x)), 'f', 0, 64))))
	}
	_, fraction, _ := strings.Cut(strconv.FormatFloat(x, 'f', -1, 64), ".")
	return u.signed(x, fixed(x, len(fraction)))
}

// rounded rounds to a number of significant digits.
func rounded(v float64, digits int) float64 {
	x, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64) // never fails
	return x
}

// signed adds a plus sign to a positive number if the unit asks for it, unless number looks like zero.
func (u Unit) signed(v float64, number string) string {
	if u.Signed && v > 0 && strings.Trim(number, "0.,") != "" {
		return "+" + number
	}
	return number
}

func (u Unit) with(number string) string {
	switch {
	case u.Symbol == "" || u.Symbol == "×" || strings.HasPrefix(u.Symbol, "/"):
		return number + u.Symbol
	case u.Symbol == "%":
		return number + narrowSpace + u.Symbol
	}
	return number + space + u.Symbol
}

// Between writes a range, in base units, for a sentence: "14 to 20 %". With unbounded ends it writes "at least 14 %", "at
// most 20 %" or "unbounded".
func (u Unit) Between(lo, hi float64, decimals int) string {
	if isUnbounded(lo) && isUnbounded(hi) {
		return "unbounded"
	}
	return u.with(u.ends(lo, hi, decimals, "at most ", " to ", "at least "))
}

// ends writes a range with the given words, or "unbounded".
func (u Unit) ends(lo, hi float64, decimals int, atMost, to, atLeast string) string {
	switch {
	case isUnbounded(lo) && isUnbounded(hi):
		return "unbounded"
	case isUnbounded(lo):
		return atMost + u.Number(hi, decimals)
	case isUnbounded(hi):
		return atLeast + u.Number(lo, decimals)
	}
	return u.Number(lo, decimals) + to + u.Number(hi, decimals)
}

// Range writes a range, in base units, for a table whose head has the symbol: "7,968–8,204". If lo is negative, "to"
// replaces the dash.
func (u Unit) Range(lo, hi float64, decimals int) string {
	to := dash
	if lo < 0 {
		to = " to "
	}
	return u.ends(lo, hi, decimals, "≤"+space, to, "≥"+space)
}

// Capacity writes the result of a capacity search, in base units: "702/s (fails at 734/s)"; "at least 800/s" if hi is
// infinite, as the highest rate still met the objective; "no rate meets it (fails at 100/s)" if lo is 0. It rounds lo
// down and hi up, so that the printed bounds are true.
//
// Source: docs/method.md#capacities.
func (u Unit) Capacity(lo, hi float64) string {
	decimals := max(0, u.Decimals(Figure{Value: max(lo, 0), Lo: lo, Hi: hi}))
	if lo <= 0 {
		decimals = u.Decimals(Figure{Value: hi})
	}
	step := u.Scale * math.Pow10(-decimals)
	const exact = 1e-9 // a multiple of the step stays one
	met := u.Quantity(math.Floor(lo/step+exact)*step, decimals)
	failed := u.Quantity(math.Ceil(hi/step-exact)*step, decimals)
	switch {
	case isUnbounded(hi):
		return "at least " + met
	case lo <= 0:
		return "no rate meets it (fails at " + failed + ")"
	}
	return met + " (fails at " + failed + ")"
}

// Tuned writes the value that a search chose, with the range of equally good ones: "5 (5 to 8 are as good)".
//
// Source: docs/method.md#claims-as-regions and docs/method.md#tuned-values.
func (u Unit) Tuned(v, lo, hi float64) string {
	if lo == hi {
		return u.Exact(v)
	}
	return u.Exact(v) + " (" + u.ExactNumber(lo) + " to " + u.ExactNumber(hi) + " are as good)"
}

func isUnbounded(end float64) bool { return math.IsInf(end, 0) || math.IsNaN(end) }

// fixed writes x with thousands separators, and very large or small numbers in scientific notation.
func fixed(x float64, decimals int) string {
	const (
		largest  = 1e15 // a float64 has no more digits
		smallest = 1e-3 // with many decimals, smaller numbers would look like zero
	)
	switch {
	case x == 0:
		return "0"
	case math.IsNaN(x):
		return "–"
	case math.IsInf(x, 0):
		return sign(x) + "∞"
	case math.Abs(x) >= largest || decimals > maxDecimals && math.Abs(x) < smallest:
		return strings.ReplaceAll(strconv.FormatFloat(x, 'e', 2, 64), "-", minus)
	}
	decimals = min(decimals, maxDecimals)
	if decimals < 0 {
		step := math.Pow10(-decimals)
		x = math.Round(x/step) * step
	}
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(math.Abs(x), 'f', max(0, decimals), 64), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if strings.Trim(whole, "0.,") == "" {
		return whole // no minus before zero
	}
	return sign(x) + whole
}

func sign(x float64) string {
	if x < 0 {
		return minus
	}
	return ""
}

// Count writes a number of things: "1 repetition", "1,300 cells".
func Count(n int, noun string) string { return fixed(float64(n), 0) + space + phrase.Noun(n, noun) }

// Step returns the smallest round step, 1, 2 or 5 times a power of ten, that divides a positive span into at most parts
// pieces.
func Step(span float64, parts int) float64 {
	power := math.Pow10(int(math.Floor(math.Log10(span / float64(parts)))))
	for _, digit := range []float64{1, 2, 5} {
		if span <= digit*power*float64(parts) {
			return digit * power
		}
	}
	return 10 * power
}
