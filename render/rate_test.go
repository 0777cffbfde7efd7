package render_test

import (
	"strings"
	"testing"

	"benchbook/notebook/record"
	"benchbook/render/rendertest"
)

// Among cells of an open loop that keep up a page names no best throughput.
func TestNoWinnerByRate(t *testing.T) {
	const ranked = "an open loop that keeps up has the throughput of its rate"
	rated := strings.Replace(experiment, "connections: 10}", "connections: 10, rate: 60/s}", 1)
	rated = strings.Replace(rated, "calibrate: false\n", "", 1)
	text := "---\ntitle: Sample\n---\n\n" + rated +
		"```yaml table\n{label: tbl-t, rows: [server], columns: [throughput]}\n```\n\n" +
		"```yaml figure\n{label: fig-f, kind: dots, x: throughput, y: server}\n```\n"
	page := func(due float64) string {
		b := rendertest.New(t, "sample", []byte(text))
		for trial, x := range map[string]float64{"a": 60.7, "b": 60.3, "again": 61} {
			b.Measure("full", "servers", trial, []float64{x, x, x}, func(r *record.Record) {
				n := r.Load.Completed
				if trial == "b" {
					n = int64(due * float64(n))
				}
				r.Load.Open = &record.OpenLoop{Rate: 60, Arrivals: "constant", Due: n, Sent: n}
			})
		}
		words, _ := readPage(t, b)
		return words
	}
	words := page(1)
	if !strings.Contains(words, ranked) {
		t.Errorf("the page does not say %q", ranked)
	}
	if words := page(1.5); strings.Contains(words, ranked) {
		t.Error("a cell that falls behind is not told from the other")
	}
}
