package stats

import "math"

// CapacityRule sets the limits of a search for the highest rate that meets an objective. Rates are per second.
//
// Source: docs/method.md#capacities.
type CapacityRule struct {
	From    float64 // the lowest rate to try
	To      float64 // the highest rate to try
	Start   float64 // the first rate, moved between From and To; 0 for their geometric mean
	Step    float64 // the largest final distance of the bounds, as a share
	Repeats int     // full repetitions to confirm the lower bound, and to refute the upper one
}

// Phase says what a probe of a search for a capacity is for.
type Phase string

// The phases, in their order.
const (
	PhaseProbe   Phase = "probe"   // finds the bounds
	PhaseConfirm Phase = "confirm" // checks that the lower bound meets the objective
	PhaseRefute  Phase = "refute"  // checks that the upper bound fails it
)

// Outcome is the result of a probe.
type Outcome int

// The outcomes of a probe.
const (
	ProbeFailed  Outcome = iota // a condition of the objective did not hold, or the services were overloaded
	ProbeMet                    // all held
	ProbeInvalid                // the probe says nothing, by docs/method.md#valid-cells
)

// CapacitySearch finds the highest rate that meets an objective. It doubles or halves the rate until it has both
// bounds, bisects between them on a logarithmic scale, and repeats both: all repetitions at the lower bound must meet
// the objective, and all at the upper one fail it. A bound that does not hold moves outwards by Step. An invalid probe
// is made again once.
//
// Source: docs/method.md#capacities.
type CapacitySearch struct {
	rule   CapacityRule
	rate   float64
	phase  Phase
	lo, hi float64 // the highest rate that met the objective, the lowest that failed it; 0 for none
	done   int     // repetitions at the present bound
	again  bool    // the probe was invalid once
	ended  bool
	stop   Stop // why the search ended; empty after two invalid probes
}

// NewCapacitySearch starts a search. If From is above To, only To is tried.
func NewCapacitySearch(rule CapacityRule) *CapacitySearch {
	rule.From = min(rule.From, rule.To)
	start := rule.Start
	if !(start > 0) {
		start = math.Sqrt(rule.From * rule.To)
	}
	return &CapacitySearch{rule: rule, phase: PhaseProbe, rate: min(max(start, rule.From), rule.To)}
}

// Next returns the rate of the next probe and its phase; ok is false when the search has ended.
func (s *CapacitySearch) Next() (rate float64, phase Phase, ok bool) {
	return s.rate, s.phase, !s.ended
}

// Tell reports the outcome of the probe that Next asked for.
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

func (s *CapacitySearch) probed(met bool) {
	if met {
		s.lo = s.rate
	} else {
		s.hi = s.rate
	}
	switch {
	case s.hi == 0 && s.lo >= s.rule.To:
		s.repeat(PhaseConfirm, s.lo)
	case s.hi == 0:
		s.rate = min(2*s.lo, s.rule.To)
	case s.lo == 0 && s.hi <= s.rule.From:
		s.end(StopFloor)
	case s.lo == 0:
		s.rate = max(s.hi/2, s.rule.From)
	case s.hi/s.lo > 1+s.rule.Step:
		s.rate = math.Sqrt(s.lo * s.hi)
	default:
		s.repeat(PhaseConfirm, s.lo)
	}
}

func (s *CapacitySearch) confirmed(met bool) {
	switch s.done++; {
	case !met && s.lo <= s.rule.From:
		s.hi, s.lo = s.lo, 0
		s.end(StopFloor)
	case !met:
		s.hi, s.lo = s.lo, max(s.lo/(1+s.rule.Step), s.rule.From)
		s.repeat(PhaseConfirm, s.lo)
	case s.done < s.rule.Repeats:
	case s.hi == 0:
		s.end(StopLimit)
	default:
		s.repeat(PhaseRefute, s.hi)
	}
}

func (s *CapacitySearch) refuted(failed bool) {
	switch s.done++; {
	case !failed && s.hi*(1+s.rule.Step) > s.rule.To:
		s.hi = 0
		s.end(StopLimit)
	case !failed:
		s.hi *= 1 + s.rule.Step
		s.repeat(PhaseRefute, s.hi)
	case s.done >= s.rule.Repeats:
		s.end(StopStep)
	}
}

func (s *CapacitySearch) repeat(phase Phase, rate float64) { s.phase, s.rate, s.done = phase, rate, 0 }

func (s *CapacitySearch) end(why Stop) { s.stop, s.ended = why, true }

// Found returns the interval of the capacity and why the search ended. The upper end is infinite if the highest rate
// met the objective, the lower end 0 if the lowest one failed. It is false if a probe was invalid twice.
func (s *CapacitySearch) Found() (Interval, Stop, bool) {
	if s.stop == "" {
		return Interval{}, "", false
	}
	found := Interval{s.lo, s.hi}
	if s.hi == 0 {
		found.Hi = math.Inf(1)
	}
	return found, s.stop, true
}

// spare is the factor by which planned attempts exceed those a percentile needs, because arrivals are random.
const spare = 1.1

// AdmissibleFloor returns the lowest rate of a search, raised until the longest window, in seconds, has the attempts
// that percentiles need.
//
// Source: docs/method.md#percentiles and docs/method.md#capacities; docs/searches.md.
func AdmissibleFloor(floor, longest float64, need int64) float64 {
	return max(floor, spare*float64(need)/longest)
}

// AdmissibleWindow returns the length of a window in seconds, at a rate per second: usual, or what the attempts that
// percentiles need take, up to longest.
//
// Source: docs/method.md#percentiles and docs/method.md#capacities.
func AdmissibleWindow(rate, usual, longest float64, need int64) float64 {
	return max(usual, min(longest, spare*float64(need)/rate))
}
