package plan

import (
	"cmp"
	"time"
)

// Assumed where neither the article nor a record says how long something takes.
const (
	assumedRate     = 1000                    // requests per second of a load that ends with a number of requests
	assumedCommand  = 5 * time.Second         // of a command
	assumedOverhead = 1500 * time.Millisecond // of a repetition: starting, stopping, saving its record
	probeDuration   = 3 * time.Second         // of a probe of a search, without overhead
	capacityProbes  = 20                      // of a search for capacity, about
)

// Experience is what records know about a trial, and what is left to do of it.
type Experience struct {
	Pending  int           // repetitions, or searches for a capacity
	Searched bool          // values that the trial searches for are known
	Overhead time.Duration // mean of a repetition, beyond warm-up and window; 0 if unknown
	Window   time.Duration // mean of a repetition; 0 if unknown
}

// Estimate returns how long the pending repetitions and searches of the experiment take: their windows, plus the
// overhead of each. Images that have to be built come on top. A nil experience means that nothing has been measured,
// and everything up to the first look is pending.
func (e *Experiment) Estimate(at Placement, experience func(*Trial) Experience) time.Duration {
	if experience == nil {
		experience = func(t *Trial) Experience {
			if t.Capacity != nil {
				return Experience{Pending: 1}
			}
			return Experience{Pending: e.Least()}
		}
	}
	var sum time.Duration
	for _, t := range e.Trials {
		known := experience(t)
		if t.Unavailable != "" || known.Pending == 0 {
			continue
		}
		warmup, window := t.times(known)
		overhead := cmp.Or(known.Overhead, assumedOverhead)
		one := warmup + window + overhead
		if e.Timeout > 0 {
			one = min(one, e.Timeout)
		}
		if t.Capacity == nil { // its probes are the search
			sum += time.Duration(known.Pending) * one
		}
		if !t.Calibration { // the A/A pair shares what was found
			sum += t.searching(at, overhead+warmup, window, known.Searched)
		}
	}
	return sum
}

// times returns the warm-up and the window of a repetition.
func (t *Trial) times(known Experience) (warmup, window time.Duration) {
	switch l := t.Load; {
	case t.Command != nil:
		return 0, cmp.Or(known.Window, assumedCommand)
	case l == nil:
		return 0, 0
	case l.Requests == 0:
		return l.Warmup, l.Duration
	default:
		window = cmp.Or(known.Window, time.Duration(l.Requests)*time.Second/assumedRate)
		if l.Duration > 0 {
			window = min(window, l.Duration)
		}
		return l.Warmup, window
	}
}

// searching returns how long the searches of a trial take, of which each probe takes the time around it and a window.
func (t *Trial) searching(at Placement, around, window time.Duration, searched bool) time.Duration {
	var sum time.Duration
	if !searched {
		for _, s := range t.Tune {
			each := around + min(window, probeDuration)
			n := s.Probes * len(s.Candidates(at.ServiceCores))
			if n <= s.Probes {
				continue // there is nothing to choose from
			}
			if s.Budget > 0 && each > 0 {
				n = min(n, max(s.Probes, int(s.Budget/each)))
			}
			sum += time.Duration(n) * each
		}
	}
	if c := t.Capacity; c != nil {
		sum += time.Duration(capacityProbes+2*c.Repeats) * (around + cmp.Or(window, DefaultDuration))
	}
	return sum
}
