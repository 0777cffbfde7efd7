package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/images"
	"benchbook/runner/load"
	"benchbook/runner/loadgen"
	"benchbook/runner/machine"
)

// memory is a RecordStore in a slice.
type memory struct {
	records []*record.Record
}

func (m *memory) Read() ([]*record.Record, []record.Bad, error) {
	return slices.Clone(m.records), nil, nil
}

func (m *memory) Save(r *record.Record) error {
	data, err := r.Line()
	if err != nil {
		return err
	}
	kept, err := record.Parse(data) // records are read back as written
	m.records = append(m.records, kept)
	return err
}

// trials lists the measured trials in order.
func (m *memory) trials() string {
	var out []string
	for _, r := range m.records {
		if r.Search != nil {
			out = append(out, r.Trial+"-search")
			continue
		}
		out = append(out, fmt.Sprintf("%s-%d", r.Trial, r.Repetition))
	}
	return strings.Join(out, " ")
}

// quiet is a Progress that only counts, and may do something at the end of a repetition.
type quiet struct {
	done  int
	atEnd func(done int)
	log   io.Writer // output of builders; may be nil

	probes   int // of searches
	atProbe  func(probes int)
	searched []*record.Search
	notes    []string

	announced int // repetitions and searches, of the experiment begun last
}

func (q *quiet) Search(_ *plan.Trial, s *record.Search) {
	if s.Stop != "" {
		q.searched = append(q.searched, s)
		return
	}
	q.probes++
	if q.atProbe != nil {
		q.atProbe(q.probes)
	}
}

func (q *quiet) Note(text string)   { q.notes = append(q.notes, text) }
func (q *quiet) Experiment(g Group) { q.announced = g.Len() }
func (*quiet) Again(Group)          {}

func (q *quiet) Preparing(string) images.Preparation {
	if q.log == nil {
		return unclosed{io.Discard}
	}
	return unclosed{q.log}
}

// unclosed is a Preparation whose End does nothing.
type unclosed struct{ io.Writer }

func (unclosed) End(bool) {}

func (q *quiet) End(plan.Step, *record.Record) {
	q.done++
	if q.atEnd != nil {
		q.atEnd(q.done)
	}
}

const sockets = `---
title: x
---
%[1]spython file=sync.py
print("sync")
%[1]s

%[1]spython file=async.py
print("async")
%[1]s

%[1]sdockerfile file=Dockerfile
FROM debian:bookworm-slim
%[1]s

%[1]syaml experiment
name: sockets
services:
  server:
    build: .
    configs: [{source: "${{ matrix.server }}.py", target: /srv/server.py}]
    environment: {MODE: fast}
    expose: ["8080"]
matrix: {server: [sync, async]}
load: {target: "http://server:8080/", requests: 100}
repetitions: 3
calibrate: false
timeout: 2s
%[1]s
`

// planOf plans an article of one experiment.
func planOf(t *testing.T, experiment string, replace ...string) *plan.Plan {
	t.Helper()
	return newPlan(t, "---\ntitle: x\n---\n```yaml experiment\n"+strings.NewReplacer(replace...).Replace(experiment)+"```\n")
}

// newPlan plans an article in a project with the given lines.
func newPlan(t *testing.T, text string, projectLines ...string) *plan.Plan {
	t.Helper()
	return must.Get(recordtest.New(t, text, projectLines...).Plan(plan.Full))
}

func socketsPlan(t *testing.T, replace ...string) *plan.Plan {
	t.Helper()
	return newPlan(t, strings.NewReplacer(replace...).Replace(fmt.Sprintf(sockets, "```")))
}

// answersIn is answers in a window of a given length, in which 9.5 requests were in flight.
func answersIn(window time.Duration) []byte {
	each := window * 95 / 1000
	h := hdrhistogram.New(1, 60e9, 3)
	for range 100 {
		must.Do(h.RecordValue(int64(each)))
	}
	encoded := must.Get(h.Encode(hdrhistogram.V2CompressedEncodingCookieBase))
	d := loadgen.Distribution{Encoded: string(encoded), Highest: 60e9, Count: 100, Min: int64(each), Max: int64(each),
		Sum: int64(100 * each)}
	busy := 0.4
	return must.Get(json.Marshal(loadgen.Result{
		SchemaVersion: loadgen.SchemaVersion, Semantics: loadgen.Semantics, Start: time.Now(), Length: window,
		EndedBy:   loadgen.EndedByRequests,
		Attempted: 100, Answered: 100, Failures: map[loadgen.Kind]int64{}, Status: map[int]int64{200: 100},
		Completed: loadgen.Completed{Right: 100},
		Latency:   d, FailedLatency: loadgen.Distribution{Encoded: d.Encoded, Highest: 60e9}, Connect: d, FirstByte: d,
		CPU:      &loadgen.CPU{User: 1e6, Length: window, Busiest: &busy},
		InFlight: &loadgen.InFlight{Time: 100 * each, Length: window},
	}))
}

// script returns an engine's script in which everything succeeds.
func script() fake.Script { return scriptIn(20 * time.Millisecond) }

// scriptIn is script with windows of a given length.
func scriptIn(window time.Duration) fake.Script {
	result := answersIn(window)
	return fake.Script{Run: func(_ context.Context, p fake.Program) (engine.Exit, error) {
		if p.Name == "load" {
			return engine.Exit{Stdout: result}, nil
		}
		return engine.Exit{Code: 127}, nil
	}}
}

// onLoad replaces the behaviour of a load; good is the original.
func onLoad(s *fake.Script, do func(ctx context.Context, good func() (engine.Exit, error)) (engine.Exit, error)) {
	run := s.Run
	s.Run = func(ctx context.Context, p fake.Program) (engine.Exit, error) {
		good := func() (engine.Exit, error) { return run(ctx, p) }
		if p.Name != load.LoadName {
			return good()
		}
		return do(ctx, good)
	}
}

// hang waits until its context is done.
func hang(ctx context.Context, _ func() (engine.Exit, error)) (engine.Exit, error) {
	<-ctx.Done()
	return engine.Exit{}, ctx.Err()
}

func newRunner(e engine.Engine, p Progress) *Runner {
	program := func() ([]byte, error) { return []byte("program"), nil }
	return &Runner{Engine: e, Progress: p, Agent: program, Requests: &load.Requests{Agent: program},
		Commands: &load.Commands{Agent: program},
		Host:     machine.Host{ID: "c2-abcdef", Cores: [][]int{{0}, {1}}, Facts: map[string]string{"host.cpu": "test"}}}
}

func TestRun(t *testing.T) {
	p, store, e := socketsPlan(t), &memory{}, fake.New(script())
	sum := must.Get(newRunner(e, &quiet{}).Run(context.Background(), p, store, Options{}))
	if s := sum.Spent; sum.Measured != 6 || sum.Failed != 0 || len(store.records) != 6 ||
		s.Measuring < 6*20*time.Millisecond || s.Searching != 0 {
		t.Fatalf("%+v with %d records", sum, len(store.records))
	}
	only := Options{Only: func(_ *plan.Experiment, t *plan.Trial) bool { return t.Name == "sync" }}
	picked := &memory{}
	must.Get(newRunner(fake.New(script()), &quiet{}).Run(t.Context(), p, picked, only))
	assert.Equal(t, picked.trials(), "sync-1 sync-2 sync-3", "only sync")
	for i, r := range slices.Concat(store.records, picked.records) { // picked repetitions keep their position
		step := p.Experiments[0].Steps[r.Order.Position-1]
		if r.Trial != step.Trial.Name || r.Repetition != step.Repetition || r.Order.Of != 6 || i < 6 && r.Order.Position != i+1 {
			t.Errorf("record %d is %s-%d at %d of %d, want %s-%d", i, r.Trial, r.Repetition, r.Order.Position, r.Order.Of,
				step.Trial.Name, step.Repetition)
		}
	}
	r := store.records[0]
	if r.Load == nil || r.Load.Completed != 100 || r.Load.Window != 0.02 || r.Load.InFlight != 0.95 || r.Load.Busy != 0.4 {
		t.Errorf("load: %+v", r.Load)
	}
	if h := r.Histograms["latency"]; h.Count != 100 || h.Max != 0.0019 {
		t.Errorf("histogram: %+v", h)
	}
	for fact, want := range map[string]string{"placement.load": "1", "placement.services": "0", "engine.name": "fake",
		"host.cpu": "test"} {
		assert.Equal(t, r.Facts[fact], want, "fact %s", fact)
	}
	// Each repetition has a space within the experiment's.
	checkClosed(t, e)
	if opened, within := calls(e, "open")-calls(e, "open packages"), calls(e, "group"); opened != 1 || within != 6 {
		t.Errorf("%d spaces opened, and %d within", opened, within)
	}

	// A second run has nothing to measure.
	assert.Equal(t, Pending(p, store.records, "c2-abcdef", Options{}), 0, "pending")
	again := fake.New(script())
	if sum = must.Get(newRunner(again, &quiet{}).Run(t.Context(), p, store, Options{})); sum.Measured != 0 ||
		len(again.Calls()) != 0 {
		t.Errorf("%+v, calls %q", sum, again.Calls())
	}
	assert.Equal(t, Pending(p, store.records, "c2-other", Options{}), 6, "pending on another host")
	p.Article = "copy"
	assert.Equal(t, Pending(p, store.records, "c2-abcdef", Options{}), 6, "pending in a copy of the article")
}

// calls counts the calls of an engine that begin with a word.
func calls(e *fake.Engine, what string) int {
	return slice.Count(e.Calls(), func(c string) bool { return strings.HasPrefix(c+" ", what+" ") })
}

// checkClosed fails the test unless all spaces of an engine were closed or kept.
func checkClosed(t *testing.T, e *fake.Engine) {
	t.Helper()
	opened, closed := calls(e, "open")+calls(e, "group"), calls(e, "close")+calls(e, "keep")
	assert.Equal(t, closed, opened, "spaces closed and kept, of those opened")
}

// On a machine that has changed, everything is measured again, and a stopped run is not resumed.
func TestOtherConditions(t *testing.T) {
	for _, tt := range []struct {
		fact, value string // of the machine from now on
		kept, want  int    // repetitions of the first run, and of the next
	}{
		{"swap", "1 GiB", 6, 0}, {"swap", "1 GiB", 3, 3}, {"kernel", "6.2", 6, 6}, {"kernel", "6.2", 3, 6},
	} {
		p, store, said := socketsPlan(t), &memory{}, &quiet{}
		r := newRunner(fake.New(script()), said)
		r.Host.Facts["host.kernel"] = "6.1"
		must.Get(r.Run(t.Context(), p, store, Options{}))
		store.records = store.records[:tt.kept]
		r.Host.Facts["host."+tt.fact] = tt.value
		isAnew, options := tt.want == 6, Options{Conditions: r.Host.Facts}
		assert.Equal(t, Pending(p, store.records, r.Host.ID, options), tt.want, "%+v: pending", tt)
		words := NextOf(p, store.records, r.Host.ID, options).Outdated()
		if (len(words) == 1 && strings.Contains(words[0], tt.fact+" of the machine changed")) != isAnew {
			t.Errorf("%+v: %q", tt, words)
		}
		sum := must.Get(r.Run(t.Context(), p, store, Options{}))
		assert.Equal(t, sum.Measured, tt.want, "%+v: measured", tt)
		assert.Equal(t, said.announced, tt.want, "%+v: announced", tt)
		for _, r := range store.records[tt.kept:] {
			assert.Equal(t, r.Run != store.records[0].Run, isAnew, "%+v: in another run", tt)
		}
	}
}

// twoExperiments returns the plan of the sample article with another experiment of one trial, whose server has a kind.
func twoExperiments(t *testing.T, kind string) *plan.Plan {
	t.Helper()
	return newPlan(t, fmt.Sprintf(sockets, "```")+
		"\n```yaml experiment\nname: other\nservices: {server: {build: ., expose: [\"8080\"], environment: {KIND: "+kind+
		"}}}\n"+
		"load: {target: \"http://server:8080/\", requests: 100}\nrepetitions: 3\ncalibrate: false\n```\n")
}

// Experiments that begin together share one run.
func TestExperimentsOfOneRun(t *testing.T) {
	p, store := twoExperiments(t, "a"), &memory{}
	var got, names []string // a run and an experiment in it
	for _, step := range []struct {
		kind  string
		force bool
	}{{"a", false}, {"a", true}, {"b", false}} { // in the last, sockets is fresh
		must.Get(newRunner(fake.New(script()), &quiet{}).Run(t.Context(), twoExperiments(t, step.kind), store,
			Options{Force: step.force}))
	}
	for _, r := range store.records {
		names = slice.Add(names, r.Run)
		got = slice.Add(got, fmt.Sprint(slices.Index(names, r.Run), " ", r.Experiment))
	}
	slices.Sort(got)
	assert.Slice(t, got, []string{"0 other", "0 sockets", "1 other", "1 sockets", "2 other"}, "runs and experiments")
	want := map[string]string{"sockets": p.Experiments[0].Digest, "other": p.Experiments[1].Digest}
	for _, r := range store.records[:9] {
		assert.Map(t, r.Plans, want, "what the run of %s-%d was to measure", r.Trial, r.Repetition)
	}
}

// A run that was stopped between two experiments is resumed with the planned ones, unless their plan has changed.
func TestInterruptedBetweenExperiments(t *testing.T) {
	for _, tt := range []struct {
		name   string
		now    string // the kind of the other experiment
		force  bool
		forget bool // what the run was to measure
		same   bool
	}{
		{"as it was", "a", false, false, true},
		{"the other experiment is another", "b", false, false, false},
		{"all again", "a", true, false, false},
		{"records that do not tell what their run was to measure", "a", false, true, false},
	} {
		store := &memory{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stopping := &quiet{atEnd: func(done int) {
			if done == 6 { // all of sockets
				cancel()
			}
		}}
		if _, err := newRunner(fake.New(script()), stopping).Run(ctx, twoExperiments(t, "a"), store,
			Options{}); !errors.Is(err, context.Canceled) || len(store.records) != 6 {
			t.Fatalf("%v, with %d records", err, len(store.records))
		}
		for _, r := range store.records {
			if tt.forget {
				r.Plans = nil
			}
		}
		must.Get(newRunner(fake.New(script()), &quiet{}).Run(t.Context(), twoExperiments(t, tt.now), store,
			Options{Force: tt.force}))
		first, last := store.records[0], store.records[len(store.records)-1]
		if last.Experiment != "other" || (last.Run == first.Run) != tt.same || tt.same && last.Plans["sockets"] != first.Plan {
			t.Errorf("%s: %s is of run %s, which was to measure %v; what was measured before is of %s", tt.name,
				last.Experiment, last.Run, last.Plans, first.Run)
		}
	}
}

// givePrivate gives the trials of a plan a private value from the environment.
func givePrivate(p *plan.Plan, value string) {
	for _, e := range p.Experiments {
		for _, t := range e.Trials {
			t.Private = []string{value}
		}
	}
}

func TestRunsSortByTheirNames(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 5e8, time.UTC)
	first := newRunID(at, "")
	second := newRunID(at, first)
	third := newRunID(at, second)
	if !(first < second && second < third) || !strings.HasPrefix(first, "20261120T120000Z-") || len(first) != 21 {
		t.Errorf("%s, %s, %s", first, second, third)
	}
}

// Pending counts what a run would do up to its next look.
func Pending(p *plan.Plan, records []*record.Record, host string, o Options) int {
	return NextOf(p, records, host, o).Len()
}
