package runner

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/load/http"
	"benchbook/runner/observe"
	"benchbook/slowtest"
)

// told is what generators were told in one repetition after the other.
type told struct {
	mu      sync.Mutex
	configs []http.Config
	moments []time.Time
	checks  int
}

// together is an engine on which all targets are answered with a status of 200, and generators as another script has it
// for one. Each may be changed by its number, from 0.
func (w *told) together(t *testing.T, s fake.Script, change func(ctx context.Context, number int, r *http.Result,
	exit *engine.Exit) error) fake.Script {
	run := s.Run
	s.Run = func(ctx context.Context, p engine.Program) (engine.Exit, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if p.Name == observe.LoadName+".check" {
			w.checks++
			if p.CPUSet != "" {
				t.Errorf("the check asks for CPUs %s, which the generators have", p.CPUSet)
			}
			data, err := json.Marshal([]http.Answer{{Method: "GET", URL: "http://server:8080/", Status: 200}})
			return engine.Exit{Stdout: data}, err
		}
		if observe.ServiceOf(p.Name) != observe.LoadName {
			return run(ctx, p)
		}
		var config http.Config
		if err := json.Unmarshal([]byte(strings.TrimPrefix(p.Environment[0], "BENCHBOOK_LOAD=")), &config); err != nil {
			t.Error(err)
		}
		word, err := io.ReadAll(p.Stdin)
		moment, ok := http.ParseWord(string(word))
		if err != nil || !ok || !slices.Equal(p.Command, []string{agent.Load, http.AwaitArgument}) {
			t.Errorf("%s %q is told %q, %v", p.Name, p.Command, word, err)
		}
		w.configs, w.moments = append(w.configs, config), append(w.moments, moment)
		p.Name = observe.LoadName
		exit, err := run(ctx, p)
		if err != nil {
			return exit, err
		}
		var r http.Result
		if err := json.Unmarshal(exit.Stdout, &r); err != nil {
			return exit, err
		}
		w.mu.Unlock() // one may wait for another
		err = change(ctx, config.Part.Number, &r, &exit)
		w.mu.Lock()
		if err != nil {
			return exit, err
		}
		exit.Stdout, err = json.Marshal(r)
		return exit, err
	}
	return s
}

// Several generators each have a part of the load, begin at one moment, and are one load in the record, whether they
// were started beside the services or after them.
func TestSeveralGenerators(t *testing.T) {
	for name, more := range map[string]string{
		"standing by":      "calibrate: false",
		"started for load": "calibrate: false\nmetrics:\n  - {name: boot, from: server log, regex: 'boot (\\d+)', unit: ms}",
	} {
		t.Run(name, func(t *testing.T) {
			var w told
			begun := time.Now()
			r := runOnce(t, w.together(t, script(t), func(_ context.Context, number int, r *http.Result, _ *engine.Exit) error {
				r.Start = begun.Add(time.Duration(number) * time.Millisecond)
				r.CPU.Busiest = new([]float64{0.3, 0.95, 0.2}[number])
				return nil
			}), "requests: 100", "requests: 100, generators: 3", "calibrate: false", more)
			if r.Failure != "" || r.Load.Attempted != 300 || r.Load.Completed != 300 || r.Histograms["latency"].Count != 300 ||
				r.Load.Connections != 10 {
				t.Fatalf("failure %q, load %+v", r.Failure, r.Load)
			}
			if r.Load.Busy != 0.95 {
				t.Errorf("the busiest of all was busy %v, want 0.95", r.Load.Busy)
			}
			if len(r.Load.Generators) != 3 {
				t.Fatalf("generators %+v", r.Load.Generators)
			}
			for i, g := range r.Load.Generators {
				if g.After != float64(i)/1000 || g.Attempted != 100 || g.Busy != []float64{0.3, 0.95, 0.2}[i] {
					t.Errorf("generator %d: %+v", i+1, g)
				}
			}
			if len(w.configs) != 6 || w.checks != 2 { // of two trials
				t.Fatalf("%d generators and %d checks", len(w.configs), w.checks)
			}
			var parts []int
			for i, c := range w.configs[:3] {
				parts = append(parts, c.Part.Number)
				if c.Part.Of != 3 || c.Connections != 10 || c.Requests != 100 || *c.Verify.Before || c.Threads != 1 ||
					c.Seed != w.configs[0].Seed {
					t.Errorf("generator %d is given %+v", i, c)
				}
				if m := w.moments[i]; !m.Equal(w.moments[0]) || m.Before(begun) || m.After(time.Now().Add(time.Second)) {
					t.Errorf("generator %d is to begin at %v, the first at %v", i, m, w.moments[0])
				}
			}
			slices.Sort(parts)
			if !slices.Equal(parts, []int{0, 1, 2}) {
				t.Errorf("parts %v", parts)
			}
		})
	}
}

// If one generator fails the repetition fails, the others do not go on, and it is said which it was.
func TestGeneratorOfSeveralThatFails(t *testing.T) {
	var w told
	r := runOnce(t, w.together(t, script(t), func(ctx context.Context, number int, _ *http.Result,
		exit *engine.Exit) error {
		if number != 1 {
			<-ctx.Done()
			return ctx.Err()
		}
		exit.Code, exit.Stderr = 1, []byte("benchbook-load: out of files\n")
		return nil
	}), "requests: 100", "requests: 100, generators: 3", "timeout: 2s", "timeout: 1m")
	if r.Failure != "load generator 2 of 3: out of files" || r.Load != nil {
		t.Errorf("failure %q, load %+v", r.Failure, r.Load)
	}

	// That one could not be run is an error, as it is of one alone.
	w = told{}
	broken := errors.New("the engine hangs")
	s := w.together(t, script(t), func(_ context.Context, number int, _ *http.Result, _ *engine.Exit) error {
		if number == 2 {
			return broken
		}
		return nil
	})
	_, err := newRunner(fake.New(s), &quiet{}).Run(t.Context(), socketsPlan(t, "requests: 100",
		"requests: 100, generators: 3"), &memory{}, Options{})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "running load generator 3 of 3: ") {
		t.Errorf("got %v", err)
	}
}

// What is checked before timing is checked once, and none of several generators begins if it is wrong.
func TestCheckBeforeSeveralGenerators(t *testing.T) {
	s := script(t)
	s.Run = func(_ context.Context, p engine.Program) (engine.Exit, error) {
		switch p.Name {
		case observe.LoadName + ".check":
			data, err := json.Marshal([]http.Answer{{Method: "GET", URL: "http://server:8080/",
				Address: netip.MustParseAddrPort("10.0.0.2:8080"), Status: 404,
				Failure: "wanted a status of 200 to 299, got 404"}})
			return engine.Exit{Stdout: data}, err
		case "version", "packages":
			return engine.Exit{Code: 127}, nil
		}
		if observe.ServiceOf(p.Name) == observe.LoadName {
			t.Errorf("%s has begun", p.Name)
		}
		return engine.Exit{Code: 127}, nil
	}
	r := runOnce(t, s, "requests: 100", "requests: 100, generators: 2")
	want := "check before timing: GET http://server:8080/ at 10.0.0.2:8080: wanted a status of 200 to 299, got 404"
	if r.Failure != want {
		t.Errorf("failure %q, want %q", r.Failure, want)
	}
}

// Probes of searches are put on by several generators too, and find what one finds.
func TestTuneWithSeveralGenerators(t *testing.T) {
	slowtest.Skip(t)
	var w told
	b, store := &simulation{throughput: curve}, &memory{}
	p := newPlan(t, pool("requests: 100", "requests: 100, generators: 2, verify: {before: false}"))
	s := w.together(t, b.script(t), func(_ context.Context, _ int, r *http.Result, _ *engine.Exit) error {
		r.InFlight.Length = 0 // its times are not those of so many
		return nil
	})
	if _, err := newRunner(fake.New(s), &quiet{}).Run(t.Context(), p, store, Options{}); err != nil {
		t.Fatal(err)
	}
	if s := store.records[0].Search; s == nil || s.Chosen != 5 {
		t.Errorf("found %+v, want 5", s)
	}
	byPart := map[int]int{}
	for _, c := range w.configs {
		byPart[c.Part.Number]++
	}
	if len(byPart) != 2 || byPart[0] != byPart[1] || byPart[0] < 30 || w.checks > 0 {
		t.Errorf("loads by part: %v, and %d checks", byPart, w.checks)
	}
}
