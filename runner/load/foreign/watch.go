package foreign

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// A watch reads what a tool or driver uses while it runs.
type watch struct {
	line    string
	threads int
	began   time.Time // when it was asked for
	started time.Time // when the engine said that it runs
	ended   time.Time // when it had ended

	stop context.CancelFunc
	done sync.WaitGroup

	usage     []engine.Usage
	perThread []threadTimes
}

// threadTimes are the processor times of the threads of a tool, and how long each had waited for a core.
type threadTimes struct {
	at     time.Time
	used   map[int]time.Duration
	waited map[int]time.Duration // nil if the engine does not know
}

// watchEvery is how often a tool is read: seldom enough to cost it nothing.
const watchEvery = 50 * time.Millisecond

// run runs a tool or driver, and watches it.
func (w *watch) run(ctx context.Context, name string, in engine.Space, p engine.Program) (engine.Exit, error) {
	exit, err := in.Run(ctx, p, func(r engine.Container) { w.begin(ctx, r) })
	w.end()
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = &load.UnendedError{Name: name, Err: err}
	}
	return exit, err
}

func (w *watch) begin(ctx context.Context, r engine.Container) {
	w.started = time.Now()
	ctx, w.stop = context.WithCancel(ctx)
	w.done.Go(func() {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		for {
			w.read(ctx, r)
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
}

func (w *watch) read(ctx context.Context, r engine.Container) {
	if u, err := r.Usage(ctx); err == nil && u.CPU >= 0 {
		w.usage = append(w.usage, u)
	}
	threaded, ok := r.(engine.Threaded)
	if !ok {
		return
	}
	now := threadTimes{at: time.Now()}
	var err error
	if now.used, err = threaded.Threads(ctx); err != nil || len(now.used) == 0 {
		return
	}
	if queued, ok := r.(engine.Queued); ok {
		if waited, err := queued.Waits(ctx); err == nil {
			now.waited = waited
		}
	}
	w.perThread = append(w.perThread, now)
}

func (w *watch) end() {
	w.ended = time.Now()
	if w.stop != nil {
		w.stop()
		w.done.Wait()
	}
}

// window returns when a tool measured that does not tell. It cannot have begun later than its length before its end was
// seen.
func (w *watch) window(length time.Duration) (time.Time, time.Duration) {
	start := w.started
	if latest := w.ended.Add(-length); start.IsZero() || latest.Before(start) {
		start = latest
	}
	return start.UTC(), length
}

// moment converts a time at which a tool or driver says that it began from the clock of its machine to ours. It is false
// if nothing ran then.
func (w *watch) moment(there time.Time, at load.Place) (time.Time, bool) {
	const off = time.Second
	here := there.Add(-at.Ahead).UTC()
	return here, here.After(w.began.Add(-off)) && here.Before(w.ended.Add(off))
}

// addTo adds what a tool used in the window of a measurement, which began at start by our clock. What it does before and
// after is no part of the load.
func (w *watch) addTo(m *load.Measurement, start time.Time, cores int) {
	end := start.Add(m.Length)
	within := func(at time.Time) bool { return !at.Before(start) && !at.After(end) }
	w.usage = slice.Filter(w.usage, func(u engine.Usage) bool { return within(u.At) })
	w.perThread = slice.Filter(w.perThread, func(t threadTimes) bool { return within(t.at) })
	m.GeneratorCPU = -1
	if share := w.waiting(); share >= 0 {
		m.Load.Health = &record.Health{Standstill: -1, Waiting: share}
	}
	if busy, used, ok := w.busy(cores); ok {
		m.Load.Busy, m.GeneratorCPU = busy, time.Duration(used*float64(m.Length))
		m.Samples = append(m.Samples, record.Sample{Metric: "generator.cpu", Value: busy, Unit: "1"})
	}
}

// shortest is the least time between two readings that tells how busy a tool was.
const shortest = 200 * time.Millisecond

// ends returns the first and the last reading of threads; false if they are too close to each other.
func (w *watch) ends() (first, last threadTimes, span float64, ok bool) {
	if len(w.perThread) == 0 {
		return first, last, 0, false
	}
	first, last = w.perThread[0], w.perThread[len(w.perThread)-1]
	length := last.at.Sub(first.at)
	return first, last, length.Seconds(), length >= shortest
}

// waiting is the share of the time for which the thread waited for a core that waited longest; -1 if that is unknown.
func (w *watch) waiting() float64 {
	share := -1.0
	if first, last, span, ok := w.ends(); ok {
		for thread, now := range last.waited {
			if before, ok := first.waited[thread]; ok {
				share = max(share, min(1, (now-before).Seconds()/span))
			}
		}
	}
	return share
}

// busy is the share of the tool's busiest thread, or that of all its threads and cores if it is larger, and the cores
// that it used. It is not ok if the window was too short to tell, or nothing tells.
func (w *watch) busy(cores int) (busiest, used float64, ok bool) {
	if len(w.usage) < 2 {
		return 0, 0, false
	}
	first, last := w.usage[0], w.usage[len(w.usage)-1]
	if span := last.At.Sub(first.At); span < shortest {
		return 0, 0, false
	} else {
		used = max(0, (last.CPU-first.CPU).Seconds()/span.Seconds())
	}
	busiest = used / float64(max(1, min(w.threads, max(1, cores))))
	if first, last, span, ok := w.ends(); ok {
		for thread, now := range last.used { // a thread that is not in the first reading began in the window
			busiest = max(busiest, (now-first.used[thread]).Seconds()/span)
		}
	} else if w.threads > 1 {
		return 0, 0, false // the mean of several threads is not that of the busiest
	}
	return min(1, busiest), used, true
}

// fromUnix converts a Unix time that a driver prints, in seconds; the zero time if there is none such.
func fromUnix(seconds float64) time.Time {
	const most = 1 << 33
	if !(seconds > 0 && seconds < most) {
		return time.Time{}
	}
	return time.Unix(0, int64(math.Round(seconds*1e9)))
}
