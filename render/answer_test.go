package render_test

import (
	"regexp"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
)

// blocks of articles about servers a and b.
const (
	figureOfA   = "```yaml figure\n{label: fig-a, kind: dots, x: latency.p50, y: server}\n```\n\n"
	figureOfB   = "```yaml figure\n{label: fig-b, kind: dots, x: throughput, y: server}\n```\n\n"
	headlineOfB = "```yaml claim\n{name: c, headline: true, " +
		"expect: 'throughput{server=\"b\"} > throughput{server=\"a\"}'}\n```\n\n"
)

// The figure at the top is the one that its author chose if it has results, else one that shows what the first headline
// claim with results is about.
// It stands there alone, and is the first of the figures.
func TestHeadlineFigure(t *testing.T) {
	const figureOfC = "```yaml figure\n{label: fig-c, headline: true, kind: dots, x: latency.p50, y: server, where: 'server == \"c\"'}\n```\n\n"
	headlineOfC := strings.NewReplacer("name: c", "name: d", `"b"`, `"c"`).Replace(headlineOfB)
	withC := strings.Replace(experiment, "[a, b]", "[a, b, c]", 1)
	chosen := strings.Replace(figureOfA, "kind", "headline: true, kind", 1)
	for _, tt := range []struct{ name, blocks, want string }{
		{"chosen", headlineOfB + figureOfB + chosen, "fig-a"},
		{"chosen without a headline claim", figureOfB + chosen, "fig-a"},
		{"of the claim's metric", headlineOfB + figureOfA + figureOfB, "fig-b"},
		{"without a headline claim", figureOfA + figureOfB, ""},
		{"of another metric", headlineOfB + figureOfA, ""},
		{"chosen, of what was not measured", headlineOfC + headlineOfB + figureOfA + figureOfB + figureOfC, "fig-b"},
		{"in a part that does not apply", headlineOfB + figureOfB + "::: when c contradicted\n\n" + chosen +
			":::\n\n::: when c else\n\nNo.\n\n:::\n", "fig-b"},
	} {
		html := narrow.Replace(string(rendered(t, measured(t, "", withC+tt.blocks, three)).HTML))
		top, story, _ := strings.Cut(html, `id=story`)
		got := ""
		if m := regexp.MustCompile(`<figure class=fig id=([^ >]*)`).FindStringSubmatch(top); m != nil {
			got = m[1]
		}
		assert.Equal(t, got, tt.want, "%s: the figure at the top", tt.name)
		if tt.want != "" {
			assert.Lacks(t, story, `<figure class=fig id=`+tt.want+`>`)
			assert.Contains(t, top, `href=#`+tt.want+` tabindex=-1>Figure 1<`)
		}
	}
}

// The claims of the original have a table, whose title counts their verdicts, and determine the standing. Other
// headline claims have another table.
func TestOriginalAndAsked(t *testing.T) {
	const front = "finding: '[B is quicker](claim:theirs)'\ncaution: [One machine]\n" +
		"reproduces: {title: A work, year: 2020, url: 'https://example.org/work'}\n" +
		"related: [{title: A rerun, author: B. Writer, url: 'https://example.org/rerun'}]\n"
	const body = "::: answer\nB answers `{value} throughput{server=\"b\"} | round 0`.\n:::\n\n" + experiment + "```yaml claim\n" +
		"- {name: theirs, headline: true, quote: {text: B is faster., section: Abstract}, derived: read off a chart,\n" +
		"   published: 1.1, expect: 'throughput{server=\"b\"} > throughput{server=\"a\"}'}\n" +
		"- {name: slower, published: 0.9, expect: 'throughput{server=\"b\"} < throughput{server=\"a\"}'}\n" +
		"- {name: far, published: 1.3, expect: 'ratio(throughput{server=\"b\"}, throughput{server=\"a\"}) > 1.2'}\n" +
		"- {name: ours, headline: true, expect: 'throughput{server=\"b\"} < throughput{server=\"a\"}'}\n```\n\n"
	page := rendered(t, measured(t, front, body, three))
	top, _, _ := strings.Cut(string(page.HTML), `id=story`)
	_, original, _ := strings.Cut(string(page.HTML), `id=original`)
	original, asked, _ := strings.Cut(original, `id=asked`)
	asked, _, _ = strings.Cut(asked, `id=run`)
	assert.Contains(t, top, `class=answer-text><p>B answers `, "of the original supported", `href=https://example.org/work`,
		`Others on this: <a href=https://example.org/rerun`, "One machine")
	assert.Contains(t, narrow.Replace(original), "B is faster. <small>Abstract</small>", `<span class=derived>†<small>read off a chart</small></span>`,
		">1 of 3 statements holds here, 1 does not, 1 is undecided<")
	assert.Contains(t, asked, `href=#claim-ours`)
	assert.Lacks(t, original, "#claim-ours")
	assert.Lacks(t, asked, "#claim-theirs")
	assert.Equal(t, [2]string{page.Finding, page.Standing.Word}, [2]string{"B is quicker", "Reproduced, 1 of 1"})
	assert.Lacks(t, top, ">1.1 times<") // a derived number
}

// The numbers on a card are of the claim that its sentence states first, not of the first headline.
func TestPublishedOfCard(t *testing.T) {
	const claims = "```yaml claim\n" +
		"- {name: first, headline: true, published: 1.1, expect: 'throughput{server=\"b\"} > throughput{server=\"a\"}'}\n" +
		"- {name: second, headline: true, published: 0.5, expect: 'throughput{server=\"a\"} < throughput{server=\"b\"}'}\n" +
		"- {name: other, headline: true, expect: 'throughput{server=\"a\"} < 900/s'}\n```\n\n"
	for finding, published := range map[string]string{
		"":                              "+10 %",
		"finding: '[](claim:second)'\n": "−50 %",
		"finding: '[](claim:second) [](claim:first)'\n": "−50 %",
		"finding: '[A is slow](claim:other)'\n":         "",
		"finding: B it is.\n":                           "",
	} {
		got := ""
		if beside := rendered(t, measured(t, finding, experiment+claims, three)).Beside; beside != nil {
			got = narrow.Replace(beside.Published)
		}
		assert.Equal(t, got, published, "the published number, with %q", finding)
	}
}
