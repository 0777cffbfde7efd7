package loadgen

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Sample is one request in the output of another load generator. Times are in nanoseconds since its load began, warm-up
// included.
type Sample struct {
	Start  int64 // when it was sent or, in an open loop, due
	Sent   int64 // NeverSent if it was not
	End    int64 // not before Start
	Kind   Kind  // empty if the generator counted the answer as right
	Status int   // up to 999; 0 without a whole answer
	Cut    bool  // it was under way when the load ended, at End
}

// Count counts samples as Run counts its own requests, and sorts them by their end. What samples lack, such as bytes,
// connections and the wall clock, is zero. opened is the start of the window on the samples' clock.
//
// The error says why the samples cannot be of the config's load.
func Count(config Config, samples []Sample) (result *Result, opened time.Duration, err error) {
	config.Targets = nil // without them there are no results of TLS
	slices.SortStableFunc(samples, func(a, b Sample) int { return cmp.Compare(a.End, b.End) })
	w := newWindow(config.Duration)
	w.openAt(windowStart(&config, samples))
	t, wanted := countSamples(&config, w, samples)
	switch {
	case config.Cut && wanted >= config.Requests:
	case wanted < config.Requests && config.Duration == 0, wanted > config.Requests && config.Requests > 0:
		return nil, 0, fmt.Errorf("after the warm-up it made %d requests, and the load has %d", wanted, config.Requests)
	case slices.ContainsFunc(samples, func(s Sample) bool { return s.Cut }):
		return nil, 0, errors.New("it gave a request up, and the load follows each to its end")
	}
	result, opened = t.result(config.Requests), time.Duration(w.start.Load())
	result.Late = nil // samples do not tell when a connection was free
	if result.EndedBy == EndedByRequests && !config.Cut {
		result.InFlight = inFlight(samples, opened.Nanoseconds(), t.lastStart, config.Think)
	}
	if config.Open() {
		err = checkDue(&config, result.Due)
	}
	return result, opened, err
}

// countSamples counts samples, which are sorted by their end, and returns how many requests of the window ended.
func countSamples(c *Config, w *window, samples []Sample) (t *tally, wanted int64) {
	t = newTally(w, c)
	end := int64(never) // when the last wanted request ended, which cuts the others
	for i := range samples {
		s := &samples[i]
		if w.isOver(s.Start) || s.Start >= end {
			continue
		}
		o := s.outcome(c)
		inTime := s.End < end || s.End == end && !w.hasBegun(s.Start)
		o.cut, o.end = s.Cut || !inTime, min(o.end, end)
		t.add(o)
		if w.hasBegun(s.Start) && !s.Cut && !(c.Cut && w.isOver(s.End)) {
			wanted++
		}
		if c.Cut && wanted == c.Requests {
			end = min(end, s.End)
		}
	}
	return t, wanted
}

// outcome fails a sample that its generator counted as right although it came too late or has a wrong status.
func (s *Sample) outcome(c *Config) *outcome {
	o := &outcome{start: s.Start, sent: s.Sent, end: s.End, kind: s.Kind, status: s.Status, firstByte: s.Start,
		connect: none, tls: none}
	if s.Sent != NeverSent {
		o.late = s.Sent - s.Start
	}
	switch {
	case o.kind != "":
	case o.end-o.start > c.Timeout.Nanoseconds():
		o.kind, o.status = Timeout, 0
	case o.status != 0 && !c.Verify.hasRightStatus(o.status):
		o.kind = Wrong
	}
	return o
}

// windowStart is the end of the warm-up or, for a number of requests, the start of the first one after it.
func windowStart(c *Config, samples []Sample) int64 {
	warm, first := c.Warmup.Nanoseconds(), int64(never)
	for i := range samples {
		if start := samples[i].Start; start >= warm {
			first = min(first, start)
		}
	}
	if c.Requests == 0 || first == never {
		return warm
	}
	return first
}

// inFlight adds up how long requests were under way, or clients were thinking after them, between two times.
func inFlight(samples []Sample, from, to int64, think time.Duration) *InFlight {
	out := &InFlight{Length: time.Duration(to - from)}
	for i := range samples {
		s := &samples[i]
		out.Time += time.Duration(max(0, min(s.End+think.Nanoseconds(), to)-max(s.Start, from)))
	}
	return out
}

// checkDue returns an error if the number of requests due in the window differs from the config's by more than chance.
func checkDue(c *Config, due int64) error {
	want := c.Rate * c.Duration.Seconds()
	const few, share, deviations = 2, 0.01, 5
	off := few + share*want
	if c.Arrivals == PoissonArrivals {
		off = few + deviations*math.Sqrt(want)
	}
	if math.Abs(float64(due)-want) > off {
		return fmt.Errorf("%d of its requests were due in the window, and by the load %.0f are", due, want)
	}
	return nil
}
