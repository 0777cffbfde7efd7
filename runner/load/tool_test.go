package load

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
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
	"benchbook/runner/loadgen"
)

// captured returns a captured output from the tests of the parser of a tool.
func captured(file string) []byte {
	return must.Get(os.ReadFile(filepath.Join("..", "..", "notebook", "loadtool", "testdata", filepath.FromSlash(file))))
}

// toolScript returns an engine on which tools print what is given, and all answers are right. It adds the commands in
// load containers to the list.
func toolScript(printed map[string]engine.Exit) (fake.Script, *[]fake.Program) {
	var ran []fake.Program
	return fake.Script{
		Run: func(_ context.Context, p fake.Program) (engine.Exit, error) {
			if p.Name == "version" {
				return engine.Exit{Stdout: []byte("1.2-3")}, nil
			}
			ran = append(ran, p)
			name := p.Command[0]
			switch {
			case name == guestPath:
				return engine.Exit{Stdout: []byte(`[{"status": 200}]`)}, nil
			case name == "sh": // with the program behind its script
				name = filepath.Base(p.Command[4])
			}
			exit, ok := printed[name]
			if !ok {
				return engine.Exit{Code: 127, Stderr: []byte("no such program")}, nil
			}
			return exit, nil
		},
		Usage: func(_ string, n int) (engine.Usage, error) {
			used := time.Duration(n) * watchEvery / 2
			threads := map[int]engine.Thread{1: {Waited: -1}} // idle
			if n > 0 {
				threads[2] = engine.Thread{CPU: used, Waited: -1}
			}
			return engine.Usage{At: time.Now(), CPU: used, Threads: threads}, nil
		},
	}, &ran
}

var ourProgram = func() ([]byte, error) { return []byte("program"), nil }

// measureWith measures a trial with a driver on an engine, from Prepare on.
func measureWith(ctx context.Context, t *testing.T, e engine.Engine, d Driver, at Place, trial *plan.Trial) (Measurement,
	error) {
	t.Helper()
	must.Do(d.Prepare(ctx, e, io.Discard))
	space := must.Get(e.Open(ctx, "run"))
	defer func() {
		must.Do(space.Close(context.WithoutCancel(ctx)))
	}()
	if at.Image == nil {
		at.Image = func(spec.Image) engine.Prepared { return engine.Prepared{ID: "y"} }
	}
	at.Cores = 1
	if service := d.Container(at, trial); service != nil {
		at.Load = must.Get(space.Start(ctx, *service))
	}
	return d.Measure(ctx, at, trial)
}

// measure measures a load with a tool.
func measure(t *testing.T, s fake.Script, tool string, l *spec.Load) Measurement {
	t.Helper()
	l.Tool = tool
	return must.Get(measureWith(t.Context(), t, fake.New(s), Tools(ourProgram)[tool], Place{}, &plan.Trial{Name: "t", Load: l}))
}

func web(connections int) *spec.Load {
	return &spec.Load{Target: "http://s:1/", Method: "GET", Connections: connections, Duration: 2 * time.Second,
		Timeout: time.Second, Keepalive: true, Verify: spec.Verify{CheckBefore: true}}
}

func TestMeasure(t *testing.T) {
	s, ran := toolScript(map[string]engine.Exit{"ab": {Stdout: captured("ab/duration.txt")}})
	l := web(5)
	l.Warmup = time.Second
	m := measure(t, s, "ab", l)
	if m.Failure != "" || m.Load.Completed != 176 || m.Load.Tool != "ab" || m.Warmup != time.Second {
		t.Errorf("%q, %+v", m.Failure, m.Load)
	}
	// 176 requests of 55 ms in 2.007757 s on 5 connections.
	assert.Near(t, m.Load.InFlight, 176/2.007757*0.055/5, 1e-4, "in flight")
	assert.Equal(t, m.Facts["tool.line"], "ab -t 2 -n 10000000 -c 5 -s 1 -k http://s:1/")
	assert.Equal(t, m.Facts["tool.package"], "apache2-utils 1.2-3")
	assert.Equal(t, m.Output, string(captured("ab/duration.txt")), "output")
	if n := len(*ran); n != 3 || (*ran)[0].Command[0] != guestPath || !slices.Contains((*ran)[1].Command, "1") {
		t.Errorf("not a check, a warm-up of a second and a run: %+v", *ran)
	}
}

// Outputs of tools become measurements. Tests of loadtool cover how they are read.
func TestMeasurementsOfTools(t *testing.T) {
	counted, plain := web(10), web(10)
	counted.Duration, counted.Requests = 0, 500
	plain.Keepalive = false
	open := web(10)
	open.Rate, open.Arrivals = 250, "constant"
	has := func(m Measurement, metric string) bool {
		return slices.ContainsFunc(m.Samples, func(s record.Sample) bool { return strings.HasPrefix(s.Metric, metric) })
	}
	transactions := &spec.Load{Target: "postgres://d/x", Connections: 4, Duration: time.Second, Keepalive: true}
	now := withStart("pgbench/count.txt", time.Now(), time.Time{})
	summary, _, _ := strings.Cut(string(now), "\n-- log --\n")
	for _, tt := range []struct {
		name, tool string
		exit       engine.Exit
		load       *spec.Load
		isRight    func(m Measurement) bool
	}{
		{"a log", "pgbench", engine.Exit{Stdout: now}, transactions, func(m Measurement) bool {
			return m.Failure == "" && m.Load.Completed == 200 && m.Histograms["latency"].Count == 200 && m.Output == summary+"\n"
		}},
		{"a number of requests", "ab", engine.Exit{Stdout: captured("ab/reset.txt")}, counted, func(m Measurement) bool {
			return m.Load.Failed == 50 && m.Load.InFlight == -1 && m.Load.Statuses == nil
		}},
		{"without keep-alive", "wrk", engine.Exit{Stdout: captured("wrk/plain.txt")}, plain, func(m Measurement) bool {
			return m.Load.Completed == 95259 && !has(m, "latency")
		}},
		{"an open loop, whose times from sending are no latencies", "vegeta",
			engine.Exit{Stdout: withStart("vegeta/plain.json", time.Now(), time.Time{})}, open, func(m Measurement) bool {
				o := m.Load.Open
				return o != nil && o.Rate == 250 && o.Due == 500 && o.Sent == m.Load.Attempted && o.Sent <= 500 &&
					!has(m, "latency") && has(m, "service.p99")
			}},
		{"an output of another time", "pgbench", engine.Exit{Stdout: captured("pgbench/count.txt")}, transactions,
			func(m Measurement) bool {
				return m.Failure == "pgbench says that it began at a time at which it did not run"
			}},
		{"a failure", "ab", engine.Exit{Code: 104, Stdout: captured("ab/abort.txt"),
			Stderr: []byte("Total of 8 requests completed\napr_socket_recv: Connection reset by peer (104)\n")}, web(10),
			func(m Measurement) bool {
				return m.Failure == "ab ended with status 104: apr_socket_recv: Connection reset by peer (104)" &&
					m.Output != "" && m.Facts["tool.line"] != ""
			}},
	} {
		s, _ := toolScript(map[string]engine.Exit{tt.tool: tt.exit})
		if m := measure(t, s, tt.tool, tt.load); !tt.isRight(m) {
			t.Errorf("%s: failure %q, %+v, samples %+v, output %q", tt.name, m.Failure, m.Load, m.Samples, m.Output)
		}
	}
}

func TestBusy(t *testing.T) {
	usage := func(ms, cpu int, threads ...int) engine.Usage {
		u := engine.Usage{At: time.Unix(0, int64(ms)*1e6), CPU: time.Duration(cpu) * time.Millisecond}
		for i, n := range threads {
			if u.Threads == nil {
				u.Threads = map[int]engine.Thread{}
			}
			u.Threads[i] = engine.Thread{CPU: time.Duration(n) * time.Millisecond, Waited: -1}
		}
		return u
	}
	for _, tt := range []struct {
		name          string
		threads       int
		first, last   engine.Usage
		cores         int
		busiest, used float64
		ok            bool
	}{
		{"one thread", 1, usage(0, 10), usage(1000, 810), 1, 0.8, 0.8, true},
		{"too short", 1, usage(0, 10), usage(100, 110), 1, 0, 0, false},
		{"one of two threads is full", 2, usage(0, 0, 0, 0), usage(1000, 1200, 1000, 200), 2, 1, 1.2, true},
		{"a thread that began later", 2, usage(0, 0, 0), usage(1000, 1200, 200, 900), 2, 0.9, 1.2, true},
		{"two threads fill one core", 2, usage(0, 0, 0, 0), usage(1000, 1000, 500, 500), 1, 1, 1, true},
		{"several threads, of which nothing is known", 2, usage(0, 0), usage(1000, 1000), 2, 0, 0, false},
	} {
		w := &watch{threads: tt.threads, usage: []engine.Usage{tt.first, tt.last}}
		busiest, used, ok := w.busy(tt.cores)
		if busiest != tt.busiest || used != tt.used || ok != tt.ok {
			t.Errorf("%s: %v of %v, %v; want %v of %v, %v", tt.name, busiest, used, ok, tt.busiest, tt.used, tt.ok)
		}
	}
}

// withStart returns a captured output with other times of the window's beginning and end.
func withStart(file string, began, ended time.Time) []byte {
	unix := func(at time.Time) float64 { return float64(at.UnixMicro()) / 1e6 }
	out := captured(file)
	edit := func(pattern, by string) []byte { return regexp.MustCompile(pattern).ReplaceAll(out, []byte(by)) }
	switch path.Dir(file) {
	case "k6":
		return edit(`"metrics":\{`,
			fmt.Sprintf(`"metrics":{"benchbook_began":{"type":"gauge","values":{"value":%d}},`, began.UnixMilli()))
	case "fortio":
		return edit(`"StartTime": "[^"]*"`, `"StartTime": "`+began.Format(time.RFC3339Nano)+`"`)
	case "vegeta":
		return edit(`"earliest":"[^"]*"`, `"earliest":"`+began.Format(time.RFC3339Nano)+`"`)
	case "h2load", "pgbench":
		return edit(`began .*`, fmt.Sprintf("began %.6f", unix(began)))
	case "wrk":
		return fmt.Appendf(out, "\n-- log --\nended %.6f\n", unix(ended))
	}
	return fmt.Appendf(out, "\n-- log --\nbegan %.6f\n", unix(began))
}

// For a tool that keeps a core busy before and after its window, only the processor time in the window counts.
func TestProcessorTimeOfWindow(t *testing.T) {
	const lastly = 500 * time.Millisecond
	for _, tt := range []struct {
		file          string
		window        time.Duration
		before, after time.Duration
	}{
		{"k6/script.json", 2000 * time.Millisecond, time.Second, lastly},
		{"fortio/close.json", 1040 * time.Millisecond, time.Second, lastly},
		{"vegeta/closed.json", 1006 * time.Millisecond, time.Second, lastly},
		{"h2load/duration.txt", time.Second, time.Second, lastly},
		{"wrk/plain.txt", 2032 * time.Millisecond, time.Second, 0},
		{"ab/duration.txt", 2008 * time.Millisecond, 0, lastly},
	} {
		t.Run(tt.file, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now().Add(tt.before)
				ended := began.Add(tt.window)
				past := func(from, to time.Time) time.Duration { return max(0, min(to.Sub(from), time.Since(from))) }
				used := func() time.Duration {
					return past(began.Add(-tt.before), began) + past(began, ended)/10 + past(ended, ended.Add(tt.after))
				}
				s, _ := toolScript(nil)
				s.Usage = func(string, int) (engine.Usage, error) {
					threads := map[int]engine.Thread{1: {CPU: used(), Waited: -1}}
					return engine.Usage{At: time.Now(), CPU: used(), Threads: threads}, nil
				}
				own := s.Run
				s.Run = func(ctx context.Context, p fake.Program) (engine.Exit, error) {
					if p.Name != "load" || p.Command[0] == guestPath {
						return own(ctx, p)
					}
					time.Sleep(tt.before + tt.window + tt.after)
					return engine.Exit{Stdout: withStart(tt.file, began, ended)}, nil
				}
				m := measure(t, s, path.Dir(tt.file), web(10))
				if m.Failure != "" || m.Start.Sub(began).Abs() > time.Millisecond {
					t.Fatalf("%q; the window began at %v, want %v", m.Failure, m.Start, began)
				}
				if share := m.GeneratorCPU.Seconds() / m.Length.Seconds(); share < 0.09 || share > 0.12 ||
					math.Abs(m.Load.Busy-share) > 0.01 {
					t.Errorf("%.3f cores and busy for %.3f in %v; want a tenth of a core", share, m.Load.Busy, m.Length)
				}
			})
		})
	}
}

// The time that a tool waited for a core is measured from outside, if the engine knows.
func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := toolScript(map[string]engine.Exit{"wrk": {}})
		began, silent := time.Now(), s.Usage
		s.Usage = func(name string, n int) (engine.Usage, error) { // of two threads, one waits for half of the time
			usage, err := silent(name, n)
			usage.Threads = map[int]engine.Thread{1: {Waited: time.Since(began) / 2}, 2: {}}
			return usage, err
		}
		run := s.Run
		s.Run = func(ctx context.Context, p fake.Program) (engine.Exit, error) {
			if p.Command[0] != guestPath && p.Name == "load" {
				time.Sleep(2 * shortest)
				return engine.Exit{Stdout: captured("wrk/plain.txt")}, nil
			}
			return run(ctx, p)
		}
		m := measure(t, s, "wrk", web(10))
		if m.Load == nil || m.Load.Health == nil || m.Load.Health.Standstill != -1 || m.Load.Health.Waiting < 0.4 ||
			m.Load.Health.Waiting > 0.6 {
			t.Errorf("%q, %+v", m.Failure, m.Load)
		}
		s.Usage = silent
		if m := measure(t, s, "wrk", web(10)); m.Load == nil || m.Load.Health != nil {
			t.Errorf("an engine that tells nothing: %+v", m.Load)
		}
	})
}

// under returns a request that was under way between two times, in seconds.
func under(from, to float64) loadgen.Sample {
	return loadgen.Sample{Start: int64(from * 1e9), Sent: int64(from * 1e9), End: int64(to * 1e9)}
}

func TestOverlapping(t *testing.T) {
	for _, tt := range []struct {
		name     string
		requests []loadgen.Sample
		most     int
		want     int
	}{
		{"one after the other", []loadgen.Sample{under(0, 1), under(1, 2), under(2, 3)}, 1, -1},
		{"by no more than clocks are off", []loadgen.Sample{under(0, 1.000002), under(1, 2)}, 1, -1},
		{"by more", []loadgen.Sample{under(0, 1.00001), under(1, 2)}, 1, 1},
		{"in any order", []loadgen.Sample{under(1, 2), under(0, 1.5), under(0.5, 1)}, 2, -1},
		{"one too many", []loadgen.Sample{under(1, 2), under(0, 1.5), under(0.5, 1.1)}, 2, 0},
		{"never sent", []loadgen.Sample{{Start: 1e9, Sent: loadgen.NeverSent, End: 3e9}, under(1, 2)}, 1, -1},
		{"none", nil, 1, -1},
	} {
		assert.Equal(t, overlapping(tt.requests, tt.most, 2000), tt.want, "%s", tt.name)
	}
}
