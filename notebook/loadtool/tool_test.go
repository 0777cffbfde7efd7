package loadtool

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slowtest"
)

var update = flag.Bool("update", false, "write what is read from outputs anew")

// captured gives the outputs in testdata, by the tool that printed them.
func captured(t testing.TB) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, tool := range Tools() {
		files, err := filepath.Glob(filepath.Join("testdata", tool.Name, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !strings.HasSuffix(f, ".golden") {
				out[tool.Name] = append(out[tool.Name], f)
			}
		}
	}
	return out
}

func printed(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// words is an output as a golden file has it, a fact to a line.
func words(o *Output, err error) string {
	var b strings.Builder
	if err != nil {
		fmt.Fprintln(&b, err)
		return b.String()
	}
	fmt.Fprintf(&b, "%s %s\n", o.Tool, o.Version)
	fmt.Fprintf(&b, "attempted %d, failed %d, right %d\n", o.Attempted, o.Failed, o.Completed)
	counts := func(name string, m map[string]int64) {
		if m == nil {
			fmt.Fprintf(&b, "%s not told\n", name)
			return
		}
		fmt.Fprintf(&b, "%s", name)
		for _, k := range slices.Sorted(maps.Keys(m)) {
			fmt.Fprintf(&b, " %s=%d", k, m[k])
		}
		fmt.Fprintln(&b)
	}
	counts("failures", o.Failures)
	counts("statuses", o.Statuses)
	fmt.Fprintf(&b, "window %v, %d clients, times of %d, with connecting %v, counted %v, paced %v\n",
		o.Window.Round(time.Microsecond), o.Connections, o.Timed, o.Connecting, o.Counted, o.Paced)
	if !o.Started.IsZero() {
		fmt.Fprintf(&b, "started %s\n", o.Started.UTC().Format(time.RFC3339Nano))
	}
	for _, s := range o.Samples {
		fmt.Fprintf(&b, "%-16s %.9g %s", s.Metric, s.Value, s.Unit)
		if s.Step > 0 {
			fmt.Fprintf(&b, " in steps of %.6g", s.Step)
		}
		fmt.Fprintln(&b)
	}
	for _, k := range slices.Sorted(maps.Keys(o.Histograms)) {
		h := o.Histograms[k]
		fmt.Fprintf(&b, "%s: %d times from %.9g to %.9g s, sum %.9g s, %d beyond, in steps of %g s\n", k, h.Count, h.Min,
			h.Max, h.Sum, h.Overflow, h.Step)
	}
	return b.String()
}

// What is read from each output was compared with the output by eye.
func TestParse(t *testing.T) {
	for name, files := range captured(t) {
		tool, _ := Find(name)
		if len(files) == 0 {
			t.Errorf("no output of %s", name)
		}
		for _, file := range files {
			t.Run(strings.TrimPrefix(file, "testdata/"), func(t *testing.T) {
				got := words(tool.Parse(printed(t, file)))
				golden := file + ".golden"
				if *update {
					if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if want := string(printed(t, golden)); got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// Sums that were made by hand from the outputs, as docs/method.md#definitions counts.
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
		// 142 or 143 of 1000 answers are of status 503, and not among the failed requests of ab.
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
		{"pgbench/failed.txt", 200, 35, 165, 140.811055},
		{"k6/script.json", 12825, 1832, 10993, 0},
		{"fortio/fail.json", 400, 57, 343, 343 / 0.009281488},
	} {
		t.Run(tt.file, func(t *testing.T) {
			tool, _ := Find(filepath.Dir(tt.file))
			o, err := tool.Parse(printed(t, filepath.Join("testdata", tt.file)))
			if err != nil {
				t.Fatal(err)
			}
			if o.Attempted != tt.attempted || o.Failed != tt.failed || o.Completed != tt.right {
				t.Errorf("attempted %d, failed %d, right %d; want %d, %d, %d", o.Attempted, o.Failed, o.Completed, tt.attempted,
					tt.failed, tt.right)
			}
			if got := float64(o.Completed) / o.Window.Seconds(); tt.throughput > 0 && math.Abs(got/tt.throughput-1) > 1e-6 {
				t.Errorf("%v right answers per second, want %v", got, tt.throughput)
			}
		})
	}
}

// What is cut off before its end is no result.
func TestCutOff(t *testing.T) {
	slowtest.Skip(t)
	for name, files := range captured(t) {
		tool, _ := Find(name)
		for _, file := range files {
			data := printed(t, file)
			if _, err := tool.Parse(data); err != nil {
				continue
			}
			whole := words(tool.Parse(data))
			for n := 0; n < len(data); n += 1 + len(data)/500 {
				o, err := tool.Parse(data[:n])
				if err == nil && words(o, nil) != whole {
					t.Errorf("%s: the first %d of %d bytes are half a result:\n%s", file, n, len(data), words(o, nil))
					break
				}
				if err != nil && !errors.Is(err, ErrNoSamples) {
					t.Fatalf("%s: %v", file, err)
				}
			}
		}
	}
}
