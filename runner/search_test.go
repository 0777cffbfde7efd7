package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/load"
	"benchbook/runner/loadgen"
)

// pool is an article that searches for the number of workers of a server.
func pool(replace ...string) string {
	text := fmt.Sprintf(sockets, "```")
	text = strings.NewReplacer(`expose: ["8080"]`,
		"expose: [\"8080\"]\n    command: \"serve --workers ${{ tune.workers }}\"",
		"repetitions: 3\n", "repetitions: 3\ntune: {workers: {to: 8}}\n").Replace(text)
	return strings.NewReplacer(replace...).Replace(text)
}

// A bench is an engine whose throughput depends on the workers of the server, and that cannot keep up with rates above
// a limit.
type simulation struct {
	throughput map[int]int64 // by workers, of a window
	limit      float64       // requests per second
	commands   []string      // of services, in the order in which they were started
	loads      int           // that were put on
	durations  []time.Duration
	rates      []float64
}

func (b *simulation) script(t *testing.T) fake.Script {
	workers := 0
	result := answersIn(20 * time.Millisecond)
	return fake.Script{
		Start: func(_ context.Context, s engine.Service) error {
			b.commands = append(b.commands, strings.Join(s.Command, " "))
			workers = 0
			if n := len(s.Command); n > 0 {
				_, _ = fmt.Sscan(s.Command[n-1], &workers)
			}
			return nil
		},
		Run: func(_ context.Context, p fake.Program) (engine.Exit, error) {
			if p.Name != "load" {
				return engine.Exit{Code: 127}, nil
			}
			b.loads++
			var config loadgen.Config
			var r loadgen.Result
			if err := errors.Join(json.Unmarshal(p.Stdin, &config),
				json.Unmarshal(result, &r)); err != nil {
				t.Error(err)
			}
			b.durations = append(b.durations, config.Duration)
			if n, ok := b.throughput[workers]; ok {
				r.Completed.Right, r.InFlight = n, new(loadgen.InFlight) // the recorded times do not fit this number
			}
			if config.Rate > 0 {
				b.rates = append(b.rates, config.Rate)
				r.Lag, r.Service, r.InFlight = &loadgen.Distribution{}, &loadgen.Distribution{}, nil
				r.Due, r.Sent, r.Completed.Right = 100, 100, 100
				if config.Rate > b.limit {
					r.Completed.Right = 50
				}
			}
			out, err := json.Marshal(r)
			if b.throughput[workers] < 0 {
				return engine.Exit{Code: 1, Stderr: []byte("benchbook-load: refused")}, nil
			}
			return engine.Exit{Stdout: out}, err
		},
	}
}

// curve is the curve of docs/method.md#tuned-values.
var curve = map[int]int64{1: 100, 2: 190, 3: 260, 5: 305, 8: 308, 12: 290}

func carryOut(t *testing.T, b *simulation, p *plan.Plan, store *memory, o Options) Summary {
	t.Helper()
	return must.Get(newRunner(fake.New(b.script(t)), &quiet{}).Run(t.Context(), p, store, o))
}

// The value is searched for once, before the repetitions, which all use it, even in the A/A pair.
func TestTune(t *testing.T) {
	p, store, b := newPlan(t, pool("calibrate: false\n", "")), &memory{}, &simulation{throughput: curve}
	sum := carryOut(t, b, p, store, Options{})
	if sum.Searches != 2 || sum.Measured != 9 || sum.Spent.Searching <= 0 {
		t.Fatalf("%+v: %s", sum, store.trials())
	}
	for i, r := range store.records[:2] {
		s := r.Search
		if s == nil || s.Kind != record.SearchTune || s.Name != "workers" || s.Chosen != 5 || s.Stop != record.StopLimit ||
			s.Lo != 5 || s.Hi != 8 ||
			s.Metric != "throughput" || s.Unit != "1/s" || len(s.Probes) != 15 || s.Matters < 3.07 || s.Matters > 3.09 {
			t.Fatalf("search %d: %+v", i, s)
		}
		if r.Repetition != 0 || r.Planned != 0 || r.Failure != "" || r.Facts["image.server"] == "" {
			t.Errorf("record of the search: %+v", r)
		}
		probe := s.Probes[3]
		if probe.Candidate != 2 || probe.Phase != record.PhaseProbe || probe.Value != 9500 || probe.Invalid != "" ||
			len(probe.Samples) < 4 {
			t.Errorf("probe %+v", probe)
		}
	}
	for _, r := range store.records[2:] {
		if s, ok := r.Sample("tune.workers"); !ok || s.Value != 5 || r.Facts["tune.workers"] != "5" || r.Order.Position < 1 {
			t.Errorf("%s-%d was measured with %v, at %d", r.Trial, r.Repetition, s, r.Order.Position)
		}
	}
	var want []string
	for range 2 {
		for _, w := range []int{1, 2, 3, 5, 8} {
			want = append(want, slices.Repeat([]string{fmt.Sprintf("serve --workers %d", w)}, 3)...)
		}
	}
	want = append(want, slices.Repeat([]string{"serve --workers 5"}, 9)...)
	assert.Slice(t, b.commands, want, "services were started as")
	for i, d := range b.durations {
		if want := 3 * time.Second; i < 30 && d != want || i >= 30 && d != 0 { // of a load that ends with its requests
			t.Errorf("load %d lasts %v", i, d)
		}
	}

	// Nothing is left, more repetitions need no search, and a run that measures everything again searches again.
	assert.Equal(t, Pending(p, store.records, "c2-abcdef", Options{}), 0, "pending")
	more := newPlan(t, pool("calibrate: false\n", "", "repetitions: 3\n", "repetitions: 4\n"))
	if sum := carryOut(t, b, more, store, Options{}); sum.Searches != 0 || sum.Measured != 12 {
		t.Errorf("with more repetitions: %+v", sum)
	}
	if sum := carryOut(t, b, more, store, Options{Force: true}); sum.Searches != 2 || sum.Measured != 12 {
		t.Errorf("with force: %+v", sum)
	}
}

// A search that was stopped is repeated, and a finished one is kept.
func TestTuneInterrupted(t *testing.T) {
	p, store, b := newPlan(t, pool()), &memory{}, &simulation{throughput: curve}
	ctx, cancel := context.WithCancel(t.Context())
	q := &quiet{atProbe: func(n int) {
		if n == 20 { // in the second search
			cancel()
		}
	}}
	if _, err := newRunner(fake.New(b.script(t)), q).Run(ctx, p, store, Options{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := store.trials(); got != "sync-search" {
		t.Fatalf("kept %s", got)
	}
	sum := carryOut(t, b, p, store, Options{})
	if sum.Searches != 1 || sum.Measured != 6 || store.records[7].Run != store.records[0].Run {
		t.Errorf("%+v: %s", sum, store.trials())
	}
}

// If no probe is valid, no value is chosen, and the repetitions fail without being run.
func TestTuneFindsNothing(t *testing.T) {
	b := &simulation{throughput: map[int]int64{1: -1, 2: -1, 3: -1, 5: -1, 8: -1}}
	store := &memory{}
	sum := carryOut(t, b, newPlan(t, pool()), store, Options{})
	if s := store.records[0].Search; s.Chosen != 0 || s.Reason != "no probe counts: refused" ||
		s.Probes[0].Failure != "refused" || s.Stop != record.StopWorse {
		t.Errorf("%+v", s)
	}
	if r := store.records[2]; r.Failure != "no value of tune.workers was chosen: no probe counts: refused" ||
		sum.Failed != 6 {
		t.Errorf("%q, %+v", r.Failure, sum)
	}
	assert.Equal(t, b.loads, 2*2*3, "loads put on")
}

// Several values are searched for one after another, with the chosen values of earlier searches and the first
// candidates of later ones.
func TestTuneTwo(t *testing.T) {
	text := pool("${{ tune.workers }}", "${{ tune.threads }} ${{ tune.workers }}", "tune: {workers: {to: 8}}",
		"tune: {workers: {to: 8}, threads: {from: 4, to: 5}}",
		"[sync, async]", "[sync]")
	store, b := &memory{}, &simulation{throughput: curve}
	carryOut(t, b, newPlan(t, text), store, Options{})
	assert.Equal(t, b.commands[0], "serve --workers 4 1", "the first is searched for with")
	assert.Equal(t, b.commands[15], "serve --workers 4 5", "the second is searched for with")
	last := store.records[len(store.records)-1]
	if last.Facts["tune.workers"] != "5" || last.Facts["tune.threads"] != "4" {
		t.Errorf("measured with %s and %s", last.Facts["tune.workers"], last.Facts["tune.threads"])
	}
}

// A single candidate is chosen without a probe.
func TestTuneOfOne(t *testing.T) {
	store, b := &memory{}, &simulation{throughput: curve}
	carryOut(t, b, newPlan(t, pool("{to: 8}", "{from: 4, to: 4}")), store, Options{})
	s, last := store.records[0].Search, store.records[len(store.records)-1]
	if s.Stop != record.StopOnly || len(s.Probes) != 0 || s.Chosen != 4 || s.Lo != 4 || s.Hi != 4 ||
		last.Facts["tune.workers"] != "4" || b.commands[0] != "serve --workers 4" {
		t.Errorf("%+v; measured with %s, started as %s", s, last.Facts["tune.workers"], b.commands[0])
	}
}

// ceiling is sockets followed by a search for its capacity.
func ceiling(replace ...string) string {
	text := fmt.Sprintf(sockets, "```") + "\n```yaml experiment\nname: ceiling\nextends: sockets\n" +
		"capacity: {slo: latency.p50 < 100ms and failed < 1%, from: 100/s, to: 20000/s}\n" +
		"load: {duration: 1s, warmup: 0s}\n```\n"
	return strings.NewReplacer(replace...).Replace(text)
}

// The capacity of every trial is searched for by the rule of docs/method.md#capacities, and nothing else is run.
func TestCapacity(t *testing.T) {
	p, store, b := newPlan(t, ceiling()), &memory{}, &simulation{limit: 730}
	p.Experiments = p.Experiments[1:]
	assert.Equal(t, Pending(p, nil, "c2-abcdef", Options{}), 2, "pending")
	sum := carryOut(t, b, p, store, Options{})
	if sum.Searches != 2 || sum.Measured != 0 || len(store.records) != 2 {
		t.Fatalf("%+v: %s", sum, store.trials())
	}
	s := store.records[0].Search
	if s.Kind != record.SearchCapacity || s.Lo > 730 || s.Hi <= 730 || s.Hi/s.Lo > 1.05 || s.Stop != record.StopStep ||
		s.Metric != "latency.p50" ||
		s.Better != "lower" || s.Reason != "" || s.Objective != "latency.p50 < 100ms and failed < 1%" {
		t.Errorf("found %+v", s)
	}
	for _, probe := range s.Probes {
		assert.Equal(t, probe.Passed, probe.Candidate <= 730, "probe %+v", probe)
	}
	if sum := carryOut(t, b, p, store, Options{}); sum.Searches != 0 {
		t.Errorf("searched again: %+v", sum)
	}
}

// A search for a capacity begins at half the throughput of the same services in a closed loop.
func TestCapacityStart(t *testing.T) {
	store, b := &memory{}, &simulation{limit: 730}
	carryOut(t, b, newPlan(t, ceiling()), store, Options{}) // 100 requests in 20 ms
	assert.Equal(t, b.rates[0], 2500, "the first rate")
}

// A rate can be a share of another experiment's throughput, which is then measured first, regardless of the order in
// the article. search.TestRates tests which throughput, and how long it stays.
func TestSharedRate(t *testing.T) {
	const steady = "```yaml experiment\nname: steady\nextends: sockets\n" +
		"load: {rate: {share: 80%, of: sockets}, requests: null, duration: 1s, warmup: 0s}\n" +
		"repetitions: 2\n```\n\n```yaml experiment\nname: sockets\n"
	text := strings.Replace(fmt.Sprintf(sockets, "```"), "```yaml experiment\nname: sockets\n", steady, 1)
	store, b := &memory{}, &simulation{limit: 1e9}
	sum := carryOut(t, b, newPlan(t, text), store, Options{}) // 100 requests in 20 ms
	for i, rate := range b.rates {
		if rec := store.records[6+i]; math.Abs(rate-4000) > 1e-9 || rec.Experiment != "steady" || rec.Load.Open.Rate != rate {
			t.Errorf("rate %v, want 80 %% of 5000; the record of %s says %+v", rate, rec.Experiment, rec.Load.Open)
		}
	}
	if len(b.rates) != 4 || len(sum.LeftOut) > 0 {
		t.Errorf("%d repetitions with a rate, want 4; left out %v", len(b.rates), sum.LeftOut)
	}
}

// A percentile of too few answers ends a search, which still leaves a record.
func TestCapacityOfTooFewAnswers(t *testing.T) {
	p, store := newPlan(t, ceiling("latency.p50 < 100ms", "latency.p99 < 100ms")), &memory{}
	p.Experiments = p.Experiments[1:]
	carryOut(t, &simulation{limit: 1e9}, p, store, Options{})
	const want = "a probe was not valid twice: latency.p99: needs 1000 answers, has 100"
	if s := store.records[0].Search; s.Lo != 0 || s.Hi != 0 || s.Stop != record.StopNone || s.Reason != want {
		t.Errorf("%+v", s)
	}
}

// A percentile that needs many answers raises the lowest rate and lengthens windows, even as part of another metric.
func TestCapacityWindows(t *testing.T) {
	for _, slo := range []string{"latency.p99 < 100ms", "tail < 200ms"} {
		p, store, b := newPlan(t, ceiling("latency.p50 < 100ms", slo, "from: 100/s, to: 20000/s", "from: 1/s, to: 500/s",
			"capacity:", "metrics: [{name: tail, value: 2 * latency.p99}]\ncapacity:")), &memory{}, &simulation{limit: 1e9}
		p.Experiments = p.Experiments[1:]
		carryOut(t, b, p, store, Options{})
		// of 18.3 and 500; 1100 of them
		if rate, d := b.rates[0], b.durations[0]; rate < 95 || rate > 96 || d < 11*time.Second || d > 12*time.Second {
			t.Errorf("%s: begins at %v/s for %v", slo, rate, d)
		}
	}
}

// besideOthers makes other programs use the processor during some measurements of a driver, after the skipped ones.
func besideOthers(d load.Driver, skip, left int) load.Driver {
	return &changing{d, func(m *load.Measurement) {
		if skip > 0 {
			skip--
		} else if left > 0 && m.Load != nil {
			left--
			m.Load.Window, m.Load.ForeignCPU = 2, 0.42
			m.Load.Completed = 1 // the result must not cause the repetition
		}
	}}
}

// Disturbed probes are repeated. They are recorded but not counted, so the result is that of a quiet machine.
func TestProbesAgain(t *testing.T) {
	slowtest.Skip(t)
	const words = "others used 42 % of the CPU"
	one, ceilings := newPlan(t, pool("[sync, async]", "[sync]")), newPlan(t, ceiling("[sync, async]", "[sync]"))
	ceilings.Experiments = ceilings.Experiments[1:]
	for _, tt := range []struct {
		name            string
		plan            *plan.Plan
		skip, disturbed int
		again, chosen   int
		reason          string
	}{
		{"tune: all probes of a candidate, once", one, 9, 3, 3, 5, ""},
		{"tune: all of one that is as good as the best, to the end", one, 9, 6, 3, 8, ""},
		{"tune: all", one, 0, 1000, 6, 0, "no probe counts: " + words},
		{"capacity: three running", ceilings, 2, 3, 3, 0, ""},
		{"capacity: the first four, of which the last is invalid", ceilings, 0, 4, 3, 0, ""},
		{"capacity: all", ceilings, 0, 1000, 3, 0, "a probe was not valid twice: " + words},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store, b := &memory{}, &simulation{throughput: curve, limit: 730}
			r := newRunner(fake.New(b.script(t)), &quiet{})
			r.Requests = besideOthers(r.Requests, tt.skip, tt.disturbed)
			sum := must.Get(r.Run(t.Context(), tt.plan, store, Options{}))
			s := store.records[0].Search
			if s.Chosen != tt.chosen || s.Reason != tt.reason || s.Disturbed() != tt.again || sum.ProbesAgain != tt.again ||
				tt.plan == ceilings && tt.reason == "" && (s.Lo > 730 || s.Hi <= 730) {
				t.Errorf("found %+v, %d made again, counted %d", s, s.Disturbed(), sum.ProbesAgain)
			}
			for i, p := range s.Probes {
				if tt.plan == one && p.Disturbed != "" && (p.Disturbed != words || p.Value != 0.5 || p.Invalid != "" ||
					p.Counts() != 0 || len(p.Samples) == 0 || s.Probes[i+1].Candidate != p.Candidate) {
					t.Errorf("probe %d: %+v, then of %v", i, p, s.Probes[i+1].Candidate)
				}
			}
		})
	}
}

// The time of disturbed probes does not count towards the budget, so a search tries as many candidates as on a quiet
// machine.
func TestBudgetOfADisturbedSearch(t *testing.T) {
	slowtest.Skip(t)
	b := &simulation{throughput: curve}
	script := b.script(t)
	quick, slow := script.Run, 3
	script.Run = func(ctx context.Context, p fake.Program) (engine.Exit, error) {
		if slow > 0 {
			slow--
			time.Sleep(450 * time.Millisecond)
		}
		return quick(ctx, p)
	}
	store := &memory{}
	r := newRunner(fake.New(script), &quiet{})
	r.Requests = besideOthers(r.Requests, 0, 3)
	must.Get(r.Run(t.Context(), newPlan(t, pool("[sync, async]", "[sync]", "{to: 8}", "{to: 8, budget: 1200ms}")),
		store, Options{}))
	if s := store.records[0].Search; s.Stop != record.StopLimit || s.Chosen != 5 || s.Disturbed() != 3 {
		t.Errorf("stopped at %q with %d, %d made again", s.Stop, s.Chosen, s.Disturbed())
	}
}

// No search begins after the deadline of the run.
func TestSearchesInABudget(t *testing.T) {
	slowtest.Skip(t)
	b := &simulation{throughput: curve}
	script := b.script(t)
	quick := script.Run
	script.Run = func(ctx context.Context, p fake.Program) (engine.Exit, error) {
		time.Sleep(40 * time.Millisecond)
		return quick(ctx, p)
	}
	store := &memory{}
	sum, err := newRunner(fake.New(script), &quiet{}).Run(t.Context(), newPlan(t, pool()), store,
		Options{Deadline: time.Now().Add(300 * time.Millisecond)})
	if err != nil || !sum.OutOfTime || sum.Searches != 1 || len(store.records) != 1 {
		t.Errorf("%+v, %v, %s", sum, err, store.trials())
	}
}

// A search that found nothing because the machine was busy is no result: its trials are not measured, and the resumed
// run searches again.
func TestBusySearchesAreMadeAgain(t *testing.T) {
	slowtest.Skip(t)
	p, store, b := newPlan(t, pool("[sync, async]", "[sync]")), &memory{}, &simulation{throughput: curve}
	r := newRunner(fake.New(b.script(t)), &quiet{})
	requests := r.Requests
	for try := range 2 {
		r.Requests = besideOthers(requests, 0, 1000)
		sum := must.Get(r.Run(t.Context(), p, store, Options{}))
		if sum.Measured != 0 || sum.Unsearched != 3 || sum.Searches != 1 || len(store.records) != try+1 {
			t.Fatalf("%+v: %s", sum, store.trials())
		}
		if s := store.records[try].Search; !s.Busy || s.Reason == "" || s.Attempt != []int{0, 2}[try] {
			t.Errorf("search %d: %+v", try, s)
		}
		assert.Equal(t, Pending(p, store.records, r.Host.ID, Options{}), 3, "pending")
	}
	r.Requests = requests
	sum := must.Get(r.Run(t.Context(), p, store, Options{}))
	last := store.records[2]
	if s := last.Search; sum.Searches != 1 || sum.Measured != 3 || sum.Unsearched != 0 || s.Chosen != 5 || s.Busy ||
		s.Attempt != 3 {
		t.Fatalf("%+v: %+v", sum, s)
	}
	for _, rec := range store.records {
		assert.Equal(t, rec.Run, last.Run, "a record of run")
	}
	assert.Equal(t, Pending(p, store.records, r.Host.ID, Options{}), 0, "pending in the end")
}

// An experiment is left out if its image is not available when its turn comes.
func TestNoImageForACandidate(t *testing.T) {
	const text = `name: tuned
services:
  server: {image: "server:${{ tune.workers }}", expose: ["80"], depends_on: [db]}
  db: {image: postgres, expose: ["5432"]}
shared: [db]
load: {target: "http://server/", requests: 100}
tune: {workers: {to: 4}}
repetitions: 3
calibrate: false
timeout: 2s
`
	s := script()
	s.Prepare = func(_ context.Context, image engine.Image, _ io.Writer) (engine.Prepared, error) {
		if image.Name == "server:2" {
			return engine.Prepared{}, &engine.ImageError{Reference: image.Name, Err: errors.New("image server:2 is not here")}
		}
		return engine.Prepared{Reference: image.Name, ID: "sha256:" + image.Name}, nil
	}
	e := fake.New(s)
	sum := must.Get(newRunner(e, &quiet{}).Run(t.Context(), planOf(t, text), &memory{}, Options{}))
	assert.Equal(t, len(sum.LeftOut), 1, "experiments that were left out")
	checkClosed(t, e)
}
