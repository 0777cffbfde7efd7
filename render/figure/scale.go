package figure

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// Scale is how an axis divides its length. It is a plot.Normalizer.
type Scale int

// The scales of figures.
const (
	Linear Scale = iota // equal distances are equal differences
	Log                 // equal distances are equal ratios; of values above zero
	Nines               // of percentages from 0 to below 100: each further nine takes the same room
)

// Normalize returns 0 for a v of lo, and 1 for one of hi.
func (s Scale) Normalize(lo, hi, v float64) float64 {
	switch s {
	case Log:
		return plot.LogScale{}.Normalize(lo, hi, v)
	case Nines:
		nines := func(percent float64) float64 { return -math.Log10(1 - percent/100) }
		lo, hi, v = nines(lo), nines(hi), nines(v)
	}
	return plot.LinearScale{}.Normalize(lo, hi, v)
}

// has reports whether a value has a place on the scale, so far from the ends of a float64 that steps stay finite.
func (s Scale) has(v float64) bool {
	switch s {
	case Log:
		return v >= 1e-100 && v <= 1e100
	case Nines:
		return v >= 0 && v < 100
	}
	return math.Abs(v) <= 1e100
}

// tickSet is one way to mark an axis: its ends enclose what has to be on it.
type tickSet struct {
	lo, hi float64
	ticks  []plot.Tick
}

func (t *tickSet) add(v float64, label string) {
	t.ticks = append(t.ticks, plot.Tick{Value: v, Label: label})
}

// tickSets yields the ways to mark the axis from lo to hi, densest first. hi is above lo.
func (a Axis) tickSets(lo, hi float64) iter.Seq[tickSet] {
	sets := linearTicks
	switch a.Scale {
	case Log:
		sets = logTicks
	case Nines:
		sets = ninesTicks
	}
	return func(yield func(tickSet) bool) {
		if len(a.Ticks) > 1 {
			set := tickSet{lo: lo, hi: hi}
			for _, v := range slices.Compact(slices.Sorted(slices.Values(a.Ticks))) {
				set.add(v, strconv.FormatFloat(v, 'f', -1, 64))
			}
			if len(set.ticks) > 1 && !yield(set) {
				return
			}
		}
		for set := range sets(lo, hi) {
			if a.Label != nil {
				for i, t := range set.ticks {
					set.ticks[i].Label = a.Label(t.Value)
				}
			}
			if !yield(set) || len(set.ticks) == 2 {
				return
			}
		}
	}
}

// tickStep is a distance between ticks: digit, which is 1, 2 or 5, times ten to the power of exponent.
type tickStep struct{ digit, exponent int }

// times is n steps, as exact as a float64 can be, so that labels have no tail of nines.
func (s tickStep) times(n float64) float64 {
	if s.exponent < 0 {
		return n * float64(s.digit) / math.Pow10(-s.exponent)
	}
	return n * float64(s.digit) * math.Pow10(s.exponent)
}

// digits are the digits of steps, and of the ticks of a log axis.
var digits = [3]int{1, 2, 5}

// slack keeps a value that is on a tick but for rounding from costing another step.
const slack = 1e-9

// linearTicks yields sets of round ticks whose ends enclose lo and hi.
func linearTicks(lo, hi float64) iter.Seq[tickSet] {
	const maxSteps = 8
	return func(yield func(tickSet) bool) {
		for e := int(math.Floor(math.Log10(hi-lo))) - 1; ; e++ {
			for _, digit := range digits {
				step := tickStep{digit, e}
				if step.times(1) > 10*(hi-lo) { // across zero there are never fewer than three
					return
				}
				first, last := math.Floor(lo/step.times(1)+slack), math.Ceil(hi/step.times(1)-slack)
				if last-first > maxSteps {
					continue
				}
				set := tickSet{lo: step.times(first), hi: step.times(last)}
				for n := first; n <= last; n++ {
					set.add(step.times(n), step.label(step.times(n)))
				}
				if !yield(set) {
					return
				}
			}
		}
	}
}

// logStep is the i-th of the numbers 1, 2, 5, 10, 20, 50 …, and of those below 1.
func logStep(i int) tickStep {
	exponent := int(math.Floor(float64(i) / 3))
	return tickStep{digits[i-3*exponent], exponent}
}

// logTicks yields 1, 2, 5, 10 and so on, then fewer and fewer powers of ten. Over less than a decade, where these would
// be two or three ticks, it yields round steps first.
func logTicks(lo, hi float64) iter.Seq[tickSet] {
	return func(yield func(tickSet) bool) {
		if hi/lo < 10 {
			for set := range linearTicks(lo, hi) {
				if len(set.ticks) < 3 || set.lo <= 0 {
					break
				}
				if !yield(set) {
					return
				}
			}
		}
		first, last := int(math.Floor(math.Log10(lo)))*3+3, int(math.Floor(math.Log10(hi)))*3-1
		for logStep(first).times(1) > lo*(1+slack) {
			first--
		}
		for logStep(last).times(1) < hi*(1-slack) {
			last++
		}
		last = max(last, first+1)
		pick := func(wanted func(i int) bool) tickSet {
			set := tickSet{lo: logStep(first).times(1), hi: logStep(last).times(1)}
			for i := first; i <= last; i++ {
				if step := logStep(i); wanted(i) {
					set.add(step.times(1), step.short())
				}
			}
			return set
		}
		if !yield(pick(func(int) bool { return true })) {
			return
		}
		for decades := 1; ; decades++ {
			set := pick(func(i int) bool { return i%(3*decades) == 0 })
			if len(set.ticks) < 2 {
				break
			}
			if !yield(set) {
				return
			}
		}
		yield(pick(func(i int) bool { return i == first || i == last }))
	}
}

// ninesTicks yields 50, 90, 99, 99.9 and so on as far as the axis reaches, with fewer of the first.
func ninesTicks(lo, hi float64) iter.Seq[tickSet] {
	return func(yield func(tickSet) bool) {
		all := []float64{0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999, 99.99999}
		all = slices.DeleteFunc(all, func(v float64) bool { return v > hi })
		if len(all) == 1 {
			all = append(all, hi)
		}
		pick := func(wanted func(i int) bool) bool {
			set := tickSet{lo: lo, hi: hi}
			for i, v := range all {
				if i == 0 || wanted(i) { // the axis begins at the first
					set.add(v, strconv.FormatFloat(v, 'f', -1, 64))
				}
			}
			return len(set.ticks) < 2 || yield(set)
		}
		if !pick(func(int) bool { return true }) {
			return
		}
		for step := 1; step < len(all); step++ {
			if !pick(func(i int) bool { return i > 1 && (i-2)%step == 0 }) {
				return
			}
		}
		pick(func(i int) bool { return i == len(all)-1 })
	}
}

// short is the label of one step of a log axis, whose outer ticks would have too many digits.
func (s tickStep) short() string {
	if s.exponent < -5 || s.exponent > 7 {
		return strings.ReplaceAll(strconv.FormatFloat(s.times(1), 'g', -1, 64), "-", "−")
	}
	return s.label(s.times(1))
}

// label writes a tick with the digits of its step, separators of thousands and a minus sign.
func (s tickStep) label(v float64) string {
	const longest = 12 // digits before or behind the point
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

// extent is what an axis has to show. The zero value shows nothing yet.
type extent struct {
	lo, hi         float64
	some           bool
	openLo, openHi bool // an interval goes beyond the values
}

// add takes in values: an infinite one opens its end, and NaN is nothing.
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

// padded has a little room around it, so that no point lies on the frame. Zero stays the end if nothing is negative.
func (e extent) padded(scale Scale) extent {
	const share = .03
	if !e.some || scale == Nines {
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

// ends are the ends of an axis that shows all of it. They differ even if all values agree.
func (e extent) ends(a Axis) (lo, hi float64) {
	switch a.Scale {
	case Nines:
		return 0, cmp.Or(max(e.hi, 0), 50)
	case Log:
		return e.logEnds()
	}
	if a.Zero {
		e.lo, e.hi = min(e.lo, 0), max(e.hi, 0)
	}
	return e.linearEnds()
}

func (e extent) logEnds() (lo, hi float64) {
	const same, margin = 1.001, 1.3
	lo, hi = e.lo, e.hi
	if hi < lo*same {
		lo, hi = lo/margin, hi*margin
	}
	if e.openLo {
		lo /= margin
	}
	if e.openHi {
		hi *= margin
	}
	return lo, hi
}

func (e extent) linearEnds() (lo, hi float64) {
	lo, hi = e.lo, e.hi
	// Ticks that differ in the seventh digit could not be told apart. An axis that zero makes only a little longer begins
	// there.
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
