package render_test

import (
	"strings"
	"testing"
	"time"

	"benchbook/notebook/record"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// Parameters that divide a figure into parts, or a table into groups, are columns of their data like all others, and
// the run is the one that the provenance names.
func TestPartsInDataFiles(t *testing.T) {
	const text = "---\ntitle: Parts\n---\n\n```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n\n" +
		"```yaml experiment\nname: servers\n" +
		"services: {server: {build: ., expose: [\"8080\"]}}\n" +
		"matrix: {server: [a, b], workers: [\"1\", \"2\"], run: [cold]}\n" +
		"load: {target: \"http://server:8080/\", connections: 10}\nrepetitions: 3\ncalibrate: false\n```\n\n"
	tests := []struct{ block, kind, head, want string }{
		{"table", "rows: [server, run], columns: [throughput]", "experiment,server,matrix.run,workers,metric,",
			"servers,a,cold,2,throughput,"},
	}
	for _, tt := range tests {
		label := map[string]string{"table": "tbl-x", "figure": "fig-x"}[tt.block]
		b := rendertest.New(t, "parts", []byte(text+"```yaml "+tt.block+"\n{label: "+label+", "+tt.kind+"}\n```\n"))
		b.MeasureAll()
		page, err := newRenderer(t).Page(b.Dataset(), render.Options{})
		if err != nil {
			t.Fatal(err)
		}
		data := string(fileOf(t, page, "data/"+label+".csv"))
		if !strings.HasPrefix(data, tt.head) || !strings.Contains(data, "\n"+tt.want) {
			t.Errorf("%s: the data are %.300s; want %s and %s", tt.kind, data, tt.head, tt.want)
		}
	}
}

// The run of older records, in which each experiment was a run of its own, is the one that the provenance names.
func TestRunInDataFiles(t *testing.T) {
	text := "---\ntitle: Two experiments\n---\n\n```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n"
	for _, name := range []string{"one", "two"} {
		text += "\n```yaml experiment\nname: " + name +
			"\nservices: {server: {build: ., expose: [\"8080\"]}}\nmatrix: {server: [a, b]}\n" +
			"load: {target: \"http://server:8080/\", connections: 10}\nrepetitions: 3\ncalibrate: false\n```\n"
	}
	b := rendertest.New(t, "runs", []byte(text+
		"\n```yaml table\n{label: tbl-x, experiment: one, rows: [server], columns: [throughput]}\n```\n"))
	for i, name := range []string{"one", "two"} {
		run := []string{"20261120T100000Z-aaaa", "20261120T103000Z-bbbb"}[i]
		for _, server := range []string{"a", "b"} {
			b.Measure("full", name, server, []float64{500, 510, 490}, func(r *record.Record) {
				r.Run = run
				r.Started, r.Ended = r.Started.Add(time.Duration(i)*30*time.Minute), r.Ended.Add(time.Duration(i)*30*time.Minute)
			})
		}
	}
	page, err := newRenderer(t).Page(b.Dataset(), render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const run = "20261120T103000Z-bbbb"
	data := string(fileOf(t, page, "data/tbl-x.csv"))
	if !strings.Contains(string(page.HTML), "run\u00a0"+run) || strings.Count(data, ","+run+",") != 2 {
		t.Errorf("the page names run %s: %t; the data are %s", run, strings.Contains(string(page.HTML), "run\u00a0"+run),
			data)
	}
}
