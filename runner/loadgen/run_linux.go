package loadgen

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// run is one measurement.
type run struct {
	*load
	started int64
	warm    int64 // the end of the warm-up

	cutAt     atomic.Int64 // when requests under way were cut; never before that
	ended     atomic.Bool  // no more requests start
	cancelled atomic.Bool

	engines []*engine

	_      [64]byte     // Requests change what follows. It has cache lines of its own, since all engines read the above.
	issued atomic.Int64 // requests that clients asked to send after the warm-up; not counted with Cut
	done   atomic.Int64 // requests that ended in the window; counted only with Cut
	taken  atomic.Int64 // requests of an open loop that engines have taken
}

// measure starts all engines at once and returns when the last one has ended. An engine that cannot measure cancels the
// others.
func measure(ctx context.Context, cancel context.CancelCauseFunc, l *load, engines int) (*Result, error) {
	r := &run{load: l}
	r.cutAt.Store(never)
	for i := range engines {
		e, err := newEngine(ctx, r, i, engines)
		if err != nil {
			return nil, err
		}
		defer e.sockets.poller.close()
		e.meter.polls = !l.config.Sharing && coreToSpare(engines)
		r.engines = append(r.engines, e)
	}
	// Sockets that wait for the server to close them overlap with their successors.
	growFileTable(r.engines[0].sockets.poller.epoll, max(1024, 2*r.config.Connections))
	cancelling := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cancelling)
		r.cancelled.Store(true)
		r.wake()
	})
	defer func() {
		if !stop() {
			<-cancelling // wake uses the pollers, which are closed next
		}
	}()
	before, after := r.work(cancel)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	result := r.result()
	result.CPU = &CPU{User: after.User - before.User, System: after.System - before.System,
		Length: after.Length - before.Length}
	addThreads(result.CPU, r.engines)
	result.Health = health(r.engines)
	return result, nil
}

// work runs the engines, and reads the processor time of this process at the start and the end of the window.
func (r *run) work(cancel context.CancelCauseFunc) (before, after CPU) {
	var working sync.WaitGroup
	gate, done := make(chan struct{}), make(chan struct{})
	for _, e := range r.engines {
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
	before = readUsage(r.base)
	r.started = r.now()
	r.warm = r.started + r.config.Warmup.Nanoseconds()
	if r.config.Requests == 0 {
		r.window.openAt(r.warm)
	}
	close(gate)
	if r.config.Warmup > 0 {
		r.sleep(r.warm, done)
		before = readUsage(r.base)
	}
	select {
	case <-r.window.opened:
		r.sleep(r.window.end(), done)
	case <-done:
	}
	after = readUsage(r.base)
	<-done
	return before, after
}

func (r *run) wake() {
	for _, e := range r.engines {
		e.sockets.poller.wake()
	}
}

// permit returns the start of a request that a client of a closed loop wants to send now; ok is false if it may not.
func (r *run) permit(now int64) (start int64, ok bool) {
	if now < r.warm {
		return now, true
	}
	switch {
	case r.config.Cut && r.ended.Load():
		return 0, false
	case r.config.Requests > 0 && !r.config.Cut:
		switch n := r.issued.Add(1); {
		case n == r.config.Requests:
			r.ended.Store(true)
			r.wake()
		case n > r.config.Requests:
			return 0, false
		}
	}
	r.window.openAt(now)
	// Another engine may have opened the window just after this one read its clock, and no request that counts starts
	// before the window.
	start = max(now, r.window.start.Load())
	return start, !r.window.isOver(start)
}

// countEnd counts a request, with Cut, and reports whether it ended after the last wanted one, which cuts the
// others.
func (r *run) countEnd(start, end int64) bool {
	if !r.config.Cut || !r.window.hasBegun(start) || r.window.isOver(end) {
		return false
	}
	n := r.done.Add(1)
	if n == r.config.Requests {
		r.cutAt.Store(end)
		r.ended.Store(true)
		r.wake()
	}
	return n > r.config.Requests
}

// sleep waits until a time of the run's clock, or until done is closed.
func (r *run) sleep(until int64, done <-chan struct{}) {
	timer := time.NewTimer(time.Duration(until - r.now()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-done:
	}
}

// result adds up the counts of all engines.
func (r *run) result() *Result {
	total := r.engines[0].tally
	encryptions := make(map[TLS]bool)
	for i, e := range r.engines {
		maps.Copy(encryptions, e.handshakes.negotiated)
		if i > 0 {
			total.merge(e.tally)
		}
	}
	result := total.result(r.config.Requests)
	result.TLS = slices.SortedFunc(maps.Keys(encryptions), func(a, b TLS) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	start := r.window.start.Load()
	result.Start = r.base.Add(time.Duration(start)).UTC()
	if result.EndedBy == EndedByRequests && !r.config.Cut {
		result.InFlight = &InFlight{Length: time.Duration(total.lastStart - start)}
		for _, e := range r.engines {
			for i := range e.presences {
				result.InFlight.Time += time.Duration(e.presences[i].until(r.window, total.lastStart))
			}
		}
	}
	return result
}
