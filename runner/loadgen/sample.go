package loadgen

import (
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
	Kind   Kind  // empty if the generator takes the answer for right
	Status int   // up to 999; 0 without a whole answer
	Cut    bool  // it was under way when the load ended, at End
}

// Count counts samples as Run counts its own requests. What samples do not have, such as bytes, connections and the
// wall clock, is zero. Opened is the start of the window, by the clock of the samples.
//
// An error means that the samples are of another load than the config's.
func Count(config Config, samples []Sample) (result *Result, opened time.Duration, err error) {
	config.Targets = nil // and with them the results of TLS
	w := newWindow(config.Duration)
	w.openAt(windowStart(&config, samples))
	end, err := loadEnd(&config, w, samples)
	if err != nil {
		return nil, 0, err
	}
	t := newTally(w, &config)
	for i := range samples {
		s := &samples[i]
		if w.isOver(s.Start) || s.Start >= end.at {
			continue
		}
		o := s.outcome(&config)
		o.cut, o.end = s.Cut || end.cuts(w, s), min(o.end, end.at)
		t.add(o)
	}
	last := t.lastStart
	if result, err = t.result(config.Requests); err != nil {
		return nil, 0, err
	}
	opened = time.Duration(w.start.Load())
	if result.EndedBy == EndedByRequests && !config.Cut {
		result.InFlight = inFlight(samples, opened.Nanoseconds(), last, config.Think)
	}
	if config.Open() {
		err = checkDue(&config, result.Due)
	}
	return result, opened, err
}

// outcome fails a sample whose generator takes an answer for right that came too late or has a wrong status.
func (s *Sample) outcome(c *Config) *outcome {
	o := &outcome{start: s.Start, sent: s.Sent, end: s.End, kind: s.Kind, status: s.Status, firstByte: s.Start,
		connect: none, tls: none, blocked: s.Sent == NeverSent}
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

// loadEnding is when the last of the wanted requests ended, which cuts the others.
type loadEnding struct {
	at    int64 // never if none are cut
	quota int64 // how many of the requests that ended at that time are wanted
}

// cuts reports whether a sample was under way at the end.
func (e *loadEnding) cuts(w *window, s *Sample) bool {
	if s.End != e.at || !w.hasBegun(s.Start) {
		return s.End > e.at
	}
	e.quota--
	return e.quota < 0
}

// loadEnd returns an error if the window has more requests than the load, or fewer and no time that ends it.
func loadEnd(c *Config, w *window, samples []Sample) (loadEnding, error) {
	var ends []int64
	isCut := false
	for i := range samples {
		s := &samples[i]
		if isCut = isCut || s.Cut; w.contains(s.Start) && !s.Cut && !(c.Cut && w.isOver(s.End)) {
			ends = append(ends, s.End)
		}
	}
	n := int64(len(ends))
	switch {
	case n < c.Requests && w.duration == 0, n > c.Requests && c.Requests > 0 && !c.Cut:
		return loadEnding{}, fmt.Errorf("after the warm-up it made %d requests, and the load has %d", n, c.Requests)
	case c.Cut && n >= c.Requests:
		slices.Sort(ends)
		at := ends[c.Requests-1]
		first, _ := slices.BinarySearch(ends, at)
		return loadEnding{at, c.Requests - int64(first)}, nil
	case isCut:
		return loadEnding{}, errors.New("it gave a request up, and the load follows each to its end")
	}
	return loadEnding{at: never}, nil
}

// inFlight adds up how long requests were under way, or clients thinking after them, between two times.
func inFlight(samples []Sample, from, to int64, think time.Duration) *InFlight {
	out := &InFlight{Length: time.Duration(to - from)}
	for i := range samples {
		s := &samples[i]
		out.Time += time.Duration(max(0, min(s.End+think.Nanoseconds(), to)-max(s.Start, from)))
	}
	return out
}

// checkDue returns an error if the schedule has another number of requests in the window, beyond chance.
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
