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
}

func (e *Estimate) add(o Estimate) {
	e.Warmup += o.Warmup
	e.Window += o.Window
	e.Overhead += o.Overhead
	e.Searches += o.Searches
	e.Total += o.Total
	for _, g := range o.Guesses {
		if !slices.Contains(e.Guesses, g) {
			e.Guesses = append(e.Guesses, g)
		}
	}
}

// Estimate is how long all experiments take where services and load are placed so.
func (p *Plan) Estimate(at Placement) Estimate {
	var sum Estimate
	for _, e := range p.Experiments {
		sum.add(e.Estimate(at))
	}
	return sum
}

// Estimate is how long the experiment takes where services and load are placed so.
func (e *Experiment) Estimate(at Placement) Estimate {
	var sum Estimate
	for _, s := range e.Steps {
		sum.add(s.Trial.estimate(e.Timeout))
	}
	for _, t := range e.Trials {
		if t.Unavailable != "" || t.Calibration {
			continue // the A/A pair shares what was found
		}
		searches := t.searching(at, e.Timeout)
		sum.add(Estimate{Searches: searches, Total: searches})
	}
	return sum
}

// estimate is how long one repetition of the trial takes; timeout bounds it.
func (t *Trial) estimate(timeout time.Duration) Estimate {
	out := Estimate{Overhead: assumedOverhead + time.Duration(len(t.Services)+1)*assumedContainer}
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
	out.Total = out.Warmup + out.Window + out.Overhead
	if over := out.Total - timeout; timeout > 0 && over > 0 {
		out.Window -= min(over, out.Window)
		out.Total = out.Warmup + out.Window + out.Overhead
	}
	return out
}

// searching is how long the searches of a trial take.
func (t *Trial) searching(at Placement, timeout time.Duration) time.Duration {
	one := t.estimate(timeout)
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
