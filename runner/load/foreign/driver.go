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
	"time"

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
		out[t.Name] = &Driver{tool: t, check: &load.Requests{Agent: program}}
	}
	return out
}

// Prepare builds the image of the tool, and asks which version it holds.
func (d *Driver) Prepare(ctx context.Context, e engine.Engine, log io.Writer) error {
	if d.tool.HTTP {
		if err := d.check.Prepare(ctx, e, log); err != nil {
			return err
		}
	}
	const file = "Dockerfile"
	var err error
	d.image, err = e.Prepare(ctx, engine.Image{Build: &engine.Build{For: "load by " + d.tool.Name, Build: spec.Build{
		Dockerfile: file, Files: []spec.File{{Path: file, Data: []byte(d.tool.Image.Dockerfile)}}}}}, log)
	if err != nil {
		return err
	}
	version, err := d.version(ctx, e)
	if err != nil {
		return fmt.Errorf("asking for the version of %s: %w", d.tool.Name, err)
	}
	d.facts = map[string]string{"image.load": d.image.ID, "tool.package": d.tool.Image.Package + " " + version}
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
	if release := d.tool.Image.Release; release != "" {
		return release, nil
	}
	space, err := e.Open(ctx, "version")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, space.Close(context.WithoutCancel(ctx))) }()
	ask := d.tool.Image.Version
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
	if d.tool.HTTP && t.Load.CheckBefore {
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
		Output: record.KeepOutput(loadtool.WithoutLog(exit.Stdout)), GeneratorCPU: -1}
	m.Facts["tool.line"] = w.line
	if d.tool.Note != "" {
		m.Facts["tool.note"] = d.tool.Name + ": " + d.tool.Note
	}
	if m.Failure = howItEnded(d.tool.Name, exit); m.Failure != "" {
		return m, nil
	}
	o, err := d.tool.Parse(exit.Stdout)
	if err != nil {
		m.Failure = err.Error() // the author's words for its command line may have made it print something else
		return m, nil
	}
	start, length := w.window(o.Window)
	if !o.Started.IsZero() {
		var ok bool
		if start, ok = w.moment(o.Started, at); !ok {
			m.Failure = d.tool.Name + " says that it began at a time at which it did not run"
			return m, nil
		}
	}
	m.Warmup, m.Start, m.Length = t.Load.Warmup, start.Add(at.Ahead), length
	m.Load = o.Load(t.Load)
	m.Samples, m.Histograms, m.Load.WindowStart = o.Samples, o.Histograms, m.Start
	if t.Load.Arrivals != "" {
		m.Load.Open = schedule(t.Load, o)
	}
	w.addTo(&m, start, at.Cores)
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
	c, err := d.tool.Call(l, at.Cores)
	if err != nil {
		return engine.Exit{}, nil, err
	}
	return d.run(ctx, at, l, c)
}

// run runs the tool once, and watches it.
func (d *Driver) run(ctx context.Context, at load.Place, l *spec.Load, c loadtool.Call) (engine.Exit, *watch, error) {
	path := d.tool.Image.Path
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

// schedule is how far a tool kept to that of an open loop. Which requests found no free connection no tool tells.
func schedule(l *spec.Load, o *loadtool.Output) *record.OpenLoop {
	due := max(o.Attempted, int64(math.Round(l.Rate*l.Duration.Seconds())))
	return &record.OpenLoop{Rate: l.Rate, Arrivals: l.Arrivals, Due: due, Sent: max(0, o.Attempted)}
}
