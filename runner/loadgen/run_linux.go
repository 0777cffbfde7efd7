package loadgen

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// run is one measurement.
type run struct {
	*load
	wanted  int64 // requests, 0 for any number
	started int64
	warm    int64 // the end of warm-up

	issued    atomic.Int64 // how often a client has asked for a request after warm-up
	done      atomic.Int64 // how many requests have ended in the window, counted if the last of those wanted is to cut
	cutAt     atomic.Int64 // when what was under way was cut, never until then
	ended     atomic.Bool  // no further request will start
	cancelled atomic.Bool

	all []*engine
}

// measure lets all engines go at once and returns when the last of them is done. What keeps one of them from measuring
// cancels the others.
func measure(ctx context.Context, cancel context.CancelCauseFunc, l *load, engines int) (*Result, error) {
	r := &run{load: l, wanted: l.config.Requests}
	r.cutAt.Store(never)
	for i := range engines {
		e, err := newEngine(ctx, r, i, engines)
		if err != nil {
			return nil, err
		}
		defer e.sockets.poller.close()
		e.meter.polls = !l.config.Sharing && coreToSpare(engines)
		r.all = append(r.all, e)
	}
	// Those that a server is to close are still there when their clients open the next.
	makeRoom(r.all[0].sockets.poller.epoll, max(1024, 2*r.config.Connections))
	var working sync.WaitGroup
	gate, done := make(chan struct{}), make(chan struct{})
	cancelling := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cancelling)
		r.cancelled.Store(true)
		r.wake()
	})
	defer func() {
		if !stop() {
			<-cancelling // before the pollers are closed
		}
	}()
	for _, e := range r.all {
		working.Go(func() {
			<-gate
			if err := e.work(); err != nil {
				cancel(err)
			}
		})
	}
	go func() {
		working.Wait()
		close(done)
	}()

	before := readUsage(r.now)
	r.started = r.now()
	r.warm = r.started + r.config.Warmup.Nanoseconds()
	if r.config.Requests == 0 {
		r.window.OpenAt(r.warm)
	}
	close(gate)
	if r.config.Warmup > 0 {
		r.sleep(r.warm, done)
		before = readUsage(r.now)
	}
	r.awaitWindow(ctx, done)
	after := readUsage(r.now)
	<-done
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	result, err := r.result()
	if err != nil {
		return nil, err
	}
	if result.CPU = after.since(before); result.CPU != nil {
		addThreads(result.CPU, r.all)
	}
	result.Health = health(r.all)
	return result, nil
}

// awaitWindow returns when the window is over. One of a number of requests is over with the last of them.
func (r *run) awaitWindow(ctx context.Context, done <-chan struct{}) {
	if r.window.Duration == 0 {
		<-done
		return
	}
	select {
	case <-r.window.Opened:
	case <-done:
		return
	}
	if r.config.Requests == 0 {
		done = ctx.Done()
	}
	r.sleep(r.window.Start.Load()+r.window.Duration, done)
}

func (r *run) wake() {
	for _, e := range r.all {
		e.sockets.poller.wake()
	}
}

// permit is the start of a request of a closed loop that is to start now, unless there is to be none.
func (r *run) permit(now int64) (start int64, ok bool) {
	if now < r.warm {
		return now, true
	}
	switch {
	case r.config.Cut && r.ended.Load():
		return 0, false
	case r.wanted > 0 && !r.config.Cut:
		switch n := r.issued.Add(1); {
		case n == r.wanted:
			r.ended.Store(true)
			r.wake()
		case n > r.wanted:
			return 0, false
		}
	}
	r.window.Open(now)
	// Another engine may have opened the window a moment after this one has read its clock, and no request that counts
	// starts before the window.
	start = max(now, r.window.Start.Load())
	return start, !r.window.Over(start)
}

// isOneTooMany reports whether a request has ended after the last of those wanted, which has the others cut.
func (r *run) isOneTooMany(start, end int64) bool {
	if !r.config.Cut || !r.window.Begun(start) || r.window.Over(end) {
		return false
	}
	n := r.done.Add(1)
	if n == r.wanted {
		r.cutAt.Store(end)
		r.ended.Store(true)
		r.wake()
	}
	return n > r.wanted
}

// sleep waits for a time of the run's clock, or for an end.
func (r *run) sleep(until int64, end <-chan struct{}) {
	timer := time.NewTimer(time.Duration(until - r.now()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-end:
	}
}

// result adds up what the engines left.
func (r *run) result() (*Result, error) {
	total := r.all[0].tally
	encryptions := make(map[TLS]bool)
	for i, e := range r.all {
		maps.Copy(encryptions, e.handshakes.negotiated)
		if i > 0 {
			total.Merge(e.tally)
		}
	}
	result, err := total.Result(r.wanted)
	if err != nil {
		return nil, err
	}
	result.TLS = slices.SortedFunc(maps.Keys(encryptions), TLS.Compare)
	start := r.window.Start.Load()
	result.Start = r.base.Add(time.Duration(start)).UTC()
	if result.EndedBy == EndedByRequests && !r.config.Cut {
		result.InFlight = &InFlight{Length: time.Duration(total.LastStart - start)}
		for _, e := range r.all {
			result.InFlight.Time += e.pacing.(*closedLoop).inFlight(total.LastStart)
		}
	}
	return result, nil
}
