package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/golden"
	"benchbook/internal/test/must"
	"benchbook/lab"
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
		{"compare.txt", 0, []string{"compare", runBefore, runAfter, "--fail-on", "throughput < -20%"}},
		{"compare-fails.md", lab.StatusGate, []string{"compare", runBefore, runAfter, "servers#servers", "--format", "md", "--metric",
			"throughput,failed", "--fail-on", "throughput < -5%"}},
		{"compare.csv", 0, []string{"compare", runBefore, runAfter, "--format", "csv", "--metric", "throughput"}},
		{"compare.json", 0, []string{"compare", runBefore, runAfter, "--json", "--metric", "throughput"}},
		{"show.txt", 0, []string{"show", "servers", "--run", runAfter}},
		{"show.csv", 0, []string{"show", "servers", "--run", runAfter, "--format", "csv"}},
		{"show-trial.txt", 0, []string{"show", "servers", "--run", runAfter, "--trial", "broken"}},
		{"show-repetition.txt", 0, []string{"show", "servers", "--run", runBefore, "--trial", "async", "--repetition", "2"}},
	} {
		t.Run(tt.golden, func(t *testing.T) {
			status, stdout, stderr := benchbook(project, tt.args...)
			if status != tt.status {
				t.Fatalf("status %d, want %d: %s", status, tt.status, stderr)
			}
			golden.Equal(t, "testdata/"+tt.golden, stdout)
		})
	}
}
