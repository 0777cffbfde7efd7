package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// What is assumed of what an article does not say.
const (
	assumedRate      = 1000            // requests per second of a load that ends with a number of requests
	assumedCommand   = 5 * time.Second // that a command takes
	assumedOverhead  = time.Second     // of a repetition: its network, and saving its record
	assumedContainer = time.Second     // to start and to stop one
	probeDuration    = 3 * time.Second // of a probe of a search, without overhead
	capacityProbes   = 20              // of a search for capacity, about
)

// Estimate is how long something is likely to take. The parts add up to Total. Images that have to be built first come on top.
type Estimate struct {
	Warmup   time.Duration
	Window   time.Duration // what is measured
	Overhead time.Duration // starting and stopping
	Searches time.Duration
	Total    time.Duration
	Guesses  []string // what is assumed where the article sets no time, in words
	Recorded bool     // some of it is what earlier repetitions took
}

// Experience is what records know about a trial.
type Experience struct {
	Pending  int           // repetitions that are to be measured
	Recorded bool          // the times below are known
	Window   time.Duration // of one repetition, the mean
	Overhead time.Duration // of one repetition, the mean
}

func (e *Estimate) add(o Estimate) {
	e.Warmup += o.Warmup
	e.Window += o.Window
	e.Overhead += o.Overhead
	e.Searches += o.Searches
	e.Total += o.Total
	e.Recorded = e.Recorded || o.Recorded
	for _, g := range o.Guesses {
		if !slices.Contains(e.Guesses, g) {
			e.Guesses = append(e.Guesses, g)
		}
	}
}

// Estimate is how long the experiment takes where services and load are placed so. Experience says of every trial what is
// left to do and how long it took before; with nil all of it is to be done, and nothing is known. Searches are those of trials
// of which something is pending, and searches for capacity, which have no repetitions.
func (e *Experiment) Estimate(at Placement, experience func(*Trial) Experience) Estimate {
	if experience == nil {
		steps := map[*Trial]int{}
		for _, s := range e.Steps {
			steps[s.Trial]++
		}
		experience = func(t *Trial) Experience { return Experience{Pending: steps[t]} }
	}
	var sum Estimate
	for _, t := range e.Trials {
		known := experience(t)
		if t.Unavailable != "" || known.Pending == 0 && t.Capacity == nil {
			continue
		}
		one := t.estimate(e.Timeout, known)
		for range known.Pending {
			sum.add(one)
		}
		if !t.Calibration { // the A/A pair shares what was found
			searches := t.searching(at, one)
			sum.add(Estimate{Searches: searches, Total: searches})
		}
	}
	return sum
}

// estimate is how long one repetition of the trial takes; timeout bounds it.
func (t *Trial) estimate(timeout time.Duration, known Experience) Estimate {
	containers := len(t.Services) + 1
	for _, s := range t.Services {
		if s.Link != nil {
			containers++
		}
	}
	out := Estimate{Overhead: assumedOverhead + time.Duration(containers)*assumedContainer, Recorded: known.Recorded}
	switch l := t.Load; {
	case t.Command != nil:
		out.Window = assumedCommand
		out.Guesses = []string{fmt.Sprintf("%v for a command", assumedCommand)}
	case l == nil:
	case len(l.Stages) > 0:
		out.Warmup = l.Warmup
		for _, s := range l.Stages {
			out.Window += s.Duration
		}
	case l.Requests > 0:
		out.Warmup, out.Window = l.Warmup, time.Duration(l.Requests)*time.Second/assumedRate
		if l.Duration > 0 {
			out.Window = min(out.Window, l.Duration)
		}
		out.Guesses = []string{fmt.Sprintf("%d requests per second", assumedRate)}
	default:
		out.Warmup, out.Window = l.Warmup, l.Duration
	}
	if known.Recorded {
		out.Overhead = known.Overhead
		if len(out.Guesses) > 0 {
			out.Window, out.Guesses = known.Window, nil
		}
	}
	out.Total = out.Warmup + out.Window + out.Overhead
	if over := out.Total - timeout; timeout > 0 && over > 0 {
		out.Window -= min(over, out.Window)
		out.Total = out.Warmup + out.Window + out.Overhead
	}
	return out
}

// searching is how long the searches of a trial take, of which one repetition takes so long.
func (t *Trial) searching(at Placement, one Estimate) time.Duration {
	sum := time.Duration(0)
	for _, s := range t.Tune {
		probes := s.Probes * len(s.Candidates(at.ServiceCores))
		d := time.Duration(probes) * (one.Overhead + one.Warmup + min(one.Window, probeDuration))
		if s.Budget > 0 {
			d = min(d, s.Budget)
		}
		sum += d
	}
	if c := t.Capacity; c != nil {
		window := cmp.Or(one.Window, defaultDuration)
		sum += (capacityProbes + 2*time.Duration(c.Repeats)) * (one.Overhead + one.Warmup + window)
	}
	return sum
}
