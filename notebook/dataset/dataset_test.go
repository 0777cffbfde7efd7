package dataset

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

var update = flag.Bool("update", false, "write the golden files anew")

const frontMatter = "---\ntitle: Servers under load\n---\n\n"

// fence is a block of an article.
func fence(kind, body string) string { return "```yaml " + kind + "\n" + body + "\n```\n\n" }

const dockerfile = "```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n\n"

// servers is an experiment with one axis and no A/A pair.
const servers = `name: servers
services: {server: {build: ., expose: ["8080"]}}
matrix: {server: [a, b, c]}
load: {target: "http://server:8080/", connections: 10}
repetitions: 3
calibrate: false`

// grid is an experiment with two axes, one of which has labels.
const grid = `name: grid
services: {server: {build: ., expose: ["8080"]}}
matrix:
  server: [{name: sync, kind: blocking}, {name: async, kind: event-loop}]
  clients: ["10", "100"]
load: {target: "http://server:8080/", connections: 10}
repetitions: 3
calibrate: false`

// A bench is an article under test, with the records that it has.
type bench struct {
	t       testing.TB
	project *article.Project
	doc     *article.Document
	records []*record.Record
}

// newBench parses an article that lies in a project. Problems other than those of Check fail the test.
func newBench(t testing.TB, text string) *bench {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "experiments", "sample")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, article.ProjectFile), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	project, err := article.OpenProject(root)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, project: project, doc: article.Parse(dir, source.New("article.md", []byte(text)))}
	for _, p := range b.doc.Problems.Sorted() {
		t.Fatalf("the article has a problem: %v", p)
	}
	return b
}

// plan plans the article as it is.
func (b *bench) plan(profile string) (*plan.Plan, error) {
	var problems source.Problems
	p, err := plan.New(b.project, b.doc, plan.Options{Profile: profile}, &problems)
	for _, problem := range problems.Sorted() {
		b.t.Fatalf("the plan has a problem: %v", problem)
	}
	return p, err
}

func (b *bench) dataset(o Options) *Dataset {
	b.t.Helper()
	o.Plan = b.plan
	d, err := New(b.doc, b.records, o)
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

// change alters a record that would be an ordinary one.
type change func(r *record.Record)

// measure adds one repetition to each throughput given, of one trial in one run: ten connections, each with one
// request under way all the time, for ten seconds. Trial "again" is the A/A copy.
func (b *bench) measure(experiment, trial, run string, throughputs []float64, changes ...change) {
	b.t.Helper()
	p, err := b.plan(plan.Full)
	if err != nil {
		b.t.Fatal(err)
	}
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
					b.load(r, x)
				} else {
					r.Samples = []record.Sample{{Metric: "time.real", Value: x, Unit: "s"}}
				}
				for _, c := range changes {
					c(r)
				}
				b.records = append(b.records, r)
			}
			return
		}
	}
	b.t.Fatalf("no trial %q in experiment %q", trial, experiment)
}

// load fills a record of a load with a throughput.
func (b *bench) load(r *record.Record, throughput float64) {
	const window, connections = 10, 10
	answers := int64(throughput * window)
	latency := connections / throughput
	r.Load = &record.Load{Window: window, Connections: connections, Attempted: answers, Completed: answers,
		Failures: map[string]int64{}, Statuses: map[string]int64{"200": answers}, InFlight: 1, InFlightOver: window, Busy: 0.3, ForeignCPU: 0.01}
	for range int(window) {
		r.Load.Completions = append(r.Load.Completions, answers/window)
	}
	r.Samples = []record.Sample{{Metric: "cpu.server", Value: 0.5, Unit: "cores"}, {Metric: "memory.server", Value: 64 << 20, Unit: "B"}}
	// Nine of ten answers come in the usual time, and the rest takes three times as long.
	r.Histograms = map[string]record.Histogram{
		"latency": b.histogram(times{latency * 10 / 12, answers - answers/10}, times{latency * 30 / 12, answers / 10}),
	}
}

// times is a number of equal times in seconds.
type times struct {
	seconds float64
	count   int64
}

// histogram records times as the load generator does.
func (b *bench) histogram(list ...times) record.Histogram {
	b.t.Helper()
	const highest = 60e9
	h := hdrhistogram.New(1, highest, 3)
	out := record.Histogram{Min: math.Inf(1)}
	for _, x := range list {
		if x.count == 0 {
			continue
		}
		out.Count += x.count
		out.Sum += x.seconds * float64(x.count)
		out.Min, out.Max = min(out.Min, x.seconds), max(out.Max, x.seconds)
		if x.seconds*1e9 > highest {
			out.Overflow += x.count
			continue
		}
		if err := h.RecordValues(int64(x.seconds*1e9), x.count); err != nil {
			b.t.Fatal(err)
		}
	}
	encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		b.t.Fatal(err)
	}
	out.HDR = string(encoded)
	return out
}

// The values of docs/method.md#ratios.
var (
	valuesA = []float64{1200, 1230, 1185}
	valuesB = []float64{1000, 1010, 985}
	valuesC = []float64{800, 790, 812}
)

// measuredServers has all of servers measured in one run, with the changes given.
func measuredServers(t testing.TB, text string, changes ...change) *bench {
	t.Helper()
	b := newBench(t, text)
	for trial, values := range map[string][]float64{"a": valuesA, "b": valuesB, "c": valuesC} {
		b.measure("servers", trial, "20261120T100000Z-aaaa", values, changes...)
	}
	return b
}

// The changes that tests make.

func inRun(name string) change     { return func(r *record.Record) { r.Run = name } }
func onHost(name string) change    { return func(r *record.Record) { r.Host = name } }
func inProfile(name string) change { return func(r *record.Record) { r.Profile = name } }
func withKey(key string) change    { return func(r *record.Record) { r.Key = key } }
func planned(n int) change         { return func(r *record.Record) { r.Planned = n } }
func startedOn(day int) change {
	return func(r *record.Record) { r.Started = r.Started.AddDate(0, 0, day) }
}
func loadChange(f func(*record.Load)) change { return func(r *record.Record) { f(r.Load) } }

// failing makes requests fail, beside those that were answered.
func failing(failed int64) change {
	return loadChange(func(l *record.Load) {
		l.Failed, l.Attempted = failed, l.Attempted+failed
		l.Failures["timeout"] = failed
	})
}

// only applies a change to some repetitions of a trial; "" is any trial.
func only(trial string, c change, repetitions ...int) change {
	return func(r *record.Record) {
		if (trial == "" || r.Trial == trial) && (len(repetitions) == 0 || slices.Contains(repetitions, r.Repetition)) {
			c(r)
		}
	}
}

// failed makes a repetition one that could not be run.
func failed(why string) change {
	return func(r *record.Record) { r.Failure, r.Load, r.Samples, r.Histograms = why, nil, nil, nil }
}

// cellOf finds a cell by the name of its trial.
func cellOf(t testing.TB, d *Dataset, trial string) *Cell {
	t.Helper()
	for _, e := range d.Experiments {
		for _, c := range e.Cells {
			if c.Trial.Name == trial {
				return c
			}
		}
	}
	t.Fatalf("no cell %q", trial)
	return nil
}

func parseExpr(t testing.TB, text string) expr.Node {
	t.Helper()
	n, err := expr.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func closeTo(a, b float64) bool { return math.Abs(a-b) <= 1e-6*max(math.Abs(a), math.Abs(b)) }

func TestStates(t *testing.T) {
	tests := []struct {
		name    string
		measure func(b *bench)
		state   State
		run     string
		records int
	}{
		{"nothing", func(*bench) {}, Missing, "", 0},
		{"all repetitions of the present key", func(b *bench) { b.measure("servers", "a", "2", valuesA) }, Fresh, "2", 3},
		{"more repetitions than planned", func(b *bench) { b.measure("servers", "a", "2", append(valuesA, 1210)) }, Fresh, "2", 4},
		{"the newest of two complete runs", func(b *bench) {
			b.measure("servers", "a", "2", valuesA)
			b.measure("servers", "a", "1", valuesA)
		}, Fresh, "2", 3},
		{"a complete run before a newer one that is not", func(b *bench) {
			b.measure("servers", "a", "1", valuesA)
			b.measure("servers", "a", "2", valuesA[:2])
		}, Fresh, "1", 3},
		{"too few repetitions", func(b *bench) { b.measure("servers", "a", "2", valuesA[:2]) }, Partial, "2", 2},
		{"the newest of two runs that are not finished", func(b *bench) {
			b.measure("servers", "a", "2", valuesA[:1])
			b.measure("servers", "a", "1", valuesA[:2])
		}, Partial, "2", 1},
		{"a repetition in the middle missing", func(b *bench) {
			b.measure("servers", "a", "2", valuesA)
			b.records = slices.DeleteFunc(b.records, func(r *record.Record) bool { return r.Repetition == 2 })
		}, Partial, "2", 2},
		{"repetitions of two runs do not add up", func(b *bench) {
			b.measure("servers", "a", "1", valuesA[:2])
			b.measure("servers", "a", "2", valuesA[:1])
		}, Partial, "2", 1},
		{"another key", func(b *bench) { b.measure("servers", "a", "2", valuesA, withKey("old")) }, Stale, "2", 3},
		{"another key, complete before newer", func(b *bench) {
			b.measure("servers", "a", "1", valuesA, withKey("old"))
			b.measure("servers", "a", "2", valuesA[:1], withKey("older"), planned(3))
		}, Stale, "1", 3},
		{"a run that began afresh hides older versions", func(b *bench) {
			b.measure("servers", "a", "1", valuesA, withKey("old"))
			b.measure("servers", "a", "2", valuesA[:1])
		}, Partial, "2", 1},
		{"records of another article", func(b *bench) {
			b.measure("servers", "a", "2", valuesA, func(r *record.Record) { r.Article = "other" })
		}, Missing, "", 0},
		{"records of an experiment that is no more", func(b *bench) {
			b.measure("servers", "a", "2", valuesA, func(r *record.Record) { r.Experiment = "gone" })
		}, Missing, "", 0},
		{"one record twice", func(b *bench) {
			b.measure("servers", "a", "2", valuesA)
			b.records = append(b.records, b.records[0])
		}, Fresh, "2", 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, frontMatter+dockerfile+fence("experiment", servers))
			tt.measure(b)
			c := cellOf(t, b.dataset(Options{ThisHost: "host-1"}), "a")
			if c.State != tt.state || c.Run != tt.run || len(c.Records) != tt.records {
				t.Errorf("%v, run %q, %d records; want %v, run %q, %d", c.State, c.Run, len(c.Records), tt.state, tt.run, tt.records)
			}
			if !slices.IsSortedFunc(c.Records, func(a, b *record.Record) int { return a.Repetition - b.Repetition }) {
				t.Error("repetitions are not in order")
			}
		})
	}
}

func TestSets(t *testing.T) {
	all := func(b *bench, changes ...change) {
		for _, trial := range []string{"a", "b", "c"} {
			b.measure("servers", trial, "1", valuesA, changes...)
		}
	}
	tests := []struct {
		name    string
		measure func(b *bench)
		options Options
		want    string // host and profile
		own     bool
		others  string
	}{
		{"no records", func(*bench) {}, Options{ThisHost: "me"}, "me full", true, ""},
		{"own full before own quick", func(b *bench) {
			all(b, onHost("me"), inProfile("quick"), startedOn(1))
			all(b, onHost("me"))
		}, Options{ThisHost: "me"}, "me full", true, "me quick"},
		{"own quick before others in full", func(b *bench) {
			all(b, onHost("me"), inProfile("quick"))
			all(b, onHost("you"), startedOn(1))
		}, Options{ThisHost: "me"}, "me quick", true, "you full"},
		{"own that is not complete after complete ones", func(b *bench) {
			b.measure("servers", "a", "1", valuesA, onHost("me"), startedOn(2))
			all(b, onHost("you"))
		}, Options{ThisHost: "me"}, "you full", false, "me full"},
		{"the newest complete one", func(b *bench) {
			all(b, onHost("you"))
			all(b, onHost("they"), inProfile("quick"), startedOn(1))
		}, Options{ThisHost: "me"}, "they quick", false, "you full"},
		{"the one with most fresh cells", func(b *bench) {
			b.measure("servers", "a", "1", valuesA, onHost("me"), startedOn(1))
			b.measure("servers", "a", "1", valuesA, onHost("you"))
			b.measure("servers", "b", "1", valuesA, onHost("you"))
		}, Options{ThisHost: "me"}, "you full", false, "me full"},
		{"own before others as fresh", func(b *bench) {
			b.measure("servers", "a", "1", valuesA, onHost("me"))
			b.measure("servers", "b", "1", valuesA, onHost("a-host"), startedOn(1))
		}, Options{ThisHost: "me"}, "me full", true, "a-host full"},
		{"a host that was asked for", func(b *bench) {
			all(b, onHost("me"))
			b.measure("servers", "a", "1", valuesA, onHost("you"))
		}, Options{ThisHost: "me", Host: "you"}, "you full", false, "me full"},
		{"a profile that is no more", func(b *bench) {
			all(b, onHost("me"), inProfile("gone"))
			b.measure("servers", "a", "1", valuesA, onHost("me"))
		}, Options{ThisHost: "me"}, "me full", true, "me gone"},
		{"nothing but a profile that is no more", func(b *bench) { all(b, onHost("you"), inProfile("gone")) },
			Options{ThisHost: "me"}, "me full", true, "you gone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, frontMatter+dockerfile+fence("experiment", strings.Replace(servers, "repetitions: 3", "repetitions: 3\nprofiles: {quick: {load: {duration: 10s, warmup: 2s}}}", 1)))
			tt.measure(b)
			d := b.dataset(tt.options)
			var others []string
			for _, o := range d.Others {
				others = append(others, o.Host+" "+o.Profile)
			}
			if got := d.Host + " " + d.Profile; got != tt.want || d.Own != tt.own || strings.Join(others, ", ") != tt.others {
				t.Errorf("shown %s (own %v), others %q; want %s (own %v), %q", got, d.Own, others, tt.want, tt.own, tt.others)
			}
			if d.Profile != d.Plan.Profile {
				t.Errorf("records of profile %s over the plan of %s", d.Profile, d.Plan.Profile)
			}
		})
	}
	t.Run("a host without records", func(t *testing.T) {
		b := measuredServers(t, frontMatter+dockerfile+fence("experiment", servers))
		_, err := New(b.doc, b.records, Options{Host: "you", Plan: b.plan})
		if err == nil || !strings.Contains(err.Error(), `no records of host "you": records are there of host-1`) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("an article that cannot be planned", func(t *testing.T) {
		b := measuredServers(t, frontMatter+dockerfile+fence("experiment", servers))
		broken := func(string) (*plan.Plan, error) { return nil, fmt.Errorf("broken") }
		if _, err := New(b.doc, b.records, Options{Plan: broken}); err == nil || !strings.Contains(err.Error(), "broken") {
			t.Errorf("error %v", err)
		}
	})
}

func TestSkippedExperimentsHaveNoCells(t *testing.T) {
	b := newBench(t, frontMatter+dockerfile+fence("experiment", servers+"\nprofiles: {quick: skip}"))
	b.measure("servers", "a", "1", valuesA, inProfile("quick"))
	p, err := b.plan(plan.Quick)
	if err != nil {
		t.Fatal(err)
	}
	d := assemble(b.doc, p, b.records)
	if n := len(d.Experiments[0].Cells); n != 0 {
		t.Errorf("%d cells", n)
	}
	_, err = d.Eval(parseExpr(t, `throughput{server="a"}`), "")
	if want := "not measured: profile quick leaves this experiment out"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestCalibration(t *testing.T) {
	text := frontMatter + dockerfile + fence("experiment", strings.Replace(servers, "calibrate: false", "", 1))
	t.Run("the copy is no cell", func(t *testing.T) {
		d := measuredServers(t, text).dataset(Options{})
		if e := d.Experiments[0]; len(e.Cells) != 3 || e.Calibration == nil || e.Calibration.State != Missing {
			t.Errorf("%d cells, copy %v", len(e.Cells), e.Calibration)
		}
		if _, missing := d.Floor("", "throughput"); missing != "cell a again: not measured" {
			t.Errorf("without a copy there is no noise floor: %q", missing)
		}
	})
	t.Run("the copy of the run that is shown", func(t *testing.T) {
		b := newBench(t, text)
		b.measure("servers", "a", "1", valuesA)
		b.measure("servers", "again", "1", valuesB)
		b.measure("servers", "again", "2", valuesC)
		if run := b.dataset(Options{}).Experiments[0].Calibration.Run; run != "1" {
			t.Errorf("copy of run %q", run)
		}
	})
	t.Run("the floor of the example", func(t *testing.T) {
		b := newBench(t, text)
		b.measure("servers", "a", "1", []float64{1000, 1010, 990})
		b.measure("servers", "again", "1", []float64{1012, 1003, 1021})
		f, missing := b.dataset(Options{}).Floor("servers", "throughput")
		if missing != "" || math.Abs(f.F-0.0120071) > 1e-7 || f.Biased || f.Exceeds {
			t.Errorf("floor %+v, %q", f, missing)
		}
	})
	t.Run("why there is no floor", func(t *testing.T) {
		floorOf := func(b *bench, metric string) string {
			_, missing := b.dataset(Options{}).Floor("servers", metric)
			return missing
		}
		b := newBench(t, text)
		b.measure("servers", "a", "1", valuesA)
		b.measure("servers", "again", "1", []float64{1000, 1010})
		off := newBench(t, frontMatter+dockerfile+fence("experiment", servers))
		off.measure("servers", "a", "1", valuesA)
		broken := newBench(t, text)
		broken.measure("servers", "a", "1", valuesA, failed("exit status 1"))
		broken.measure("servers", "again", "1", valuesB)
		for _, tt := range []struct{ got, want string }{
			{floorOf(b, "throughput"), "cell a again: needs 3 repetitions, has 2"},
			{floorOf(b, "errors.timeout"), "0 has no ratio"},
			{floorOf(b, "latency.p99.999"), "cell a: needs 1000000 answers, has 12000"},
			{floorOf(broken, "throughput"), "cell a: failed"},
			{floorOf(off, "throughput"), NoPair},
		} {
			if tt.got != tt.want {
				t.Errorf("there is no floor: %q, want %q", tt.got, tt.want)
			}
		}
	})
}
