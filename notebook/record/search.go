package record

import (
	"cmp"
	"slices"
	"time"

	"benchbook/internal/slice"
)

// The kinds of searches.
const (
	SearchTune     = "tune"     // the smallest value beyond which more does not help
	SearchCapacity = "capacity" // the highest rate that still meets an objective
)

// Why a search ended.
const (
	StopWorse  = "worse"  // successive candidates did not improve
	StopBudget = "budget" // the time left is too short for the next candidate
	StopLimit  = "limit"  // the last candidate; for a capacity, the highest rate to try
	StopOnly   = "only"   // the only candidate, taken without a probe
	StopFloor  = "floor"  // for a capacity: the lowest rate to try failed
	StopStep   = "step"   // for a capacity: the bounds are close enough
	StopNone   = "none"   // stopped before the end: Reason says why
)

// The phases of probes. A search for a tuned value has only the first.
const (
	PhaseProbe   = "probe"   // finds the bounds
	PhaseConfirm = "confirm" // repeats the lower bound, which must meet the objective
	PhaseRefute  = "refute"  // repeats the upper bound, which must fail it
)

// Search is the course and the result of a search. Its record has Repetition 0.
//
// Source: docs/searches.md.
type Search struct {
	Kind string `json:"kind"`           // SearchTune or SearchCapacity
	Name string `json:"name,omitempty"` // of the tuned value: workers for tune.workers; empty for a capacity
	// Metric is the maximized metric, or the minimized one if lower is better; for a capacity, the first of the
	// objective. Unit is its base unit, Better "higher", "lower" or empty.
	Metric string `json:"metric"`
	Unit   string `json:"unit"`
	Better string `json:"better,omitempty"`
	// Objective is the condition on probes as the article has it; empty for a tuned value.
	Objective string `json:"objective,omitempty"`
	// for a tuned value: the share by which a better candidate must beat the best so far
	Effect float64 `json:"effect,omitempty" range:"0.."`
	Probes []Probe `json:"probes"` // in order of time

	// Chosen is the tuned value; 0 if none was found, and for a capacity.
	Chosen int    `json:"chosen,omitempty" range:"0.."`
	Stop   string `json:"stop"` // StopWorse and the like
	// Matters is the best median of a candidate over the worst above zero; 0 if unknown, and for a capacity.
	Matters float64 `json:"matters,omitempty" range:"0.."`

	// Lo and Hi are, for a tuned value, the smallest and the largest candidate as good as the best one, up to Effect; 0
	// if nothing was chosen.
	//
	// For a capacity, Lo is the highest confirmed rate per second, and Hi the lowest refuted one. Without Hi, the highest
	// rate to try met the objective: the capacity is at least Lo. Without Lo, the lowest rate to try, Hi, failed it.
	// Without both, the search was not finished, and Reason says why.
	Lo float64 `json:"lo,omitempty" range:"0.."`
	Hi float64 `json:"hi,omitempty" range:"0.."`

	Reason string `json:"reason,omitempty"` // why nothing was found, in a sentence
	// Busy says that other programs disturbed too many probes: nothing was found, and the next run searches again.
	Busy bool `json:"busy,omitempty"`
	// Attempt counts the searches of a run, from 2, if earlier ones found nothing.
	Attempt int `json:"attempt,omitempty" range:"0.."`
}

// Probe is one short measurement of a search, on freshly started services.
type Probe struct {
	Candidate float64 `json:"candidate" range:"0.."` // the value to try; for a capacity, the rate per second
	Phase     string  `json:"phase"`                 // PhaseProbe, PhaseConfirm or PhaseRefute
	Value     float64 `json:"value" range:"any"`     // of the search's Metric, in its unit; 0 without one
	Passed    bool    `json:"passed,omitempty"`      // for a capacity: it met the objective
	Invalid   string  `json:"invalid,omitempty"`     // why the probe does not count, or counts 0
	Failure   string  `json:"failure,omitempty"`     // why it could not be measured, as in Record
	// Disturbed names the other work of the machine because of which the probe was made again.
	Disturbed string    `json:"disturbed,omitempty"`
	Started   time.Time `json:"started"`
	Seconds   float64   `json:"seconds" range:"0.."` // from the start of services to their end
	// for curves: also throughput, failed, latency.p50 and latency.p99
	Samples []Sample `json:"samples,omitempty"`
}

// Counts returns the value of a probe of a tuned value; 0 if it is not valid.
//
// Source: docs/method.md#tuned-values.
func (p Probe) Counts() float64 {
	if p.WhyNot() != "" {
		return 0
	}
	return p.Value
}

// Has reports whether the probe has a value of its search's metric. A percentile of too few answers has none. A probe
// without samples is assumed to have one.
func (p Probe) Has(metric string) bool {
	return p.Failure == "" && (p.Value != 0 || len(p.Samples) == 0 ||
		slices.ContainsFunc(p.Samples, func(s Sample) bool { return s.Metric == metric }))
}

// WhyNot returns why the probe is not valid; empty if it is.
func (p Probe) WhyNot() string { return cmp.Or(p.Failure, p.Invalid, p.Disturbed) }

// Disturbed counts the probes that were made again after a disturbance.
func (s *Search) Disturbed() int {
	return slice.Count(s.Probes, func(p Probe) bool { return p.Disturbed != "" })
}

// Candidate holds all probes of a search at one value.
type Candidate struct {
	Value  float64
	Probes []Probe
}

// Candidates groups the probes by value, in ascending order.
func (s *Search) Candidates() []Candidate {
	var out []Candidate
	for _, p := range s.Probes {
		i, found := slices.BinarySearchFunc(out, p.Candidate,
			func(c Candidate, value float64) int { return cmp.Compare(c.Value, value) })
		if !found {
			out = slices.Insert(out, i, Candidate{Value: p.Candidate})
		}
		out[i].Probes = append(out[i].Probes, p)
	}
	return out
}
