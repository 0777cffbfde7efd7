package loadgen

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Sample is a request that another program has sent, as it tells. Times are in nanoseconds since its load began, which is
// when its warm-up did.
type Sample struct {
	Start  int64 // when it was sent or, in an open loop, when it was due
	Sent   int64 // when it was sent, NeverSent if it never was
	End    int64 // not before Start
	Kind   Kind  // empty for what its program takes for a right answer
	Status int   // up to 999; 0 without a whole answer
	Cut    bool  // it was under way when the load ended, and End is when it was given up
}

// Count finds of requests that another program has sent what Run finds of its own: what is in the window, and how much
// of it. The window is opened at a time of that program's clock; what it does not tell, such as bytes, connections and
// the wall clock, is zero.
//
// The error says in which way it was another load than that of the config.
func Count(config Config, requests []Sample) (result *Result, opened time.Duration, err error) {
	config.Targets = nil // and with them what is told of TLS only
	w := newWindow(config.Duration)
	w.OpenAt(openingOf(&config, requests))
	end, err := endOf(&config, w, requests)
	if err != nil {
		return nil, 0, err
	}
	t := newTally(w, &config)
	for i := range requests {
		r := &requests[i]
		if w.Over(r.Start) || r.Start >= end.at {
			continue
		}
		o := r.outcome(&config)
		o.Cut, o.End = r.Cut || end.cuts(w, r), min(o.End, end.at)
		t.Add(o)
	}
	last := t.LastStart
	if result, err = t.Result(config.Requests); err != nil {
		return nil, 0, err
	}
	opened = time.Duration(w.Start.Load())
	if result.EndedBy == EndedByRequests && !config.Cut {
		result.InFlight = presenceOf(requests, opened.Nanoseconds(), last, config.Think)
	}
	if config.Open() {
		err = checkSchedule(&config, result.Due)
	}
	return result, opened, err
}

// outcome is what became of a request: what its program takes for right is so only with a status that the load accepts,
// and in time.
func (r *Sample) outcome(c *Config) *outcome {
	o := &outcome{Start: r.Start, Sent: r.Sent, End: r.End, Kind: r.Kind, Status: r.Status, FirstByte: r.Start,
		Connect: none, TLS: none, Blocked: r.Sent == NeverSent}
	switch {
	case o.Kind != "":
	case o.End-o.Start > c.Timeout.Nanoseconds():
		o.Kind, o.Status = Timeout, 0
	case o.Status != 0 && !c.Verify.hasRightStatus(o.Status):
		o.Kind = Wrong
	}
	return o
}

// openingOf is the start of the window: the end of the warm-up or, if a number of requests is measured, the first of
// these.
func openingOf(c *Config, requests []Sample) int64 {
	warm := c.Warmup.Nanoseconds()
	first := int64(math.MaxInt64)
	for i := range requests {
		if start := requests[i].Start; start >= warm {
			first = min(first, start)
		}
	}
	if c.Requests == 0 || first == math.MaxInt64 {
		return warm
	}
	return first
}

// ending is when so many requests of the window had ended that the others are cut.
type ending struct {
	at   int64 // beyond all times if none are cut
	last int64 // of the requests that ended then, how many are not one too many
}

// cuts reports whether a request was under way when the load ended.
func (e *ending) cuts(w *window, r *Sample) bool {
	if r.End != e.at || !w.Begun(r.Start) {
		return r.End > e.at
	}
	e.last--
	return e.last < 0
}

// endOf finds the end of a load. The error says that there are more requests in the window than it has, or fewer where
// no time ends it.
func endOf(c *Config, w *window, requests []Sample) (ending, error) {
	var ends []int64
	isCut := false
	for i := range requests {
		r := &requests[i]
		if isCut = isCut || r.Cut; w.Contains(r.Start) && !r.Cut && !(c.Cut && w.Over(r.End)) {
			ends = append(ends, r.End)
		}
	}
	n := int64(len(ends))
	none := ending{at: math.MaxInt64}
	switch {
	case n < c.Requests && w.Duration == 0, n > c.Requests && c.Requests > 0 && !c.Cut:
		return none, fmt.Errorf("after the warm-up it made %d requests, and the load has %d", n, c.Requests)
	case c.Cut && n >= c.Requests:
		slices.Sort(ends)
		at := ends[c.Requests-1]
		first, _ := slices.BinarySearch(ends, at)
		return ending{at, c.Requests - int64(first)}, nil
	case isCut:
		return none, errors.New("it gave a request up, and the load is one that follows each to its end")
	}
	return none, nil
}

// presenceOf is how long requests were under way, or clients thinking behind them, from the start of the window to that
// of its last request.
func presenceOf(requests []Sample, from, to int64, think time.Duration) *InFlight {
	out := &InFlight{Length: time.Duration(to - from)}
	for i := range requests {
		r := &requests[i]
		out.Time += time.Duration(max(0, min(r.End+think.Nanoseconds(), to)-max(r.Start, from)))
	}
	return out
}

// checkSchedule reports another number of requests than were due in the window by the schedule, but for what chance
// makes of random arrivals.
func checkSchedule(c *Config, due int64) error {
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

// Overlapping finds the first request that was under way together with as many others as there may be at a time; -1 if
// there is none. Times may be off by so many nanoseconds.
func Overlapping(requests []Sample, most int, off int64) (at int) {
	order, ends := make([]int, 0, len(requests)), make([]int64, 0, len(requests))
	for i := range requests {
		if r := &requests[i]; r.Sent != NeverSent {
			order, ends = append(order, i), append(ends, r.End)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(requests[a].Sent, requests[b].Sent) })
	slices.Sort(ends)
	ended := 0
	for n, i := range order {
		for ended < len(ends) && ends[ended] <= requests[i].Sent+off {
			ended++
		}
		if n+1-ended > most {
			return i
		}
	}
	return -1
}
