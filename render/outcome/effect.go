package outcome

import (
	"math"
	"strings"

	"benchbook/notebook/claim"
	"benchbook/notebook/stats"

	"benchbook/render/wording"
)

// times writes ratios from two on.
var times = wording.Unit{Symbol: "times", Scale: 1}

// Effect is the size of a claimed effect: a ratio, or a value.
type Effect struct {
	wording.Quantity
	Ratio  float64 // 0 if it is none
	Bounds *stats.Interval
	Region stats.Region // where the claim has it, as a ratio if it is one; zero for none
	form   form         // in which a ratio is written
}

// form is how a ratio is written: as it suits its size, or as an author's sentence needs it.
type form int

const (
	bySize       form = iota
	asFactor          // 1.5 times as many, 45 % as many
	asTimes           // 1.5 times, 0.45 times
	asPart            // 150 %, 45 %
	asDifference      // 53 % more
)

// as returns the effect in one form for any size.
func (e Effect) as(f form) Effect {
	e.form = f
	return e
}

// EffectOf returns the effect of a claim or of one comparison, which has one, in the form of its sentence; a change
// becomes the ratio behind it.
func EffectOf(j *claim.Judgement) Effect {
	q := *j.Effect
	e := Effect{Quantity: wording.QuantityOf(q, nil), Region: j.Region, form: saidForm(j)}
	e.Decimals = e.Unit.Readable(wording.Reading(&q))
	if !j.IsRatio {
		return e
	}
	if e.Ratio, e.Bounds = q.Number, q.Interval; q.Share {
		e.Ratio++
		if e.Region != (stats.Region{}) {
			e.Region = stats.Region{Lo: e.Region.Lo + 1, Hi: e.Region.Hi + 1}
		}
		if q.Interval != nil {
			e.Bounds = &stats.Interval{Lo: q.Interval.Lo + 1, Hi: q.Interval.Hi + 1}
		}
	}
	return e
}

// shown is the form in which a ratio is written: asTimes, asPart or asDifference.
func (e Effect) shown() form {
	switch {
	case e.form > asFactor:
		return e.form
	case e.form == bySize && e.Ratio > 0.5 && e.Ratio < 2:
		return asDifference
	case e.Ratio < 1:
		return asPart
	}
	return asTimes
}

// asPercent reports whether a ratio is written as a difference in per cent.
func (e Effect) asPercent() bool { return e.shown() == asDifference }

// asShare reports whether a ratio is written as a part: "4.1 %" of the other side.
func (e Effect) asShare() bool { return e.shown() == asPart }

func (e Effect) ends() (lo, hi float64) {
	if e.Bounds == nil {
		return math.NaN(), math.NaN()
	}
	return e.Bounds.Lo, e.Bounds.Hi
}

// Text writes the effect with two significant digits: "+17 %", "2.2 times", "4.1 %" of the other side, "12 ms".
func (e Effect) Text() string {
	switch {
	case e.Ratio == 0:
		return e.Quantity.Text()
	case e.asPercent():
		return wording.PercentUnit.Signed(e.difference())
	case e.asShare():
		return wording.PercentUnit.Quantity(e.Ratio, e.decimals())
	}
	return times.Quantity(e.Ratio, e.decimals())
}

// difference is how far a ratio is from one, with its digits after the point in per cent.
func (e Effect) difference() (x float64, decimals int) {
	if e.Bounds != nil {
		return e.Ratio - 1, wording.PercentUnit.Readable(e.reading(1))
	}
	digits := times.Decimals(e.reading(0)) // three digits of a ratio are known
	step := math.Pow10(digits)
	x = math.Round(e.Ratio*step)/step - 1
	return x, min(max(0, digits-2), wording.PercentUnit.Readable(wording.Figure{Value: x}))
}

// unsigned writes a difference in per cent, whose direction is in words.
func (e Effect) unsigned() string {
	x, decimals := e.difference()
	return wording.PercentUnit.Quantity(math.Abs(x), decimals)
}

// decimals are the digits after the point of a ratio, as it is written.
func (e Effect) decimals() int {
	if e.asShare() {
		return wording.PercentUnit.Readable(e.reading(0))
	}
	if e.Ratio < 2 { // the part above one counts
		return min(2, times.Readable(e.reading(1)))
	}
	return times.Readable(e.reading(0))
}

// reading is a ratio less something, as its digits are chosen by.
func (e Effect) reading(less float64) wording.Figure {
	out := wording.Figure{Value: e.Ratio - less, Step: e.Of.Step}
	if e.Bounds != nil {
		out.Lo, out.Hi = e.Bounds.Lo-less, e.Bounds.Hi-less
	}
	return out
}

// Claimed writes the claimed region: "more than +5 %", "less than 100 ms"; empty without one.
func (e Effect) Claimed() string {
	if e.Region == (stats.Region{}) {
		return ""
	}
	switch lo, hi := e.limitsInForm(); {
	case lo != "" && hi != "":
		return "between " + lo + " and " + hi
	case lo != "":
		return "more than " + lo
	case hi != "":
		return "less than " + hi
	}
	return ""
}

// limitsInForm writes the ends of the claimed region as the effect is written.
func (e Effect) limitsInForm() (lo, hi string) {
	return e.limits(func(ratio float64) string { return ratioWords(ratio, e.shown()) })
}

// limits writes the ends of the claimed region, ratios by ratioWords; empty for one that it does not have.
func (e Effect) limits(ratioWords func(float64) string) (lo, hi string) {
	write := func(x float64) string { return wording.UnitFor(e.Of.Unit, e.Of.Share, x).Exact(x) }
	if e.Ratio > 0 {
		write = ratioWords
	}
	if x := e.Region.Lo; !math.IsInf(x, 0) && (e.Ratio == 0 || x > 0) {
		lo = write(x)
	}
	if x := e.Region.Hi; !math.IsInf(x, 0) {
		hi = write(x)
	}
	return lo, hi
}

// limitWords writes a ratio chosen by the author with as few digits as it needs.
func limitWords(ratio float64) string { return ratioWords(ratio, Effect{Ratio: ratio}.shown()) }

// ratioWords is limitWords in one form.
func ratioWords(ratio float64, as form) string {
	switch as {
	case asDifference:
		return differenceWords(ratio)
	case asPart:
		return wording.PercentUnit.Exact(math.Round(ratio*1000) / 1000)
	}
	digits := times.Decimals(wording.Figure{Value: ratio})
	return times.Exact(math.Round(ratio*math.Pow10(digits)) / math.Pow10(digits))
}

func differenceWords(ratio float64) string {
	const step = 1000 // a tenth of a per cent
	difference := math.Round((ratio-1)*step) / step
	decimals := 0
	if tenths := math.Round(difference * step); math.Mod(tenths, 10) != 0 {
		decimals = 1
	}
	return wording.PercentUnit.Signed(difference, decimals)
}

// HasInterval reports whether there is a confidence interval; ranges of two runs and of searches are none.
func (e Effect) HasInterval() bool {
	return e.Of.Interval != nil && e.Of.Kind != stats.RangeOfTwo && e.Of.Kind != stats.BySearch
}

// Interval writes the interval of the effect, or why it is missing.
func (e Effect) Interval() string {
	lo, hi := e.ends()
	switch {
	case e.Of.Kind == stats.Exact:
		return wording.Exactly(e.Of.N)
	case e.Of.Interval == nil && e.Of.N == 1:
		return "1\u00a0run"
	case e.Of.Interval == nil:
		return "no interval"
	case e.Of.Kind == stats.RangeOfTwo:
		return "2\u00a0runs: " + e.Quantity.Interval()
	case e.Ratio == 0:
		return e.Quantity.Interval()
	case e.asPercent():
		return wording.PercentUnit.SignedBetween(lo-1, hi-1, wording.PercentUnit.Readable(e.reading(1)))
	case e.asShare():
		return wording.PercentUnit.Between(lo, hi, e.decimals())
	}
	return times.Between(lo, hi, e.decimals())
}

// Bracketed writes the interval as it follows the effect: "[+1.5 to +7.5 %]", "(1 run)". It is empty where the
// effect is only a bound, as "at least 2,000/s", and where both ends are the same.
func (e Effect) Bracketed() string {
	words := e.Interval()
	iv := e.Of.Interval
	if words == e.Text() || e.HasInterval() && e.Of.Kind != stats.Exact && iv.Lo == iv.Hi {
		return ""
	}
	if e.Of.Interval == nil || e.Of.Kind == stats.Exact || e.Of.Kind == stats.RangeOfTwo {
		return "(" + words + ")"
	}
	return "[" + words + "]"
}

// With writes the effect with its interval: "+4.5 % [+1.5 to +7.5 %]".
func (e Effect) With() string { return strings.TrimSpace(e.Text() + " " + e.Bracketed()) }

// isDecided reports whether all that a ratio may be is on one side of one.
func (e Effect) isDecided() bool {
	lo, hi := e.ends()
	return lo > 1 || hi < 1
}
