package render_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// A heading that states a finding has its verdict, and leads to the claim.
func TestFindingsInHeadings(t *testing.T) {
	for _, tt := range []struct{ expect, verdict, class string }{
		{`throughput{server="b"} > throughput{server="a"}`, "supported", "is-supported"},
		{`throughput{server="b"} < throughput{server="a"}`, "contradicted", "is-contradicted"},
		{`ratio(throughput{server="b"}, throughput{server="a"}) > 1.2`, "inconclusive", "is-inconclusive"},
		{`throughput{server="c"} > throughput{server="a"}`, "not measured", "is-none"},
	} {
		t.Run(tt.verdict, func(t *testing.T) {
			b := rendertest.New(t, "sample", []byte("---\ntitle: Sample\n---\n\n"+strings.Replace(experiment, "[a, b]",
				"[a, b, c]", 1)+
				"## [B is faster](claim:stated)\n\n```yaml claim\n- name: stated\n  expect: '"+tt.expect+"'\n```\n\n"))
			b.Measure("full", "servers", "a", []float64{500, 490, 510})
			b.Measure("full", "servers", "b", []float64{600, 590, 610})
			page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
			html := string(page.HTML)
			heading := regexp.MustCompile(`(?s)<h2 id=([^ >]*)>(<a href=#claim-stated .*?)</h2>`).FindStringSubmatch(html)
			words, class := "hypothesis: “B is faster” "+tt.verdict, tt.class+" hypothesis"
			if tt.verdict == "supported" {
				words, class = "B is faster as claimed", tt.class
			}
			if heading == nil || !strings.Contains(heading[2], `class="said `+class+`"`) || wordsOf(heading[2]) != words {
				t.Fatalf("the heading is %q, want the verdict %s in it", heading, tt.verdict)
			}
			if want := `<a href=#` + heading[1] + `>B is faster</a>`; !strings.Contains(html, want) {
				t.Errorf("the contents have no %s", want)
			}
		})
	}
}

// Numbers in titles, headings and captions are values as those of the prose are, and words alone wherever a title
// stands without its page.
func TestValuesInTitles(t *testing.T) {
	const value = "`{value} throughput{server=\"b\"} / throughput{server=\"a\"} | round 1`"
	b := rendertest.New(t, "sample", []byte("---\ntitle: 'Title "+value+" *so*'\ndescription: 'Description "+value+
		"'\n---\n\n"+experiment+
		"## Heading "+value+" *so*\n\n### Below "+value+"\n\n"+
		"```yaml figure\nlabel: fig-f\nkind: dots\nx: throughput\ny: server\ntitle: Figure "+value+
		"\ncaption: Caption of a figure "+value+"\n```\n\n"+
		"```yaml table\nlabel: tbl-t\nrows: [server]\ncolumns: [throughput]\ntitle: Table "+value+
		"\ncaption: Caption of a table "+value+"\n```\n"))
	b.Measure("full", "servers", "a", []float64{500, 490, 510})
	b.Measure("full", "servers", "b", []float64{600, 590, 610})
	page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
	html := string(page.HTML)
	for _, words := range []string{"Title", "Description", "Heading", "Below", "Figure", "Table", "Caption of a figure",
		"Caption of a table"} {
		if want := words + ` <span class=m tabindex=0 aria-describedby=value-`; !strings.Contains(html, want) {
			t.Errorf("no %s", want)
		}
	}
	ids := map[string]bool{}
	for _, id := range regexp.MustCompile(` id=([^ >]*)`).FindAllStringSubmatch(html, -1) {
		if ids[id[1]] {
			t.Errorf("%s is there twice", id[1])
		}
		ids[id[1]] = true
	}
	for _, words := range []string{"Heading 1.2 so"} {
		if n := strings.Count(html, `>`+words+"</a>"); n == 0 {
			t.Errorf("the contents have no %q", words)
		}
	}
	if page.Title != "Title 1.2 so" || page.Description != "Description 1.2" {
		t.Errorf("the page is %q, %q", page.Title, page.Description)
	}
	found := fmt.Sprint(page.Sections)
	assert.Contains(t, found, " Heading 1.2 so ", " Below 1.2 ", " Figure 1.2 ", " Table 1.2 ")
}
