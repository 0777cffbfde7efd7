// Package foreign runs the load generators of others, each in a container of its own.
package foreign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/loadtool"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/load"
)

// Driver runs one tool, in a container of its own whose image the tool says how to build. It implements load.Driver.
//
// Before the window of an HTTP load answers are checked once, with our own generator; the tool itself counts what it
// counts. A warm-up is a run of the tool before the one that counts, and what it prints is thrown away.
type Driver struct {
	tool  loadtool.Tool
	check *load.Requests // one request before anything is timed

	image engine.Prepared
	facts map[string]string
}

// Drivers are the drivers of all tools that benchbook can run, by name. The program checks answers before a load.
func Drivers(program agent.Program) map[string]load.Driver {
	out := map[string]load.Driver{}
	for _, t := range loadtool.Tools() {
		if t.Program != nil {
			out[t.Name] = &Driver{tool: t, check: &load.Requests{Agent: program}}
		}
	}
	return out
}

// Prepare builds the image of the tool, and asks which version it holds.
func (d *Driver) Prepare(ctx context.Context, e engine.Engine, log io.Writer) error {
	if d.tool.Program.HTTP {
		if err := d.check.Prepare(ctx, e, log); err != nil {
			return err
		}
	}
	const file = "Dockerfile"
	var err error
	d.image, err = e.Prepare(ctx, engine.Image{Build: &engine.Build{For: "load by " + d.tool.Name, Build: spec.Build{
		Dockerfile: file, Files: []spec.File{{Path: file, Data: []byte(d.tool.Program.Image.Dockerfile)}}}}}, log)
	if err != nil {
		return err
	}
	version, err := d.version(ctx, e)
	if err != nil {
		return fmt.Errorf("asking for the version of %s: %w", d.tool.Name, err)
	}
	d.facts = map[string]string{"image.load": d.image.ID, "tool.package": d.tool.Program.Image.Package + " " + version}
	var bases []string
	for _, b := range d.image.Bases {
		text := b.Reference + " " + b.ID
		if b.Substitute != "" {
			text = b.Reference + record.ReplacedBy + b.Substitute + " " + b.ID
		}
		bases = append(bases, text)
	}
	if len(bases) > 0 {
		d.facts[record.FactBase+"load"] = strings.Join(bases, "; ")
	}
	return nil
}

// version asks the image for the version of the tool's package, unless the recipe has named it.
func (d *Driver) version(ctx context.Context, e engine.Engine) (version string, err error) {
	if release := d.tool.Program.Image.Release; release != "" {
		return release, nil
	}
	space, err := e.Open(ctx, "version")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, space.Close(context.WithoutCancel(ctx))) }()
	ask := d.tool.Program.Image.Version
	exit, err := space.Run(ctx, engine.Program{Name: "version", Image: d.image, Entrypoint: ask[:1], Command: ask[1:]},
		nil)
	if err == nil && exit.Code != 0 {
		err = fmt.Errorf("%s ended with status %d: %s", ask[0], exit.Code, loadtool.LastLine(exit.Stderr))
	}
	return strings.TrimSpace(string(exit.Stdout)), err
}

// Files are none: services under load have nothing of ours in them.
func (d *Driver) Files(*plan.Trial, string) []spec.File { return nil }

func (d *Driver) Measure(ctx context.Context, at load.Place, t *plan.Trial) (load.Measurement, error) {
	if d.tool.Program.HTTP && t.Load.CheckBefore {
		if failure, err := checkBefore(ctx, d.check, at, t); err != nil || failure != "" {
			return load.Measurement{Failure: failure, Facts: d.facts}, err
		}
	}
	if t.Load.Warmup > 0 {
		warm := *t.Load
		warm.Duration, warm.Requests = t.Load.Warmup, 0
		if _, _, err := d.call(ctx, at, &warm); err != nil {
			return load.Measurement{}, fmt.Errorf("trial %s: warming up with %s: %w", t.Name, d.tool.Name, err)
		}
	}
	exit, w, err := d.call(ctx, at, t.Load)
	if err != nil {
		return load.Measurement{}, fmt.Errorf("trial %s: running %s: %w", t.Name, d.tool.Name, err)
	}
	m := load.Measurement{Log: string(exit.Stderr), Facts: maps.Clone(d.facts),
		Output: record.KeepOutput(d.tool.Program.Summary(exit.Stdout)), GeneratorCPU: -1}
	m.Facts["tool.line"] = w.line
	if d.tool.Note != "" {
		m.Facts["tool.note"] = d.tool.Name + ": " + d.tool.Note
	}
	if m.Failure = howItEnded(d.tool.Name, exit); m.Failure != "" {
		return m, nil
	}
	o, err := d.tool.Parse(exit.Stdout)
	if err == nil && d.tool.Program.Complete != nil {
		err = d.tool.Program.Complete(t.Load, o)
	}
	if err != nil {
		m.Failure = err.Error() // the author's words for its command line may have made it print something else
		return m, nil
	}
	m.Warmup = t.Load.Warmup
	d.measured(&m, o, w, t.Load, at.Cores)
	return m, nil
}

// checkBefore sends one request with our own generator, which knows what a right answer is.
func checkBefore(ctx context.Context, own *load.Requests, at load.Place, t *plan.Trial) (failure string, err error) {
	one := *t
	l := *t.Load
	l.Tool, l.Args, l.Connections, l.Threads, l.Requests, l.Duration, l.Warmup, l.Think = "", nil, 1, 1, 1, 0, 0, 0
	l.Rate, l.Arrivals, l.Cut = 0, "", false
	one.Load = &l
	m, err := own.Measure(ctx, at, &one)
	if err == nil && m.Failure == "" && m.Load.Failed > 0 {
		m.Failure = "the answer before timing was not right: " + strings.Join(slices.Sorted(maps.Keys(m.Load.Failures)), ", ")
	}
	return m.Failure, err
}

// call runs the tool once as the load says.
func (d *Driver) call(ctx context.Context, at load.Place, l *spec.Load) (engine.Exit, *watch, error) {
	c, err := d.tool.Program.Call(l, at.Cores)
	if err != nil {
		return engine.Exit{}, nil, err
	}
	return d.run(ctx, at, l, c)
}

// run runs the tool once, and watches it.
func (d *Driver) run(ctx context.Context, at load.Place, l *spec.Load, c loadtool.Call) (engine.Exit, *watch, error) {
	path := d.tool.Program.Image.Path
	program := engine.Program{Name: "load", Image: d.image, CPUSet: at.CPUSet, First: l.Priority != "",
		Environment: c.Environment, Files: c.Files, Entrypoint: []string{path}, Command: c.Words(l.Args),
		Beside: at.Beside(l)}
	if c.Shell != "" {
		program.Entrypoint, program.Command = []string{"sh", "-c", c.Shell, "sh"}, append([]string{path}, program.Command...)
	}
	w := &watch{line: c.Line(d.tool.Name, l.Args), threads: c.Threads, began: time.Now()}
	exit, err := w.run(ctx, d.tool.Name, at.Space, program)
	return exit, w, err
}

// measured says what an output means for a record.
func (d *Driver) measured(m *load.Measurement, o *loadtool.Output, w *watch, l *spec.Load, cores int) {
	m.Start, m.Length = w.window(o.Window)
	m.Load = o.Load(l)
	m.Samples, m.Histograms, m.Load.WindowStart = o.Samples, o.Histograms, m.Start
	if l.Arrivals != "" {
		m.Load.Open = schedule(l, o)
	}
	w.addTo(m, cores)
}

// addTo adds what a tool has used.
func (w *watch) addTo(m *load.Measurement, cores int) {
	m.GeneratorCPU = -1
	if share := w.waiting(); share >= 0 {
		m.Load.Health = &record.Health{Standstill: -1, Waiting: share}
	}
	if busy, used, ok := w.busy(cores); ok {
		m.Load.Busy, m.GeneratorCPU = busy, time.Duration(used*float64(m.Length))
		m.Samples = append(m.Samples, record.Sample{Metric: "generator.cpu", Value: busy, Unit: "1"})
	}
}

// schedule is how far a tool kept to that of an open loop. Which requests found no free connection no tool tells.
func schedule(l *spec.Load, o *loadtool.Output) *record.OpenLoop {
	due := max(o.Attempted, int64(math.Round(l.Rate*l.Duration.Seconds())))
	return &record.OpenLoop{Rate: l.Rate, Arrivals: l.Arrivals, Due: due, Sent: max(0, o.Attempted)}
}

// A watch reads what a tool uses while it runs.
type watch struct {
	line    string
	threads int
	began   time.Time // when it was asked for
	started time.Time // when it ran, as far as we were told
	ended   time.Time // when it had ended

	stop context.CancelFunc
	done sync.WaitGroup

	usage  []engine.Usage
	streak        // the longest; what a program does before and after its load, it does with other threads
	now    streak // the one that goes on
}

// A streak is a time in which a tool had as many threads as at its begin.
type streak struct {
	first   map[int]time.Duration // processor time of threads, and when it was read
	last    map[int]time.Duration
	firstAt time.Time
	lastAt  time.Time

	// How long these threads had waited for a core by then; nil where nothing tells.
	firstWaits, lastWaits map[int]time.Duration
}

// watchEvery is how often a tool is looked at: seldom enough to cost it nothing.
const watchEvery = 50 * time.Millisecond

// run runs a tool or driver, and watches it.
func (w *watch) run(ctx context.Context, name string, in engine.Space, p engine.Program) (engine.Exit, error) {
	exit, err := in.Run(ctx, p, func(r engine.Running) { w.begin(ctx, r) })
	w.end()
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = &load.UnendedError{Name: name, Err: err}
	}
	return exit, err
}

func (w *watch) begin(ctx context.Context, r engine.Running) {
	w.started = time.Now()
	ctx, w.stop = context.WithCancel(ctx)
	w.done.Go(func() {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		for {
			w.look(ctx, r)
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
}

func (w *watch) look(ctx context.Context, r engine.Running) {
	if u, err := r.Usage(ctx); err == nil && u.CPU >= 0 {
		w.usage = append(w.usage, u)
	}
	threaded, ok := r.(engine.Threaded)
	if !ok {
		return
	}
	now := time.Now()
	threads, err := threaded.Threads(ctx)
	var waits map[int]time.Duration
	if queued, ok := r.(engine.Queued); ok && err == nil {
		if told, err := queued.Waits(ctx); err == nil {
			waits = told
		}
	}
	if err == nil && len(threads) > 0 {
		w.threadsAre(threads, waits, now)
	}
}

// threadsAre goes on with the streak, or begins another one.
func (w *watch) threadsAre(threads, waits map[int]time.Duration, now time.Time) {
	if len(threads) != len(w.now.first) {
		w.now = streak{first: threads, firstAt: now, firstWaits: waits}
		return
	}
	w.now.last, w.now.lastAt, w.now.lastWaits = threads, now, waits
	if now.Sub(w.now.firstAt) > w.lastAt.Sub(w.firstAt) {
		w.streak = w.now
	}
}

func (w *watch) end() {
	w.ended = time.Now()
	if w.stop != nil {
		w.stop()
		w.done.Wait()
	}
}

// window is when the tool measured. It cannot have begun later than its length before its end was seen.
func (w *watch) window(length time.Duration) (time.Time, time.Duration) {
	start := w.started
	if latest := w.ended.Add(-length); start.IsZero() || latest.Before(start) {
		start = latest
	}
	return start.UTC(), length
}

// within leaves the readings of usage that were taken in a window, unless these are too few.
func (w *watch) within(start time.Time, length time.Duration) {
	in := slice.Filter(w.usage, func(u engine.Usage) bool { return !u.At.Before(start) && !u.At.After(start.Add(length)) })
	if len(in) > 1 {
		w.usage = in
	}
}

// shortest is the least time between two readings that tells how busy a tool was.
const shortest = 200 * time.Millisecond

// waiting is the share of the time for which the thread waited for a core that waited longest; -1 if that is unknown.
func (w *watch) waiting() float64 {
	share := -1.0
	if span := w.lastAt.Sub(w.firstAt); span >= shortest {
		for thread, now := range w.lastWaits {
			if before, ok := w.firstWaits[thread]; ok {
				share = max(share, min(1, (now-before).Seconds()/span.Seconds()))
			}
		}
	}
	return share
}

// busy is the share of the tool's busiest thread, or that of all its threads and cores if it is larger, and the cores
// that it used. It is not ok if the tool ran too short to tell, or nothing tells.
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
	if span := w.lastAt.Sub(w.firstAt); span >= shortest {
		for thread, now := range w.last {
			busiest = max(busiest, (now-w.first[thread]).Seconds()/span.Seconds())
		}
	} else if w.threads > 1 {
		return 0, 0, false // the mean of several threads is not that of the busiest
	}
	return min(1, busiest), used, true
}
