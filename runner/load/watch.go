package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/loadtool"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// A watch reads what a tool or program uses while it runs.
type watch struct {
	name    string // of the tool, or record.DriverTool
	line    string
	threads int
	began   time.Time // just before it was started
	started time.Time // when a first thread of it was seen; zero if the engine does not know
	ended   time.Time

	usage []engine.Usage
}

// watchEvery is the interval between readings of a tool: long enough to cost it nothing.
const watchEvery = 50 * time.Millisecond

// run runs a tool or program in the container of the load, and watches it.
func (w *watch) run(ctx context.Context, in engine.Container, c engine.Command) (engine.Exit, error) {
	idle, _ := in.Usage(ctx, engine.Detail{Threads: true}) // if this fails, no start is seen
	watched, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	w.began = time.Now()
	go func() {
		defer close(done)
		w.read(watched, in, idle.Threads)
	}()
	exit, err := in.Exec(ctx, c)
	w.ended = time.Now()
	stop()
	<-done
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = &UnendedError{Name: w.name, Err: err}
	}
	return exit, err
}

// read takes readings until the context is done. idle has the threads that were there before.
func (w *watch) read(ctx context.Context, in engine.Container, idle map[int]engine.Thread) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		if u, err := in.Usage(ctx, engine.Detail{Threads: true}); err == nil && u.CPU >= 0 {
			w.usage = append(w.usage, u)
			for id := range u.Threads {
				if _, known := idle[id]; !known && w.started.IsZero() {
					w.started = u.At
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// beginning estimates the start of a window: the tool's start or, if earlier or unseen, length before the tool's end.
func (w *watch) beginning(length time.Duration) time.Time {
	latest := w.ended.Add(-length).UTC()
	if w.started.IsZero() || latest.Before(w.started) {
		return latest
	}
	return w.started.UTC()
}

// moment converts the time at which a tool or program says that it began from the clock of its machine to ours. It
// returns an error if the program did not run then.
func (w *watch) moment(there time.Time, at Place) (time.Time, error) {
	const off = time.Second
	here := there.Add(-at.Ahead).UTC()
	if here.After(w.began.Add(-off)) && here.Before(w.ended.Add(off)) {
		return here, nil
	}
	hint := ""
	if w.name == record.DriverTool {
		hint = ": began is the Unix time in seconds"
	}
	return here, fmt.Errorf("%s says that it began at a time at which it did not run%s", w.name, hint)
}

// addOutput adds what a tool or program printed to a measurement, and what it used in its window.
func (w *watch) addOutput(m *Measurement, o *loadtool.Output, l *spec.Load, at Place) (err error) {
	start := w.beginning(o.Window)
	if !o.Started.IsZero() {
		if start, err = w.moment(o.Started, at); err != nil {
			return err
		}
	}
	m.Start, m.Length, m.Load = start.Add(at.Ahead), o.Window, o.Load(l)
	m.Samples, m.Histograms, m.Load.WindowStart = o.Samples, o.Histograms, m.Start
	w.addTo(m, start, at.Cores)
	return nil
}

// addTo adds what a tool used in the window of a measurement, which began at start by our clock. What it used before
// and after does not count.
func (w *watch) addTo(m *Measurement, start time.Time, cores int) {
	end := start.Add(m.Length)
	w.usage = slice.Filter(w.usage, func(u engine.Usage) bool { return !u.At.Before(start) && !u.At.After(end) })
	m.GeneratorCPU = -1
	if share := w.waiting(); share >= 0 {
		m.Load.Health = &record.Health{Standstill: -1, Waiting: share}
	}
	if busy, used, ok := w.busy(cores); ok {
		m.Load.Busy, m.GeneratorCPU = busy, time.Duration(used*float64(m.Length))
		m.Samples = append(m.Samples, record.Sample{Metric: "generator.cpu", Value: busy, Unit: "1"})
	}
}

// shortest is the least time between two readings from which usage is computed.
const shortest = 200 * time.Millisecond

// ends returns the first and the last reading, and the seconds between them; false if they are too close to each other.
func (w *watch) ends() (first, last engine.Usage, span float64, ok bool) {
	if len(w.usage) == 0 {
		return first, last, 0, false
	}
	first, last = w.usage[0], w.usage[len(w.usage)-1]
	length := last.At.Sub(first.At)
	return first, last, length.Seconds(), length >= shortest
}

// waiting returns the largest share of the time in which a thread could run and had no core; -1 if that is unknown.
func (w *watch) waiting() float64 {
	share := -1.0
	first, last, span, ok := w.ends()
	if !ok {
		return share
	}
	for id, now := range last.Threads {
		if before, ok := first.Threads[id]; ok && now.Waited >= 0 && before.Waited >= 0 {
			share = max(share, min(1, (now.Waited-before.Waited).Seconds()/span))
		}
	}
	return share
}

// busy returns the share of the tool's busiest thread, or the mean of all its threads and cores if it is larger, and
// the cores that it used. ok is false if the window was too short to tell, or the engine does not know.
func (w *watch) busy(cores int) (busiest, used float64, ok bool) {
	first, last, span, ok := w.ends()
	if !ok || w.threads > 1 && len(last.Threads) == 0 { // the mean of several threads hides the busiest
		return 0, 0, false
	}
	used = max(0, (last.CPU-first.CPU).Seconds()/span)
	busiest = used / float64(max(1, min(w.threads, max(1, cores))))
	for id, now := range last.Threads { // a thread that is not in the first reading began in the window
		busiest = max(busiest, (now.CPU-first.Threads[id].CPU).Seconds()/span)
	}
	return min(1, busiest), used, true
}
