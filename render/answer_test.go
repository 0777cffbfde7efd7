package render_test

import (
	"regexp"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// blocks of articles about servers a and b.
const (
	figureOfA   = "```yaml figure\n{label: fig-a, kind: dots, x: latency.p50, y: server}\n```\n\n"
	figureOfB   = "```yaml figure\n{label: fig-b, kind: dots, x: throughput, y: server}\n```\n\n"
	headlineOfB = "```yaml claim\n{name: c, headline: true, " +
		"expect: 'throughput{server=\"b\"} > throughput{server=\"a\"}'}\n```\n\n"
	publishedOfB = "```yaml published\nname: p\nsource: A book\n" +
		"rows: [{server: a, throughput: 100/s}, {server: b, throughput: 110/s}]\n```\n\n"
)

func pageOfServers(t *testing.T, blocks string, o render.Options) *render.Page {
	t.Helper()
	b := rendertest.New(t, "sample", []byte("---\ntitle: Sample\n---\n\n"+experiment+blocks))
	b.Measure("full", "servers", "a", []float64{500, 490, 510})
	b.Measure("full", "servers", "b", []float64{600, 590, 610})
	return must.Get(newRenderer(t).Page(b.Dataset(), o))
}

// The figure at the top is the one that its author chose, else one that shows what the first headline claim is about.
// It stands there alone, and is the first of the figures.
func TestHeadlineFigure(t *testing.T) {
	chosen := strings.Replace(figureOfA, "kind", "headline: true, kind", 1)
	for _, tt := range []struct{ name, blocks, want string }{
		{"chosen", headlineOfB + figureOfB + chosen, "fig-a"},
		{"chosen without a headline claim", figureOfB + chosen, "fig-a"},
		{"of the claim's metric", headlineOfB + figureOfA + figureOfB, "fig-b"},
		{"without a headline claim", figureOfA + figureOfB, ""},
		{"of another metric", headlineOfB + figureOfA, ""},
		{"in a part that does not apply",
			headlineOfB + figureOfB + "::: when c contradicted\n\n" + chosen +
				":::\n\n::: when c else\n\nNo.\n\n:::\n", "fig-b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			html := string(pageOfServers(t, tt.blocks, render.Options{}).HTML)
			top, story, _ := strings.Cut(html, `id=story`)
			got := ""
			if m := regexp.MustCompile(`<figure class=fig id=([^ >]*)`).FindStringSubmatch(top); m != nil {
				got = m[1]
			}
			assert.Equal(t, got, tt.want, "the figure at the top")
			if tt.want != "" && strings.Contains(story, `<figure class=fig id=`+tt.want+`>`) {
				t.Error("it stands in the story as well")
			}
			if tt.want != "" && !strings.Contains(top, `href=#`+tt.want+` tabindex=-1>Figure 1<`) {
				t.Error("it is not the first of the figures")
			}
		})
	}
}

// What was published is counted by what became of it.
func TestOriginalTitle(t *testing.T) {
	const claims = "```yaml claim\n" +
		"- {name: c1, published: 1.1, expect: 'throughput{server=\"b\"} > throughput{server=\"a\"}'}\n" +
		"- {name: c2, published: 0.9, expect: 'throughput{server=\"b\"} < throughput{server=\"a\"}'}\n" +
		"- {name: c3, published: 1.3, expect: 'ratio(throughput{server=\"b\"}, throughput{server=\"a\"}) > 1.2'}\n```\n\n"
	for _, tt := range []struct{ name, blocks, want string }{
		{"one of each", claims, "1 of 3 statements holds here, 1 does not, 1 is undecided"},
		{"two that do not hold", claims +
			strings.Replace(strings.Replace(headlineOfB, "name: c", "name: d, published: 0.8", 1),
				"\"} > ", "\"} < ", 1), "1 of 4 statements holds here, 2 do not, 1 is undecided"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			html := string(pageOfServers(t, tt.blocks, render.Options{}).HTML)
			m := regexp.MustCompile(`id=tbl-original-t>([^<]*)<`).FindStringSubmatch(html)
			if m == nil || strings.ReplaceAll(m[1], "\u00a0", " ") != tt.want {
				t.Errorf("the title is %q, want %q", m, tt.want)
			}
		})
	}
}

// The claims of the original have a table and count for the standing; other headline claims have another table.
func TestOriginalAndAsked(t *testing.T) {
	const front = "---\ntitle: Sample\nfinding: '[B is quicker](claim:theirs)'\ncaution: [One machine]\n" +
		"reproduces: {title: A work, year: 2020, url: 'https://example.org/work'}\n" +
		"related: [{title: A rerun, author: B. Writer, url: 'https://example.org/rerun'}]\n---\n\n" +
		"::: answer\nB answers `{value} throughput{server=\"b\"} | round 0`.\n:::\n\n"
	const claims = "```yaml claim\n" +
		"- {name: theirs, headline: true, quote: B is faster., derived: read off a chart,\n" +
		"   published: 1.1, expect: 'throughput{server=\"b\"} > throughput{server=\"a\"}'}\n" +
		"- {name: ours, headline: true, expect: 'throughput{server=\"b\"} < throughput{server=\"a\"}'}\n```\n\n"
	b := rendertest.New(t, "sample", []byte(front+experiment+claims))
	b.Measure("full", "servers", "a", []float64{500, 490, 510})
	b.Measure("full", "servers", "b", []float64{600, 590, 610})
	page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
	html := string(page.HTML)
	top, _, _ := strings.Cut(html, `id=story`)
	_, original, _ := strings.Cut(html, `id=original`)
	original, asked, _ := strings.Cut(original, `id=asked`)
	asked, _, _ = strings.Cut(asked, `id=run`)
	for _, tt := range []struct{ part, text, want string }{
		{"answer", top, `class=answer-text><p>B answers `},
		{"answer", top, "of the original supported"},
		{"answer", top, `href=https://example.org/work`},
		{"answer", top, `Others on this: <a href=https://example.org/rerun`},
		{"answer", top, "One machine"},
		{"original", original, "B is faster."},
		{"original", original, `<span class=derived>†<small>read off a chart</small></span>`},
		{"asked", asked, `href=#claim-ours`},
	} {
		if !strings.Contains(tt.text, tt.want) {
			t.Errorf("%s has no %q:\n%s", tt.part, tt.want, tt.text)
		}
	}
	if strings.Contains(original, "#claim-ours") || strings.Contains(asked, "#claim-theirs") {
		t.Error("a claim is in the table of the others")
	}
	if page.Finding != "B is quicker" || page.Standing.Word != "Reproduced, 1 of 1" {
		t.Errorf("finding %q, standing %q", page.Finding, page.Standing.Word)
	}
	if strings.Contains(top, ">1.1 times<") {
		t.Error("a derived number stands in the answer")
	}
}

// The numbers on a card are of the claim that its sentence states first, not of the first headline.
func TestBeside(t *testing.T) {
	const claims = "```yaml claim\n" +
		"- {name: first, headline: true, published: 1.1, expect: 'throughput{server=\"b\"} > throughput{server=\"a\"}'}\n" +
		"- {name: second, headline: true, published: 0.5, expect: 'throughput{server=\"a\"} < throughput{server=\"b\"}'}\n" +
		"- {name: other, headline: true, expect: 'throughput{server=\"a\"} < 900/s'}\n```\n\n"
	for _, tt := range []struct{ name, finding, published string }{
		{"without a finding", "", "+10 %"},
		{"of another claim", "finding: '[](claim:second)'\n", "−50 %"},
		{"of two claims", "finding: '[](claim:second) [](claim:first)'\n", "−50 %"},
		{"of a claim without a published number", "finding: '[A is slow](claim:other)'\n", ""},
		{"of none", "finding: B it is.\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := rendertest.New(t, "sample", []byte("---\ntitle: Sample\n"+tt.finding+"---\n\n"+experiment+claims))
			b.Measure("full", "servers", "a", []float64{500, 490, 510})
			b.Measure("full", "servers", "b", []float64{600, 590, 610})
			page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
			got := ""
			if page.Beside != nil {
				got = strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(page.Beside.Published)
			}
			assert.Equal(t, got, tt.published, "the published number")
		})
	}
}
