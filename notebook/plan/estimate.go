package plan

import (
	"cmp"
	"time"
)

// Assumptions where neither the article nor its records have a value.
const (
	assumedRate     = 1000                    // requests per second of a load that ends with a number of requests
	assumedCommand  = 5 * time.Second         // of a command
	assumedOverhead = 1500 * time.Millisecond // of a repetition: starting, stopping, saving its record
	probeDuration   = 3 * time.Second         // of a probe of a tune search, without overhead
	capacityProbes  = 20                      // in a capacity search, about
)

// Experience is what records tell about a trial, and how much is still to be measured.
type Experience struct {
	Pending  int           // repetitions, or searches for a capacity
	Searched bool          // the tuned values of the trial are known
	Overhead time.Duration // mean of a repetition, beyond warm-up and window; 0 if unknown
	Window   time.Duration // mean of a repetition; 0 if unknown
}

// Estimate returns how long the pending repetitions and searches of the experiment take, including warm-up and
// overhead, but without building images.
func (e *Experiment) Estimate(at Placement, experience func(*Trial) Experience) time.Duration {
	var sum time.Duration
	for _, t := range e.Trials {
		known := experience(t)
		if known.Pending == 0 {
			continue
		}
		around, window := cmp.Or(known.Overhead, assumedOverhead), t.window(known.Window)
		if t.Load != nil {
			around += t.Load.Warmup
		}
		one := around + window
		if e.Timeout > 0 {
			one = min(one, e.Timeout)
		}
		repetitions := known.Pending
		if c := t.Capacity; c != nil {
			repetitions = capacityProbes + 2*c.Repeats
		}
		sum += time.Duration(repetitions) * one
		if known.Searched || t.Calibration { // the A/A pair uses the same tuned values
			continue
		}
		for _, s := range t.Tune {
			each := around + min(window, probeDuration)
			search := time.Duration(s.Probes*len(s.Candidates(at.ServiceCPUs))) * each
			if s.Budget > 0 {
				search = min(search, s.Budget.Truncate(each))
			}
			sum += search
		}
	}
	return sum
}

// window returns how long a repetition is measured; known is the mean of records, 0 if there are none.
func (t *Trial) window(known time.Duration) time.Duration {
	switch l := t.Load; {
	case l == nil:
		return cmp.Or(known, assumedCommand)
	case l.Requests == 0:
		return cmp.Or(l.Duration, DefaultDuration)
	default:
		window := cmp.Or(known, time.Duration(l.Requests)*time.Second/assumedRate)
		return min(window, cmp.Or(l.Duration, window))
	}
}
