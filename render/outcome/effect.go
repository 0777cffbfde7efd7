package outcome

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

var (
	times  = wording.Unit{Symbol: "times", Scale: 1}                // of a ratio
	points = wording.Unit{Symbol: "percentage points", Scale: 0.01} // of a difference of two shares
)

// Effect is the size of a claimed effect: a ratio, or a value.
type Effect struct {
	wording.Quantity
	Ratio  float64 // 0 for a value
	Bounds *stats.Interval
	Region stats.Region // the claimed region, of Ratio if that is set; may be zero
	form   form         // of Ratio
}

// form is a way to write a ratio.
type form int

const (
	bySize       form = iota
	asFactor          // 1.5 times as many, 45 % as many
	asTimes           // 1.5 times, 0.45 times
	asPart            // 150 %, 45 %
	asDifference      // 53 % more
)

// EffectOf returns the effect of a claim or comparison, in the form of its sentence. A change becomes a ratio: +5 % is
// 1.05. j.Effect must not be nil.
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

// Reason says why a claim or part is undecided or not measured. If a stricter interval than the one shown decides that,
// it adds it: "…: −0.3 to +9.1 %, a 99.38 % interval".
func Reason(j *claim.Judgement) string {
	if j.Strict == nil {
		return j.Reason
	}
	q := *j.Effect
	q.Interval = &j.Strict.Interval
	strict := *j
	strict.Effect = &q
	return fmt.Sprintf("%s: %s, a %s interval", j.Reason, EffectOf(&strict).InFormOf(EffectOf(j)).Interval(),
		wording.Confidence(j.Strict.Level))
}

// InFormOf returns the effect in the form of another: "−57 %" instead of "43 %" next to "−49 %".
func (e Effect) InFormOf(other Effect) Effect {
	if e.Ratio != 0 && other.Ratio != 0 {
		e.form = other.shown()
	}
	return e
}

// Align makes effects comparable: if one of them is written as a difference, so are ratios below one.
func Align(effects []Effect) {
	isIn := func(f form) func(Effect) bool {
		return func(e Effect) bool { return e.Ratio != 0 && e.shown() == f }
	}
	if !slices.ContainsFunc(effects, isIn(asDifference)) {
		return
	}
	for i := range effects {
		if isIn(asPart)(effects[i]) {
			effects[i].form = asDifference
		}
	}
}

// shown resolves the form of the ratio to asTimes, asPart or asDifference.
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

// ends returns the ends of the interval of the ratio; NaN without one.
func (e Effect) ends() (lo, hi float64) {
	if e.Bounds == nil {
		return math.NaN(), math.NaN()
	}
	return e.Bounds.Lo, e.Bounds.Hi
}

// written returns how to write the ratio: its unit, what to subtract first, and the decimals.
func (e Effect) written() (unit wording.Unit, less float64, decimals int) {
	switch e.shown() {
	case asDifference:
		decimals = wording.PercentUnit.Readable(e.reading(1))
		if e.Bounds == nil { // three digits of a ratio are known
			decimals = min(decimals, max(0, times.Decimals(e.reading(0))-2))
		}
		return wording.ChangeUnit, 1, decimals
	case asPart:
		return wording.PercentUnit, 0, wording.PercentUnit.Readable(e.reading(0))
	}
	if e.Ratio < 2 { // the part above one counts
		return times, 0, min(2, times.Readable(e.reading(1)))
	}
	return times, 0, times.Readable(e.reading(0))
}

// reading returns the ratio minus less, with its interval, for choosing decimals.
func (e Effect) reading(less float64) wording.Figure {
	out := wording.Figure{Value: e.Ratio - less, Step: e.Of.Step}
	if e.Bounds != nil {
		out.Lo, out.Hi = e.Bounds.Lo-less, e.Bounds.Hi-less
	}
	return out
}

// Text writes the effect with two significant digits: "+17 %", "2.2 times", "4.1 %" of the other side, "12 ms".
func (e Effect) Text() string {
	if e.Ratio == 0 {
		return e.Quantity.Text()
	}
	unit, less, decimals := e.written()
	return unit.Quantity(e.Ratio-less, decimals)
}

// percent writes the distance of a ratio from one without a sign, with the decimals of the effect: "17 %".
func (e Effect) percent(ratio float64) string {
	e.form = asDifference
	_, _, decimals := e.written()
	return wording.PercentUnit.Quantity(math.Abs(ratio-1), decimals)
}

// Claimed writes the claimed region: "more than +5 %", "less than 100 ms"; empty without one.
func (e Effect) Claimed() string {
	switch lo, hi := e.limits(); {
	case lo != "" && hi != "":
		return "between " + lo + " and " + hi
	case lo != "":
		return "more than " + lo
	case hi != "":
		return "less than " + hi
	}
	return ""
}

// limits writes the ends of the claimed region in the form of the effect; an unbounded end is "".
func (e Effect) limits() (lo, hi string) {
	if e.Region == (stats.Region{}) {
		return "", ""
	}
	write := func(x float64) string { return wording.UnitFor(e.Of.Unit, e.Of.Share, x).Exact(x) }
	if e.Ratio > 0 {
		write = func(x float64) string { return ratioWords(x, e.shown()) }
	}
	if x := e.Region.Lo; !math.IsInf(x, 0) && (e.Ratio == 0 || x > 0) {
		lo = write(x)
	}
	if x := e.Region.Hi; !math.IsInf(x, 0) {
		hi = write(x)
	}
	return lo, hi
}

// ratioWords writes a ratio given by the author in a form, with no more digits than it needs.
func ratioWords(ratio float64, as form) string {
	const step = 1000 // a tenth of a per cent
	switch as {
	case asDifference:
		return wording.ChangeUnit.Exact(math.Round((ratio-1)*step) / step)
	case asPart:
		return wording.PercentUnit.Exact(math.Round(ratio*step) / step)
	}
	digits := math.Pow10(times.Decimals(wording.Figure{Value: ratio}))
	return times.Exact(math.Round(ratio*digits) / digits)
}

// HasInterval reports whether there is a confidence interval. Ranges of two runs and of searches don't count.
func (e Effect) HasInterval() bool {
	return e.Of.Interval != nil && e.Of.Kind != stats.RangeOfTwo && e.Of.Kind != stats.BySearch
}

// Interval writes the interval of the effect, or why it is missing.
func (e Effect) Interval() string {
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
	}
	unit, less, decimals := e.written()
	lo, hi := e.ends()
	return unit.Between(lo-less, hi-less, decimals)
}

// Bracketed writes the interval in brackets: "[+1.5 to +7.5 %]", "(1 run)". It is empty if the effect says the same, as
// "at least 2,000/s" does, and if both ends are equal.
func (e Effect) Bracketed() string {
	words, iv := e.Interval(), e.Of.Interval
	switch {
	case iv == nil || e.Of.Kind == stats.Exact || e.Of.Kind == stats.RangeOfTwo:
		return "(" + words + ")"
	case words == e.Text() || iv.Lo == iv.Hi:
		return ""
	}
	return "[" + words + "]"
}

// With writes the effect with its interval: "+4.5 % [+1.5 to +7.5 %]".
func (e Effect) With() string { return strings.TrimSpace(e.Text() + " " + e.Bracketed()) }

// isDecided reports whether the interval of the ratio excludes one.
func (e Effect) isDecided() bool {
	lo, hi := e.ends()
	return lo > 1 || hi < 1
}

// Published writes the published size of the effect of a claim; empty if nothing was published.
func Published(d *dataset.Dataset, j *claim.Judgement) string {
	x, isWritten := j.Published() // in the claim itself, and shown with all digits
	ok := isWritten
	switch {
	case !ok && len(j.Parts) > 0:
		x, ok = publishedParts(d, j)
	case !ok:
		x, ok = publishedEffect(d, j.Test)
	}
	switch {
	case !ok:
		return ""
	case len(j.Parts) > 0:
		return counted(j, int(x))
	case j.IsRatio:
		return publishedRatio(j, x, isWritten)
	case j.Form == claim.Fewer:
		return wording.PercentUnit.Exact(x)
	}
	m := j.Sides[0].Metric
	return wording.UnitFor(m.Unit, m.Share, x).Exact(x)
}

// publishedRatio writes a published ratio in the form of the measured effect.
func publishedRatio(j *claim.Judgement, x float64, isWritten bool) string {
	e := Effect{Ratio: x, form: saidForm(j)}
	isFactor := e.form == asFactor
	if j.Effect != nil {
		e.form = EffectOf(j).shown()
	}
	if isWritten || isFactor && e.shown() == asTimes {
		return ratioWords(x, e.shown())
	}
	return e.Text()
}

// publishedParts counts the parts of a claim that published numbers support; false if they are missing for a part.
func publishedParts(d *dataset.Dataset, j *claim.Judgement) (float64, bool) {
	held := 0
	for i := range j.Parts {
		p := &j.Parts[i]
		x, ok := publishedEffect(d, p.Test)
		if !ok {
			return 0, false
		}
		if stats.Judge(stats.Interval{Lo: x, Hi: x}, p.Region) == stats.Supported {
			held++
		}
	}
	return float64(held), true
}

// publishedEffect computes the effect of a test of one, two or four sides from published numbers, in the unit of the
// test's region.
func publishedEffect(d *dataset.Dataset, t claim.Test) (float64, bool) {
	x := make([]float64, len(t.Sides))
	for i, side := range t.Sides {
		number, ok := publishedSide(d, side)
		if !ok || i > 0 && side.Metric.Name != t.Sides[0].Metric.Name {
			return 0, false
		}
		x[i] = number
	}
	switch {
	case len(x) == 1:
		return x[0], true
	case t.Form == claim.Fewer && len(x) == 2 && t.Sides[0].Metric.Share:
		return x[1] - x[0], true
	case t.IsRatio && len(x) == 2 && x[1] > 0:
		return x[0] / x[1], true
	case t.IsRatio && len(x) == 4 && x[1]*x[2]*x[3] > 0:
		return x[0] / x[1] / (x[2] / x[3]), true
	}
	return 0, false
}

// publishedSide returns the published number of a side: of its single cell, or the geometric mean over its cells.
func publishedSide(d *dataset.Dataset, side claim.Side) (float64, bool) {
	n := len(side.Cells)
	if n == 0 || n > 1 && !side.Geomean {
		return 0, false
	}
	mean := 1.0
	for _, cell := range side.Cells {
		p, ok := d.Published(cell, side.Metric.Name, "")
		if !ok || n > 1 && p.Number <= 0 {
			return 0, false
		}
		mean *= math.Pow(p.Number, 1/float64(n))
	}
	return mean, true
}
