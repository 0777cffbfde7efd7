package http

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Run puts the load on the target and measures, until the window and the requests in it are over.
//
// While it runs, GOMAXPROCS is the config's number of threads. The error says why nothing could be measured: the
// config is invalid, the target's name does not resolve or takes no connection before timing, the check before
// timing failed, this side ran out of files or memory, or the context ended, whose cause is then wrapped.
func Run(ctx context.Context, config Config) (*Result, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if config.Threads > 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(config.Threads))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	result, err := prepareAndMeasure(ctx, cancel, &config)
	if cause := context.Cause(ctx); cause != nil {
		return nil, fmt.Errorf("measuring %s: %w", config.Targets[0].URL, cause)
	}
	return result, err
}

func prepareAndMeasure(ctx context.Context, cancel context.CancelCauseFunc, config *Config) (*Result, error) {
	target := &config.Targets[0]
	request, err := target.compile(config.KeepAlive)
	if err != nil {
		return nil, err
	}
	u := request.url
	if config.Open() || config.hasStages() || len(config.Targets) > 1 || u.Scheme != "http" || request.static == nil {
		return nil, errors.New("open loops, stages, several targets, https and random are not there yet; use one http target")
	}
	resolving, stop := context.WithTimeout(ctx, config.Timeout)
	all, err := resolve(resolving, u)
	stop()
	if err != nil {
		return nil, err
	}
	l := load{config: config, target: target, request: request.static, base: time.Now(), window: newWindow(config.Duration)}
	addresses, unreachable, err := l.choose(ctx, all)
	if err != nil {
		return nil, err
	}
	r := newRun(&l, addresses)
	result, err := r.measure(ctx, cancel)
	if err != nil {
		return nil, err
	}
	result.Addresses, result.Unreachable = addresses, unreachable
	return result, nil
}

// run is one measurement.
type run struct {
	*load
	clients   []*client
	presences []presence // of each client
	tallies   []*tally   // one for each thread
	warm      int64      // the end of warm-up

	issued atomic.Int64  // how often a client has asked for a request after warm-up
	last   chan struct{} // closed when no further request will start
	end    func()        // closes last
}

func newRun(l *load, addresses []netip.AddrPort) *run {
	r := &run{
		load:      l,
		clients:   make([]*client, l.config.Connections),
		presences: make([]presence, l.config.Connections),
		tallies:   make([]*tally, runtime.GOMAXPROCS(0)),
		last:      make(chan struct{}),
	}
	r.end = sync.OnceFunc(func() { close(r.last) })
	for i := range r.clients {
		r.clients[i] = newClient(l, addresses[i%len(addresses)])
		r.presences[i].window = l.window
	}
	for i := range r.tallies {
		r.tallies[i] = newTally(l.window, l.config.Timeout)
	}
	return r
}

// measure lets all clients go at once and returns when the last of them is done. What keeps one of them from
// measuring cancels the others.
func (r *run) measure(ctx context.Context, cancel context.CancelCauseFunc) (*Result, error) {
	var clients sync.WaitGroup
	gate, done := make(chan struct{}), make(chan struct{})
	defer context.AfterFunc(ctx, r.end)() // thinking clients need not finish their thought
	for i, c := range r.clients {
		clients.Go(func() {
			<-gate
			if err := r.drive(ctx, c, r.tallies[i%len(r.tallies)], &r.presences[i]); err != nil {
				cancel(err)
			}
		})
	}
	go func() {
		clients.Wait()
		close(done)
	}()

	before := readUsage(r.now)
	r.warm = r.now() + r.config.Warmup.Nanoseconds()
	if r.config.Requests == 0 {
		r.window.openAt(r.warm)
	}
	close(gate)
	if r.config.Warmup > 0 {
		r.sleep(r.warm, done)
		before = readUsage(r.now)
	}
	if r.config.Duration > 0 {
		select {
		case <-r.window.opened:
			r.sleep(r.window.start.Load()+r.window.duration, done)
		case <-done:
		}
	} else {
		<-done
	}
	after := readUsage(r.now)
	r.end()
	<-done
	r.retired.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	result, err := r.result()
	if err != nil {
		return nil, err
	}
	result.CPU = after.since(before, runtime.GOMAXPROCS(0))
	return result, nil
}

// drive sends one client's requests until no further one is to start.
func (r *run) drive(ctx context.Context, c *client, t *tally, p *presence) error {
	defer c.close()
	for {
		stale, unrequested := c.inspect()
		start, ok := r.begin()
		if !ok {
			return nil
		}
		o, err := c.attempt(ctx, start)
		if err != nil {
			return err
		}
		o.stale = o.stale || stale
		o.unrequested = o.unrequested || unrequested
		if err := t.add(o); err != nil {
			return err
		}
		p.next(o, r.config.Think)
		if r.config.Think > 0 {
			r.sleep(o.end+r.config.Think.Nanoseconds(), r.last)
		}
	}
}

// begin is the start of the next request, unless there is to be none.
func (r *run) begin() (start int64, ok bool) {
	if now := r.now(); now < r.warm {
		return now, true
	}
	if wanted := r.config.Requests; wanted > 0 {
		switch n := r.issued.Add(1); {
		case n == wanted:
			r.end()
		case n > wanted:
			return 0, false
		}
	}
	r.window.open(r.now)
	// Read after opening, so that no request that counts starts before the window.
	start = r.now()
	return start, !r.window.over(start)
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

// result adds up what the clients left.
func (r *run) result() (*Result, error) {
	total := r.tallies[0]
	for _, t := range r.tallies[1:] {
		if err := total.merge(t); err != nil {
			return nil, err
		}
	}
	result, err := total.result(r.config.Requests)
	if err != nil {
		return nil, err
	}
	start := r.window.start.Load()
	result.Start = r.base.Add(time.Duration(start)).UTC()
	if result.EndedBy == EndedByRequests {
		result.InFlight = &InFlight{Length: time.Duration(total.lastStart - start)}
		for i := range r.presences {
			result.InFlight.Time += time.Duration(r.presences[i].until(total.lastStart))
		}
	}
	return result, nil
}
