package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/lab/labtest"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/render/rendertest"
)

const (
	runBefore = "20261120T100000Z-aaaa"
	runAfter  = "20261121T100000Z-bbbb"
)

// measuredTwice is a project with an article that two runs have measured: in the second one server has become slower, a
// package is newer, one server has other options and one has failed.
func measuredTwice(t *testing.T) (project string) {
	t.Helper()
	text := must.Get(os.ReadFile(filepath.Join("testdata", "compare.md")))
	b := rendertest.New(t, "servers", text)
	older := func(r *record.Record) {
		r.Facts["packages.server"] = "python3 3.11.2-1+b1\nlibc6 2.36-9\ntzdata 2026a"
	}
	newer := func(r *record.Record) {
		r.Run, r.Started, r.Ended = runAfter, r.Started.Add(24*time.Hour), r.Ended.Add(24*time.Hour)
		r.Facts["packages.server"] = "python3 3.11.4-1\nlibc6 2.36-9"
		r.Facts["image.server"] = "sha256:" + strings.Repeat("9", 64)
	}
	before := func(r *record.Record) { r.Run = runBefore; older(r) }
	fewerConnections := func(r *record.Record) {
		r.Key, r.Definition = "0123456789abcdef", bytes.Replace(r.Definition, []byte(`"connections":10`),
			[]byte(`"connections":8`), 1)
	}
	b.Measure(plan.Full, "servers", "sync", []float64{1000, 1010, 990, 1005, 995}, before)
	b.Measure(plan.Full, "servers", "async", []float64{1400, 1410, 1390, 1405, 1395}, before)
	b.Measure(plan.Full, "servers", "slow", []float64{100, 101, 99, 102, 98}, before, fewerConnections)
	b.Measure(plan.Full, "servers", "broken", []float64{500, 505, 495, 502, 498}, before)
	b.Measure(plan.Full, "servers", "again", []float64{1002, 1012, 992, 1007, 997}, before)
	b.Measure(plan.Full, "servers", "sync", []float64{1003, 1007, 994, 1001, 999}, newer)
	b.Measure(plan.Full, "servers", "async", []float64{1200, 1210, 1190, 1205, 1195}, newer)
	b.Measure(plan.Full, "servers", "slow", []float64{120, 121, 119, 122, 118}, newer)
	b.Measure(plan.Full, "servers", "broken", []float64{1, 1, 1, 1, 1}, newer, rendertest.Fails("it ended with status 1",
		"Traceback"))
	b.Measure(plan.Full, "servers", "again", []float64{1006, 1010, 997, 1004, 1002}, newer)
	for _, r := range b.Records {
		must.Do(record.Dir(filepath.Join(b.Dir(), "records")).Save(r))
	}
	return filepath.Join(b.Dir(), "..", "..")
}

// benchbook runs the command in a project.
func benchbook(project string, args ...string) (status int, stdout, stderr string) {
	return said(scripted(), project, args...)
}

// What show and compare print, in each format, of records that are always the same.
func TestShowAndCompareGolden(t *testing.T) {
	project := measuredTwice(t)
	for _, tt := range []struct {
		golden string
		status int
		args   []string
	}{
		{"compare.txt", 0, []string{"compare", runBefore, runAfter}},
		{"compare-fails.md", lab.StatusGate, []string{"compare", runBefore, runAfter, "servers#servers", "--format", "md", "--metric",
			"throughput,failed",
			"--fail-on", "throughput < -5%"}},
		{"compare.csv", 0, []string{"compare", runBefore, runAfter, "--format", "csv", "--metric", "throughput"}},
		{"compare.json", 0, []string{"compare", runBefore, runAfter, "--json", "--metric", "throughput"}},
		{"show.txt", 0, []string{"show", "servers", "--run", runAfter}},
		{"show-trial.txt", 0, []string{"show", "servers", "--run", runAfter, "--trial", "broken"}},
		{"show-repetition.txt", 0, []string{"show", "servers", "--run", runBefore, "--trial", "async", "--repetition", "2"}},
	} {
		t.Run(tt.golden, func(t *testing.T) {
			status, stdout, stderr := benchbook(project, tt.args...)
			if status != tt.status {
				t.Fatalf("status %d, want %d: %s", status, tt.status, stderr)
			}
			labtest.Golden(t, tt.golden, []byte(stdout))
		})
	}
}

// The data of show hold every cell, with numbers that are those of the records.
func TestShowJSON(t *testing.T) {
	var shown []struct {
		Experiments []struct {
			Cells []struct {
				Trial, Validity, State string
				Metrics                []struct {
					Metric string
					Values []float64
				}
			}
		}
	}
	decode(t, &shown, "-C", measuredTwice(t), "show", "--json")
	var got []string
	for _, c := range shown[0].Experiments[0].Cells {
		for _, m := range c.Metrics {
			if m.Metric == "throughput" {
				got = append(got, fmt.Sprint(c.Trial, " ", c.Validity, " ", c.State, " ", m.Values))
			}
		}
	}
	const want = "sync ok fresh [1003 1007 994 1001 999], async ok fresh [1200 1210 1190 1205 1195], " +
		"slow ok fresh [120 121 119 122 118], broken invalid fresh [], sync again ok fresh [1006 1010 997 1004 1002]"
	if words := strings.Join(got, ", "); words != want {
		t.Errorf("cells are\n%s\nwant\n%s", words, want)
	}
}

// What --fail-on makes of the status.
func TestFailOn(t *testing.T) {
	project := measuredTwice(t)
	for _, tt := range []struct {
		condition string
		status    int
		stderr    string
	}{
		{"throughput < -5%", lab.StatusGate, `--fail-on "throughput < -5%" is met by servers#servers async`},
		{"throughput < -20%", 0, "--fail-on cannot be judged for servers#servers broken: throughput: B: failed: it ended " +
			"with status 1"},
		{"througput < -5%", 2, `no metric "througput" in what is compared: did you mean "throughput"?`},
		{"throughput < -5", 2, `--fail-on "throughput < -5": the change of throughput is a percentage: write throughput < -5%`},
	} {
		t.Run(tt.condition, func(t *testing.T) {
			status, _, stderr := benchbook(project, "compare", runBefore, runAfter, "--fail-on", tt.condition)
			if status != tt.status || !strings.Contains(stderr, tt.stderr) || tt.stderr == "" && len(stderr) > 0 {
				t.Errorf("status %d and %q, want %d and %q", status, stderr, tt.status, tt.stderr)
			}
		})
	}
}
