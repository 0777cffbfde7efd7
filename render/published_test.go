package render_test

import (
	"testing"

	"benchbook/internal/test/must"
	"benchbook/render"
	"benchbook/render/rendertest"
	"benchbook/site/theme"
)

// Published numbers are in a file, in base units.
func TestPublishedNumbers(t *testing.T) {
	b := rendertest.New(t, "steps", []byte("---\ntitle: Steps\n---\n\n```yaml experiment\nname: steps\n"+
		"matrix: {mode: [normal, threaded]}\ncommand: {image: \"debian:bookworm-slim\", run: \"steps ${{ matrix.mode }}\"}\n"+
		"metrics: [{name: duration, unit: s, from: stdout, regex: 'took (.*)'}]\n```\n\n```yaml published\nname: others\n"+
		"experiment: steps\nsource: Others\nrows:\n"+
		"  - {mode: normal, metric: duration, value: 0.01143600800060085, unit: s}\n"+
		"  - {mode: threaded, metric: duration, value: 2.5, unit: s}\n```\n"))
	r := must.Get(render.New(theme.Files))
	page := must.Get(r.Page(b.Dataset(), render.Options{}))
	for _, f := range page.Files {
		if f.Path == "data/published-1.csv" {
			if want := "mode,duration\nnormal,0.01143600800060085\nthreaded,2.5\n"; string(f.Data) != want {
				t.Errorf("got %q, want %q", f.Data, want)
			}
			return
		}
	}
	t.Error("published numbers are in no file")
}
