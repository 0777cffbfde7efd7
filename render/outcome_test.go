package render_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/golden"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// A page shows the parts that its author wrote for the verdict, and no others.
func TestOutcomes(t *testing.T) {
	drawing, link := regexp.MustCompile(`(?s)<svg .*?</svg>`), regexp.MustCompile(`href=#([^ >]*)`)
	for _, tt := range []struct {
		verdict, expect string
		headings        []string
	}{
		{"supported", `throughput{server="b"} > throughput{server="a"}`, []string{"Before", "B wins", "After"}},
		{"contradicted", `throughput{server="b"} < throughput{server="a"}`, []string{"Before", "B loses", "After"}},
		{"inconclusive", `ratio(throughput{server="b"}, throughput{server="a"}) > 1.2`, []string{"Before", "After"}},
		{"not measured", `throughput{server="c"} > throughput{server="a"}`, []string{"Before", "After"}},
	} {
		t.Run(tt.verdict, func(t *testing.T) {
			page := rendered(t, measured(t, "", strings.Replace(experiment, "[a, b]", "[a, b, c]", 1)+
				"```yaml claim\n{name: stated, text: B is faster., expect: '"+tt.expect+"'}\n```\n\n"+textOf("outcomes.md"), three))
			rendertest.Harmless(t, string(page.HTML))
			html := drawing.ReplaceAllString(string(page.HTML), "<svg/>")
			contents, flow, _ := strings.Cut(html, `<h2 id=before>`)
			flow, _, _ = strings.Cut(flow, `id=method`)
			golden.Equal(t, filepath.Join("testdata", "outcome_"+strings.ReplaceAll(tt.verdict, " ", "_")+".html"), flow)

			found := slice.Map(page.Sections[1:], func(s render.Section) string { return s.Title })
			for _, heading := range []string{"Before", "B wins", "B loses", "After"} {
				assert.Equal(t, strings.Contains(contents, ">"+heading+"</a>"), slices.Contains(found, heading), "%s in the contents", heading)
			}
			assert.Slice(t, found, append(tt.headings, "Run it yourself", "Claims and method"), "a search finds the sections")
			for _, to := range link.FindAllStringSubmatch(html, -1) {
				assert.Equal(t, strings.Count(html, `id=`+to[1]+` `)+strings.Count(html, `id=`+to[1]+`>`), 1,
					"how often there is #%s", to[1])
			}
		})
	}
}
