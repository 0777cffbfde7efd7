// Package recordtest makes articles with records for tests.
package recordtest

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// FrontMatter is the front matter of articles under test.
const FrontMatter = "---\ntitle: Servers under load\n---\n\n"

// Fence returns a block of an article.
func Fence(kind, body string) string { return "```yaml " + kind + "\n" + body + "\n```\n\n" }

// Article returns an article with an experiment.
func Article(experiment string) string {
	return FrontMatter + Dockerfile + Fence("experiment", experiment)
}

// Dockerfile builds the services of Servers and Grid.
const Dockerfile = "```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n\n"

// Servers is an experiment with one axis and no A/A pair.
const Servers = `name: servers
services: {server: {build: ., expose: ["8080"]}}
matrix: {server: [a, b, c]}
load: {target: "http://server:8080/", connections: 10}
repetitions: 3
calibrate: false`

// Grid is an experiment with two axes, one with labels.
const Grid = `name: grid
services: {server: {build: ., expose: ["8080"]}}
matrix:
  server: [{name: sync, kind: blocking}, {name: async, kind: event-loop}]
  clients: ["10", "100"]
load: {target: "http://server:8080/", connections: 10}
repetitions: 3
calibrate: false`

// A Fixture is an article under test with its records.
type Fixture struct {
	T       testing.TB
	Project *article.Project
	Doc     *article.Document
	Records []*record.Record
}

// New parses an article in a new project of these lines. A problem fails the test.
func New(t testing.TB, text string, projectLines ...string) *Fixture {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "experiments", "sample")
	must.Do(os.MkdirAll(dir, 0o755))
	must.Write(filepath.Join(root, article.ProjectFile), strings.Join(projectLines, "\n"))
	project := must.Get(article.OpenProject(root))
	b := &Fixture{T: t, Project: project, Doc: article.Parse(dir, source.New("article.md", []byte(text)))}
	for _, p := range b.Doc.Problems.Sorted() {
		t.Fatalf("the article has a problem: %v", p)
	}
	return b
}

// Plan plans the article as it is.
func (b *Fixture) Plan(profile string) (*plan.Plan, error) {
	var problems source.Problems
	p, err := plan.New(b.Project, b.Doc, plan.Options{Profile: profile}, &problems)
	for _, problem := range problems.Sorted() {
		b.T.Fatalf("the plan has a problem: %v", problem)
	}
	return p, err
}

// Change alters an ordinary record.
type Change func(r *record.Record)

// Measure adds a run of a trial, with a repetition for each throughput: ten connections, each with one request under
// way all the time, for ten seconds. Trial "again" is the A/A copy.
func (b *Fixture) Measure(experiment, trial, run string, throughputs []float64, changes ...Change) {
	b.T.Helper()
	p := must.Get(b.Plan(plan.Full))
	for _, e := range p.Experiments {
		for _, t := range e.Trials {
			if e.Name != experiment || t.Name != trial && (trial != "again" || !t.Calibration) {
				continue
			}
			for i, x := range throughputs {
				r := &record.Record{SchemaVersion: record.SchemaVersion, Article: "sample", Experiment: e.Name, Trial: t.Name,
					Key: t.Key, Run: run, Profile: plan.Full, Host: "host-1", Repetition: i + 1, Planned: len(throughputs),
					Calibration: t.Calibration, Parameters: t.Parameters, Labels: t.Labels,
					Started: time.Date(2026, 11, 20, 10, i, 0, 0, time.UTC)}
				if t.Load != nil {
					FillLoad(b.T, r, x)
				} else {
					r.Samples = []record.Sample{{Metric: "time.real", Value: x, Unit: "s"}}
				}
				for _, c := range changes {
					c(r)
				}
				b.Records = append(b.Records, r)
			}
			return
		}
	}
	b.T.Fatalf("no trial %q in experiment %q", trial, experiment)
}

// FillLoad fills a record of a load with a throughput.
func FillLoad(t testing.TB, r *record.Record, throughput float64) {
	t.Helper()
	const window, connections = 10, 10
	answers := int64(throughput * window)
	latency := connections / throughput
	r.Load = &record.Load{Window: window, Connections: connections, Attempted: answers, Completed: answers,
		Failures: map[string]int64{}, Statuses: map[string]int64{"200": answers}, InFlight: 1, InFlightOver: window,
		Busy: 0.3, ForeignCPU: 0.01}
	for range int(window) {
		r.Load.Completions = append(r.Load.Completions, answers/window)
	}
	r.Samples = []record.Sample{{Metric: "cpu.server", Value: 0.5, Unit: "cores"},
		{Metric: "memory.server", Value: 64 << 20, Unit: "B"}}
	// Nine of ten answers come in the usual time, and the rest takes three times as long.
	r.Histograms = map[string]record.Histogram{
		"latency": Histogram(t, Times(latency*10/12, answers-answers/10), Times(latency*30/12, answers/10)),
	}
}

// EqualTimes is one time, counted several times.
type EqualTimes struct {
	Seconds float64
	Count   int64
}

// Times returns count equal times.
func Times(seconds float64, count int64) EqualTimes { return EqualTimes{seconds, count} }

// encoded keeps histograms by their times, because encoding one takes a millisecond.
var encoded sync.Map

// Histogram records times as the load generator does.
func Histogram(t testing.TB, list ...EqualTimes) record.Histogram {
	t.Helper()
	key := fmt.Sprint(list)
	if known, ok := encoded.Load(key); ok {
		return known.(record.Histogram)
	}
	const highest = 60e9
	h := hdrhistogram.New(1, highest, 3)
	out := record.Histogram{Min: math.Inf(1)}
	for _, x := range list {
		if x.Count == 0 {
			continue
		}
		out.Count += x.Count
		out.Sum += x.Seconds * float64(x.Count)
		out.Min, out.Max = min(out.Min, x.Seconds), max(out.Max, x.Seconds)
		if x.Seconds*1e9 > highest {
			out.Overflow += x.Count
			continue
		}
		must.Do(h.RecordValues(int64(x.Seconds*1e9), x.Count))
	}
	text := must.Get(h.Encode(hdrhistogram.V2CompressedEncodingCookieBase))
	out.HDR = string(text)
	encoded.Store(key, out)
	return out
}

// The values of docs/method.md#ratios.
var (
	ValuesA = []float64{1200, 1230, 1185}
	ValuesB = []float64{1000, 1010, 985}
	ValuesC = []float64{800, 790, 812}
)

// Changes of single fields.
func InRun(name string) Change     { return func(r *record.Record) { r.Run = name } }
func OnHost(name string) Change    { return func(r *record.Record) { r.Host = name } }
func InProfile(name string) Change { return func(r *record.Record) { r.Profile = name } }
func WithKey(key string) Change    { return func(r *record.Record) { r.Key = key } }
func Planned(n int) Change         { return func(r *record.Record) { r.Planned = n } }

// StartedOn moves the start of a repetition by days.
func StartedOn(day int) Change {
	return func(r *record.Record) { r.Started = r.Started.AddDate(0, 0, day) }
}

// LoadChange alters the load of a record.
func LoadChange(f func(*record.Load)) Change { return func(r *record.Record) { f(r.Load) } }

// Failing adds failed requests.
func Failing(failed int64) Change {
	return LoadChange(func(l *record.Load) {
		l.Failed, l.Attempted = failed, l.Attempted+failed
		l.Failures["timeout"] = failed
	})
}

// Disturbed sets the shares of CPU time used by others and stolen, on a machine with two CPUs.
func Disturbed(foreign, steal float64) Change {
	return func(r *record.Record) {
		r.Facts = map[string]string{"host.cores": "2 logical, 2 physical"}
		if r.Load != nil {
			r.Load.ForeignCPU = foreign
		} else {
			r.Command = &record.Command{Real: 2, ForeignCPU: foreign}
		}
		r.Machine = &record.Machine{Steal: steal}
	}
}

// Only applies a change to some repetitions of a trial; "" is any trial.
func Only(trial string, c Change, repetitions ...int) Change {
	return func(r *record.Record) {
		if (trial == "" || r.Trial == trial) && (len(repetitions) == 0 || slices.Contains(repetitions, r.Repetition)) {
			c(r)
		}
	}
}

// Failed makes a repetition fail.
func Failed(why string) Change {
	return func(r *record.Record) { r.Failure, r.Load, r.Samples, r.Histograms = why, nil, nil, nil }
}

// Ladder gives a repetition n answers of 1, 2, 3 … ms, times a factor, and a number of failures.
func Ladder(t testing.TB, n int, factor float64, failures int64) Change {
	return func(r *record.Record) {
		var list []EqualTimes
		for i := range n {
			list = append(list, Times(factor*float64(i+1)/1000, 1))
		}
		r.Histograms["latency"] = Histogram(t, list...)
		r.Load.InFlight = -1 // the times do not fit the connections
		r.Load.Attempted, r.Load.Failed, r.Load.FailuresMax = int64(n)+failures, failures, 1
	}
}

// Claimed returns an article with one claim.
func Claimed(expect string, keys ...string) string {
	body := "name: c\nexpect: '" + strings.ReplaceAll(expect, "'", "''") + "'"
	for _, k := range keys {
		body += "\n" + k
	}
	return Article(Servers) + Fence("claim", body)
}

// NewMeasured returns an article with a run of all trials of Servers.
func NewMeasured(t testing.TB, text string, changes ...Change) *Fixture {
	t.Helper()
	b := New(t, text)
	for trial, values := range map[string][]float64{"a": ValuesA, "b": ValuesB, "c": ValuesC} {
		b.Measure("servers", trial, "20261120T100000Z-aaaa", values, changes...)
	}
	return b
}

// NamedValues is an article with named values and published numbers.
const NamedValues = `---
title: Servers under load
values:
  speedup: ratio(throughput{server="a"}, throughput{server="b"})
  twice: 2 * speedup
  others: throughput{server!="a"}
  round-a: round-b + 1
  round-b: round-a + 1
---

` + Dockerfile

// Command is an experiment with a command.
const Command = `name: tool
matrix: {tool: [fast, slow]}
command: {run: "tool ${{ matrix.tool }}", build: .}
repetitions: 3
calibrate: false`

// Without removes the sample of a metric.
func Without(metric string) Change {
	return func(r *record.Record) {
		r.Samples = slices.DeleteFunc(r.Samples, func(s record.Sample) bool { return s.Metric == metric })
	}
}

// CloseTo reports whether two numbers are equal up to rounding.
func CloseTo(a, b float64) bool { return math.Abs(a-b) <= 1e-6*max(math.Abs(a), math.Abs(b)) }

// Parse reads an expression.
func Parse(t testing.TB, text string) expr.Node {
	t.Helper()
	return must.Get(expr.Parse(text))
}
