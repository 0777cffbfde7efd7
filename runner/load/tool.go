package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/loadtool"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
)

// Tool is the driver of a load generator of another project, in an image that is built from its Dockerfile.
//
// Before an HTTP load our own generator checks an answer of each target; in the load the tool counts by its own rules.
// The warm-up is a separate run of the tool, whose output is dropped.
type Tool struct {
	Agent agent.Program
	tool  loadtool.Tool

	program []byte
	image   engine.Prepared
	facts   map[string]string
}

// Tools returns the drivers of all tools that benchbook can run, by name.
func Tools(program agent.Program) map[string]Driver {
	out := map[string]Driver{}
	for _, t := range loadtool.Tools() {
		out[t.Name] = &Tool{Agent: program, tool: t}
	}
	return out
}

// Prepare implements Driver. It builds the image of the tool, and asks which version it holds.
func (d *Tool) Prepare(ctx context.Context, e engine.Engine, log io.Writer) (err error) {
	if d.program, err = d.Agent(); err != nil {
		return err
	}
	const file = "Dockerfile"
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
	if len(d.image.Bases) > 0 {
		d.facts[record.FactBase+LoadName] = BasesInWords(d.image.Bases)
	}
	return nil
}

// BasesInWords describes what an image was built from, as records keep it in a fact.
func BasesInWords(bases []engine.Base) string {
	return strings.Join(slice.Map(bases, func(b engine.Base) string {
		if b.Substitute != "" {
			return b.Reference + record.ReplacedBy + b.Substitute + " " + b.ID
		}
		return b.Reference + " " + b.ID
	}), "; ")
}

// version asks the image for the version of the tool's package, unless the recipe has named it.
func (d *Tool) version(ctx context.Context, e engine.Engine) (string, error) {
	if release := d.tool.Image.Release; release != "" {
		return release, nil
	}
	exit, err := Output(ctx, e, "version", d.image, d.program, "dpkg-query", "-W", "-f", "${Version}",
		d.tool.Image.Package)
	if err == nil && exit.Code != 0 {
		err = fmt.Errorf("dpkg-query ended with status %d: %s", exit.Code, loadtool.LastLine(exit.Stderr))
	}
	return strings.TrimSpace(string(exit.Stdout)), err
}

// Output runs a command in a new container of an image, in a space of its own. program is ours, which idles in it.
func Output(ctx context.Context, e engine.Engine, name string, image engine.Prepared, program []byte,
	args ...string) (exit engine.Exit, err error) {
	space, err := e.Open(ctx, name)
	if err != nil {
		return exit, err
	}
	defer func() { err = errors.Join(err, engine.CloseSpace(ctx, space, 0)) }()
	container, err := space.Start(ctx, *Place{}.guest(name, image, program, nil))
	if err != nil {
		return exit, err
	}
	return container.Exec(ctx, engine.Command{Args: args})
}

// Container implements Driver.
func (d *Tool) Container(at Place, t *plan.Trial) *engine.Service {
	out := at.guest(LoadName, d.image, d.program, d.tool.Call(t.Load, at.Cores).Files)
	out.First = t.Load.Priority != ""
	return out
}

// Measure implements Driver.
func (d *Tool) Measure(ctx context.Context, at Place, t *plan.Trial) (Measurement, error) {
	if d.tool.HTTP {
		if failure, err := at.checkBefore(ctx, t.Load); err != nil || failure != "" {
			return Measurement{Failure: failure, Facts: d.facts}, err
		}
	}
	if t.Load.Warmup > 0 {
		warm := *t.Load
		warm.Duration, warm.Requests = t.Load.Warmup, 0
		if _, _, err := d.call(ctx, at, &warm); err != nil {
			return Measurement{}, fmt.Errorf("warming up with %s: %w", d.tool.Name, err)
		}
	}
	exit, w, err := d.call(ctx, at, t.Load)
	if err != nil {
		return Measurement{}, fmt.Errorf("running %s: %w", d.tool.Name, err)
	}
	m := Measurement{Log: string(exit.Stderr), Facts: maps.Clone(d.facts),
		Output: record.KeepOutput(loadtool.WithoutLog(exit.Stdout)), GeneratorCPU: -1}
	m.Facts["tool.line"] = w.line
	if d.tool.Note != "" {
		m.Facts["tool.note"] = d.tool.Name + ": " + d.tool.Note
	}
	if m.Failure = exitFailure(d.tool.Name, exit); m.Failure != "" {
		return m, nil
	}
	o, err := d.tool.Parse(exit.Stdout)
	if err == nil {
		err = w.addOutput(&m, o, t.Load, at)
	}
	if err != nil {
		m.Failure = err.Error() // flags of the author may have changed what it prints
		return m, nil
	}
	m.Warmup = t.Load.Warmup
	if t.Load.Arrivals != "" {
		m.Load.Open = schedule(t.Load, o)
	}
	return m, nil
}

// call runs the tool once as the load says, and watches it.
func (d *Tool) call(ctx context.Context, at Place, l *spec.Load) (engine.Exit, *watch, error) {
	c := d.tool.Call(l, at.Cores)
	command := engine.Command{Args: append([]string{d.tool.Image.Path}, c.Words(l.Args)...), Environment: c.Environment}
	if c.Shell != "" {
		command.Args = append([]string{"sh", "-c", c.Shell, "sh"}, command.Args...)
	}
	w := &watch{name: d.tool.Name, line: c.Line(d.tool.Name, l.Args), threads: c.Threads}
	exit, err := w.run(ctx, at.Load, command)
	return exit, w, err
}

// schedule returns how much of an open loop a tool sent. No tool reports which requests found no free connection.
func schedule(l *spec.Load, o *loadtool.Output) *record.OpenLoop {
	due := max(o.Attempted, int64(math.Round(l.Rate*l.Duration.Seconds())))
	return &record.OpenLoop{Rate: l.Rate, Arrivals: l.Arrivals, Due: due, Sent: max(0, o.Attempted)}
}
