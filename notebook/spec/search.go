package spec

import (
	"cmp"
	"math"
	"time"
)

// Rules for the candidates of searches.
//
// Source: docs/searches.md.
const (
	searchGrowth  = 1.5 // ratio of one candidate to the one before
	searchLeast   = 8   // the last candidate is at least this, without To
	searchPerCore = 4   // and at least this many times the cores of the services
)

// Search finds, before the repetitions of a trial, the smallest value beyond which larger ones do not help.
//
// Source: docs/method.md#tuned-values.
type Search struct {
	Name string `json:"name" yaml:"-"`
	// Of is the experiment whose tuned value for the same parameters is used; then all but Name is empty.
	Of       string        `json:"of,omitempty" not:"from to maximize budget"`
	From     int           `json:"from,omitempty"` // first candidate
	To       int           `json:"to,omitempty"`   // last candidate; 0: depends on the services' cores, see Candidates
	Maximize string        `json:"maximize,omitempty"`
	Budget   time.Duration `json:"budget,omitempty"`          // time for the search; 0: no limit
	Probes   int           `json:"probes,omitempty" yaml:"-"` // per candidate
	Patience int           `json:"patience,omitempty" yaml:"-"`
	Effect   float64       `json:"effect,omitempty" yaml:"-"` // relative gain that counts as an improvement
}

// First returns the first candidate. Searches of a trial run one after another; until its turn, each value is First.
func (s Search) First() int { return max(s.From, 1) }

// Candidates returns the values that a search may try, ascending; cores are those of the services.
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

// Capacity searches for the highest rate that still meets an objective.
//
// Source: docs/method.md#capacities.
type Capacity struct {
	SLO     string        `json:"slo" as:"expression" need:"add slo: with an objective, such as latency.p99 < 100ms and failed < 0.1%"`
	From    float64       `json:"from" as:"rate" need:"add from: with the lowest rate to try, such as 100/s"` // per second
	To      float64       `json:"to" as:"rate" need:"add to: with the highest rate to try, such as 20000/s"`  // per second
	Step    float64       `json:"step" yaml:"-"`                                                              // relative distance of the bounds in the end
	Repeats int           `json:"repeats" yaml:"-"`                                                           // full repetitions that confirm or refute a bound
	Probe   time.Duration `json:"probe" yaml:"-"`                                                             // the longest; the objective's percentile must be admissible within it
}
