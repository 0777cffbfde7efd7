package figure

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Scale is how an axis divides its length. It is a plot.Normalizer.
type Scale int

// The scales of figures.
const (
	Linear Scale = iota // equal distances are equal differences
	Log                 // equal distances are equal ratios; of values above zero
	Nines               // of percentages from 0 to below 100: each further nine takes the same room
)

// Normalize says where v is on an axis from lo to hi: 0 at lo, 1 at hi.
func (s Scale) Normalize(lo, hi, v float64) float64 {
	switch s {
	case Log:
		return math.Log(v/lo) / math.Log(hi/lo)
	case Nines:
		nines := func(percent float64) float64 { return -math.Log10(1 - percent/100) }
		return (nines(v) - nines(lo)) / (nines(hi) - nines(lo))
	}
	return (v - lo) / (hi - lo)
}

// has tells whether a value has a place on the scale.
func (s Scale) has(v float64) bool {
	switch s {
	case Log:
		return v >= 1e-100 && v <= 1e100
	case Nines:
		return v >= 0 && v < 100
	}
	return drawable(v)
}

// tickSet is one way to mark an axis. Its ends enclose all that has to be on it, and ticks lie between them.
type tickSet struct {
	lo, hi float64
	ticks  []float64
	labels []string
}

// tickSets gives the ways in which an axis from lo to hi can be marked, densest first. The last one has two ticks, if
// there is a last one. hi must be above lo.
func (s Scale) tickSets(lo, hi float64) iter.Seq[tickSet] {
	switch s {
	case Log:
		return logTicks(lo, hi)
	case Nines:
		return ninesTicks(lo, hi)
	}
	return linearTicks(lo, hi)
}

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
func linearTicks(lo, hi float64) iter.Seq[tickSet] {
	return func(yield func(tickSet) bool) {
		// A step ten times finer than the span has too many ticks, whatever its digit.
		for e := int(math.Floor(math.Log10(hi-lo))) - 1; ; e++ {
			for _, digit := range logDigits {
				step := tickStep{digit, e}
				// A value that is on a tick but for rounding must not cost another step.
				const slack = 1e-9
				first := math.Floor(lo/step.times(1) + slack)
				last := math.Ceil(hi/step.times(1) - slack)
				if last-first > maxSteps {
					continue
				}
				set := tickSet{lo: step.times(first), hi: step.times(last)}
				for n := first; n <= last; n++ {
					set.ticks = append(set.ticks, step.times(n))
					set.labels = append(set.labels, step.label(step.times(n)))
				}
				if !yield(set) {
					return
				}
			}
		}
	}
}

// logDigits are those that steps, and the ticks of a log axis, begin with.
var logDigits = [3]int{1, 2, 5}

// logStep is the i-th of the numbers 1, 2, 5, 10, 20, 50 … and of those below 1, as a step to be taken once.
func logStep(i int) tickStep {
	exponent := int(math.Floor(float64(i) / 3))
	return tickStep{logDigits[i-3*exponent], exponent}
}

// logTicks gives the sets of ticks of an axis in equal ratios: 1, 2, 5, 10 and so on, then powers of ten, fewer and
// fewer. Over less than a decade, where that would be two or three ticks, it is round steps as long as there is room.
func logTicks(lo, hi float64) iter.Seq[tickSet] {
	const (
		narrow = 10 // times lo
		slack  = 1e-9
	)
	return func(yield func(tickSet) bool) {
		if hi/lo < narrow {
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
		ends := tickSet{lo: logStep(first).times(1), hi: logStep(last).times(1)}
		pick := func(wanted func(i int) bool) tickSet {
			set := ends
			for i := first; i <= last; i++ {
				if step := logStep(i); wanted(i) {
					set.ticks = append(set.ticks, step.times(1))
					set.labels = append(set.labels, step.short())
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

// ninesTicks gives the sets of ticks of an axis of percentiles, which begins at 0: 50, 90, 99, 99.9 and so on as far as
// it goes, with fewer of the first where there is no room.
func ninesTicks(lo, hi float64) iter.Seq[tickSet] {
	return func(yield func(tickSet) bool) {
		all := []float64{0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999, 99.99999}
		all = slices.DeleteFunc(all, func(v float64) bool { return v > hi })
		if len(all) == 1 {
			all = append(all, hi)
		}
		for skip := 0; skip <= len(all)-2; skip++ {
			set := tickSet{lo: lo, hi: hi, ticks: all[skip:]}
			if skip > 0 { // the first stays, as the axis begins there
				set.ticks = append([]float64{all[0]}, all[skip+1:]...)
			}
			for _, v := range set.ticks {
				set.labels = append(set.labels, strconv.FormatFloat(v, 'f', -1, 64))
			}
			if !yield(set) {
				return
			}
		}
	}
}

// short writes one step, of a log axis: over many decades all digits of the outer ticks would have no room beside each
// other.
func (s tickStep) short() string {
	const smallest, largest = -5, 7 // exponents that are written out
	if s.exponent < smallest || s.exponent > largest {
		return strings.ReplaceAll(strconv.FormatFloat(s.times(1), 'g', -1, 64), "-", "−")
	}
	return s.label(s.times(1))
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

// extent is what an axis has to show. The zero value shows nothing yet.
type extent struct {
	lo, hi         float64
	some           bool
	openLo, openHi bool // something goes on beyond the values
}

// add takes in values. One that is infinite opens its end; NaN is nothing.
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

// addFinite takes in values that are not infinite.
func (e *extent) addFinite(values ...float64) {
	for _, v := range values {
		if !math.IsInf(v, 0) {
			e.add(v)
		}
	}
}

// padded is the extent with a little room around it, so that no point lies on the frame. Zero stays the end of what may
// not be negative.
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

// ends are those of an axis on which all of it is seen. They are apart even if all values agree.
func (e extent) ends(scale Scale, zero bool) (lo, hi float64) {
	switch scale {
	case Nines:
		return 0, cmp.Or(max(e.hi, 0), 50)
	case Log:
		return e.logEnds()
	}
	if zero {
		e.lo, e.hi = min(e.lo, 0), max(e.hi, 0)
	}
	return e.linearEnds()
}

// logEnds are those of an axis in equal ratios.
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

// linearEnds are those of an axis with equal differences.
func (e extent) linearEnds() (lo, hi float64) {
	lo, hi = e.lo, e.hi
	// A difference in the seventh digit is shown as none: its ticks could not be read apart. And an axis that zero
	// would make only a little longer begins there.
	if even := hi-lo <= 1e-6*max(math.Abs(lo), math.Abs(hi)); lo > 0 && (even || lo < hi/4) {
		lo = 0
	} else if hi < 0 && (even || hi > lo/4) {
		hi = 0
	}
	if hi-lo < 1e-100 {
		return lo, lo + 1
	}
	// An interval with an open end must be seen to go on where its row has the outermost value. Zero stays the end of
	// what may not be negative.
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
