package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/loadgen"
)

func value(m Measurement, metric string) float64 {
	for _, s := range m.Samples {
		if s.Metric == metric {
			return s.Value
		}
	}
	return math.NaN()
}

func TestRequestsMeasured(t *testing.T) {
	busy := 0.25
	r := &loadgen.Result{
		Length: 2 * time.Second, EndedBy: loadgen.EndedByDuration, Attempted: 1010, Answered: 1000, Failed: 10,
		Failures: map[loadgen.Kind]int64{loadgen.Reset: 10}, Status: map[int]int64{200: 1000}, Completed: loadgen.Completed{Right: 996,
			Failed: 4},
		BytesIn: 4000, BytesOut: 2000, Connects: 12, Stale: 3,
		Latency:       loadgen.Distribution{Count: 1000, Min: 1e6, Max: 50e6, Sum: 18e9},
		FailedLatency: loadgen.Distribution{Count: 10, Sum: 2e9},
		Seconds: []loadgen.Second{{Completed: loadgen.Completed{Right: 500, Failed: 4}},
			{Completed: loadgen.Completed{Right: 496}}},
		Overlap: &loadgen.Overlap{Right: 995 * loadgen.WholeRequest, Failed: 4 * loadgen.WholeRequest, Time: 19 * time.Second},
		CPU: &loadgen.CPU{User: 300 * time.Millisecond, System: 100 * time.Millisecond, Length: 2 * time.Second,
			Busiest: &busy},
	}
	m := requestsMeasured(r, &spec.Load{Connections: 10, Warmup: time.Second, FailuresMax: 0.01})
	l := m.Load
	if l.Attempted != 1010 || l.Failed != 10 || l.Completed != 996 || l.Failures["reset"] != 10 ||
		l.Statuses["200"] != 1000 {
		t.Errorf("counts: %+v", l)
	}
	if len(l.Completions) != 2 || l.Completions[0] != 504 {
		t.Errorf("completions by second: %v", l.Completions)
	}
	// Of 10 connections over 2 s.
	if l.InFlight != 0.95 || *l.Overlap != (record.Overlap{Right: 995, Failed: 4, Time: 19}) {
		t.Errorf("in flight %v, %+v", l.InFlight, l.Overlap)
	}
	for metric, want := range map[string]float64{"bytes.in": 2000, "bytes.out": 1000, "connects": 12,
		"generator.cpu": 0.25} {
		assert.Equal(t, value(m, metric), want, "%s", metric)
	}
	if h := m.Histograms["latency"]; h.Count != 1000 || h.Min != 0.001 || h.Sum != 18 {
		t.Errorf("latency: %+v", h)
	}
	if m.GeneratorCPU != 400*time.Millisecond || m.Warmup != time.Second {
		t.Errorf("generator %v after %v", m.GeneratorCPU, m.Warmup)
	}
}

// A load has a container of its own, which idles.
func TestContainerOfALoad(t *testing.T) {
	for priority, first := range map[string]bool{"": false, "high": true} {
		at := Place{CPUSet: "1", Host: "node"}
		c := (&Requests{}).Container(at, &plan.Trial{Load: &spec.Load{Target: "http://s/", Priority: priority}})
		if c.First != first || c.Name != "load" || c.CPUSet != "1" || c.Host != "node" || !c.Ours ||
			!slices.Equal(c.Command, []string{agent.Idle}) {
			t.Errorf("priority %q: %+v", priority, c)
		}
	}
}

func TestInFlightOfCountedRequestsIsTheGenerators(t *testing.T) {
	const ms = time.Millisecond
	for length, want := range map[time.Duration]float64{20 * ms: 0.95, 0: -1} { // 0: a run of one moment
		r := &loadgen.Result{Length: time.Second, InFlight: &loadgen.InFlight{Time: 190 * ms, Length: length}}
		if share, over := inFlight(r, &spec.Load{Connections: 10}, 0); share != want || over != length.Seconds() {
			t.Errorf("got %v over %v s, want %v over %v", share, over, want, length)
		}
	}
}

func TestOpenLoopMeasured(t *testing.T) {
	r := &loadgen.Result{
		Length: 2 * time.Second, Attempted: 100, Answered: 90, Failed: 10, Due: 100, Sent: 95, Blocked: 7, Offered: 50,
		Lag: &loadgen.Distribution{Count: 95, Max: 2e6}, Service: &loadgen.Distribution{Count: 90, Max: 3e6},
		TLSSetup: &loadgen.Distribution{Count: 4, Max: 4e6}, Late: &loadgen.Distribution{Count: 100, Max: 1e6},
	}
	r.Seconds = []loadgen.Second{{Completed: loadgen.Completed{Right: 50}, LatencySum: 9 * time.Second},
		{Completed: loadgen.Completed{Right: 38, Failed: 10}}}
	m := requestsMeasured(r, &spec.Load{Connections: 10, Pace: spec.Pace{Rate: 50}, Arrivals: "poisson"})
	if want := (record.OpenLoop{Rate: 50, Arrivals: "poisson", Due: 100, Sent: 95, Blocked: 7}); m.Load.Open == nil ||
		*m.Load.Open != want {
		t.Errorf("schedule %+v, want %+v", m.Load.Open, want)
	}
	if l := m.Load; l.Latencies[0] != 9 || l.Answers[1] != 38 || l.Completions[1] != 48 {
		t.Errorf("by second: %v, %v, %v", l.Latencies, l.Answers, l.Completions)
	}
	assert.Equal(t, value(m, "offered"), 50, "offered")
	for name, want := range map[string]float64{"lag": 0.002, "lag.generator": 0.001, "service": 0.003,
		"latency.tls": 0.004} {
		if h, ok := m.Histograms[name]; !ok || h.Max != want {
			t.Errorf("%s: %+v, want a longest of %v", name, h, want)
		}
	}
	assert.Equal(t, m.Load.InFlight, -1, "in flight of an open loop")
	closed := requestsMeasured(&loadgen.Result{Length: time.Second}, &spec.Load{Connections: 10})
	if _, ok := closed.Histograms["lag"]; ok || closed.Load.Open != nil || !math.IsNaN(value(closed, "offered")) {
		t.Error("a closed loop has what only an open one can have")
	}
	two := encryption([]loadgen.TLS{{Version: "TLS 1.2", CipherSuite: "A"}, {Version: "TLS 1.3", CipherSuite: "B",
		Protocol: "http/1.1"}})
	if two["load.tls"] != "TLS 1.2 A" || two["load.tls.2"] != "TLS 1.3 B http/1.1" {
		t.Errorf("facts: %v", two)
	}
}

// Each key of a load reaches our generator and a driver of the author, or has a row that says that it does not.
func TestKeysReachTheGenerator(t *testing.T) {
	type config = loadgen.Config
	header, length, rows := map[string]string{"A": "b"}, int64(5), map[string]bool{}
	two := []spec.Target{{URL: "http://a/", Method: "PUT", Headers: header, Body: "x", Weight: 3},
		{URL: "http://c/", Method: "GET", Weight: 1}}
	for _, tt := range []struct {
		keys   string // fields of spec.Load and spec.Target
		set    func(*spec.Load)
		config func(*config) // what changes for our generator; nil: nothing
		asked  func(*asked)  // for a driver
	}{
		{"Target", func(l *spec.Load) { l.Target = "http://b/" }, func(c *config) { c.Targets[0].URL = "http://b/" },
			func(a *asked) { a.Targets[0].URL = "http://b/" }},
		{"Method", func(l *spec.Load) { l.Method = "PUT" }, func(c *config) { c.Targets[0].Method = "PUT" },
			func(a *asked) { a.Targets[0].Method = "PUT" }},
		{"Headers", func(l *spec.Load) { l.Headers = header }, func(c *config) { c.Targets[0].Headers = header },
			func(a *asked) { a.Targets[0].Headers = header }},
		{"Body", func(l *spec.Load) { l.Body = "x" }, func(c *config) { c.Targets[0].Body = []byte("x") },
			func(a *asked) { a.Targets[0].Body = "x" }},
		{"Targets URL Method Headers Body Weight", func(l *spec.Load) { l.Targets = two }, func(c *config) {
			c.Targets = []loadgen.Target{{URL: "http://a/", Method: "PUT", Headers: header, Body: []byte("x"), Weight: 3},
				{URL: "http://c/", Method: "GET", Weight: 1}}
		}, func(a *asked) {
			a.Targets = []askedTarget{{"http://a/", "PUT", header, "x", 3}, {"http://c/", "GET", map[string]string{}, "", 1}}
		}},
		{"Connections", func(l *spec.Load) { l.Connections = 11 }, func(c *config) { c.Connections = 11 },
			func(a *asked) { a.Connections = 11 }},
		{"Threads", func(l *spec.Load) { l.Threads = 3 }, func(c *config) { c.Threads = 3 },
			func(a *asked) { a.Threads = 3 }},
		{"Duration", func(l *spec.Load) { l.Duration = time.Minute }, func(c *config) { c.Duration = time.Minute },
			func(a *asked) { a.Duration = 60 }},
		{"Requests", func(l *spec.Load) { l.Requests = 5 }, func(c *config) { c.Requests, c.Staggered = 5, false },
			func(a *asked) { a.Requests, a.Drain = 5, true }},
		{"Cut", func(l *spec.Load) { l.Requests, l.Cut = 5, true }, func(c *config) { c.Requests, c.Cut = 5, true },
			func(a *asked) { a.Requests = 5 }},
		{"Warmup", func(l *spec.Load) { l.Warmup = time.Second }, func(c *config) { c.Warmup = time.Second },
			func(a *asked) { a.Warmup = 1 }},
		{"Think", func(l *spec.Load) { l.Think = time.Second }, func(c *config) { c.Think = time.Second },
			func(a *asked) { a.Think = 1 }},
		{"Timeout", func(l *spec.Load) { l.Timeout = time.Minute }, func(c *config) { c.Timeout = time.Minute },
			func(a *asked) { a.Timeout = 60 }},
		{"Keepalive", func(l *spec.Load) { l.Keepalive = true }, func(c *config) { c.KeepAlive = true },
			func(a *asked) { a.Keepalive = true }},
		{"Rate", func(l *spec.Load) { l.Rate = 50 }, func(c *config) { c.Rate, c.Staggered = 50, false },
			func(a *asked) { a.Rate = 50 }},
		{"Arrivals", func(l *spec.Load) { l.Rate, l.Arrivals = 50, "poisson" }, func(c *config) {
			c.Rate, c.Arrivals, c.Staggered = 50, loadgen.PoissonArrivals, false
		}, func(a *asked) { a.Rate, a.Arrivals = 50, "poisson" }},
		{"Priority", func(l *spec.Load) { l.Priority = "high" }, func(c *config) { c.Sharing = true }, nil},
		// We verify what a driver prints ourselves.
		{"Status", func(l *spec.Load) { l.Status = []int{404} }, func(c *config) { c.Verify.Status = []int{404} }, nil},
		{"Contains", func(l *spec.Load) { l.Contains = "x" }, func(c *config) { c.Verify.Contains = "x" }, nil},
		{"Match", func(l *spec.Load) { l.Match = "x" }, func(c *config) { c.Verify.Match = "x" }, nil},
		{"Length", func(l *spec.Load) { l.Length = &length }, func(c *config) { c.Verify.Length = &length }, nil},
		{"CheckBefore", func(l *spec.Load) { l.CheckBefore = true }, func(c *config) { *c.Verify.Before = true }, nil},
		// The rest chooses the rate, the generator and its place, or judges its result.
		{"RateShare RateOf RateOwn", func(l *spec.Load) { l.RateShare, l.RateOf, l.RateOwn = 0.5, "x", true }, nil, nil},
		{"Drain Outside", func(l *spec.Load) { l.Drain, l.Outside = true, true }, nil, nil},
		{"FailuresMax CPUSet", func(l *spec.Load) { l.FailuresMax, l.CPUSet = 1, "0" }, nil, nil},
		{"Tool Args Script Driver", func(l *spec.Load) {
			l.Tool, l.Args, l.Script, l.Driver = "ab", []string{"-l"}, &spec.File{Path: "x.js"}, &spec.Driver{}
		}, nil, nil},
	} {
		for key := range strings.FieldsSeq(tt.keys) {
			rows[key] = true
		}
		l := spec.Load{Target: "http://a/", Method: "GET", Connections: 10, Duration: time.Second, Timeout: time.Second,
			Driver: &spec.Driver{}}
		wantConfig := config{Seed: 7, Connections: 10, Threads: 2, Duration: time.Second, Timeout: time.Second,
			Staggered: true, Verify: &loadgen.Verify{Before: new(bool)},
			Targets: []loadgen.Target{{URL: "http://a/", Method: "GET", Weight: 1}}}
		wantAsked := asked{Version: 1, Seed: 7, Connections: 10, Threads: 2, Duration: 1, Timeout: 1,
			Targets: []askedTarget{{"http://a/", "GET", map[string]string{}, "", 1}}}
		tt.set(&l)
		if tt.config != nil {
			tt.config(&wantConfig)
		}
		if tt.asked != nil {
			tt.asked(&wantAsked)
		}
		at := Place{Cores: 2, Seed: 7}
		var gotConfig config // as the generator reads it
		must.Do(json.Unmarshal(must.Get(json.Marshal(requestsConfig(&l, at))), &gotConfig))
		must.Do(gotConfig.Validate())
		assert.Deep(t, gotConfig, wantConfig, "%s, for our generator", tt.keys)
		var gotAsked asked
		must.Do(json.Unmarshal(ask(&l, at), &gotAsked))
		assert.Deep(t, gotAsked, wantAsked, "%s, for a driver", tt.keys)
	}
	for _, of := range []reflect.Type{reflect.TypeFor[spec.Load](), reflect.TypeFor[spec.Target]()} {
		for _, f := range reflect.VisibleFields(of) {
			if !f.Anonymous && !rows[f.Name] {
				t.Errorf("%s.%s has no row", of, f.Name)
			}
		}
	}
}

// The output of a command is in the failure if nothing else says why.
func TestCommandMeasured(t *testing.T) {
	const warned = "warning\nE: broken\n"
	for _, test := range []struct {
		name               string
		exit               int
		lost, stderr, said string
		failure, log       string
	}{
		{"as expected", 0, "", warned, "", "", warned},
		{"wrong status", 3, "", warned, "", "x ended with status 3, not 0: E: broken", warned},
		{"lost metrics", 0, "more than 1 MiB of metrics", "", "", "the command printed more than 1 MiB of metrics", ""},
		{"nothing on stderr", 2, "", "", "usage: x FILE\n", "x ended with status 2, not 0: usage: x FILE",
			"the command printed:\nusage: x FILE"},
	} {
		m := commandMeasured(&agent.TimerReport{Real: 1500 * time.Millisecond, User: time.Second,
			System: 200 * time.Millisecond, Reading: 100 * time.Millisecond, PeakMemory: 32 << 20, Exit: test.exit,
			Lost: test.lost, Stderr: test.stderr, StdoutTail: test.said}, &spec.Command{Run: []string{"x"}})
		if m.Failure != test.failure || m.Log != test.log {
			t.Errorf("%s: failure %q with log %q, want %q with %q", test.name, m.Failure, m.Log, test.failure, test.log)
		}
		// The processor time is all ours, and none is foreign.
		if m.GeneratorCPU != 1300*time.Millisecond || value(m, "time.real") != 1.5 || value(m, "time.user") != 1 ||
			value(m, "memory.peak") != 32<<20 {
			t.Errorf("%s: processor time %v, samples %+v", test.name, m.GeneratorCPU, m.Samples)
		}
	}
	long := agent.TimerReport{Exit: 2, StdoutTail: strings.Repeat("x", 5000)}
	if m := commandMeasured(&long, &spec.Command{Run: []string{"x"}}); len(m.Failure) > 300 || len(m.Log) < 5000 {
		t.Errorf("a failure of %d bytes, a log of %d", len(m.Failure), len(m.Log))
	}
}

// A timer or a generator that is killed prints nothing, which is a failure all the same.
func TestProgramsThatDie(t *testing.T) {
	e := fake.New(fake.Script{Run: func(context.Context, fake.Program) (engine.Exit, error) {
		return engine.Exit{Code: 137}, nil
	}})
	for want, tt := range map[string]struct {
		driver Driver
		trial  plan.Trial
	}{
		"the timer of the command ended with status 137": {&Commands{Agent: ourProgram},
			plan.Trial{Command: &spec.Command{Run: []string{"x"}}}},
		"the load generator ended with status 137": {&Requests{Agent: ourProgram},
			plan.Trial{Load: &spec.Load{Target: "http://x/"}}},
	} {
		m := must.Get(measureWith(t.Context(), t, e, tt.driver, Place{}, &tt.trial))
		assert.Equal(t, m.Failure, want)
	}
}

func manyMetrics(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, `{"metric": "m%d", "value": 1}`+"\n", i)
	}
	return out.String()
}

func TestMetricsThatCommandsPrint(t *testing.T) {
	const unread, called = "the command printed a metric that cannot be read: ", "the command printed a metric called "
	const words = ": use letters, digits, - and _, in words joined by dots"
	for _, test := range []struct{ name, stdout, failure, samples string }{
		{"none", "hello\n", "", ""},
		{"one with a unit", `{"metric": "startup", "value": 12.5, "unit": "ms"}` + "\n", "", "startup=0.0125 s"},
		{"without a unit", `{"metric": "threads", "value": 4}` + "\n", "", "threads=4 1"},
		{"a unit of its own", `{"metric": "score", "value": 4, "unit": "points"}` + "\n", "", "score=4 points"},
		{"among other lines", "a\n  {\"metric\": \"x\", \"value\": 1}\r\nb\n", "", "x=1 1"},
		{"JSON of another kind", `{"level": "info", "value": "high"}` + "\n{not json\n", "", ""},
		{"NaN", `{"metric": "x", "value": NaN}`, unread + `{"metric": "x", "value": NaN}`, ""},
		{"infinite", `{"value": -Infinity, "metric": "x"}`, unread + `{"value": -Infinity, "metric": "x"}`, ""},
		{"bytes that are no text", "\x00\xff\x1b[2J\n{\"metric\": \"\xff\", \"value\": 1}", called + "\"\ufffd\"" + words, ""},
		{"JSON of another kind that is broken", `{"event": "metric", "value": NaN}`, "", ""},
		{"too many", manyMetrics(1001), "the command printed more than 1000 metrics", ""},
		{"no number", `{"metric": "x", "value": "many"}`, unread + `{"metric": "x", "value": "many"}`, ""},
		{"no value", `{"metric": "x"}`, unread + `{"metric": "x"}`, ""},
		{"twice", `{"metric": "x", "value": 1}` + "\n" + `{"metric": "x", "value": 2}`,
			"the command printed x, which already has a value", "x=1 1"},
		{"a name of words", `{"metric": "größe.p99.x-y", "value": 1}`, "", "größe.p99.x-y=1 1"},
		{"markup as a name", `{"metric": "<img src=x>", "value": 1}`, called + `"<img src=x>"` + words, ""},
		{"a path as a name", `{"metric": "../../x", "value": 1}`, called + `"../../x"` + words, ""},
		{"a selector as a name", `{"metric": "x{a=1}", "value": 1}`, called + `"x{a=1}"` + words, ""},
		{"ours", `{"metric": "time.real", "value": 1, "unit": "s"}`, "the command printed time.real, which already has a value", ""},
		{"a known metric in another unit", `{"metric": "throughput", "value": 1, "unit": "ms"}`,
			`the command printed throughput in "ms", and it is measured in "1/s"`, ""},
	} {
		m := commandMeasured(&agent.TimerReport{Metrics: strings.Split(test.stdout, "\n")}, &spec.Command{Run: []string{"x"}})
		got := slice.Map(m.Samples[3:],
			func(s record.Sample) string { return fmt.Sprintf("%s=%v %s", s.Metric, s.Value, s.Unit) })
		if m.Failure != test.failure || strings.Join(got, ", ") != test.samples {
			t.Errorf("%s: got failure %q and %q, want %q and %q", test.name, m.Failure, got, test.failure, test.samples)
		}
	}
}

// Every sample that drivers write has the unit of its metric's definition.
func TestUnits(t *testing.T) {
	all := requestsMeasured(&loadgen.Result{Length: time.Second, CPU: &loadgen.CPU{Busiest: new(float64)}},
		&spec.Load{Connections: 1}).Samples
	all = append(all, commandMeasured(&agent.TimerReport{PeakMemory: 1}, &spec.Command{Run: []string{"x"}}).Samples...)
	if len(all) < 8 {
		t.Errorf("only %d samples", len(all))
	}
	for _, s := range all {
		if m, ok := record.LookupMetric(s.Metric); !ok || m.Unit != s.Unit {
			t.Errorf("%s is in %q, and the metric in %q", s.Metric, s.Unit, m.Unit)
		}
	}
}

// timing is a script whose timers check their settings and write something.
func timing(t *testing.T, write func(s agent.TimerSettings, out *bytes.Buffer) error) fake.Script {
	return fake.Script{Run: func(_ context.Context, p fake.Program) (engine.Exit, error) {
		s, err := agent.FindTimerSettings(p.Environment)
		if err != nil || len(s.Marker) < 16 {
			t.Errorf("settings %+v, %v", s, err)
		}
		var out bytes.Buffer
		err = write(s, &out)
		return engine.Exit{Stdout: out.Bytes()}, err
	}}
}

// A command can write to the timer's output. The result is about the command, and no error of ours.
func TestCommandBesideItsTimer(t *testing.T) {
	good := agent.TimerReport{Real: time.Second}
	forged := agent.TimerSettings{Marker: "guessed"}
	for _, test := range []struct {
		name    string
		output  func(s agent.TimerSettings, out *bytes.Buffer) error
		failure string
	}{
		{"the report alone", func(s agent.TimerSettings, out *bytes.Buffer) error { return s.Write(out, good) }, ""},
		{"words before and after", func(s agent.TimerSettings, out *bytes.Buffer) error {
			out.WriteString("hello\nwithout an end")
			err := s.Write(out, good)
			out.WriteString("{\"more\": 1}\n")
			return err
		}, ""},
		{"a report of its own", func(s agent.TimerSettings, out *bytes.Buffer) error {
			return errors.Join(forged.Write(out, agent.TimerReport{Real: time.Millisecond}), s.Write(out, good))
		}, ""},
		{"no report", func(_ agent.TimerSettings, out *bytes.Buffer) error { return forged.Write(out, good) },
			"what the timer of the command said cannot be read: there is no report in its output"},
		{"a report with words in it", func(s agent.TimerSettings, out *bytes.Buffer) error {
			err := s.Write(out, good)
			whole := out.String()
			out.Reset()
			out.WriteString(strings.Replace(whole, "real_ns", "re\nhello\nal_ns", 1))
			return err
		}, "what the timer of the command said cannot be read: invalid character '\\n' in string literal"},
	} {
		m := must.Get(measureWith(t.Context(), t, fake.New(timing(t, test.output)), &Commands{Agent: ourProgram}, Place{},
			&plan.Trial{Name: "x", Command: &spec.Command{Run: []string{"x"}}}))
		assert.Equal(t, m.Failure, test.failure, "%s: failure", test.name)
		if m.Failure == "" && value(m, "time.real") != 1 {
			t.Errorf("%s: samples: %+v", test.name, m.Samples)
		}
	}
}

// A command in a service finds the timer there, and its processor time is the service's.
func TestCommandInService(t *testing.T) {
	d := &Commands{Agent: func() ([]byte, error) { return []byte("the timer"), nil }}
	must.Do(d.Prepare(t.Context(), nil, nil))
	trial := &plan.Trial{Name: "x", Command: &spec.Command{Run: []string{"psql", "-c", "x"}, Service: "db",
		Environment: []string{"A=b"},
		WorkingDir:  "/w", Stdin: "in"}}
	timer := d.Timer()
	if string(timer.Data) != "the timer" || !timer.Exec {
		t.Fatalf("the timer is %+v", timer)
	}
	e := fake.New(fake.Script{Exec: func(_ context.Context, name string, c engine.Command) (engine.Exit, error) {
		if want := append([]string{timer.Path, agent.Time}, trial.Command.Run...); name != "db" ||
			!slices.Equal(c.Args, want) || c.WorkingDir != "/w" ||
			string(c.Stdin) != "in" || !slices.Contains(c.Environment, "A=b") {
			t.Errorf("in %s: %+v", name, c)
		}
		s := must.Get(agent.FindTimerSettings(c.Environment))
		var out bytes.Buffer
		err := s.Write(&out, agent.TimerReport{Real: time.Second, User: time.Second})
		return engine.Exit{Stdout: out.Bytes()}, err
	}})
	space := must.Get(e.Open(t.Context(), "run"))
	db := must.Get(space.Start(t.Context(), engine.Service{Service: spec.Service{Name: "db"}}))
	m, err := d.Measure(t.Context(), Place{Services: map[string]engine.Container{"db": db}}, trial)
	if err != nil || m.Failure != "" {
		t.Fatalf("failure %q, %v", m.Failure, err)
	}
	if value(m, "time.real") != 1 || value(m, "time.user") != 1 || m.GeneratorCPU != 0 {
		t.Errorf("got %+v", m)
	}
}

// The timeout of a command bounds one run, and warm-ups come before the timed one.
func TestTimeForACommand(t *testing.T) {
	for _, tt := range []struct {
		all, timed time.Duration // how long three runs take, and the last of them
		failure    string
	}{
		{25 * time.Second, 9 * time.Second, ""},
		{15 * time.Second, 11 * time.Second, "x took longer than 10s"},
		{time.Hour, 0, "x took longer than 10s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := fake.New(fake.Script{Run: func(ctx context.Context, p fake.Program) (engine.Exit, error) {
				select {
				case <-ctx.Done():
					return engine.Exit{}, ctx.Err()
				case <-time.After(tt.all):
				}
				s, err := agent.FindTimerSettings(p.Environment)
				var out bytes.Buffer
				err = errors.Join(err, s.Write(&out, agent.TimerReport{Real: tt.timed}))
				return engine.Exit{Stdout: out.Bytes()}, err
			}})
			trial := &plan.Trial{Name: "x", Command: &spec.Command{Run: []string{"x"}, Warmup: 2, Timeout: 10 * time.Second}}
			m := must.Get(measureWith(t.Context(), t, e, &Commands{Agent: ourProgram}, Place{}, trial))
			assert.Equal(t, m.Failure, tt.failure, "%+v", tt)
		})
	}
}

// The generator and the keys of trials agree on the semantics.
func TestSemantics(t *testing.T) {
	assert.Equal(t, loadgen.Semantics, record.LoadSemantics, "semantics of the generator, and of records of loads")
}

// The output of a command is returned if asked for.
func TestStdoutOfACommand(t *testing.T) {
	e := fake.New(timing(t, func(s agent.TimerSettings, out *bytes.Buffer) error {
		assert.Equal(t, s.KeepStdout, true, "stdout is to be kept")
		return s.Write(out, agent.TimerReport{Real: time.Second, Stdout: "out"})
	}))
	m := must.Get(measureWith(t.Context(), t, e, &Commands{Agent: ourProgram}, Place{KeepStdout: true},
		&plan.Trial{Name: "x", Command: &spec.Command{Run: []string{"x"}}}))
	assert.Equal(t, m.Wrote["stdout"], "out", "what it wrote")
}
