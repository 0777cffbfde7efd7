package loadtool

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/golden"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// captured returns the names of the captured outputs: testdata/TOOL/NAME.
func captured(t testing.TB) []string {
	t.Helper()
	return must.Glob(filepath.Join("testdata", "*", "*"), 1)
}

// capture returns a captured output and its tool.
func capture(t testing.TB, file string) (Tool, []byte) {
	t.Helper()
	tool, ok := Find(filepath.Base(filepath.Dir(file)))
	data, err := os.ReadFile(file)
	if err != nil || !ok {
		t.Fatalf("%s: %v, of a tool %v", file, err, ok)
	}
	return tool, data
}

// describe writes a result for a golden file, one fact per line.
func describe(o *Output, err error) string {
	if err != nil {
		return fmt.Sprintln("error:", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "attempted %d, failed %d, right %d, timed %d\n", o.Attempted, o.Failed, o.Completed, o.Timed)
	fmt.Fprintf(&b, "window %v, %d clients, connecting %v, paced %v, due %v\n", o.Window.Round(time.Microsecond),
		o.Connections, o.Connecting, o.Paced, o.Due)
	counts := func(name string, m map[string]int64) {
		if m != nil {
			fmt.Fprintf(&b, "%s %s\n", name, strings.TrimPrefix(fmt.Sprint(m), "map"))
		}
	}
	counts("failures", o.Failures)
	counts("statuses", o.Statuses)
	if !o.Started.IsZero() {
		fmt.Fprintf(&b, "started %s\n", o.Started.UTC().Round(time.Microsecond).Format(time.RFC3339Nano))
	}
	for _, s := range o.Samples {
		fmt.Fprintf(&b, "%s %.9g %s", s.Metric, s.Value, s.Unit)
		if s.Step > 0 {
			fmt.Fprintf(&b, ", step %.6g", s.Step)
		}
		fmt.Fprintln(&b)
	}
	for _, k := range slices.Sorted(maps.Keys(o.Histograms)) {
		h := o.Histograms[k]
		fmt.Fprintf(&b, "%s: %d times from %.9g to %.9g s, sum %.9g s, %d beyond, step %g s\n", k, h.Count, h.Min, h.Max,
			h.Sum, h.Overflow, h.Step)
	}
	return b.String()
}

// The results were compared by eye with the outputs, and with the counts of the server.
func TestParse(t *testing.T) {
	var all strings.Builder
	for _, file := range captured(t) {
		tool, data := capture(t, file)
		o, err := tool.Parse(data)
		fmt.Fprintf(&all, "== %s\n%s\n", strings.TrimPrefix(file, "testdata/"), describe(o, err))
		if err != nil {
			continue
		}
		if l := o.Load(&spec.Load{Connections: 1, Keepalive: true}); l.Attempted != o.Attempted || l.Failed != o.Failed ||
			l.Completed != o.Completed || math.IsNaN(l.InFlight) || math.IsInf(l.InFlight, 0) {
			t.Errorf("%s: the load is %+v", file, l)
		}
	}
	golden.Equal(t, "testdata/results.golden", all.String())
}

// Sums computed by hand from the outputs, by docs/method.md#definitions.
func TestRightAnswers(t *testing.T) {
	for _, tt := range []struct {
		file                     string
		attempted, failed, right int64
		throughput               float64
	}{
		// 50 of 500 reads were broken, each counted as Receive, Length and Exceptions; 500 requests at 8691.72/s.
		{"ab/reset.txt", 500, 50, 450, 450 / (500 / 8691.72)},
		// 25 of 75 are Exceptions of requests whose reads are counted too.
		{"ab/refused.txt", 50, 50, 0, 0},
		// 490 answers have another length than the first.
		{"ab/length.txt", 500, 490, 10, 0},
		{"ab/varying-length.txt", 500, 0, 500, 0},
		// 142 of 1000 answers are of status 503, and not among the failed requests of ab.
		{"ab/non2xx.txt", 1000, 142, 858, 0},
		// 12 answers, each after its timeout of 1 s.
		{"wrk/all-timeout.txt", 12, 12, 0, 0},
		{"wrk/timeout.txt", 379, 10, 369, 369 / (379 / 93.16)},
		{"wrk/reset.txt", 105581 + 11730, 11730, 105581, 52677.01},
		{"wrk/non2xx.txt", 95965, 13709, 82256, 0},
		// hey -n 1000 -c 150 sends six requests on each connection.
		{"hey/rounding.txt", 900, 0, 900, 4137.5616},
		{"hey/reset.txt", 100, 2, 98, 0},
		{"hey/status.txt", 200, 29, 171, 0},
		{"pgbench/failed.txt", 200, 130, 70, 70 / 0.370293},
		{"k6/script.json", 12825, 1832, 10993, 0},
		{"fortio/fail.json", 400, 57, 343, 343 / 0.009281488},
	} {
		tool, data := capture(t, filepath.Join("testdata", tt.file))
		o := must.Get(tool.Parse(data))
		assert.Equal(t, [3]int64{o.Attempted, o.Failed, o.Completed}, [3]int64{tt.attempted, tt.failed, tt.right},
			"%s: attempted, failed, right", tt.file)
		if tt.throughput > 0 {
			assert.Near(t, float64(o.Completed)/o.Window.Seconds()/tt.throughput, 1, 1e-5, "%s: right answers", tt.file)
		}
	}
}

// Changed outputs give the metric or the error that their text now calls for, and never lose a number.
func TestChangedOutput(t *testing.T) {
	for _, tt := range []struct {
		file, old, new string
		want           string // a metric that is read, or words of the error
	}{
		{"hey/plain.txt", "  99% in 0.0048 secs", "  99.9% in 0.0048 secs", "another format"},
		{"hey/plain.txt", "  99% in 0.0048 secs", "  99 % in 0.0048 secs", "another format"},
		{"hey/plain.txt", "  99% in 0.0048 secs", "  99% in 4.8 ms", "another format"},
		{"hey/plain.txt", "  99% in 0.0048 secs", "  99% in 0,0048 secs", "another format"},
		{"hey/plain.txt", "  99% in 0.0048 secs", "  99%%% in 0.0048 secs", "another format"},
		{"hey/plain.txt", "  99% in 0.0048 secs", "  99%% in 0.0048 secs", "latency.p99"},
		{"hey/plain.txt", "[200]\t", "[200]\t9", "its rate is of"},
		{"wrk/plain.txt", "     99%  178.65ms", "     99%  1,178.65ms", "another format"},
		{"wrk/plain.txt", "     99%  178.65ms", "     99%  1.8e+02ms", "another format"},
		{"wrk/plain.txt", "     99%  178.65ms", "     99%  178.65 ms", "another format"},
		{"wrk/plain.txt", "     99%  178.65ms", "     99%: 178.65ms", "another format"},
		{"wrk/plain.txt", "     99%  178.65ms", "     99%   178.65\u00b5s", "another format"},
		{"wrk/plain.txt", "     99%  178.65ms", "     99%  178.65qs", "latency.p99 is \"178.65qs\""},
		{"wrk/plain.txt", "     99%  178.65ms", "     99,9%  178.65ms", "another format"},
		{"wrk/plain.txt", "     99%  178.65ms", "     99.0%  178.65ms", "latency.p99"},
		{"wrk/plain.txt", "     99%  178.65ms", "     99.9900%  178.65ms", "latency.p99.99"},
		{"wrk/plain.txt", "     99%  178.65ms", "     99.9999999%  178.65ms", "cannot be measured"},
		{"wrk/plain.txt", "     50%   79.00us", "     50%    0.00us", "latency.p50"},
		{"wrk/plain.txt", "     50%   79.00us", "     99%   79.00us", "it reports latency.p99 twice"},
		{"wrk/seconds.txt", "     99%    1.36s", "     99%    1.36m", "99% of the times are at most 81.6"},
		{"ab/plain.txt", "  99%  ", "  99.9%  ", "latency.p99.9"},
		{"ab/plain.txt", "  99%  ", "  99,9%  ", "incomplete"},
		{"ab/reset.txt", "   (Connect", "   (Connecting", "another format"},
		{"k6/script.json", `"p(99.9)"`, `"p(99.95)"`, "latency.p99.95"},
		{"k6/script.json", `"fails":10993`, `"fails":10994`, "it counts 12825 requests"},
		{"vegeta/plain.json", `"99th"`, `"99.9th"`, "it has no latency 99th"},
		{"oha/plain.json", `"p99.9"`, `"p(99.9)"`, "invalid percentage"},
		{"oha/plain.json", `"requestsPerSec": `, `"requestsPerSec": 1`, "its rate is of"},
		{"fortio/plain.json", `"Percentile": 99.9,`, `"Percentile": 99.99,`, "latency.p99.99"},
		{"fortio/plain.json", `"RunType": "HTTP"`, `"RunType": "GRPC"`, "it is not what fortio load -json saves"},
		{"h2load/plain.txt", "\nbegan ", "\nstarted ", "instead of a time"},
		{"h2load/plain.txt", "1 200 ", "2 200 ", "its log has"},
		{"pgbench/count.txt", " ok ", " bad ", "its log has"},
		{"pgbench/count.txt", " ok ", " ", "invalid log line"},
	} {
		tool, data := capture(t, filepath.Join("testdata", tt.file))
		if !bytes.Contains(data, []byte(tt.old)) {
			t.Errorf("%s has no %q", tt.file, tt.old)
			continue
		}
		o, err := tool.Parse(bytes.ReplaceAll(data, []byte(tt.old), []byte(tt.new)))
		if err != nil && (!errors.Is(err, ErrNoSamples) || !strings.Contains(err.Error(), tt.want)) ||
			err == nil && !slices.ContainsFunc(o.Samples, func(s record.Sample) bool { return s.Metric == tt.want }) {
			t.Errorf("%s with %q: want %s, got\n%s", tt.file, tt.new, tt.want, describe(o, err))
		}
	}
}

// A truncated output is no result.
func TestCutOff(t *testing.T) {
	slowtest.Skip(t)
	for _, file := range captured(t) {
		tool, data := capture(t, file)
		whole, err := tool.Parse(data)
		if err != nil {
			continue
		}
		for n := 0; n < len(data); n += 1 + len(data)/500 {
			o, err := tool.Parse(data[:n])
			if err == nil && o.Started.IsZero() {
				o.Started = whole.Started // our shell prints it after a complete output
			}
			if err == nil && describe(o, nil) != describe(whole, nil) {
				t.Errorf("%s: the first %d of %d bytes are half a result:\n%s", file, n, len(data), describe(o, nil))
				break
			}
		}
	}
}

// The command lines of all tools for all loads that they have flags for.
func TestCalls(t *testing.T) {
	script := &spec.File{Path: "/benchbook/script", Data: []byte("the author's script\n")}
	var all strings.Builder
	for _, tool := range Tools() {
		for _, tt := range []struct {
			name, keys string
			load       spec.Load
			cores      int
		}{
			{"a time", "duration", spec.Load{Duration: 5 * time.Second}, 3},
			{"a fraction of a second", "duration", spec.Load{Duration: 1500 * time.Millisecond}, 2},
			{"a number of requests", "requests", spec.Load{Requests: 95}, 2},
			{"requests and a time", "requests duration", spec.Load{Requests: 95, Duration: 5 * time.Second}, 2},
			{"a connection each over TLS", "keepalive", spec.Load{Target: "https://server", Duration: time.Second}, 2},
			{"threads", "threads", spec.Load{Duration: time.Second, Threads: 2}, 8},
			{"a body", "method body headers", spec.Load{Duration: time.Second, Method: "PUT", Body: "it's \"x\"\n",
				Headers: map[string]string{"X-A": "b c", "content-type": "a/b", "Host": "me"}}, 2},
			{"POST", "body", spec.Load{Duration: time.Second, Method: "POST", Body: "x"}, 2},
			{"HEAD", "method", spec.Load{Duration: time.Second, Method: "HEAD"}, 2},
			{"a rate", "rate", spec.Load{Duration: time.Second, Pace: spec.Pace{Rate: 500}, Method: "PUT"}, 2},
			{"a rate with a fraction", "rate", spec.Load{Duration: 1500 * time.Millisecond, Pace: spec.Pace{Rate: 0.25}}, 2},
			{"a script", "script", spec.Load{Duration: time.Second, Script: script}, 2},
			{"words of the author", "duration", spec.Load{Duration: time.Second, Args: []string{"-x", "y z"}}, 2},
		} {
			lacks := func(key string) bool { _, ok := tool.Flag(key); return !ok }
			if slices.ContainsFunc(strings.Fields(tt.keys), lacks) || tt.load.Target != "" && !tool.HTTP {
				continue
			}
			l := tt.load
			l.Connections, l.Timeout, l.Keepalive = 9, 10*time.Second, tt.keys != "keepalive"
			if l.Target == "" {
				l.Target = map[bool]string{true: "http://server/x?y=1", false: "postgres://ann:hunter%204@db/shop"}[tool.HTTP]
			}
			if l.Method == "" {
				l.Method = "GET"
			}
			c := tool.Call(&l, tt.cores)
			fmt.Fprintf(&all, "== %s, %s: %d threads\n%s\n", tool.Name, tt.name, c.Threads, c.Line(tool.Name, l.Args))
			for _, e := range c.Environment {
				fmt.Fprintf(&all, "environment %s\n", e)
			}
			for _, f := range c.Files {
				fmt.Fprintf(&all, "%s\n%s\n", f.Path, f.Data)
			}
			assert.Lacks(t, c.Line(tool.Name, nil), "hunter") // of the password
		}
	}
	golden.Equal(t, "testdata/calls.golden", all.String())
}

// The manual's driver that calls h2load counts the answers of its run only, and the failures among them.
func TestH2loadDriver(t *testing.T) {
	_, err := exec.LookPath("jq")
	slowtest.Missing(t, "jq", "install it with apt-get install jq", err)
	page := must.Get(os.ReadFile(filepath.Join("..", "..", "examples", "drivers.md")))
	_, script, _ := strings.Cut(string(page), "```sh file=h2.sh\n")
	script, _, _ = strings.Cut(script, "```\n")
	for _, tt := range []struct {
		name, log                    string
		errored                      int
		attempted, failed, completed int64
		times                        int
	}{
		{"right answers", "1 200 40\n2 204 20\n", 0, 2, 0, 2, 4},
		{"a redirect, an error, a broken stream and a lost client", "1 200 40\n2 302 10\n3 503 9\n4 -1 8\n", 2, 5, 4, 1, 4},
		{"redirects only", "1 302 10\n", 0, 1, 1, 0, 0},
	} {
		dir := t.TempDir()
		must.Write(filepath.Join(dir, "log"), "0 200 99\n") // of the warm-up
		h2load := fmt.Sprintf("#!/bin/sh\necho \"$*\" >&2\nprintf '%s' >>%s/log\necho 'requests: 9 total, 9 started, "+
			"9 done, 9 succeeded, 9 failed, %d errored, 9 timeout'\n", tt.log, dir, tt.errored)
		must.Do(os.WriteFile(filepath.Join(dir, "h2load"), []byte(h2load), 0o755))
		cmd := exec.Command("sh", "-c", strings.ReplaceAll(script, "/tmp/", dir+"/"))
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		cmd.Stdin = strings.NewReader(`{"targets": [{"url": "h2c://server:8080/"}], "connections": 1, "threads": 2,
			"timeout": 1.5, "duration": 2.5}`)
		var called strings.Builder
		cmd.Stderr = &called
		printed := must.Get(cmd.Output())
		o, err := Summary(printed, driverKinds)
		if err != nil || o.Attempted != tt.attempted || o.Failed != tt.failed || o.Completed != tt.completed ||
			len(o.Samples) != tt.times || o.Window.Seconds() != 2.5 {
			t.Errorf("%s: got %+v, %v of %s", tt.name, o, err, printed)
		}
		assert.Equal(t, called.String(), "-m 1 -c 1 -t 1 -N 1500ms -D 2500ms --log-file="+dir+"/log http://server:8080/\n")
	}
}

// oneTime returns a histogram with a single value.
func oneTime(value int64) string {
	h := hdrhistogram.New(1, 1<<40, 3)
	must.Do(h.RecordValue(value))
	encoded := must.Get(h.Encode(hdrhistogram.V2CompressedEncodingCookieBase))
	return string(encoded)
}

var driverKinds = []string{"connect", "timeout"}

func TestDriverSummary(t *testing.T) {
	o := must.Get(Summary([]byte(` {"window": 2.5, "attempted": 100, "failed": 2, "began": 1795449600.25,
		"failures": {"timeout": 2}, "statuses": {"200": 97, "404": 1},
		"latency": {"p50": 0.02, "p99.9": 0.03, "mean": 0.021, "max": 0.03}, "step": 0.001}`+"\n"), driverKinds))
	p50 := o.Samples[2]
	if o.Window.Seconds() != 2.5 || o.Attempted != 100 || o.Completed != 98 || o.Failures["timeout"] != 2 ||
		o.Statuses["404"] != 1 || p50.Value != 0.02 || p50.Step != 0.001 || len(o.Samples) != 4 || o.Timed != 98 ||
		o.Started.Round(time.Millisecond).UnixMilli() != 1795449600250 || !o.Connecting {
		t.Errorf("%+v", o)
	}
	for unit, value := range map[string]int64{"s": 3, "ms": 3000, "us": 3_000_000, "ns": 3_000_000_000} {
		o := must.Get(Summary(fmt.Appendf(nil, `{"window": 9, "attempted": 1, "histogram": %q, "unit": %q}`,
			oneTime(value), unit), driverKinds))
		if h := o.Histograms["latency"]; h.Count != 1 || h.Min < 2.99 || h.Max > 3.01 || h.Sum < 2.99 || h.Sum > 3.01 {
			t.Errorf("%s: %+v", unit, h)
		}
	}
	for _, tt := range []struct{ printed, want string }{
		{``, "what it printed is empty"},
		{`{"window": 1}`, "no attempted or no window"},
		{`{"window": 0, "attempted": 1}`, "its window is 0 s"},
		{`{"window": -1, "attempted": 1}`, "its window is -1 s"},
		{`{"window": 1e30, "attempted": 1}`, "its window is 1e+30 s"},
		{`{"window": 1, "attempted": -1}`, "invalid number of requests -1"},
		{`{"window": 1, "attempted": 1.5}`, `cannot be read: "attempted" cannot be a number 1.5`},
		{`{"window": 1, "attempted": 1, "failed": 2}`, "of 1 requests 2 failed"},
		{`{"window": 1, "attempted": 1, "began": -5}`, "it began at -5 s"},
		{`{"window": 1, "attempted": 1, "latencies": {}}`, `has an unknown key "latencies"`},
		{`{"window": 1, "attempted": 1} {"window": 1}`, "is not one JSON object"},
		{`[1]`, "is JSON, and not an object"},
		{`{"window": 1, "attempted": 0}`, "no request ended"},
		{`{"window": 1, "attempted": 1, "step": -1, "latency": {"p50": 1}}`, "its step is -1 s"},
		{`{"window": 1, "attempted": 1, "latency": {"p50": -1}}`, "latency.p50 is -1"},
		{`{"window": 1, "attempted": 1, "latency": {"median": 1}}`, `unknown latency "median"`},
		{`{"window": 1, "attempted": 1, "latency": {"p50": 2, "p99": 1}}`, "50% of the times are at most 2 s"},
		{`{"window": 1, "attempted": 1, "failures": {"boom": 1}}`, `unknown kind of failure "boom"`},
		{`{"window": 1, "attempted": 1, "failures": {"timeout": -1}}`, "invalid count -1"},
		{`{"window": 1, "attempted": 9, "failed": 1, "failures": {"timeout": 2}}`, "failures by kind are 2, and failed is 1"},
		{`{"window": 1, "attempted": 1, "statuses": {"200": 2}}`, "2 answers have a status"},
		{`{"window": 1, "attempted": 1, "histogram": "x", "unit": "ns"}`, "its histogram cannot be read"},
		{`{"window": 1, "attempted": 1, "histogram": "x", "unit": "min"}`, `the histogram's unit is "min"`},
		{`{"window": 1, "attempted": 1, "histogram": "x", "latency": {"p50": 1}}`, "it has both a histogram and a latency"},
		{`{"window": 1, "attempted": 1, "failed": 1, "unit": "ns", "histogram": "H"}`, "its histogram"},
	} {
		printed := strings.Replace(tt.printed, `"H"`, fmt.Sprintf("%q", oneTime(5)), 1)
		_, err := Summary([]byte(printed), driverKinds)
		assert.Is(t, err, ErrNoSamples, "%s", printed)
		assert.Error(t, err, tt.want)
	}
}
