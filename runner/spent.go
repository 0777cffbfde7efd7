package runner

import (
	"time"

	"benchbook/notebook/record"
)

// Spent is how a run spent its time.
type Spent struct {
	Total     time.Duration
	Measuring time.Duration // windows and warm-up of repetitions without a failure
	Searching time.Duration
}

// Efficiency returns Measuring as a share of the total without searches; 0 if there is no time. It is at most 1,
// although the two are measured by different clocks.
func (s *Spent) Efficiency() float64 {
	rest := s.Total - s.Searching
	if rest <= 0 {
		return 0
	}
	return min(1, s.Measuring.Seconds()/rest.Seconds())
}

// Add adds what another run spent.
func (s *Spent) Add(o Spent) {
	s.Total += o.Total
	s.Measuring += o.Measuring
	s.Searching += o.Searching
}

func (s *Spent) addRepetition(rec *record.Record) {
	if rec.Failure == "" {
		s.Measuring += time.Duration((rec.Parts["measure"] + rec.Parts["warmup"]) * float64(time.Second))
	}
}
