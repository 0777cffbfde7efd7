package stats

import "math"

// CapacityRule is the rule by which a search for the highest rate that meets an objective goes on. Rates are per
// second.
//
// Source: docs/method.md#capacities.
type CapacityRule struct {
	From    float64 // floor: no rate below it is tried
	To      float64 // limit: no rate above it is tried
	Start   float64 // the first rate, cut to what lies between; 0 for the geometric mean of From and To
	Step    float64 // share by which the bounds differ at most in the end
	Repeats int     // full repetitions that confirm the lower bound, and that refute the upper one
}

// Phase says what a probe of a search for a capacity is for.
type Phase string

// The phases, in their order.
const (
	PhaseProbe   Phase = "probe"   // finds the bounds
	PhaseConfirm Phase = "confirm" // makes sure that the lower bound meets the objective
	PhaseRefute  Phase = "refute"  // makes sure that the upper bound does not
)

// Outcome is what a probe came to.
type Outcome int

// The outcomes of a probe.
const (
	ProbeFailed  Outcome = iota // a condition of the objective did not hold, or the services were overloaded
	ProbeMet                    // all held
	ProbeInvalid                // the probe says nothing, by docs/method.md#valid-cells
)

// A CapacitySearch looks for the highest rate that meets an objective, one probe after another. It doubles or halves
// the rate until it has a bound on either side, bisects between them on a logarithmic scale, and makes sure of both:
// all repetitions at the lower bound have to meet the objective, and all at the upper one to fail it. A bound that does
// not stand moves down, or up, by Step. An invalid probe is made again once.
//
// Source: docs/method.md#capacities.
type CapacitySearch struct {
	rule         CapacityRule
	rate         float64
	phase        Phase
	lo, hi       float64 // the highest rate that met the objective, 0 for none; the lowest that failed, 0 for none
	done         int     // repetitions that confirmed or refuted the present bound
	again        bool    // the probe was invalid once
	stop         Stop
	ended, known bool
}

// NewCapacitySearch begins a search. A floor above the limit gives one of the limit alone.
func NewCapacitySearch(rule CapacityRule) *CapacitySearch {
	rule.From = min(rule.From, rule.To)
	start := rule.Start
	if !(start > 0) {
		start = math.Sqrt(rule.From * rule.To)
	}
	return &CapacitySearch{rule: rule, phase: PhaseProbe, rate: min(max(start, rule.From), rule.To)}
}

// Next gives the rate of the next probe and what it is for; ok is false when the search has ended.
func (s *CapacitySearch) Next() (rate float64, phase Phase, ok bool) {
	return s.rate, s.phase, !s.ended
}

// Tell says what the probe that Next asked for came to.
func (s *CapacitySearch) Tell(o Outcome) {
	if o == ProbeInvalid {
		s.ended, s.again = s.again, true
		return
	}
	s.again = false
	switch s.phase {
	case PhaseProbe:
		s.probed(o == ProbeMet)
	case PhaseConfirm:
		s.confirmed(o == ProbeMet)
	case PhaseRefute:
		s.refuted(o == ProbeFailed)
	}
}

// probed takes in a probe that looks for the bounds.
func (s *CapacitySearch) probed(met bool) {
	if met {
		s.lo = s.rate
	} else {
		s.hi = s.rate
	}
	switch {
	case s.hi == 0 && s.lo >= s.rule.To:
		s.turn(PhaseConfirm, s.lo)
	case s.hi == 0:
		s.rate = min(2*s.lo, s.rule.To)
	case s.lo == 0 && s.hi <= s.rule.From:
		s.end(StopFloor)
	case s.lo == 0:
		s.rate = max(s.hi/2, s.rule.From)
	case s.hi/s.lo > 1+s.rule.Step:
		s.rate = math.Sqrt(s.lo * s.hi)
	default:
		s.turn(PhaseConfirm, s.lo)
	}
}

// confirmed takes in a repetition at the lower bound.
func (s *CapacitySearch) confirmed(met bool) {
	switch s.done++; {
	case !met:
		s.hi, s.lo = s.lo, s.lo/(1+s.rule.Step)
		if s.lo < s.rule.From {
			s.lo = 0
			s.end(StopFloor)
			return
		}
		s.turn(PhaseConfirm, s.lo)
	case s.done < s.rule.Repeats:
	case s.hi == 0:
		s.end(StopLimit)
	default:
		s.turn(PhaseRefute, s.hi)
	}
}

// refuted takes in a repetition at the upper bound.
func (s *CapacitySearch) refuted(failed bool) {
	switch s.done++; {
	case !failed:
		if s.hi *= 1 + s.rule.Step; s.hi > s.rule.To {
			s.hi = 0
			s.end(StopLimit)
			return
		}
		s.turn(PhaseRefute, s.hi)
	case s.done >= s.rule.Repeats:
		s.end(StopStep)
	}
}

func (s *CapacitySearch) turn(phase Phase, rate float64) { s.phase, s.rate, s.done = phase, rate, 0 }

func (s *CapacitySearch) end(why Stop) { s.stop, s.ended, s.known = why, true, true }

// Found gives the interval in which the capacity lies once the search has ended. Its upper end is infinite if the
// highest rate that may be tried still met the objective, its lower end 0 if the lowest one failed. It is false if a
// probe was not valid twice, so that nothing is known.
func (s *CapacitySearch) Found() (Interval, Stop, bool) {
	if !s.known {
		return Interval{}, "", false
	}
	found := Interval{s.lo, s.hi}
	if s.hi == 0 {
		found.Hi = math.Inf(1)
	}
	return found, s.stop, true
}

// AdmissibleFloor raises the floor of a search to the rate at which a window of so many seconds has the attempts that
// each of the percentiles needs, with a tenth more for arrivals that come by chance.
//
// Source: docs/method.md#percentiles and docs/method.md#capacities; docs/searches.md.
func AdmissibleFloor(floor, longest float64, percentiles []Percentile) float64 {
	for _, p := range percentiles {
		floor = max(floor, spare*float64(p.Need())/longest)
	}
	return floor
}

// AdmissibleWindow is how many seconds a window at a rate per second has to have for each of the percentiles: at least
// usual, and no more than longest for their sake.
//
// Source: docs/method.md#percentiles and docs/method.md#capacities.
func AdmissibleWindow(rate, usual, longest float64, percentiles []Percentile) float64 {
	window := usual
	for _, p := range percentiles {
		window = max(window, min(longest, spare*float64(p.Need())/rate))
	}
	return window
}

// spare is by how many times more attempts are planned than a percentile needs.
const spare = 1.1
