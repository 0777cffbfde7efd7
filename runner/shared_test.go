package runner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

// shared is an experiment with a database that all repetitions share, and every hook.
const shared = `name: rows
services:
  server: {image: "server:${{ matrix.version }}", expose: ["80"], depends_on: [db]}
  db: {image: postgres, expose: ["5432"], stop_grace_period: 7s}
shared: [db]
setup: {service: db, run: load rows}
prepare:
  - {service: db, run: statistics}
  - {service: server, run: warm}
metrics:
  - {name: db.errors, better: lower, from: db log, regex: 'errors: (\d+)'}
  - {name: wal, unit: MB, from: prepare, json: wal.written}
  - {name: tail.ratio, better: lower, value: latency.p99 / latency.p50}
matrix: {version: [1, 2]}
load: {target: "http://server/", requests: 100}
repetitions: 2
calibrate: false
timeout: 2s
`

func sharedPlan(t *testing.T, replace ...string) *plan.Plan {
	t.Helper()
	return planOf(t, shared, replace...)
}

// A stage is an engine on which everything succeeds, with a log of what happened.
type stage struct {
	fake.Script
	mu   sync.Mutex
	said []string // "db: load rows"
}

func newStage() *stage {
	s := &stage{Script: script()}
	s.Exec = func(_ context.Context, name string, c engine.Command) (engine.Exit, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.said = append(s.said, name+": "+strings.Join(c.Args, " "))
		if c.Args[0] == "statistics" {
			return engine.Exit{Stdout: []byte("wrote\n{\"wal\": {\"written\": 1.5}}\n")}, nil
		}
		return engine.Exit{}, nil
	}
	s.Logs = func(name string) []byte {
		if name != "db" {
			return []byte("listening\n")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		log := "ready\n"
		for _, hook := range s.said {
			if hook == "db: statistics" {
				log += "errors: 3\n"
			}
		}
		return []byte(log)
	}
	return s
}

// runShared runs the experiment, checks that every space is closed, and returns the calls of the engine except for
// images.
func runShared(t *testing.T, s *stage, o Options, p *plan.Plan, store *memory) (Summary, *quiet, []string, error) {
	t.Helper()
	e, q := fake.New(s.Script), &quiet{}
	sum, err := newRunner(e, q).Run(t.Context(), p, store, o)
	checkClosed(t, e)
	calls := slices.DeleteFunc(e.Calls(), func(c string) bool { return strings.HasSuffix(c, " packages") || c == "start load" })
	for i, c := range calls {
		verb, name, _ := strings.Cut(c, " ")
		if strings.HasPrefix(name, "20") {
			calls[i] = verb // the name of a run
		}
	}
	return sum, q, calls, err
}

// count counts the calls that equal a word.
func count(calls []string, word string) int {
	return slice.Count(calls, func(c string) bool { return c == word })
}

// Shared services are started and set up once, others for every repetition. Hooks run where and when they should.
func TestSharedServices(t *testing.T) {
	s, store := newStage(), &memory{}
	sum, q, calls, err := runShared(t, s, Options{}, sharedPlan(t), store)
	if err != nil || sum.Failed != 0 || len(store.records) != 4 {
		t.Fatalf("%+v, %v, %d records", sum, err, len(store.records))
	}
	repetition := []string{"group", "start server", "exec db", "exec server", "run load", "close"}
	want := slices.Concat([]string{"open", "start db", "exec db"}, repetition, repetition, repetition, repetition,
		[]string{"close"})
	assert.Slice(t, calls, want)
	each := "db: statistics, server: warm"
	assert.Equal(t, strings.Join(s.said, ", "), "db: load rows, "+strings.Join([]string{each, each, each, each}, ", "),
		"hooks ran as")
	if len(q.notes) != 1 || q.notes[0] != "starting the shared service db, and setting up" {
		t.Errorf("notes %q", q.notes)
	}
	for _, r := range store.records {
		if r.Facts["shared.services"] != "db" || r.Facts["shared.start"] != store.records[0].Facts["shared.start"] ||
			r.Facts["shared.setup"] == "" {
			t.Errorf("facts of shared services: %q, %q, %q", r.Facts["shared.services"], r.Facts["shared.start"],
				r.Facts["shared.setup"])
		}
		_, isTimed := r.Parts["prepare"]
		assert.Equal(t, isTimed, true, "there is a time of prepare in %v", r.Parts)
		if wal, ok := r.Sample("wal"); !ok || wal.Value != 1.5e6 || wal.Unit != "B" {
			t.Errorf("wal is %+v", wal)
		}
		if errs, ok := r.Sample("db.errors"); !ok || errs.Value != 3 {
			t.Errorf("db.errors is %+v, missing %v", errs, r.Missing)
		}
		_, ok := r.Sample("tail.ratio")
		assert.Equal(t, ok, false, "a metric that readers compute from others is recorded")
	}
	assert.Equal(t, store.records[0].Facts["shared.start"] != "", true, "the start of the shared services is known")
}

// Shared services that depend on the matrix start once for each variant, and each is set up once.
func TestSharedServicesOfSeveralKinds(t *testing.T) {
	s, store := newStage(), &memory{}
	sum, q, calls, err := runShared(t, s, Options{}, sharedPlan(t, "image: postgres", "image: \"postgres:${{ matrix.version }}\""),
		store)
	if err != nil || sum.Failed != 0 || len(store.records) != 4 {
		t.Fatalf("%+v, %v, %d records", sum, err, len(store.records))
	}
	if count(calls, "open") != 2 || count(calls, "start db") != 2 || count(calls, "start server") != 4 {
		t.Errorf("calls %v", calls)
	}
	said := strings.Join(s.said, ", ")
	assert.Equal(t, strings.Count(said, "load rows"), 2, "hooks ran as %s", said)
	starts := map[string]map[string]bool{} // by version
	for _, r := range store.records {
		version := r.Parameters[0].Value
		if starts[version] == nil {
			starts[version] = map[string]bool{}
		}
		starts[version][r.Facts["shared.start"]] = true
	}
	if len(starts["1"]) != 1 || len(starts["2"]) != 1 || len(q.notes) != 2 {
		t.Errorf("starts %v, notes %q", starts, q.notes)
	}
}

// A resumed run starts the shared services again, and its records say so.
func TestSharedServicesOfAResumedRun(t *testing.T) {
	p, store := sharedPlan(t), &memory{}
	ctx, cancel := context.WithCancel(t.Context())
	s := newStage()
	q := &quiet{atEnd: func(done int) {
		if done == 2 {
			cancel()
		}
	}}
	if _, err := newRunner(fake.New(s.Script), q).Run(ctx, p, store, Options{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond) // the facts tell milliseconds apart
	again := newStage()
	if _, _, _, err := runShared(t, again, Options{}, p, store); err != nil || len(store.records) != 4 {
		t.Fatalf("%v, %d records", err, len(store.records))
	}
	assert.Equal(t, again.said[0], "db: load rows", "the second part began with")
	a, b := store.records[1], store.records[2]
	if a.Run != b.Run || a.Facts["shared.start"] == b.Facts["shared.start"] {
		t.Errorf("runs %s and %s, starts %s and %s", a.Run, b.Run, a.Facts["shared.start"], b.Facts["shared.start"])
	}
}

// A failed hook fails its repetition, or all of them, and the failure contains no secrets.
func TestHooksThatFail(t *testing.T) {
	exec := func(hook string, exit engine.Exit, err error) func(*stage) {
		return func(s *stage) {
			good := s.Exec
			s.Exec = func(ctx context.Context, name string, c engine.Command) (engine.Exit, error) {
				if _, goodErr := good(ctx, name, c); c.Args[0] != hook || goodErr != nil {
					return good(ctx, name, c)
				}
				return exit, err
			}
		}
	}
	for _, test := range []struct {
		name    string
		change  func(*stage)
		failure string
		note    string // the last one
		log     string
	}{
		{"setup", exec("load", engine.Exit{Code: 3, Stdout: []byte("half\n"),
			Stderr: []byte("ERROR: no\nsuch table for hunter2222\n")}, nil),
			"the hook setup failed: load in db ended with status 3: such table for " + record.Redacted,
			"no repetition of rows can be measured: the hook setup failed: load in db ended with status 3: such table for " +
				record.Redacted, "half"},
		{"prepare", exec("warm", engine.Exit{Code: 127, Stdout: []byte("no such program\n")}, nil),
			"the hook prepare failed: warm in server ended with status 127: no such program", "", "no such program"},
		{"the shared service is not ready", func(s *stage) {
			s.Start = func(_ context.Context, service engine.Service) error {
				if service.Name != "db" {
					return nil
				}
				return &engine.NotReadyError{Service: "db", Reason: errors.New("it ended with status 1"), Log: []byte("no space\n")}
			}
		}, `service "db" was not ready: it ended with status 1`, "", "no space"},
		{"setup takes too long", func(s *stage) {
			s.Exec = func(ctx context.Context, _ string, _ engine.Command) (engine.Exit, error) {
				<-ctx.Done()
				return engine.Exit{}, ctx.Err()
			}
		}, "starting the shared service db, and setting up took longer than 2s", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, store := newStage(), &memory{}
				good := s.Run
				s.Run = func(ctx context.Context, p fake.Program) (engine.Exit, error) {
					if p.Name == "packages" {
						return engine.Exit{Stdout: []byte("bash 5.2\n-- python\n")}, nil
					}
					return good(ctx, p)
				}
				test.change(s)
				p := sharedPlan(t)
				givePrivate(p, "hunter2222")
				sum, q, _, err := runShared(t, s, Options{}, p, store)
				if err != nil || sum.Failed != 4 || len(store.records) != 4 {
					t.Fatalf("%+v, %v, %d records", sum, err, len(store.records))
				}
				r := store.records[0]
				if r.Failure != test.failure || !strings.Contains(r.Log, test.log) {
					t.Errorf("failure %q with log %q\nwant    %q with %q", r.Failure, r.Log, test.failure, test.log)
				}
				if test.note != "" && q.notes[len(q.notes)-1] != test.note {
					t.Errorf("notes %q", q.notes)
				}
				if setup := strings.Contains(test.failure, "setup") || strings.Contains(test.failure, "setting up"); setup &&
					q.done != 0 {
					t.Errorf("it was said %d times", q.done)
				}
				lists := 0
				for _, r := range store.records {
					lists += len(r.Lists)
				}
				assert.Equal(t, lists, 1, "lists of packages, which both images share,")
			})
		})
	}
}

// A run that is interrupted or fails stops its shared services and saves no unfinished repetition.
func TestRunsThatDoNotEnd(t *testing.T) {
	errFails := errors.New("the engine fails")
	type result func() (engine.Exit, error)
	for _, tt := range []struct {
		name string
		load func(ctx context.Context, cancel func(), good result) (engine.Exit, error)
		want error
	}{
		{"in the load", func(ctx context.Context, cancel func(), good result) (engine.Exit, error) {
			cancel()
			return hang(ctx, good)
		}, context.Canceled},
		{"after the load", func(_ context.Context, cancel func(), good result) (engine.Exit, error) {
			defer cancel()
			return good()
		}, context.Canceled},
		{"by the engine", func(context.Context, func(), result) (engine.Exit, error) { return engine.Exit{}, errFails }, errFails},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s, store := newStage(), &memory{}
		onLoad(&s.Script, func(ctx context.Context, good func() (engine.Exit, error)) (engine.Exit, error) {
			return tt.load(ctx, cancel, good)
		})
		e := fake.New(s.Script)
		if _, err := newRunner(e, &quiet{}).Run(ctx, sharedPlan(t), store, Options{}); !errors.Is(err, tt.want) ||
			len(store.records) != 0 {
			t.Errorf("%s: got %v and %d records, want %v", tt.name, err, len(store.records), tt.want)
		}
		checkClosed(t, e)
	}
}

// A shared service that exits fails the current repetition; then all are restarted, a limited number of times.
func TestSharedServiceThatDies(t *testing.T) {
	for _, test := range []struct {
		name            string
		dies            func(start, repetition int) bool // in that repetition, of all, on that start; both from 1
		failures, setup int
	}{
		{"once", func(_, repetition int) bool { return repetition == 2 }, 1, 2},
		{"always", func(int, int) bool { return true }, 4, 3},
	} {
		s, store := newStage(), &memory{}
		starts, repetitions, dead := 0, 0, false
		s.Start = func(_ context.Context, service engine.Service) error {
			if service.Name == "db" {
				starts, dead = starts+1, false
			}
			return nil
		}
		onLoad(&s.Script, func(_ context.Context, good func() (engine.Exit, error)) (engine.Exit, error) {
			repetitions++
			dead = test.dies(starts, repetitions)
			return good()
		})
		s.State = func(name string) (engine.State, error) {
			return engine.State{Ended: name == "db" && dead, Exit: engine.Exit{Code: 137}}, nil
		}
		sum, q, _, err := runShared(t, s, Options{}, sharedPlan(t), store)
		if err != nil || sum.Failed != test.failures || len(store.records) != 4 || starts != test.setup {
			t.Fatalf("%s: %+v, %v, %d records, %d starts", test.name, sum, err, len(store.records), starts)
		}
		const want = `shared service "db" has ended with status 137`
		for _, r := range store.records {
			if r.Failure != "" && !strings.HasPrefix(r.Failure, want) {
				t.Errorf("%s: failure %q", test.name, r.Failure)
			}
		}
		assert.Equal(t, slices.Contains(q.notes, want+": starting the shared services again"), true,
			"%s: said among %q", test.name, q.notes)
	}
}

// The same holds for a timed command with a timeout of its own, below that of the repetition.
func TestTimedCommandThatHangsInASharedService(t *testing.T) {
	const text = `name: queries
services:
  db: {image: postgres, expose: ["5432"]}
shared: [db]
command: {service: db, run: "query ${{ matrix.version }}", timeout: 100ms}
matrix: {version: [1, 2]}
repetitions: 1
calibrate: false
timeout: 5s
`
	s, store, hung := newStage(), &memory{}, false
	s.Start = func(_ context.Context, service engine.Service) error {
		assert.Equal(t, len(service.Configs), 1, "files of %s, which has the timer", service.Name)
		return nil
	}
	good := s.Exec
	s.Exec = func(ctx context.Context, name string, c engine.Command) (engine.Exit, error) {
		if !hung {
			hung = true
			<-ctx.Done()
			return engine.Exit{}, ctx.Err()
		}
		return good(ctx, name, c)
	}
	_, q, _, err := runShared(t, s, Options{}, planOf(t, text), store)
	if err != nil || len(store.records) != 2 || store.records[0].Failure != "query took longer than 100ms" {
		t.Fatalf("%v, %d records", err, len(store.records))
	}
	if store.records[0].Facts["shared.start"] == store.records[1].Facts["shared.start"] {
		t.Errorf("the next repetition was measured beside it; notes %q", q.notes)
	}
}

// The services of the last repetition, or the first that fails, are kept with the shared ones, and the run ends.
func TestKeep(t *testing.T) {
	for _, test := range []struct {
		name string
		fail int // which load fails, from 1; 0: none
		left int
	}{{"the last", 0, 0}, {"the first that fails", 2, 2}} {
		s, store := newStage(), &memory{}
		loads := 0
		onLoad(&s.Script, func(_ context.Context, good func() (engine.Exit, error)) (engine.Exit, error) {
			if loads++; loads == test.fail {
				return engine.Exit{Code: 1, Stderr: []byte("no\n")}, nil
			}
			return good()
		})
		sum, _, calls, err := runShared(t, s, Options{Keep: true, KeepLast: true},
			sharedPlan(t, "- {service: server, run: warm}", ""), store)
		if err != nil || sum.Kept == nil || sum.Kept.Failed != (test.fail > 0) || sum.Kept.Left != test.left ||
			len(store.records) != 4-test.left {
			t.Fatalf("%s: %+v, %v, %d records", test.name, sum.Kept, err, len(store.records))
		}
		names := slice.Map(sum.Kept.Services, func(k engine.Kept) string { return k.Service })
		if !slices.Equal(names, []string{"server", "db"}) || count(calls, "keep") != 2 {
			t.Errorf("%s: kept %v by %v", test.name, names, calls)
		}
		assert.Equal(t, calls[len(calls)-1], "keep", "%s: the last call", test.name)
	}
}
