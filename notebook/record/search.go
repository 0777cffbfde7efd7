package record

import (
	"cmp"
	"slices"
	"time"

	"benchbook/internal/slice"
)

// The kinds of searches.
const (
	SearchTune     = "tune"     // the smallest value from which on more does not help
	SearchCapacity = "capacity" // the highest rate that still meets an objective
)

// Why a search ended.
const (
	StopWorse  = "worse"  // two candidates running did not improve
	StopBudget = "budget" // the time that it was given would not have been enough for the next candidate
	StopLimit  = "limit"  // the last candidate; of a capacity, the highest rate that may be tried
	StopPoints = "points" // as many candidates as the profile allows
	StopOnly   = "only"   // there is one candidate, which was taken without a probe
	StopFloor  = "floor"  // of a capacity: the lowest rate that may be tried
	StopStep   = "step"   // of a capacity: the bounds lie as near to each other as they should
	StopNone   = "none"   // it could not go on: Reason says why
)

// The phases of a search for a capacity, those of its probes. Probes of a tuned value are all of the first.
const (
	PhaseProbe   = "probe"   // looks for the bounds
	PhaseConfirm = "confirm" // makes sure that the lower bound meets the objective
	PhaseRefute  = "refute"  // makes sure that the upper bound does not
)

// Search is what a search tried and found. A record with one is not of a repetition: its Repetition is 0.
//
// Source: docs/searches.md.
type Search struct {
	Kind string `json:"kind"`           // SearchTune or SearchCapacity
	Name string `json:"name,omitempty"` // of the tuned value: workers for tune.workers; empty for a capacity
	// Metric is what Value of the probes is of: what is maximized (or, if less of it is better, minimized); of a capacity
	// the first metric of the objective. Unit is its base unit, Better "higher" or "lower", or empty where neither is.
	Metric string `json:"metric"`
	Unit   string `json:"unit"`
	Better string `json:"better,omitempty"`
	// Objective is the condition that a probe has to meet, as the article writes it; empty for a tuned value.
	Objective string `json:"objective,omitempty"`
	// of a tuned value: share by which a candidate has to be better to count as better
	Effect float64 `json:"effect,omitempty" range:"0.."`
	Probes []Probe `json:"probes"` // in the order in which they were made

	// Chosen is the value that was found; 0 where none was, and for a capacity.
	Chosen int    `json:"chosen,omitempty" range:"0.."`
	Stop   string `json:"stop"` // why it ended: StopWorse and the others
	// Matters is how much a tuned value matters: the best median of a candidate over the worst that is not zero. 0 where
	// that is not known, and for a capacity.
	Matters float64 `json:"matters,omitempty" range:"0.."`

	// Of a tuned value Lo and Hi are the smallest and the largest candidate that are as good as the best one, up to
	// Effect; 0 where nothing was chosen.
	//
	// Of a capacity Lo is the highest rate per second that met the objective and was confirmed, and Hi the lowest that
	// failed it and was refuted. Hi is 0, and absent from the file, where the highest rate that may be tried still met it:
	// the capacity is at least Lo. Lo is 0, and absent, where the lowest rate failed, which is Hi: no rate meets it. Both
	// are 0 where the search could not be finished, and Reason says why.
	Lo float64 `json:"lo,omitempty" range:"0.."`
	Hi float64 `json:"hi,omitempty" range:"0.."`

	Reason string `json:"reason,omitempty"` // why nothing was found, in a sentence; empty if something was
	// Busy says that nothing was found since the machine was busy with something else until no probe could be made again:
	// that says nothing of what was searched for, and the next run searches for it anew.
	Busy bool `json:"busy,omitempty"`
	// Attempt counts the searches for the same in one run, from 2: those before it found nothing.
	Attempt int `json:"attempt,omitempty" range:"0.."`
}

// Probe is one short measurement of a search, on services that were started for it.
type Probe struct {
	Candidate float64 `json:"candidate" range:"0.."` // the value that was tried; of a capacity the rate per second
	Phase     string  `json:"phase"`                 // PhaseProbe, PhaseConfirm or PhaseRefute
	Value     float64 `json:"value" range:"any"`     // of the search's Metric, in its unit; 0 where there is none
	Passed    bool    `json:"passed,omitempty"`      // of a capacity: it met the objective
	Invalid   string  `json:"invalid,omitempty"`     // why the probe does not count, or counts 0; empty for a valid one
	Failure   string  `json:"failure,omitempty"`     // why it could not be measured, as of a repetition
	// Disturbed is what else the machine did meanwhile, of a probe in whose place another one follows: whatever it came to
	// counts for nothing.
	Disturbed string    `json:"disturbed,omitempty"`
	Started   time.Time `json:"started"`
	Seconds   float64   `json:"seconds" range:"0.."` // that it took, services started and stopped included
	// what was measured, for curves: also throughput, failed, latency.p50 and latency.p99
	Samples []Sample `json:"samples,omitempty"`
}

// Counts is the value by which the probe of a tuned value counts: 0 if it is not valid.
//
// Source: docs/method.md#tuned-values.
func (p Probe) Counts() float64 {
	if p.WhyNot() != "" {
		return 0
	}
	return p.Value
}

// Has reports whether the probe has a value of its search's metric, of whose name it is told: a percentile has none
// where too few of the requests were answered. Probes that say nothing of what they measured are taken by their word.
func (p Probe) Has(metric string) bool {
	return p.Failure == "" && (p.Value != 0 || len(p.Samples) == 0 ||
		slices.ContainsFunc(p.Samples, func(s Sample) bool { return s.Metric == metric }))
}

// WhyNot is why a probe is not valid; empty for one that is.
func (p Probe) WhyNot() string { return cmp.Or(p.Failure, p.Invalid, p.Disturbed) }

// Disturbed counts the probes that were made again, as the machine had disturbed them.
func (s *Search) Disturbed() int {
	return slice.Count(s.Probes, func(p Probe) bool { return p.Disturbed != "" })
}

// Candidate is the probes of a search that tried one value.
type Candidate struct {
	Value  float64
	Probes []Probe
}

// Candidates gives the probes by what they tried, in ascending order.
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
