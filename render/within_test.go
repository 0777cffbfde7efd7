package render_test

import (
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// Of a single run percentiles have an interval within it, which is never shown without saying so, and not in claims.
func TestWithinOneRun(t *testing.T) {
	b := rendertest.New(t, "one", []byte("---\ntitle: One run\n---\n\n"+experiment+
		"It took `{value} latency.p99{server=\"a\"} | interval`.\n\n"+
		"```yaml claim\n{name: c, expect: 'latency.p99{server=\"a\"} < 10s'}\n```\n\n"+
		"```yaml table\n{label: tbl-one, rows: [server], columns: [latency.p99, throughput]}\n```\n\n"+
		"```yaml figure\n{label: fig-one, kind: dots, x: latency.p99, y: [server]}\n```\n"))
	b.Measure("full", "servers", "a", []float64{500})
	page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
	words := wordsOf(string(page.HTML))
	assert.Contains(t, words, "It took 50.0 ms (1 run; within the run 50.0 to 50.0 ms)",
		"95 % interval within one run, as if its requests were independent; the variation between runs is unknown.",
		"One run, no interval except within the run for percentiles",
		"within one run: 50.0–50.0",
		"Line of a single run: 95 % interval within the run",
		"50 ms (1 run) latency p99, a; claimed less than 10 s There is 1 valid repetition of a, and a verdict needs 3.")
	for _, f := range page.Files {
		if strings.HasSuffix(f.Path, ".csv") && f.Path != "data/claims.csv" && // claims need more runs
			!strings.Contains(string(f.Data), ",within one run,") {
			t.Errorf("%s does not say within what its interval is", f.Path)
		}
	}
	if t.Failed() {
		t.Log(words)
	}
}
