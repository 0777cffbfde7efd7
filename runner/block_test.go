package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/loadgen"
)

// blocksPlan is an experiment of two trials and three repetitions each, on services that stay up between them.
func blocksPlan(t *testing.T, replace ...string) *plan.Plan {
	t.Helper()
	return newPlanIn(t, plan.Quick, strings.NewReplacer(replace...).Replace(fmt.Sprintf(sockets, "```")))
}

// called are the calls of an engine, those that are no words of ours left out, without the names of runs.
func called(e *fake.Engine) string {
	var out []string
	for _, c := range e.Calls() {
		verb, name, _ := strings.Cut(c, " ")
		switch {
		case name == "packages", c == "start load":
		case strings.HasPrefix(name, "20"):
			out = append(out, verb)
		default:
			out = append(out, verb+" "+name)
		}
	}
	return strings.Join(out, ", ")
}

// failing is the answer of a generator of whose requests one had no right answer.
func failing(t *testing.T) []byte {
	t.Helper()
	var result loadgen.Result
	if err := json.Unmarshal(answers(t), &result); err != nil {
		t.Fatal(err)
	}
	result.Attempted, result.Failed, result.Failures = 101, 1, map[loadgen.Kind]int64{"timeout": 1}
	data, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Services of a trial stay up between its repetitions, for as long as nothing of one can reach into the next.
func TestBlocks(t *testing.T) {
	const (
		start = "group, start server, "
		load  = "run load, "
		alone = start + load + "close, "
		block = start + load + load + load + "close, "
	)
	second := func(p fake.Program, n *int) bool { // of all repetitions
		if p.Name == "load" {
			*n++
		}
		return p.Name == "load" && *n == 2
	}
	tests := []struct {
		name   string
		with   func(s *fake.Script)
		want   string
		starts []int // the place of the first repetition from the same start, by repetition
	}{
		{"all is well", func(*fake.Script) {}, block + block, []int{0, 0, 0, 3, 3, 3}},
		{"a request failed", func(s *fake.Script) {
			n, run, bad := 0, s.Run, failing(t)
			s.Run = func(ctx context.Context, p fake.Program) (engine.Exit, error) {
				if second(p, &n) {
					return engine.Exit{Stdout: bad}, nil
				}
				return run(ctx, p)
			}
		}, start + load + load + "close, " + alone + block, []int{0, 0, 2, 3, 3, 3}},
		{"a repetition failed", func(s *fake.Script) {
			n, run := 0, s.Run
			s.Run = func(ctx context.Context, p fake.Program) (engine.Exit, error) {
				if second(p, &n) {
					return engine.Exit{Code: 1, Stderr: []byte("no")}, nil
				}
				return run(ctx, p)
			}
		}, start + load + load + "close, " + alone + block, []int{0, 0, 2, 3, 3, 3}},
		{"a service ends, as a job that is done", func(s *fake.Script) {
			s.Ended = func(string) (engine.Exit, bool) { return engine.Exit{}, true }
		}, strings.Repeat(alone, 6), []int{0, 1, 2, 3, 4, 5}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, store := script(t), &memory{}
			test.with(&s)
			e := fake.New(s)
			if _, err := newRunner(e, &quiet{}).Run(t.Context(), blocksPlan(t), store, Options{}); err != nil {
				t.Fatal(err)
			}
			if got, want := called(e), "open, "+test.want+"close"; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if len(store.records) != len(test.starts) {
				t.Fatalf("%d records", len(store.records))
			}
			for i, r := range store.records {
				first := slices.IndexFunc(store.records, func(o *record.Record) bool {
					return o.Facts[record.FactStart] == r.Facts[record.FactStart] && o.Trial == r.Trial
				})
				if r.Facts[record.FactStart] == "" || first != test.starts[i] {
					t.Errorf("repetition %d is from the start of %d, want %d", i, first, test.starts[i])
				}
			}
		})
	}
}

// Nothing that stayed up is left by a run that ends between two repetitions, and it goes on with services of its own.
func TestBlocksOfARunThatIsStopped(t *testing.T) {
	p, store := blocksPlan(t), &memory{}
	ctx, cancel := context.WithCancel(t.Context())
	e, q := fake.New(script(t)), &quiet{atEnd: func(int) { cancel() }}
	if _, err := newRunner(e, q).Run(ctx, p, store, Options{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got, want := called(e), "open, group, start server, run load, close, close"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	e = fake.New(script(t))
	if _, err := newRunner(e, &quiet{}).Run(t.Context(), p, store, Options{}); err != nil || len(store.records) != 6 {
		t.Fatal(err, len(store.records))
	}
	if got, want := called(e), "open, group, start server, run load, run load, close, "+
		"group, start server, run load, run load, run load, close, close"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
