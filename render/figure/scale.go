package figure

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"

	"benchbook/render/wording"
)

// Scale is the scale of an axis, and a plot.Normalizer.
type Scale int

// The scales of figures.
const (
	Linear Scale = iota // equal distances are equal differences
	Log                 // equal distances are equal ratios; values must be positive
)

// Normalize returns the place of v on the scale: 0 for lo, 1 for hi.
func (s Scale) Normalize(lo, hi, v float64) float64 {
	return []plot.Normalizer{Linear: plot.LinearScale{}, Log: plot.LogScale{}}[s].Normalize(lo, hi, v)
}

// has reports whether the scale can show a value. It rejects extreme ones, so that steps stay finite.
func (s Scale) has(v float64) bool {
	if s == Log {
		return v >= 1e-100 && v <= 1e100
	}
	return math.Abs(v) <= 1e100
}

// tickSet is one choice of ticks for an axis, with the ends of the axis.
type tickSet struct {
	lo, hi float64
	ticks  []plot.Tick
}

func (t *tickSet) add(v float64, label string) {
	t.ticks = append(t.ticks, plot.Tick{Value: v, Label: label})
}

// tickSets returns choices of ticks from lo to hi > lo: the axis's own, then round numbers, each from dense to sparse.
func (a Axis) tickSets(lo, hi float64) []tickSet {
	sets := a.ownTicks(lo, hi)
	if a.Scale == Log {
		sets = append(sets, logTicks(lo, hi)...)
	} else {
		sets = append(sets, linearTicks(lo, hi)...)
	}
	if a.Label != nil {
		for _, set := range sets {
			for i, t := range set.ticks {
				set.ticks[i].Label = a.Label(t.Value)
			}
		}
	}
	return sets
}

// ownTicks returns the axis's own ticks, then every second of them, every third and so on, while there are more than
// two.
func (a Axis) ownTicks(lo, hi float64) (sets []tickSet) {
	values := slices.Compact(slices.Sorted(slices.Values(a.Ticks)))
	for step := 1; step < len(values) && (step == 1 || len(values) > 2*step); step++ {
		set := tickSet{lo: lo, hi: hi}
		for i := 0; i < len(values); i += step {
			exact, _ := strconv.ParseFloat(strconv.FormatFloat(values[i], 'g', 12, 64), 64) // drops rounding errors
			set.add(values[i], strconv.FormatFloat(exact, 'f', -1, 64))
		}
		sets = append(sets, set)
	}
	return sets
}

// tickStep is a distance between ticks: digit × 10^exponent, with a digit of 1, 2 or 5.
type tickStep struct{ digit, exponent int }

// times returns n steps as exactly as a float64 can, so that labels have no tail of nines.
func (s tickStep) times(n float64) float64 {
	if s.exponent < 0 {
		return n * float64(s.digit) / math.Pow10(-s.exponent)
	}
	return n * float64(s.digit) * math.Pow10(s.exponent)
}

// stepOf returns the i-th of the numbers 1, 2, 5, 10, 20, 50 …; a negative i gives those below 1.
func stepOf(i int) tickStep {
	exponent := int(math.Floor(float64(i) / 3))
	return tickStep{[3]int{1, 2, 5}[i-3*exponent], exponent}
}

// slack keeps rounding errors from adding a step beyond a tick.
const slack = 1e-9

// linearTicks returns sets of round ticks that enclose lo and hi.
func linearTicks(lo, hi float64) (sets []tickSet) {
	const maxSteps = 8
	for i := 3 * int(math.Floor(math.Log10(hi-lo))-1); ; i++ {
		step := stepOf(i)
		size := step.times(1)
		if size > 10*(hi-lo) { // if lo < 0 < hi, no set has only two ticks
			return sets
		}
		first, last := math.Floor(lo/size+slack), math.Ceil(hi/size-slack)
		if last-first > maxSteps {
			continue
		}
		set := tickSet{lo: step.times(first), hi: step.times(last)}
		for n := first; n <= last; n++ {
			set.add(step.times(n), step.label(step.times(n)))
		}
		if sets = append(sets, set); len(set.ticks) == 2 {
			return sets
		}
	}
}

// logTicks returns the ticks 1, 2, 5, 10 and so on, then fewer and fewer powers of ten. Below a decade, where that
// gives two or three ticks, linear ticks come first.
func logTicks(lo, hi float64) (sets []tickSet) {
	if hi/lo < 10 {
		for _, set := range linearTicks(lo, hi) {
			if len(set.ticks) < 3 || set.lo <= 0 {
				break
			}
			sets = append(sets, set)
		}
	}
	first, last := int(math.Floor(math.Log10(lo)))*3+3, int(math.Floor(math.Log10(hi)))*3-1
	for stepOf(first).times(1) > lo*(1+slack) {
		first--
	}
	for stepOf(last).times(1) < hi*(1-slack) {
		last++
	}
	last = max(last, first+1)
	pick := func(wanted func(i int) bool) bool {
		set := tickSet{lo: stepOf(first).times(1), hi: stepOf(last).times(1)}
		for i := first; i <= last; i++ {
			if step := stepOf(i); wanted(i) {
				set.add(step.times(1), step.label(step.times(1)))
			}
		}
		if len(set.ticks) < 2 {
			return false
		}
		sets = append(sets, set)
		return true
	}
	pick(func(int) bool { return true })
	for decades := 1; pick(func(i int) bool { return i%(3*decades) == 0 }); decades++ {
	}
	pick(func(i int) bool { return i == first || i == last })
	return sets
}

// label writes a tick with the digits of its step.
func (s tickStep) label(v float64) string {
	if s.exponent < -9 || math.Abs(v) >= 1e13 {
		return strings.ReplaceAll(strconv.FormatFloat(v, 'g', -1, 64), "-", "−")
	}
	return wording.Plain.Number(v, max(0, -s.exponent))
}

// extent is the range that an axis has to show. The zero value is empty.
type extent struct {
	lo, hi         float64
	some           bool
	openLo, openHi bool // an interval is open at this end
}

// add extends the range to values. Infinity opens an end, and NaN is ignored.
func (e *extent) add(values ...float64) {
	for _, v := range values {
		switch {
		case math.IsNaN(v):
		case math.IsInf(v, -1):
			e.openLo = true
		case math.IsInf(v, 1):
			e.openHi = true
		case !e.some:
			e.lo, e.hi, e.some = v, v, true
		default:
			e.lo, e.hi = min(e.lo, v), max(e.hi, v)
		}
	}
}

// padded adds room at both ends, so that no point is on the frame, but not across zero.
func (e extent) padded(scale Scale) extent {
	const share = .03
	if !e.some {
		return e
	}
	if scale == Log {
		factor := math.Pow(e.hi/e.lo, share)
		e.lo, e.hi = e.lo/factor, e.hi*factor
		return e
	}
	room := share * (e.hi - e.lo)
	if lo := e.lo - room; lo > 0 || e.lo < 0 {
		e.lo = lo
	}
	if hi := e.hi + room; hi < 0 || e.hi > 0 {
		e.hi = hi
	}
	return e
}

// ends returns ends for an axis that shows the whole range. They differ even if all values are equal.
func (e extent) ends(a Axis) (lo, hi float64) {
	if a.Scale == Log {
		return e.logEnds()
	}
	lo, hi = e.lo, e.hi
	if a.Zero {
		lo, hi = min(lo, 0), max(hi, 0)
	}
	// Start at zero if that makes the axis only a little longer, or if ticks would differ only in the seventh digit.
	if even := hi-lo <= 1e-6*max(math.Abs(lo), math.Abs(hi)); lo > 0 && (even || lo < hi/4) {
		lo = 0
	} else if hi < 0 && (even || hi > lo/4) {
		hi = 0
	}
	if hi-lo < 1e-100 {
		return lo, lo + 1
	}
	margin := (hi - lo) / 10
	if e.openHi {
		hi += margin
	}
	if e.openLo && lo > 0 {
		lo = max(0, lo-margin)
	} else if e.openLo && lo < 0 {
		lo -= margin
	}
	return lo, hi
}

func (e extent) logEnds() (lo, hi float64) {
	const same, margin = 1.001, 1.3
	lo, hi = e.lo, e.hi
	isSame := hi < lo*same
	if isSame || e.openLo {
		lo /= margin
	}
	if isSame || e.openHi {
		hi *= margin
	}
	return lo, hi
}
