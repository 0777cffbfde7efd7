package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

// driven returns a load by a driver: 2 clients for 0.2 s after a warm-up of 0.1 s.
func driven(change ...func(*spec.Load)) *spec.Load {
	l := &spec.Load{Target: "http://s:1/", Method: "GET", Connections: 2, Duration: 200 * time.Millisecond,
		Warmup: 100 * time.Millisecond, Timeout: 50 * time.Millisecond, Keepalive: true, Verify: spec.Verify{CheckBefore: true},
		Driver: &spec.Driver{Image: spec.Image{Name: "y"}, Command: []string{"run", "it"}}}
	for _, c := range change {
		c(l)
	}
	return l
}

// start is when the fake time begins.
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// drive runs a driver that prints something after the time of its load, in fake time, and returns what it was asked
// for.
func drive(t *testing.T, l *spec.Load, print func(n int) engine.Exit) (m Measurement, asked []map[string]any) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, _ := toolScript(nil)
		own := s.Run
		s.Run = func(ctx context.Context, p fake.Program) (engine.Exit, error) {
			if !slices.Equal(p.Command, l.Driver.Command) {
				return own(ctx, p)
			}
			var a map[string]any
			if err := json.Unmarshal(p.Stdin, &a); err != nil || p.Name != "load" {
				t.Errorf("%q, %v", p.Name, err)
			}
			asked = append(asked, a)
			time.Sleep(100*time.Millisecond + time.Duration((a["warmup"].(float64)+a["duration"].(float64))*1e9))
			exit := print(len(asked))
			if len(exit.Stdout) > engine.MaxStdout { // it would go on for ever
				p.Full()
				<-ctx.Done()
				return engine.Exit{}, ctx.Err()
			}
			return exit, nil
		}
		m = must.Get(measureWith(t.Context(), t, fake.New(s), &Programs{Agent: ourProgram}, Place{Seed: math.MaxUint64},
			&plan.Trial{Name: "t", Load: l}))
	})
	return m, asked
}

func prints(text string) func(int) engine.Exit {
	return func(int) engine.Exit { return engine.Exit{Stdout: []byte(text)} }
}

func TestDriverReads(t *testing.T) {
	_, asked := drive(t, driven(func(l *spec.Load) {
		l.Targets = []spec.Target{{URL: "http://s:1/<a>", Method: "PUT", Headers: map[string]string{"A": "b"}, Body: "x",
			Weight: 2}, {URL: "http://s:1/b", Method: "GET", Weight: 1}}
		l.Think = time.Millisecond
	}), prints(""))
	want := `{"version": 1, "targets": [
		{"url": "http://s:1/<a>", "method": "PUT", "headers": {"A": "b"}, "body": "x", "weight": 2},
		{"url": "http://s:1/b", "method": "GET", "headers": {}, "body": "", "weight": 1}],
		"connections": 2, "threads": 1, "keepalive": true, "timeout": 0.05, "warmup": 0.1, "duration": 0.2, "requests": 0,
		"drain": false,
		"rate": 0, "arrivals": "", "think": 0.001,
		"seed": 9007199254740991}`
	var wanted map[string]any
	must.Do(json.Unmarshal([]byte(want), &wanted))
	if len(asked) != 1 || fmt.Sprint(asked[0]) != fmt.Sprint(wanted) {
		t.Errorf("got %v, want %v", asked, wanted)
	}
}

// A driver that is a process of this machine finds services at localhost.
func TestDriverOfThisMachineReads(t *testing.T) {
	for target, want := range map[string]string{"http://s:81/a?b=c": "http://localhost:81/a?b=c",
		"grpc://s/": "grpc://localhost/"} {
		_, asked := drive(t, driven(func(l *spec.Load) {
			l.Target, l.CheckBefore, l.Driver.Image = target, false, spec.Image{Machine: true}
		}), prints(""))
		assert.Deep(t, asked[0]["targets"].([]any)[0].(map[string]any)["url"], want)
	}
}

// Requests that a driver prints are counted as our generator counts its own.
func TestLines(t *testing.T) {
	m, asked := drive(t, driven(), prints(`
{"at": 0.05, "latency": 0.01, "ok": true, "status": 200}
{"at": 0.1, "latency": 0.01, "ok": true, "status": 200}
{"at": 0.28, "latency": 0.04, "ok": true, "status": 200}

{"at": 0.1, "latency": 0.05, "ok": false, "error": "timeout"}
{"at": 0.2, "latency": 0.01, "ok": false, "status": 404}
{"at": 0.31, "latency": 0.005, "ok": true}
`))
	l := m.Load
	if m.Failure != "" || l == nil {
		t.Fatalf("%q", m.Failure)
	}
	if len(asked) != 1 || m.Warmup != 100*time.Millisecond || m.Length != 200*time.Millisecond {
		t.Errorf("%d runs, warm-up of %v, %v", len(asked), m.Warmup, m.Length)
	}
	if l.Attempted != 4 || l.Failed != 2 || l.Failures["timeout"] != 1 || l.Failures["wrong"] != 1 || l.Completed != 1 ||
		l.Statuses["200"] != 2 || l.Statuses["404"] != 1 || math.Abs(l.Overlap.Right-1.5) > 1e-6 ||
		m.Histograms["latency"].Count != 2 || l.Tool != "" || l.Driver != "y: run it" || l.InFlight < 0 {
		t.Errorf("%+v, %+v", l, l.Overlap)
	}
	if len(m.Samples) != 1 || m.Samples[0].Metric != "generator.cpu" || len(m.Histograms) != 2 {
		t.Errorf("something is measured that the driver did not print: %v, %v", m.Samples, slices.Collect(maps.Keys(m.Histograms)))
	}
	assert.Equal(t, m.Start.Equal(start.Add(m.Warmup)), true, "the window began at %v, behind the warm-up", m.Start)
}

func TestLinesOfAnOpenLoop(t *testing.T) {
	open := func(l *spec.Load) {
		l.Warmup, l.Rate, l.Arrivals = 0, 20, "constant"
	}
	m, _ := drive(t, driven(open), prints(fmt.Sprintf(`{"began": %f}
{"due": 0, "at": 0.001, "latency": 0.01, "ok": true}
{"due": 0.05, "at": 0.051, "latency": 0.01, "ok": true}
{"due": 0.1, "at": 0.103, "latency": 0.01, "ok": true}
{"due": 0.15, "latency": 0.04, "ok": false, "error": "timeout"}
`, float64(start.Unix()))))
	o := m.Load
	if m.Failure != "" || o == nil || o.Open == nil {
		t.Fatalf("%q, %+v", m.Failure, m.Load)
	}
	lag := m.Histograms["lag"]
	if o.Open.Due != 4 || o.Open.Sent != 3 || o.Open.Blocked != 1 || lag.Count != 3 || lag.Max != 0.003 ||
		m.Histograms["service"].Count != 3 || m.Histograms["latency"].Max < 0.0129 || o.Statuses != nil {
		t.Errorf("%+v, lag %+v", o.Open, lag)
	}
}

// ran returns the watch of a driver that has just ended after some time.
func ran(length time.Duration) *watch {
	now := time.Now()
	return &watch{name: record.DriverTool, began: now.Add(-length), started: now.Add(-length), ended: now}
}

// Any wrong output of a driver fails the repetition, and the failure names the line.
func TestWrongOutput(t *testing.T) {
	const right = `{"at": 0.1, "latency": 0.01, "ok": true}` + "\n"
	open := func(l *spec.Load) { l.Rate, l.Arrivals, l.Warmup = 10, "constant", 0 }
	counted := func(l *spec.Load) { l.Requests = 5 }
	for _, tt := range []struct {
		name    string
		printed string
		change  func(*spec.Load)
		want    string // "2: ..." for "line 2 of the driver's output ..."
	}{
		{"bytes that are no text", right + "\x00\xff\x1b[2J\n", nil, `2: is not one JSON object: "\x00`},
		{"nested a million times", right + strings.Repeat("[", 1_000_000), nil, "2: is not one JSON"},
		{"infinite", `{"at": 0.1, "latency": Infinity, "ok": true}`, nil, "1: is not one JSON"},
		{"words", right + "Hello\n", nil, `2: is not one JSON object: "Hello"`},
		{"two objects in a line", right[:len(right)-1] + right, nil, "1: is not one JSON object"},
		{"cut off", right + right[:10], nil, `2: is not one JSON object: "{\"at\": 0.1"`},
		{"a number", "5", nil, `1: is JSON, and not an object: "5"`},
		{"a list", "[]", nil, `1: is JSON, and not an object: "[]"`},
		{"null", "null", nil, "1: has no ok: null"},
		{"an unknown key", `{"at": 0, "lat": 1, "ok": true}`, nil, `1: has an unknown key "lat"`},
		{"another type", `{"at": "0"}`, nil, `1: cannot be read: "at" cannot be a string`},
		{"NaN", `{"at": NaN, "latency": 1, "ok": true}`, nil, "1: is not one JSON object"},
		{"too large", `{"at": 1e999, "latency": 1, "ok": true}`, nil, `1: cannot be read: "at" cannot be a number 1e999`},
		{"no at", `{"latency": 1, "ok": true}`, nil, "1: has no at"},
		{"no latency", `{"at": 0, "ok": true}`, nil, "1: has no latency"},
		{"no ok", `{"at": 0, "latency": 0}`, nil, "1: has no ok"},
		{"negative at", `{"at": -1, "latency": 0, "ok": true}`, nil, "1: has a negative at"},
		{"negative latency", right + `{"at": 0, "latency": -0.1, "ok": true}`, nil, "2: has a negative latency"},
		{"milliseconds", `{"at": 130, "latency": 0.1, "ok": true}`, nil, "1: has a time that is longer than the "},
		{"later than the driver", `{"at": 0.25, "latency": 0.25, "ok": true}`, nil, "1: ends later than the driver"},
		{"unknown error", `{"at": 0, "latency": 0, "ok": false, "error": "boom"}`, nil,
			`1: has an unknown error "boom" (known are connect, reset, timeout, `},
		{"ok and error", `{"at": 0, "latency": 0, "ok": true, "error": "reset"}`, nil, "1: is ok and has an error"},
		{"neither", `{"at": 0, "latency": 0, "ok": false}`, nil, "1: is not ok and has no error"},
		{"status", `{"at": 0, "latency": 0, "ok": true, "status": 1000}`, nil, "1: has an invalid status 1000"},
		{"due without a rate", `{"at": 0, "due": 0, "latency": 0, "ok": true}`, nil, "1: has due, and the load has no rate"},
		{"no due with a rate", right, open, "1: has no due"},
		{"sent before it was due", `{"at": 0.1, "due": 0.2, "latency": 0, "ok": true}`, open,
			"1: is of a request that was sent before it was due"},
		{"another rate", `{"at": 0.1, "due": 0.1, "latency": 0, "ok": true}` + strings.Repeat("\n"+
			`{"at": 0.15, "due": 0.1, "latency": 0, "ok": true}`, 8), open, "the driver has put on another load than it was " +
			"asked for: 9 of its requests were due in the window, and by the load 2 are"},
		{"more clients", strings.Repeat(right, 3), nil, "3: is of a request that was under way " +
			"together with 2 others, and the load has 2 connections"},
		{"more requests", strings.ReplaceAll(strings.Repeat(right, 6), "0.01", "0"), counted,
			"the driver has put on another load than it was asked for: after the warm-up it made 6 requests, and the load has " +
				"5"},
		{"began twice", "{\"began\": 1}\n{\"began\": 1}", nil, "2: says when the load began, which only the first line may"},
		{"began and at", `{"began": 1, "at": 2}`, nil, "1: says when the load began, and something"},
		{"began at another time", "{\"began\": 1e9}\n" + right, nil,
			"the driver says that it began at a time at which it did not run"},
		{"only began", `{"began": 1}`, nil, "the driver printed no request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := driven()
			if tt.change != nil {
				tt.change(l)
			}
			m, err := measureLines([]byte(tt.printed), ran(300*time.Millisecond), l, Place{Cores: 1})
			want := tt.want
			if line, says, ok := strings.Cut(want, ": "); ok && len(line) == 1 {
				want = "line " + line + " of the driver's output " + says
			}
			if err == nil || !strings.HasPrefix(err.Error(), want) || m.Load != nil {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestDriverThatFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		exit engine.Exit
		want string
	}{
		{"a status", engine.Exit{Code: 3, Stdout: []byte(`{"at": 0}`), Stderr: []byte("Traceback:\nno module\n")},
			"the driver ended with status 3: no module"},
		{"a status without words", engine.Exit{Code: 137}, "the driver ended with status 137"},
		{"no memory", engine.Exit{Code: 137, OutOfMemory: true}, "the driver ran out of memory"},
		{"nothing but an error", engine.Exit{Stderr: []byte("which host?\n")}, "the driver printed nothing: which host?"},
		{"nothing", engine.Exit{Stdout: []byte(" \n")}, "the driver printed nothing"},
		{"too much", engine.Exit{Stdout: bytes.Repeat([]byte("x"), engine.MaxStdout)}, "the driver printed 64 MiB or more"},
		{"without end", engine.Exit{Stdout: bytes.Repeat([]byte("x"), engine.MaxStdout+1)},
			"the driver printed 64 MiB or more"},
	} {
		for _, printed := range []string{"", spec.Summary} {
			l := driven(func(l *spec.Load) { l.Driver.Prints = printed })
			m, _ := drive(t, l, func(int) engine.Exit { return tt.exit })
			if !strings.HasPrefix(m.Failure, tt.want) || m.Log != string(tt.exit.Stderr) {
				t.Errorf("%s: got %q, want %q", tt.name, m.Failure, tt.want)
			}
		}
	}
}

// If a repetition runs out of time while a driver or a tool runs, the error says so.
func TestDriverThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := toolScript(nil)
		own := s.Run
		s.Run = func(ctx context.Context, p fake.Program) (engine.Exit, error) {
			if p.Command[0] == guestPath || p.Name == "version" {
				return own(ctx, p)
			}
			<-ctx.Done()
			return engine.Exit{}, ctx.Err()
		}
		for name, tt := range map[string]struct {
			driver Driver
			load   *spec.Load
		}{"the driver": {&Programs{Agent: ourProgram}, driven()}, "wrk": {Tools(ourProgram)["wrk"], web(10)}} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := measureWith(ctx, t, fake.New(s), tt.driver, Place{}, &plan.Trial{Name: "t", Load: tt.load})
			cancel()
			if unended, ok := errors.AsType[*UnendedError](err); !ok || unended.Name != name ||
				!errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want that %s did not end", err, name)
			}
		}
	})
}

// A driver that prints a summary has a separate run for the warm-up, and what its summary lacks is not measured.
func TestSummary(t *testing.T) {
	h := hdrhistogram.New(1, 1e6, 3)
	for us := range int64(100) {
		must.Do(h.RecordValue(1000 + us))
	}
	encoded := must.Get(h.Encode(hdrhistogram.V2CompressedEncodingCookieBase))
	summary := func(l *spec.Load) { l.Driver.Prints = spec.Summary }
	m, asked := drive(t, driven(summary), func(n int) engine.Exit {
		if n == 1 {
			return engine.Exit{Stdout: []byte("warming up")}
		}
		return engine.Exit{Stdout: fmt.Appendf(nil, `{"window": 0.2, "attempted": 103, "failed": 3, `+
			`"failures": {"timeout": 3}, "histogram": %q, "unit": "us"}`, encoded)}
	})
	if m.Failure != "" || m.Load == nil {
		t.Fatalf("%q", m.Failure)
	}
	if len(asked) != 2 || asked[0]["duration"] != 0.1 || asked[0]["warmup"] != 0. || asked[1]["duration"] != 0.2 ||
		asked[1]["warmup"] != 0. || m.Warmup != 100*time.Millisecond {
		t.Errorf("%v, %v", asked, m.Warmup)
	}
	latency := m.Histograms["latency"]
	if m.Load.Tool != "the driver" || m.Load.Driver != "y: run it" || m.Load.Completed != 100 || m.Load.Statuses != nil ||
		latency.Count != 100 || latency.Step != 1e-6 || math.Abs(latency.Sum-0.10495) > 1e-4 || m.Output == "" {
		t.Errorf("%+v, %+v", m.Load, latency)
	}
	l := driven(summary)
	l.Warmup = 0
	for printed, want := range map[string]string{
		"x":                               "output of the driver: no result: what it printed is not one JSON object",
		`{"window": 5, "attempted": 103}`: "the driver says that its window was 5.0 s long, and it ran for 0.",
	} {
		if m, _ := drive(t, l, prints(printed)); !strings.HasPrefix(m.Failure, want) || m.Output != printed {
			t.Errorf("got %q, want %q", m.Failure, want)
		}
	}
}

// Any output of a driver is a measurement of as many requests as there are lines, or an error that names a line.
func FuzzLines(f *testing.F) {
	f.Add([]byte(`{"began": 1}`+"\n"+`{"at": 0.1, "latency": 0.01, "ok": true, "status": 200}`), false)
	f.Add([]byte(`{"at": 0.1, "due": 0.1, "latency": 0.01, "ok": false, "error": "timeout"}`), true)
	f.Add([]byte(`{"due": 0.1, "latency": 1e-300, "ok": false, "error": "timeout"}`+"\n\n"+`{"ok": null}`), true)
	f.Fuzz(func(t *testing.T, printed []byte, open bool) {
		l := driven()
		if open {
			l.Rate, l.Arrivals = 10, "poisson"
		}
		m, err := measureLines(printed, ran(time.Second), l, Place{Cores: 1})
		switch {
		case err != nil && m.Load != nil:
			t.Errorf("both a load and %v", err)
		case err == nil && (m.Load.Attempted < 0 || m.Load.Attempted > int64(bytes.Count(printed, []byte("\n"))+1) ||
			m.Load.Attempted != m.Histograms["latency"].Count+m.Load.Failed):
			t.Errorf("%+v", m.Load)
		}
	})
}
