package load

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/loadtool"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
)

// Programs is the driver of loads by programs of the article, which read the wanted load from standard input and write
// their results to standard output.
//
// Lines for single requests are counted as our own generator counts its requests, warm-up included. A program that
// prints a summary gets a separate run for the warm-up, and what its summary lacks is not measured.
//
// Source: docs/drivers.md.
type Programs struct {
	Agent   agent.Program
	program []byte // ours
}

// Prepare implements Driver. Programs run in images of their trials.
func (d *Programs) Prepare(context.Context, engine.Engine, io.Writer) (err error) {
	d.program, err = d.Agent()
	return err
}

// Container implements Driver.
func (d *Programs) Container(at Place, t *plan.Trial) *engine.Service {
	c := at.guest(LoadName, at.Image(t.Load.Driver.Image), d.program, t.Load.Driver.Configs)
	c.First = t.Load.Priority != ""
	return c
}

// Measure implements Driver.
func (d *Programs) Measure(ctx context.Context, at Place, t *plan.Trial) (m Measurement, err error) {
	l := t.Load
	if overHTTP(l) {
		if m.Failure, err = at.checkBefore(ctx, l); err != nil || m.Failure != "" {
			return m, err
		}
	}
	if l.Driver.Prints == spec.Summary && l.Warmup > 0 {
		warm, after := *l, *l
		warm.Duration, warm.Requests, warm.Warmup, after.Warmup = l.Warmup, 0, 0, 0
		exit, _, failure, err := d.run(ctx, at, &warm)
		if err != nil || failure != "" {
			return Measurement{Failure: failure, Log: string(exit.Stderr)}, err
		}
		l = &after
	}
	exit, w, failure, err := d.run(ctx, at, l)
	if err != nil {
		return m, err
	}
	if failure = cmp.Or(failure, outputFailure(exit)); failure == "" {
		read := measureLines
		if l.Driver.Prints == spec.Summary {
			read = summed
		}
		if m, err = read(exit.Stdout, w, l, at); err != nil {
			failure = err.Error()
		}
	}
	m.Failure, m.Log = failure, string(exit.Stderr)
	if m.Load != nil {
		m.Warmup, m.Load.Driver = t.Load.Warmup, l.Driver.String()
	}
	return m, nil
}

// asked is what a driver reads on its standard input: one JSON document, with all keys. Times are in seconds, rates
// are per second, and 0 means none.
//
// Source: docs/drivers.md#what-it-reads.
type asked struct {
	Version     int           `json:"version"`
	Targets     []askedTarget `json:"targets"`
	Connections int           `json:"connections"`
	Threads     int           `json:"threads"`
	Keepalive   bool          `json:"keepalive"`
	Timeout     float64       `json:"timeout"`
	Warmup      float64       `json:"warmup"`
	Duration    float64       `json:"duration"`
	Requests    int           `json:"requests"`
	Drain       bool          `json:"drain"` // no more than Requests are sent
	Rate        float64       `json:"rate"`
	Arrivals    string        `json:"arrivals"`
	Think       float64       `json:"think"`
	Seed        uint64        `json:"seed"`
}

type askedTarget struct {
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Weight  float64           `json:"weight"`
}

const (
	askedVersion = 1
	exactSeeds   = 1<<53 - 1 // larger ones are not exact where every number is a float
)

// ask returns what a driver reads on its standard input.
func ask(l *spec.Load, at Place) []byte {
	target := func(t spec.Target) askedTarget {
		if l.Driver.Image.OnMachine() {
			t.URL = onThisMachine(t.URL)
		}
		if t.Headers == nil {
			t.Headers = map[string]string{}
		}
		return askedTarget(t)
	}
	a := asked{Version: askedVersion, Targets: slice.Map(targetsOf(l), target), Connections: l.Connections,
		Threads: cmp.Or(l.Threads, at.Cores), Keepalive: l.Keepalive, Timeout: l.Timeout.Seconds(),
		Warmup: l.Warmup.Seconds(), Duration: l.Duration.Seconds(), Requests: l.Requests, Drain: l.Requests > 0 && !l.Cut,
		Rate: l.Rate, Arrivals: l.Arrivals, Think: l.Think.Seconds(), Seed: at.Seed & exactSeeds}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // people may look at it
	_ = e.Encode(a)        // plain data
	return out.Bytes()
}

// onThisMachine returns a URL with localhost for its host, a service that is a process of this machine: only our own
// programs can look up the names of these.
//
// Source: docs/engines.md#without-containers.
func onThisMachine(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return target
	}
	u.Host = strings.TrimSuffix("localhost:"+u.Port(), ":")
	return u.String()
}

// overHTTP reports whether all targets are http or https URLs, so that answers can be checked.
func overHTTP(l *spec.Load) bool {
	for _, url := range l.URLs() {
		if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
			return false
		}
	}
	return true
}

// run runs a driver once, and watches it. The failure says why its output does not count.
func (d *Programs) run(ctx context.Context, at Place, l *spec.Load) (exit engine.Exit, w *watch, failure string,
	err error) {
	// One of several threads may do all the work, as in Python: we only know that no more than the cores are busy.
	w = &watch{name: record.DriverTool, threads: at.Cores}
	limited, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	exit, err = w.run(limited, at.Load, engine.Command{Args: l.Driver.Command, Environment: l.Driver.Environment,
		Stdin: ask(l, at), Full: func() { stop(errTooMuch) }})
	switch {
	case err == nil:
		return exit, w, exitFailure(w.name, exit), nil
	case context.Cause(limited) == errTooMuch:
		return exit, w, errTooMuch.Error(), nil
	}
	return exit, w, "", fmt.Errorf("running %s: %w", w.name, err)
}

// errTooMuch means that a driver printed more than is kept, whether it ended by itself or was stopped for that.
var errTooMuch = fmt.Errorf("the driver printed %d MiB or more: shorten the load, print shorter lines, or a summary "+
	"(prints: summary)", engine.MaxStdout>>20)

// exitFailure says why the output of a program does not count; empty if it ended well.
func exitFailure(name string, exit engine.Exit) string {
	switch {
	case exit.OutOfMemory:
		return name + " ran out of memory"
	case exit.Code != 0:
		said := cmp.Or(loadtool.LastLine(exit.Stderr), loadtool.LastLine(exit.Stdout))
		return strings.TrimSuffix(fmt.Sprintf("%s ended with status %d: %s", name, exit.Code, said), ": ")
	}
	return ""
}

// outputFailure says why the output of a driver cannot be read; empty if it can.
func outputFailure(exit engine.Exit) string {
	switch {
	case len(exit.Stdout) >= engine.MaxStdout:
		return errTooMuch.Error()
	case len(bytes.TrimSpace(exit.Stdout)) == 0:
		return strings.TrimSuffix("the driver printed nothing: "+loadtool.LastLine(exit.Stderr), ": ")
	}
	return ""
}

// measureLines returns the measurement in output with a line for each request.
func measureLines(printed []byte, w *watch, l *spec.Load, at Place) (Measurement, error) {
	r := reading{load: l, most: w.ended.Sub(w.began)}
	if err := r.read(printed); err != nil {
		return Measurement{}, err
	}
	last := int64(0)
	for _, request := range r.requests {
		last = max(last, request.End)
	}
	began := w.beginning(time.Duration(last))
	if r.began != nil {
		var err error
		if began, err = w.moment(loadtool.UnixTime(*r.began), at); err != nil {
			return Measurement{}, err
		}
	}
	m, err := counted(l, at, began.Add(at.Ahead), r.requests)
	if err != nil {
		return m, fmt.Errorf("the driver has put on another load than it was asked for: %w", err)
	}
	w.addTo(&m, m.Start.Add(-at.Ahead), at.Cores)
	return m, nil
}

// summed returns the measurement in a summary.
func summed(printed []byte, w *watch, l *spec.Load, at Place) (Measurement, error) {
	m := Measurement{Output: record.KeepOutput(printed)}
	o, err := loadtool.Summary(printed, kinds)
	if err != nil {
		return m, err
	}
	if most := w.ended.Sub(w.began); o.Window > most {
		return m, fmt.Errorf("the driver says that its window was %.1f s long, and it ran for %.1f s", o.Window.Seconds(),
			most.Seconds())
	}
	o.Paced = l.Think > 0
	err = w.addOutput(&m, o, l, at)
	return m, err
}
