package render_test

import (
	"strings"
	"testing"

	"benchbook/render"
	"benchbook/render/rendertest"
	"benchbook/site/theme"
)

// Published numbers have a head, also those of metrics that only a program prints, and no more digits than are read.
func TestPublishedNumbers(t *testing.T) {
	b := rendertest.New(t, "steps", []byte("---\ntitle: Steps\n---\n\n```yaml experiment\nname: steps\n"+
		"matrix: {mode: [normal, threaded]}\ncommand: {image: \"debian:bookworm-slim\", run: \"steps ${{ matrix.mode }}\"}\n"+
		"metrics: [{name: duration, unit: s, from: stdout, regex: 'took (.*)'}]\n```\n\n```yaml published\nname: others\n"+
		"experiment: steps\nsource: Others\nrows:\n"+
		"  - {mode: normal, metric: duration, value: 0.01143600800060085, unit: s}\n"+
		"  - {mode: threaded, metric: duration, value: 2.5, unit: s}\n```\n"))
	r, err := render.New(theme.Files)
	if err != nil {
		t.Fatal(err)
	}
	page, err := r.Page(b.Dataset(), render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	html := string(page.HTML)
	for _, want := range []string{">Duration", ">0.011436\u00a0s", ">2.5\u00a0s"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}
