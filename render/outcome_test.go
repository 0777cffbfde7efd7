package render_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/render"
	"benchbook/render/rendertest"
)

const outcomes = `## Before

See [](#fig-f), [](#tbl-t), [what was found](#b-wins) and the note.[^before]

::: when stated supported
## B wins

[It does](claim:stated), as [](#fig-f) shows.[^wins] B answers ` + "`{value} throughput{server=\"b\"}`" + ` requests.

` + "```yaml figure\n{label: fig-f, kind: dots, x: throughput, y: server, title: A and B}\n```" + `
:::
::: when stated contradicted
## B loses

It does not.[^loses] <em>

` + "```yaml table\n{label: tbl-t, rows: [server], columns: [throughput], title: B and A}\n```" + `
:::
::: when stated inconclusive
Nobody knows.

:::: when ` + "`throughput{server=\"a\"} > 100/s`" + `
Yet A is quick, as [](#tbl-u) shows.

` + "```yaml table\n{label: tbl-u, rows: [server], columns: [throughput]}\n```" + `
::::
:::
::: when stated else
There is nothing to say.
:::

## After

The end.

::: when stated supported or inconclusive or not measured
Not slower.
:::
::: when stated contradicted
:::

[^before]: One.
[^wins]: Two.
[^loses]: Three.
`

// With every verdict a page says what its author wrote for it, and nothing of the rest.
func TestOutcomes(t *testing.T) {
	all := []string{"supported", "contradicted", "inconclusive", "not measured"}
	headings := map[string][]string{"supported": {"Before", "B wins", "After"},
		"contradicted": {"Before", "B loses", "After"}, "inconclusive": {"Before", "After"},
		"not measured": {"Before", "After"}}
	drawing := regexp.MustCompile(`(?s)<svg .*?</svg>`)
	for i, expect := range []string{
		`throughput{server="b"} > throughput{server="a"}`,
		`throughput{server="b"} < throughput{server="a"}`,
		`ratio(throughput{server="b"}, throughput{server="a"}) > 1.2`,
		`throughput{server="c"} > throughput{server="a"}`,
	} {
		t.Run(all[i], func(t *testing.T) {
			b := rendertest.New(t, "sample", []byte("---\ntitle: Sample\n---\n\n"+strings.Replace(experiment, "[a, b]",
				"[a, b, c]", 1)+"```yaml claim\n{name: stated, text: B is faster., expect: '"+expect+"'}\n```\n\n"+outcomes))
			b.Measure("full", "servers", "a", []float64{500, 490, 510})
			b.Measure("full", "servers", "b", []float64{600, 590, 610})
			page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
			rendertest.Harmless(t, string(page.HTML))
			html := drawing.ReplaceAllString(string(page.HTML), "<svg/>")
			_, flow, _ := strings.Cut(html, `<h2 id=before>`)
			flow, _, _ = strings.Cut(flow, `id=method`)
			golden(t, filepath.Join("testdata", "outcome_"+strings.ReplaceAll(all[i], " ", "_")+".html"), []byte(flow))

			var found []string
			for _, s := range page.Sections[1:] {
				found = append(found, s.Title)
			}
			assert.Slice(t, found, append(headings[all[i]], "Run it yourself", "Claims and method"),
				"a search finds the sections")
			contents, _, _ := strings.Cut(html, "<article")
			for words, mark := range map[string]string{"B wins": "B wins</h2>", "B loses": "B loses</h2>"} {
				if shown := strings.Contains(flow, mark); shown != strings.Contains(contents, words) {
					t.Errorf("%q is shown: %t, but the contents have it: %t", words, shown, !shown)
				}
			}
			for _, to := range regexp.MustCompile(`href=#([^ >]*)`).FindAllStringSubmatch(html, -1) {
				if n := strings.Count(html, `id=`+to[1]+` `) + strings.Count(html, `id=`+to[1]+`>`); n != 1 {
					t.Errorf("there are %d of #%s", n, to[1])
				}
			}
		})
	}
}
