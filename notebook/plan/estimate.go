package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// What is assumed of what an article does not say.
const (
	assumedRate      = 1000                   // requests per second of a load that ends with a number of requests
	assumedCommand   = 5 * time.Second        // that a command takes
	assumedOverhead  = 500 * time.Millisecond // of a repetition: its network, and saving its record
	assumedContainer = 500 * time.Millisecond // to start and to stop one that is not shared
	probeDuration    = 3 * time.Second        // of a probe of a search, without overhead
	capacityProbes   = 20                     // of a search for capacity, about
)

// Estimate is how long something is likely to take. The parts add up to Total. Images that have to be built first come
// on top.
type Estimate struct {
	Warmup   time.Duration
	Window   time.Duration // what is measured
	Overhead time.Duration // starting and stopping
	Searches time.Duration
	Probes   int // of searches, at most
	Total    time.Duration
	Guesses  []string // what is assumed where the article sets no time, in words
	Recorded bool     // some of it is what earlier repetitions took
	// Elsewhere says that some of these ran on another host.
	Elsewhere bool
}

// Experience is what records know about a trial.
type Experience struct {
	Pending  int           // repetitions, or searches for a capacity, that are to be measured
	Searched bool          // values that the trial searches for are known already
	Recorded bool          // Overhead is known
	Overhead time.Duration // of one repetition, the mean
	Probe    time.Duration // the same, of one with services of its own in any case, as in a search
	Window   time.Duration // the same; 0 if it is not known
	Search   time.Duration // all searches of the trial; 0 if it is not known

	Elsewhere bool // some of it is known from another host
}

func (e *Estimate) add(o Estimate) {
	e.Warmup += o.Warmup
	e.Window += o.Window
	e.Overhead += o.Overhead
	e.Searches += o.Searches
	e.Probes += o.Probes
	e.Total += o.Total
	e.Recorded, e.Elsewhere = e.Recorded || o.Recorded, e.Elsewhere || o.Elsewhere
	for _, g := range o.Guesses {
		if !slices.Contains(e.Guesses, g) {
			e.Guesses = append(e.Guesses, g)
		}
	}
}

// Estimate is how long the experiment takes with services and load placed like this. Experience says what is left to do
// of a trial and how long it took before; without it everything up to the first look is to be done, and nothing is
// known.
func (e *Experiment) Estimate(at Placement, experience func(*Trial) Experience) Estimate {
	if experience == nil {
		steps := map[*Trial]int{}
		for _, s := range e.Steps {
			if s.Round <= e.Least() {
				steps[s.Trial]++
			}
		}
		for _, t := range e.Trials {
			if t.Capacity != nil {
				steps[t] = 1
			}
		}
		experience = func(t *Trial) Experience { return Experience{Pending: steps[t]} }
	}
	var sum Estimate
	for _, t := range e.Trials {
		known := experience(t)
		if t.Unavailable != "" || known.Pending == 0 {
			continue
		}
		one := t.estimate(e, known, e.Blocks)
		for range known.Pending {
			if t.Capacity == nil { // its probes are part of the search
				sum.add(one)
			}
		}
		if !t.Calibration { // the A/A pair shares what was found
			known.Overhead = known.Probe
			searches, probes := t.searching(at, t.estimate(e, known, false), known.Searched)
			if known.Search > 0 && searches > 0 {
				searches = known.Search
			}
			sum.add(Estimate{Searches: searches, Probes: probes, Total: searches})
		}
	}
	return sum
}

// estimate is how long one repetition of the trial takes, in a block or by itself.
func (t *Trial) estimate(e *Experiment, known Experience, block bool) Estimate {
	services, programs := t.containers(e)
	if block { // its services are started and stopped once
		services /= float64(max(1, e.Least()))
	}
	out := Estimate{Overhead: assumedOverhead + time.Duration((services+programs)*float64(assumedContainer)),
		Recorded: known.Recorded, Elsewhere: known.Elsewhere}
	switch l := t.Load; {
	case t.Command != nil:
		out.Window = assumedCommand
		out.Guesses = []string{fmt.Sprintf("%v for a command", assumedCommand)}
	case l == nil:
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
		if len(out.Guesses) > 0 && known.Window > 0 {
			out.Window, out.Guesses = known.Window, nil
		}
	}
	out.Total = out.Warmup + out.Window + out.Overhead
	if over := out.Total - e.Timeout; e.Timeout > 0 && over > 0 {
		out.Window -= min(over, out.Window)
		out.Total = out.Warmup + out.Window + out.Overhead
	}
	return out
}

// containers is how many the trial starts for its own services, and for its load or command.
func (t *Trial) containers(e *Experiment) (services, programs float64) {
	for _, s := range t.Services {
		if slices.Contains(e.Shared, s.Name) {
			continue
		}
		services += float64(max(1, s.Scale))
		if s.Link != nil {
			services++
		}
	}
	return services, 1
}

// searching is how long the searches of a trial take, with the time of one repetition, and how many probes they make.
// If it is tuned, only a capacity is left to search for.
func (t *Trial) searching(at Placement, one Estimate, tuned bool) (time.Duration, int) {
	sum, probes := time.Duration(0), 0
	for _, s := range t.Tune {
		if tuned {
			break
		}
		each := one.Overhead + one.Warmup + min(one.Window, probeDuration)
		n := s.Probes * len(s.Candidates(at.ServiceCores))
		if n <= s.Probes {
			continue // there is nothing to choose from
		}
		if s.Budget > 0 && each > 0 {
			n = min(n, max(s.Probes, int(s.Budget/each)))
		}
		sum, probes = sum+time.Duration(n)*each, probes+n
	}
	if c := t.Capacity; c != nil {
		n := capacityProbes + 2*c.Repeats
		sum, probes = sum+time.Duration(n)*(one.Overhead+one.Warmup+cmp.Or(one.Window, DefaultDuration)), probes+n
	}
	return sum, probes
}
