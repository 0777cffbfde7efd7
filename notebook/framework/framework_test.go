package framework

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/golden"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
)

// formatOf returns the format of a captured output, from the beginning of its name.
func formatOf(name string) string {
	for _, format := range Formats() {
		if strings.HasPrefix(filepath.Base(name), format+"-") {
			return format
		}
	}
	return ""
}

func captured(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range must.Glob("testdata/*-[0-9g]*.*", len(parsers)) {
		data := must.Get(os.ReadFile(name))
		out[filepath.Base(name)] = string(data)
	}
	return out
}

func listing(samples []record.Sample) string {
	var out strings.Builder
	for _, s := range samples {
		fmt.Fprintf(&out, "%s: %s %.6g %s", s.Benchmark, s.Metric, s.Value, s.Unit)
		if s.Step > 0 {
			fmt.Fprintf(&out, " in steps of %.3g", s.Step)
		}
		out.WriteString("\n")
	}
	return out.String()
}

// Outputs of real versions.
func TestCaptured(t *testing.T) {
	var got strings.Builder
	outputs := captured(t)
	for _, format := range Formats() {
		for _, name := range slices.Sorted(maps.Keys(outputs)) {
			if formatOf(name) != format {
				continue
			}
			samples, err := Parse(format, []byte(outputs[name]))
			fmt.Fprintf(&got, "%s\n%s", name, listing(samples))
			if err != nil {
				fmt.Fprintf(&got, "%v\n", err)
			}
			got.WriteString("\n")
		}
	}
	golden.Equal(t, "testdata/results.golden", got.String())
}

func many(n int, line func(i int) string) string {
	var out strings.Builder
	for i := range n {
		out.WriteString(line(i))
	}
	return out.String()
}

func TestParse(t *testing.T) {
	const google = `{"benchmarks": [{"run_name": "A", "run_type": "iteration", "real_time": %s, "cpu_time": 1, "time_unit": "ns"%s}]}`
	for _, tt := range []struct{ name, format, output, want string }{
		{"a number of processors that all have", "benchfmt", "BenchmarkA-8 10 5 ns/op\nBenchmarkB/x-8 10 7 ns/op\n",
			"BenchmarkA: time 5e-09 s in steps of 1e-09\nBenchmarkB/x: time 7e-09 s in steps of 1e-09\n"},
		{"several numbers of processors", "benchfmt", "BenchmarkA 10 5 ns/op\nBenchmarkA-2 10 3 ns/op\n",
			"BenchmarkA: time 5e-09 s in steps of 1e-09\nBenchmarkA-2: time 3e-09 s in steps of 1e-09\n"},
		{"counts are joined to their median", "benchfmt", "BenchmarkA 1 5 allocs/op\nBenchmarkA 1 9 allocs/op\nBenchmarkA 1 6 allocs/op\n",
			"BenchmarkA: allocs 6 1\n"},
		{"a verbose run", "benchfmt", "=== RUN   BenchmarkA\nBenchmarkA\nBenchmarkA 1 5 allocs/op\nPASS\nok  \tx\t1s\n",
			"BenchmarkA: allocs 5 1\n"},
		{"metrics of the author", "benchfmt", "BenchmarkA 1 5 p99-ns 2 heap-B 3 hits/op 4 req/s 5 failed\n",
			"BenchmarkA: p99 5e-09 s in steps of 1e-09\nBenchmarkA: heap 2 B\nBenchmarkA: hits 3 hits/op\nBenchmarkA: req_per_s 4 req/s\n" +
				"BenchmarkA: own.failed 5 failed\n"},
		{"units of ours that are of no iteration", "benchfmt", "BenchmarkA 1 5 ns/op 12 MB 64 B/op 7 ns\n",
			"BenchmarkA: time 5e-09 s in steps of 1e-09\nBenchmarkA: MB 1.2e+07 B\nBenchmarkA: bytes 64 B\n" +
				"BenchmarkA: ns 7e-09 s in steps of 1e-09\n"},
		{"a name with markup", "benchfmt", "Benchmark<b>\"x\"</b>/a=1 1 5 allocs/op\n", "Benchmark<b>\"x\"</b>/a=1: allocs 5 1\n"},
		{"a line in the middle of a result", "benchfmt", "BenchmarkA-8 some log\n", "line 1: parsing iteration count: invalid syntax"},
		{"no benchmark", "benchfmt", "PASS\n", "it has no benchmark"},
		{"not a number", "benchfmt", "BenchmarkA 1 NaN ns/op\n", `benchmark "BenchmarkA" has time of NaN`},
		{"infinite", "benchfmt", "BenchmarkA 1 Inf B/op\n", `benchmark "BenchmarkA" has bytes of +Inf`},
		{"negative", "benchfmt", "BenchmarkA 1 -5 ns/op\n", `benchmark "BenchmarkA" has time of -5e-09`},
		{"a negative metric of the author", "benchfmt", "BenchmarkA 1 -5 drift\n", "BenchmarkA: drift -5 drift\n"},
		{"a unit without a name", "benchfmt", "BenchmarkA 1 5 ?\n", `has a metric called ""`},
		{"one metric in two units", "benchfmt", "BenchmarkA 1 5 x/op\nBenchmarkA 1 5 x\n", `benchmark "BenchmarkA" has x in "x/op" and in "x"`},
		{"too many benchmarks", "benchfmt", many(10_000, func(i int) string { return fmt.Sprintf("BenchmarkA%d 1 5 ns/op\n", i) }),
			"it has more than 1000 benchmarks"},
		{"too many metrics", "benchfmt", "BenchmarkA 1 " + many(51, func(i int) string { return fmt.Sprintf("5 x%d ", i) }) + "\n",
			`benchmark "BenchmarkA" has more than 50 metrics`},
		{"a long name", "benchfmt", "Benchmark" + strings.Repeat("x", 200) + " 1 5 ns/op\n", "it has 1 to 200 bytes"},
		{"another direction", "hyperfine", "{\"results\": [{\"command\": \"a\\u202eb\", \"times\": [1]}]}", `a benchmark is called "a\u202eb"`},
		{"too much", "benchfmt", strings.Repeat("x", MaxOutput+1), "the benchfmt output has more than 16 MiB"},
		{"estimates of nothing", "criterion", `{"median": {"point_estimate": 5}}`, "no benchmark.json before it"},
		{"no estimates", "criterion", `{"full_id": "a"}`, "the last benchmark.json has no estimates.json after it"},
		{"elements", "criterion", `{"full_id": "a b", "throughput": {"Elements": 3}}{"median": {"point_estimate": 1000}}`,
			"a b: time 1e-06 s\na b: items_per_second 3e+06 1/s\n"},
		{"a counter that is not a number", "google-benchmark",
			"{\"benchmarks\": [{\"run_name\": \"A\", \"run_type\": \"iteration\", \"real_time\": 1, \"cpu_time\": 1, \"time_unit\": \"us\",\n" +
				"  \"hits\": -NaN\n}]}", "A: time 1e-06 s\nA: cpu_time 1e-06 s\n"},
		{"a huge time", "google-benchmark", fmt.Sprintf(google, "1e300", ""), `benchmark "A" has time of 1.0000000000000001e+291`},
		{"a skipped benchmark", "google-benchmark", fmt.Sprintf(google, "0", `, "skipped": true, "skip_message": "no AVX"`),
			`benchmark "A" was skipped: no AVX`},
		{"a counter with a name of ours", "google-benchmark", fmt.Sprintf(google, "1", `, "throughput": 3, "a b": 4`),
			"A: time 1e-09 s\nA: cpu_time 1e-09 s\nA: a_b 4 1\nA: own.throughput 3 1\n"},
		{"a control character", "google-benchmark", strings.Replace(fmt.Sprintf(google, "1", ""), `"A"`, `"\u001b[1m"`, 1),
			`a benchmark is called "\x1b[1m"`},
		{"other output before JSON", "hyperfine", "Time: 1 s\n{}", "invalid JSON at byte 1: is there something else on standard output?"},
		{"a command without runs", "hyperfine", `{"results": [{"command": "a"}]}`, "a command has no times"},
		{"cut off", "jmh", `[{"benchmark": "a"`, "is there something else on standard output?"},
		{"modes of one benchmark", "jmh", `[{"benchmark": "a", "primaryMetric": {"scoreUnit": "ops/ms", "rawData": [[1, 2], [6]]}},
			{"benchmark": "a", "primaryMetric": {"scoreUnit": "ms/op", "score": 3}}]`, "a: ops 2000 1/s\na: time 0.003 s\n"},
		{"times in two modes", "jmh", `[{"benchmark": "a", "mode": "avgt", "primaryMetric": {"scoreUnit": "ms/op", "score": 3}},
			{"benchmark": "a", "mode": "ss", "primaryMetric": {"scoreUnit": "ms/op", "score": 90}}]`, "in the modes avgt and ss"},
		{"bytes of an operation, and churn", "jmh", `[{"benchmark": "a", "primaryMetric": {"scoreUnit": "ms/op", "score": 3},
			"secondaryMetrics": {"gc.alloc.rate.norm": {"scoreUnit": "B/op", "score": 8}, "gc.churn.norm": {"scoreUnit": "B/op", "score": 1}}}]`,
			"a: time 0.003 s\na: bytes 8 B\na: gc.churn.norm 1 B\n"},
		{"another unit", "jmh", `[{"benchmark": "a", "primaryMetric": {"scoreUnit": "ops"}}]`, `benchmark "a" is in "ops"`},
		{"no statistics", "pytest-benchmark", `{"benchmarks": [{"fullname": "a"}]}`, "a benchmark has no median"},
		{"a text for a number", "pytest-benchmark", `{"benchmarks": [{"fullname": "a", "stats": {"median": "1"}}]}`,
			`"benchmarks.stats.median" cannot be a string`},
		{"no name", "pytest-benchmark", `{"benchmarks": [{"stats": {"median": 1}}]}`, `a benchmark is called ""`},
		{"an unknown format", "junit", "", `no format "junit"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			samples, err := Parse(tt.format, []byte(tt.output))
			got := listing(samples)
			if err != nil {
				got = err.Error()
			}
			if err == nil && got != tt.want || err != nil && (tt.want == "" || !strings.Contains(got, tt.want)) {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// Any text is an error, or samples that a record can hold.
func FuzzParse(f *testing.F) {
	for name, output := range captured(f) {
		f.Add(formatOf(name), output)
	}
	f.Fuzz(func(t *testing.T, format, output string) {
		samples, err := Parse(format, []byte(output))
		if err == nil && len(samples) == 0 {
			t.Error("neither samples nor an error")
		}
		names := (&record.Record{Samples: samples}).Benchmarks()
		if len(names) > maxBenchmarks || len(samples) > len(names)*maxMetrics {
			t.Errorf("%d benchmarks, %d samples", len(names), len(samples))
		}
		seen := map[string]bool{}
		for _, s := range samples {
			if math.IsNaN(s.Value) || !record.Measurable(s.Value) || !record.Measurable(s.Step) || s.Step < 0 ||
				!record.IsMetricName(s.Metric) || !record.IsBenchmarkName(s.Benchmark) || seen[s.Benchmark+"\n"+s.Metric] {
				t.Errorf("%+v", s)
			}
			seen[s.Benchmark+"\n"+s.Metric] = true
		}
	})
}
