package render_test

import (
	"strings"
	"testing"

	"benchbook/internal/test/must"
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
	for _, tt := range []struct{ block, kind, head, want string }{
		{"table", "rows: [server, run], columns: [throughput]", "experiment,server,matrix.run,workers,metric,",
			"servers,a,cold,2,throughput,"},
	} {
		label := map[string]string{"table": "tbl-x", "figure": "fig-x"}[tt.block]
		b := rendertest.New(t, "parts", []byte(text+"```yaml "+tt.block+"\n{label: "+label+", "+tt.kind+"}\n```\n"))
		b.MeasureAll()
		page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
		data := string(fileOf(t, page, "data/"+label+".csv"))
		if !strings.HasPrefix(data, tt.head) || !strings.Contains(data, "\n"+tt.want) {
			t.Errorf("%s: the data are %.300s; want %s and %s", tt.kind, data, tt.head, tt.want)
		}
	}
}
