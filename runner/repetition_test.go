package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/load"
	"benchbook/runner/loadgen"
	"benchbook/runner/machine"
)

// runOnce runs an experiment of sockets with one repetition and a secret, hunter22, on a machine with a mirror, and
// returns its first record.
func runOnce(t *testing.T, s fake.Script, replace ...string) *record.Record {
	t.Helper()
	store := &memory{}
	p := socketsPlan(t, append([]string{"repetitions: 3", "repetitions: 1"}, replace...)...)
	givePrivate(p, "hunter22")
	r := newRunner(fake.New(s), &quiet{})
	r.Host.Mirrors = []string{"mirror.corp.example"}
	must.Get(r.Run(t.Context(), p, store, Options{}))
	if len(store.records) != 2 {
		t.Fatalf("%d records", len(store.records))
	}
	return store.records[0]
}

// A record describes the failure of a benchmark, with the log of what failed, and without secrets and names of mirrors.
func TestFailures(t *testing.T) {
	brief, two := []string{"timeout: 2s", "timeout: 400ms"}, []string{"expose:", "scale: 2\n    expose:"}
	notReady := func(service engine.Service, reason, log string) error {
		return &engine.NotReadyError{Service: service.Name, Reason: errors.New(reason), Log: []byte(log)}
	}
	ends := func(exit engine.Exit, measured error) func(*fake.Script) {
		return func(s *fake.Script) {
			s.State = func(name string) (engine.State, error) {
				return engine.State{Ended: name == "server", Exit: exit}, nil
			}
			onLoad(s, func(_ context.Context, good func() (engine.Exit, error)) (engine.Exit, error) {
				exit, err := good()
				return exit, errors.Join(err, measured)
			})
		}
	}
	fails := func(words, listens string) func(*fake.Script) {
		return func(s *fake.Script) {
			s.Run = func(context.Context, fake.Program) (engine.Exit, error) {
				return engine.Exit{Code: 1, Stderr: []byte(words)}, nil
			}
			if listens != "" {
				s.Listeners = func(string) ([]netip.AddrPort, error) {
					return []netip.AddrPort{netip.MustParseAddrPort(listens)}, nil
				}
			}
		}
	}
	for _, tt := range []struct {
		name    string
		change  func(*fake.Script)
		replace []string
		failure string // empty: no failure
		log     string
	}{
		{"a service that is not ready", func(s *fake.Script) {
			s.Start = func(_ context.Context, service engine.Service) error {
				return notReady(service, "it ended with status 1", "Traceback: password=hunter22")
			}
		}, nil, `service "server" was not ready: it ended with status 1`, "Traceback: password=" + record.Redacted},
		{"one of several, and not those that were starting at the same time", func(s *fake.Script) {
			s.Start = func(ctx context.Context, service engine.Service) error {
				if service.Name == "server.2" {
					return notReady(service, "it ended with status 1", "no port\n")
				}
				<-ctx.Done()
				return fmt.Errorf("starting service %q: %w", service.Name, context.Cause(ctx))
			}
		}, two, `service "server.2" was not ready: it ended with status 1`, "no port"},
		{"a service that cannot reach a mirror of this machine", func(s *fake.Script) {
			s.Start = func(_ context.Context, service engine.Service) error {
				return notReady(service, "no http://mirror.corp.example/x", "Could not resolve 'mirror.corp.example'\n")
			}
		}, nil, `service "server" was not ready: no http://` + record.Redacted + "/x", "Could not resolve '" + record.Redacted + "'"},
		{"a wrong answer before timing", fails("benchbook-load: the check before timing failed: status 500\n", ""), nil,
			"the check before timing failed: status 500", ""},
		{"a load that nothing listens to", fails("it is so", "0.0.0.0:9000"), nil,
			`service "server": nothing listens on port 8080 (it listens on 0.0.0.0:9000: correct the port)`, ""},
		{"a service that nothing waited for", func(s *fake.Script) {
			fails("it is so", "")(s)
			s.Listeners = func(string) ([]netip.AddrPort, error) { return []netip.AddrPort{}, nil }
		}, []string{"    expose: [\"8080\"]\n", ""},
			`service "server": nothing listens on port 8080 yet (nothing waited for it: add it to expose)`, ""},
		{"a service on its loopback", fails("it is so", "127.0.0.1:8080"), nil,
			`service "server": nothing listens on port 8080 (it listens on 127.0.0.1:8080 only: bind to 0.0.0.0)`, ""},
		{"a load that takes too long", func(s *fake.Script) { onLoad(s, hang) }, brief, "the repetition took longer than 400ms",
			"server wrote:\nthe last words"},
		{"a service that takes too long to become ready", func(s *fake.Script) {
			s.Start = func(_ context.Context, service engine.Service) error {
				if service.Within > 400*time.Millisecond {
					t.Errorf("it may take %v to become ready", service.Within)
				}
				time.Sleep(service.Within)
				return notReady(service, "its time ran out", "starting up\n")
			}
		}, brief, "the repetition took longer than 400ms", "server wrote:\nstarting up"},
		{"a service that ends with a status, however much it has answered", ends(engine.Exit{Code: 4}, nil), nil,
			`service "server" has ended with status 4`, "the last words"},
		{"a service that runs out of memory", ends(engine.Exit{Code: 137, OutOfMemory: true}, nil), nil,
			`service "server" ran out of memory`, "the last words"},
		{"and therefore cannot be measured", ends(engine.Exit{Code: 137, OutOfMemory: true}, errors.New("it is not running")), nil,
			`service "server" ran out of memory`, "the last words"},
		{"a service that is done with its work", ends(engine.Exit{}, nil), nil, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := script()
				s.Logs = func(string) []byte { return []byte("the last words, and hunter22\n") }
				tt.change(&s)
				r := runOnce(t, s, tt.replace...)
				if r.Failure != tt.failure || !strings.Contains(r.Log, tt.log) || (r.Load == nil) != (tt.failure != "") ||
					strings.Contains(r.Log, "hunter22") {
					t.Errorf("failure %q with log %q and load %+v, want %q with %q", r.Failure, r.Log, r.Load, tt.failure, tt.log)
				}
			})
		})
	}
}

// A service that stops slowly neither spoils its measurement nor runs during the next one.
func TestSlowStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script()
		var given time.Duration
		s.Close = func(ctx context.Context, run string) error {
			if run == "packages" {
				return nil
			}
			deadline, _ := ctx.Deadline()
			// That of the repetitions: nothing is left to end in the space around them.
			given = max(given, time.Until(deadline))
			time.Sleep(1200 * time.Millisecond)
			return nil
		}
		r := runOnce(t, s, "timeout: 2s", "timeout: 1s", "expose:", "stop_grace_period: 40s\n    expose:")
		if r.Failure != "" || r.Load == nil {
			t.Errorf("a good measurement became %q", r.Failure)
		}
		if given < 65*time.Second || given > 70*time.Second {
			t.Errorf("closing may last %v, want 70s", given)
		}
		if r.Parts["stop"] < 1.2 {
			t.Errorf("stopping took %v s", r.Parts["stop"])
		}
	})
}

// If containers cannot be removed, the finished measurement is kept and nothing more is measured.
func TestCloseThatFails(t *testing.T) {
	s, broken := script(), errors.New("the engine hangs")
	s.Close = func(_ context.Context, run string) error {
		if run == "packages" {
			return nil
		}
		return broken
	}
	store := &memory{}
	sum, err := newRunner(fake.New(s), &quiet{}).Run(t.Context(), socketsPlan(t), store, Options{})
	var left *engine.LeftError
	if !errors.As(err, &left) || !errors.Is(err, broken) || len(store.records) != 1 || sum.Measured != 1 ||
		store.records[0].Load == nil {
		t.Errorf("got %v, %+v and %d records", err, sum, len(store.records))
	}

	// So it is said also of a run that is interrupted.
	ctx, cancel := context.WithCancel(t.Context())
	onLoad(&s, func(ctx context.Context, good func() (engine.Exit, error)) (engine.Exit, error) {
		cancel()
		return hang(ctx, good)
	})
	_, err = newRunner(fake.New(s), &quiet{}).Run(ctx, socketsPlan(t), &memory{}, Options{})
	if !errors.Is(err, context.Canceled) || !errors.As(err, &left) {
		t.Errorf("interrupted: got %v", err)
	}
}

// The end of a budget does not hide that containers are left.
func TestBudgetAndCloseThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, broken, closed := script(), errors.New("the engine hangs"), 0
		s.Close = func(_ context.Context, run string) error {
			if run != "packages" {
				closed++
			}
			if closed < 2 { // of the first repetition
				return nil
			}
			return broken
		}
		onLoad(&s, func(_ context.Context, good func() (engine.Exit, error)) (engine.Exit, error) {
			time.Sleep(100 * time.Millisecond)
			return good()
		})
		store := &memory{}
		sum, err := newRunner(fake.New(s), &quiet{}).Run(t.Context(), socketsPlan(t), store,
			Options{Deadline: time.Now().Add(50 * time.Millisecond)})
		if !errors.As(err, new(*engine.LeftError)) || !errors.Is(err, broken) || !sum.OutOfTime || len(store.records) != 1 {
			t.Errorf("got %v, %+v and %d records", err, sum, len(store.records))
		}
	})
}

// unending is a driver whose program never ends.
type unending struct{ counting }

func (*unending) Measure(ctx context.Context, _ load.Place, _ *plan.Trial) (load.Measurement, error) {
	<-ctx.Done()
	return load.Measurement{}, fmt.Errorf("trial x: %w", &load.UnendedError{Name: "the driver", Err: ctx.Err()})
}

// A repetition that took too long names the program of its load that did not end.
func TestLoadThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		r := newRunner(fake.New(script()), &quiet{})
		r.Requests = &unending{}
		must.Get(r.Run(t.Context(), socketsPlan(t, "timeout: 2s", "timeout: 400ms"), store, Options{}))
		assert.Equal(t, store.records[0].Failure, "the repetition took longer than 400ms: the driver did not end")
	})
}

func TestFailureHasABound(t *testing.T) {
	s := script()
	s.Start = func(_ context.Context, service engine.Service) error {
		return &engine.NotReadyError{Service: service.Name, Reason: errors.New("it said " + strings.Repeat("é", 100_000) +
			" the end"),
			Log: []byte(strings.Repeat("x", 100_000))}
	}
	r := runOnce(t, s)
	if len(r.Failure) > maxFailure+10 || !strings.HasSuffix(r.Failure, "é the end") ||
		strings.Contains(r.Failure, "\ufffd") || len(r.Log) > 2*maxLog {
		t.Errorf("failure of %d bytes, %q, with a log of %d", len(r.Failure), r.Failure, len(r.Log))
	}
}

// Facts and the threads of the load match the CPUs that were used.
func TestOwnCPUs(t *testing.T) {
	s := script()
	var config loadgen.Config
	run := s.Run
	s.Run = func(ctx context.Context, p fake.Program) (engine.Exit, error) {
		if p.Name == "load" {
			assert.Equal(t, p.Service.CPUSet, "0-1", "the load is on")
			must.Do(json.Unmarshal(p.Stdin, &config))
		}
		return run(ctx, p)
	}
	r := runOnce(t, s, "requests: 100", `requests: 100, cpuset: "0-1"`, "expose:", "cpuset: \"1\"\n    expose:")
	if r.Facts["placement.load"] != "0-1" || r.Facts["placement.services"] != "1" || config.Threads != 2 {
		t.Errorf("load on %s, services on %s, %d threads", r.Facts["placement.load"], r.Facts["placement.services"],
			config.Threads)
	}
	r = runOnce(t, script(), "services:\n", "services:\n  db: {image: x, cpuset: \"1\"}\n")
	assert.Equal(t, r.Facts["placement.services"], "db 1; server 0", "services are on")
	s = script() // an engine that chooses
	s.State = func(name string) (engine.State, error) {
		return engine.State{CPUs: map[string]string{"server": "2-3", load.LoadName: "5"}[name]}, nil
	}
	r = runOnce(t, s)
	if r.Facts["placement.load"] != "5" || r.Facts["placement.services"] != "2-3" || r.Machine == nil ||
		r.Machine.Sampling == nil {
		t.Errorf("facts %v, machine %+v", r.Facts, r.Machine)
	}
}

// The name of a new run is later than the newest one's, unless a wrong clock named that far ahead.
func TestRunAfterOneFromTheFuture(t *testing.T) {
	for newest, isLater := range map[string]bool{
		time.Now().UTC().Add(record.ClockError-time.Second).Format(runStamp) + "-aaaa": true, "20991231T235959Z-abcd": false,
	} {
		p, store, r := socketsPlan(t), &memory{}, newRunner(fake.New(script()), &quiet{})
		must.Get(r.Run(t.Context(), p, store, Options{}))
		for _, rec := range store.records {
			rec.Run = newest
		}
		assert.Equal(t, len(FromTheFuture(store.records, time.Now())) == 0, isLater, "%s is not from the future", newest)
		must.Get(r.Run(t.Context(), p, store, Options{Force: true}))
		record.Check(store.records, time.Now())
		for _, rec := range store.records[6:] {
			if (rec.Run > newest) != isLater || slices.ContainsFunc(rec.Contradictions, func(s string) bool {
				return strings.Contains(s, "before its run")
			}) {
				t.Errorf("run %s, after %s: %q", rec.Run, newest, rec.Contradictions)
			}
		}
	}
}

// If the engine fails too, it may be to blame for the load's failure: that is no result and is measured again. The run
// ends with the engine's error.
func TestFailureBesideAnEngineThatFails(t *testing.T) {
	broken := errors.New("its pod was evicted: run again")
	isGone := func(s *fake.Script, fail func(string) error) {
		s.State = func(name string) (engine.State, error) { return engine.State{}, fail(name) }
	}
	for _, tt := range []struct {
		name  string
		code  int                                    // of the load
		fails func(*fake.Script, func(string) error) // has the engine fail from the load on
	}{
		{"a service is taken away", 0, isGone},
		{"and the load failed", 1, isGone},
		{"it ends the load, and its space is not closed", 143, func(s *fake.Script, fail func(string) error) {
			s.Close = func(context.Context, string) error { return fail("") }
		}},
	} {
		s, failed := script(), false
		onLoad(&s, func(_ context.Context, good func() (engine.Exit, error)) (engine.Exit, error) {
			exit, err := good()
			failed, exit.Code = true, tt.code
			return exit, err
		})
		tt.fails(&s, func(string) error {
			if failed {
				return broken
			}
			return nil
		})
		store := &memory{}
		sum, err := newRunner(fake.New(s), &quiet{}).Run(t.Context(), socketsPlan(t), store, Options{})
		if !errors.Is(err, broken) || len(store.records) != 0 || sum.Measured != 0 ||
			errors.As(err, new(*engine.LeftError)) != (s.Close != nil) {
			t.Errorf("%s: got %v, %+v and %d records", tt.name, err, sum, len(store.records))
		}
	}
}

// The container of the load starts at the same time as the services, or after them if a metric is read from a log,
// which may contain the time of the start.
func TestLoadStartsBesideServices(t *testing.T) {
	const inLog = "calibrate: false\nmetrics:\n  - {name: boot, from: server log, regex: 'boot (\\d+)', unit: ms}"
	for _, tt := range []struct {
		name, replacement string
		want              bool
	}{{"beside services", "calibrate: false", true}, {"after services that may be timed", inLog, false}} {
		t.Run(tt.name, func(t *testing.T) {
			s := script()
			var e *fake.Engine
			loads := 0
			s.Start = func(ctx context.Context, service engine.Service) error {
				if service.Name != "server" {
					return nil
				}
				deadline := time.Now().Add(10 * time.Second)
				for tt.want && calls(e, "start load") == loads && time.Now().Before(deadline) {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(10 * time.Millisecond)
				assert.Equal(t, calls(e, "start load") > loads, tt.want, "while the server starts, the load was started")
				loads++
				return nil
			}
			e = fake.New(s)
			store := &memory{}
			must.Get(newRunner(e, &quiet{}).Run(t.Context(), socketsPlan(t, "calibrate: false", tt.replacement), store,
				Options{}))
			r, sum := store.records[0], 0.0
			for _, seconds := range r.Parts {
				sum += seconds
			}
			// times may be rounded
			if took := r.Ended.Sub(r.Started).Seconds(); r.Failure != "" || r.Parts["start"] < 0.01 || sum > took+0.002 {
				t.Errorf("failure %q, parts %v in %v s", r.Failure, r.Parts, took)
			}
		})
	}
}

// In a cluster, services have all CPUs of one node, and the load all CPUs of another.
func TestLayoutOnNodes(t *testing.T) {
	trial := &plan.Trial{Services: []*spec.Service{{Name: "s"}}, Load: &spec.Load{Target: "http://s/"}}
	l := layout{
		host: machine.Host{Others: map[string]machine.Host{plan.ServiceNode: {Cores: [][]int{{0}, {1}, {2, 3}}},
			plan.LoadNode: {Cores: [][]int{{0}}}}},
		experiment: &plan.Experiment{Engine: spec.Kubernetes, Trials: []*plan.Trial{trial},
			Hosts: map[string]string{"s": plan.ServiceNode, "load": plan.LoadNode}},
	}
	assert.Equal(t, l.serviceCores(trial), 4, "CPUs of services")
	load, cores := l.loadCPUs(trial)
	if services := l.serviceCPUs(trial); services != "" || load != "" || cores != 1 {
		t.Errorf("services are on CPUs %q, the load is on %q, %d of them", services, load, cores)
	}
	facts := map[string]string{}
	l.addFacts(trial, facts)
	assert.Equal(t, facts[factHosts], "s on services; load on load", "placement")
	assert.Error(t, l.checkConnected(), "")
	trial.Services[0].CPUSet = "4-5"
	assert.Equal(t, l.serviceCores(trial), 2, "CPUs of a service with two of its own")
}

// Records describe the machine before the repetition, and count the time of waiting. After a disturbed repetition, a
// run waits longer: machine.TestSettle tests the rule.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRunner(fake.New(script()), &quiet{})
		r.Settler = &machine.Settler{Noise: func(context.Context) machine.Noise { return machine.Noise{Foreign: 1} }}
		p := socketsPlan(t)
		b := (&session{Runner: r, plan: p}).newBench(Group{Experiment: p.Experiments[0]}, nil)
		b.disturbed, b.facts = true, map[string]string{}
		rec := must.Get(b.Measure(t.Context(), p.Experiments[0].Steps[0]))
		if rec.Before == nil || rec.Before.Settled || rec.Before.Waited != 30 || rec.Parts["settle"] < 30 {
			t.Errorf("%+v, parts %v; want that it waited for 30 s", rec.Before, rec.Parts)
		}
	})
}

func TestEfficiency(t *testing.T) {
	var s Spent
	assert.Equal(t, s.Efficiency(), 0, "of nothing")
	s.Add(Spent{Total: 6*time.Second + time.Hour, Searching: time.Hour, Measuring: 3 * time.Second})
	assert.Equal(t, s.Efficiency(), 0.5, "of %+v", s)
}
