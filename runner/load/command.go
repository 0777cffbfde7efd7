package load

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/expr"
	"benchbook/notebook/framework"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
)

// Commands is the driver of commands: each repetition runs in a service, or in a container of its own. Our program
// starts and times the command there, so that the engine's own work is not measured.
type Commands struct {
	Agent agent.Program
	timer []byte
}

// RepetitionVariable is the environment variable with the number of the repetition, such as for a command's seed.
const RepetitionVariable = "BENCHBOOK_REPETITION"

// Prepare implements Driver.
func (d *Commands) Prepare(_ context.Context, _ engine.Engine, _ io.Writer) (err error) {
	d.timer, err = d.Agent()
	return err
}

// Timer returns our program as a file for the service that a command runs in. Call Prepare first.
func (d *Commands) Timer() spec.File { return spec.File{Path: guestPath, Exec: true, Data: d.timer} }

// Container implements Driver.
func (d *Commands) Container(at Place, t *plan.Trial) *engine.Service {
	if t.Command.Service != "" {
		return nil
	}
	return at.guest(commandName, at.Image(t.Command.Image), d.timer, t.Command.Configs)
}

// OfCommand returns the container of a command, and words as a program with the command's variables and folder. The
// container is nil if a check has not started it.
func (at Place) OfCommand(c *spec.Command, words []string) (engine.Container, engine.Command) {
	in := at.Load
	if c.Service != "" {
		in = at.Services[c.Service]
	}
	return in, engine.Command{Args: words, WorkingDir: c.WorkingDir,
		Environment: append([]string{fmt.Sprintf("%s=%d", RepetitionVariable, at.Number)}, c.Environment...)}
}

// Measure implements Driver.
func (d *Commands) Measure(ctx context.Context, at Place, t *plan.Trial) (Measurement, error) {
	c := t.Command
	if c.Timeout == 0 {
		return measureCommand(ctx, at, c)
	}
	bounded, cancel := context.WithTimeout(ctx, time.Duration(c.Warmup+1)*c.Timeout)
	defer cancel()
	m, err := measureCommand(bounded, at, c)
	isEndless := err != nil && ctx.Err() == nil && bounded.Err() != nil
	if isEndless || m.Length > c.Timeout {
		return Measurement{Failure: fmt.Sprintf("%s took longer than %v", c.Run[0], c.Timeout), Log: m.Log,
			GivenUp: isEndless && c.Service != ""}, nil
	}
	return m, err
}

func measureCommand(ctx context.Context, at Place, c *spec.Command) (Measurement, error) {
	settings := agent.TimerSettings{Marker: rand.Text(), KeepStdout: at.KeepStdout, Warmup: c.Warmup}
	if c.Output != "" {
		settings.Output = &agent.Output{File: c.OutputFile, Most: framework.MaxOutput}
	}
	in, timed := at.OfCommand(c, append([]string{guestPath, agent.Time}, c.Run...))
	timed.Environment, timed.Stdin = append(timed.Environment, settings.Environment()), []byte(c.Stdin)
	exit, err := in.Exec(ctx, timed)
	if err != nil {
		return Measurement{}, fmt.Errorf("running the command: %w", err)
	}
	if exit.OutOfMemory {
		return Measurement{Failure: "the command ran out of memory", Log: string(exit.Stderr)}, nil
	}
	if exit.Code != 0 {
		said := cmp.Or(strings.TrimSpace(string(exit.Stderr)), fmt.Sprintf("the timer of the command ended with status %d",
			exit.Code))
		return Measurement{Failure: said, Log: string(exit.Stderr)}, nil
	}
	report, err := settings.Read(exit.Stdout)
	if err != nil {
		// The command shares a container with its timer, and may have written between its lines.
		return Measurement{Failure: fmt.Sprintf("what the timer of the command said cannot be read: %v", err),
			Log: string(exit.Stderr)}, nil
	}
	m := commandMeasured(&report, c)
	m.Wrote = map[string]string{"stdout": report.Stdout}
	return m, nil
}

func commandMeasured(r *agent.TimerReport, c *spec.Command) Measurement {
	m := Measurement{Log: r.Stderr, Start: r.Start, Length: r.Real, GeneratorCPU: r.User + r.System + r.Reading,
		Command: &record.Command{Start: r.Start, Real: r.Real.Seconds(), ForeignCPU: -1}}
	m.Command.Health = &record.Health{Standstill: -1, Waiting: -1}
	if r.Standstill >= 0 {
		m.Command.Health.Standstill = r.Standstill.Seconds()
	}
	if c.Service != "" {
		m.GeneratorCPU = 0 // it is part of the service's
	}
	m.Failure = commandFailure(r, c)
	if said := strings.TrimSpace(r.StdoutTail); said != "" && m.Failure != "" {
		m.Log = strings.TrimSpace("the command printed:\n" + said + "\n" + m.Log)
	}
	m.Samples = []record.Sample{
		{Metric: "time.real", Value: r.Real.Seconds(), Unit: "s"},
		{Metric: "time.user", Value: r.User.Seconds(), Unit: "s"},
		{Metric: "time.sys", Value: r.System.Seconds(), Unit: "s"},
	}
	if r.PeakMemory > 0 {
		m.Samples = append(m.Samples, record.Sample{Metric: "memory.peak", Value: float64(r.PeakMemory), Unit: "B"})
	}
	if c.Output != "" {
		reported(r.Output, c.Output, &m)
	} else if failure := addPrintedMetrics(r.Metrics, &m); m.Failure == "" {
		m.Failure = failure
	}
	return m
}

// commandFailure says why a run does not count; empty if it does.
func commandFailure(r *agent.TimerReport, c *spec.Command) string {
	switch {
	case r.Exit != 0:
		failure := fmt.Sprintf("%s ended with status %d, not 0", c.Run[0], r.Exit)
		if last := cmp.Or(engine.LastLine([]byte(r.Stderr)), engine.LastLine([]byte(r.StdoutTail))); last != "" {
			failure += ": " + clipped(last)
		}
		return failure
	case r.Lost != "" && c.Output != "":
		return "the command left " + r.Lost
	case r.Lost != "":
		return "the command printed " + r.Lost
	}
	return ""
}

// reported adds the samples of a benchmark framework's output, unless the command failed.
func reported(output, format string, m *Measurement) {
	if m.Failure != "" {
		return
	}
	samples, err := framework.Parse(format, []byte(output))
	if err != nil {
		m.Failure, m.Log = err.Error(), strings.TrimSpace(m.Log+"\n"+output) // records keep the end
	}
	m.Samples = append(m.Samples, samples...)
}

// maxPrinted is how many metrics a command may print: each is a column of every table of all metrics.
const maxPrinted = 1000

// metricLine matches a line that is meant as a metric.
var metricLine = regexp.MustCompile(`^\{.*"metric"\s*:.*\}$`)

// addPrintedMetrics adds the metrics that the command printed: each line of standard output that is a JSON object with a
// metric. A line that looks like one and cannot be read is a failure, so that no number is lost silently.
func addPrintedMetrics(lines []string, m *Measurement) (failure string) {
	own := len(m.Samples)
	for _, text := range lines {
		s, found, failure := printedMetric([]byte(strings.TrimSpace(text)))
		switch {
		case failure != "":
			return failure
		case !found:
			continue
		case slices.ContainsFunc(m.Samples, func(have record.Sample) bool { return have.Metric == s.Metric }):
			return fmt.Sprintf("the command printed %s, which already has a value", s.Metric)
		case len(m.Samples)-own == maxPrinted:
			m.Samples = m.Samples[:own]
			return fmt.Sprintf("the command printed more than %d metrics", maxPrinted)
		}
		m.Samples = append(m.Samples, s)
	}
	return ""
}

// printedMetric reads a metric from a line. found is false for all other text and JSON.
func printedMetric(line []byte) (out record.Sample, found bool, failure string) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil && metricLine.Match(line) { // such as NaN, which JSON does not have
		return out, false, fmt.Sprintf("the command printed a metric that cannot be read: %.200s", line)
	}
	if fields["metric"] == nil {
		return out, false, ""
	}
	var s struct {
		Metric string   `json:"metric"`
		Value  *float64 `json:"value"`
		Unit   string   `json:"unit"`
	}
	if err := json.Unmarshal(line, &s); err != nil || s.Value == nil || s.Metric == "" {
		return out, false, fmt.Sprintf("the command printed a metric that cannot be read: %.200s", line)
	}
	if !expr.IsName(s.Metric) || !record.IsMetricName(s.Metric) {
		return out, false, fmt.Sprintf("the command printed a metric called %.100q: %s", s.Metric, record.MetricNameHint)
	}
	out = record.Sample{Metric: s.Metric, Value: *s.Value, Unit: s.Unit}
	if u, known := expr.ParseUnit(s.Unit); known {
		out.Value, out.Unit = u.ToBase(*s.Value), u.Dimension.Base()
	}
	if known, ok := record.LookupMetric(s.Metric); ok && known.Unit != out.Unit {
		return out, false, fmt.Sprintf("the command printed %s in %q, and it is measured in %q", s.Metric, s.Unit, known.Unit)
	}
	return out, true, ""
}

// clipped returns a line, shortened to fit into a failure.
func clipped(line string) string {
	const most = 200
	if len(line) <= most {
		return line
	}
	return strings.ToValidUTF8(line[:most], "") + "…"
}
