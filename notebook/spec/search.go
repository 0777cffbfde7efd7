package spec

import (
	"cmp"
	"math"
	"time"
)

// Candidates of searches.
//
// Source: docs/searches.md.
const (
	searchGrowth  = 1.5 // from one candidate to the next
	searchLeast   = 8   // of the last candidate, where nothing is written
	searchPerCore = 4   // the same, by cores of the services
)

// Search finds, before the repetitions of a trial, the smallest value from which on more does not help.
//
// Source: docs/method.md#tuned-values.
type Search struct {
	Name string `json:"name" yaml:"-"`
	// Of is the experiment whose choice for the same parameters is taken; then nothing else holds.
	Of       string        `json:"of,omitempty" not:"from to maximize budget"`
	From     int           `json:"from,omitempty"` // the first candidate
	To       int           `json:"to,omitempty"`   // the last; 0: by the cores of the services, see Candidates
	Maximize string        `json:"maximize,omitempty"`
	Budget   time.Duration `json:"budget,omitempty"`          // 0: none
	Probes   int           `json:"probes,omitempty" yaml:"-"` // of every candidate
	Patience int           `json:"patience,omitempty" yaml:"-"`
	Effect   float64       `json:"effect,omitempty" yaml:"-"` // share by which a candidate has to be better
}

// First is the first value that a search tries. Where several values of a trial are searched for one after another,
// those that come later have it until it is their turn.
func (s Search) First() int { return max(s.From, 1) }

// Candidates are the values that a search may try, in order; cores are the cores of the services.
func (s Search) Candidates(cores int) []int {
	if s.Of != "" {
		return nil
	}
	last := cmp.Or(s.To, max(searchLeast, searchPerCore*cores))
	var list []int
	for g := s.First(); ; {
		list = append(list, min(g, last))
		if g >= last {
			return list
		}
		g = max(g+1, int(math.Ceil(searchGrowth*float64(g))))
	}
}

// Capacity finds the highest rate that still meets an objective.
//
// Source: docs/method.md#capacities.
type Capacity struct {
	SLO     string        `json:"slo" as:"expression" need:"add slo: with an objective, such as latency.p99 < 100ms and failed < 0.1%"`
	From    float64       `json:"from" as:"rate" need:"add from: with the lowest rate to try, such as 100/s"` // floor, per second
	To      float64       `json:"to" as:"rate" need:"add to: with the highest rate to try, such as 20000/s"`  // limit, per second
	Step    float64       `json:"step" yaml:"-"`                                                              // the bounds differ by this share in the end
	Repeats int           `json:"repeats" yaml:"-"`                                                           // full repetitions that confirm or refute a bound
	Probe   time.Duration `json:"probe" yaml:"-"`                                                             // the longest, within which the objective's percentile has to be admissible
}
