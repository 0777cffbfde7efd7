package render_test

import (
	"fmt"
	"regexp"
	"testing"

	"benchbook/internal/test/assert"
)

// Numbers in titles, headings and captions are values with tooltips, as in the prose, but plain text where a title is
// shown outside its page.
func TestValuesInTitles(t *testing.T) {
	const value = "`{value} throughput{server=\"b\"} / throughput{server=\"a\"} | round 1`"
	page := rendered(t, measured(t, "title: 'Title "+value+" *so*, [](#fig-f), [words](#fig-f)'\ndescription: 'Description "+value+
		", [held](claim:c)'\n", experiment+
		"## Heading "+value+" *so*\n\n### Below "+value+"\n\n"+
		"```yaml claim\nname: c\nexpect: throughput{server=\"a\"} > 1/s\n```\n\n"+
		"```yaml figure\nlabel: fig-f\nkind: dots\nx: throughput\ny: server\ntitle: Figure "+value+
		"\ncaption: Caption of a figure "+value+"\n```\n\n"+
		"```yaml table\nlabel: tbl-t\nrows: [server]\ncolumns: [throughput]\ntitle: Table "+value+
		"\ncaption: Caption of a table "+value+"\n```\n", three))
	html := string(page.HTML)
	for _, words := range []string{"Title", "Description", "Heading", "Below", "Figure", "Table", "Caption of a figure",
		"Caption of a table"} {
		assert.Contains(t, html, words+` <span class=m tabindex=0 aria-describedby=value-`)
	}
	ids := map[string]bool{}
	for _, id := range regexp.MustCompile(` id=([^ >]*)`).FindAllStringSubmatch(html, -1) {
		assert.Equal(t, ids[id[1]], false, "%s was there before", id[1])
		ids[id[1]] = true
	}
	assert.Contains(t, html, `>Heading 1.2 so</a>`) // in the contents
	assert.Equal(t, page.Title, "Title 1.2 so, Figure\u00a01, words", "the title")
	assert.Equal(t, page.Description, "Description 1.2, held", "the description")
	assert.Contains(t, fmt.Sprint(page.Sections), " Heading 1.2 so ", " Below 1.2 ", " Figure 1.2 ", " Table 1.2 ")
}
