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

// The text states what was measured, by the sentence of a claim, and quotes the hypothesis where it does not hold.
// Topics and addresses of sections stay whatever the verdict is.
func TestSaid(t *testing.T) {
	const more = "{supported: 'B gets {effect} as many requests: {a} against {b}, after {repetitions}.', " +
		"contradicted: 'B gets *no* more: {effect}. The original found {published}.'}"
	for _, tt := range []struct {
		name, expect, says, class, sentence, title, fixed string
	}{
		{"supported", `throughput{server="b"} > throughput{server="a"}`, "{}", "is-supported",
			"Throughput was 20 % higher for b than for a [+15 to +25 %] as claimed",
			"Throughput was 20 % higher for b than for a", "B is faster as claimed"},
		{"contradicted", `throughput{server="b"} < throughput{server="a"}`, "{}", "is-contradicted",
			"Throughput was 20 % higher for b than for a [+15 to +25 %] not as claimed",
			"Throughput was 20 % higher for b than for a", "hypothesis: “B is faster” contradicted"},
		{"undecided", `ratio(throughput{server="b"}, throughput{server="a"}) > 1.2`, "{}", "is-inconclusive",
			"Undecided after 3 repetitions: throughput was 20 % higher for b than for a [+15 to +25 %], and the limit " +
				"is +20 % undecided",
			"Undecided after 3 repetitions: throughput was 20 % higher for b than for a [+15 to +25 %], and the limit is +20 %",
			"hypothesis: “B is faster” inconclusive"},
		{"not measured", `throughput{server="c"} > throughput{server="a"}`, "{}", "is-none",
			"Not measured: throughput, c: not measured not measured", "Not measured: throughput, c: not measured",
			"hypothesis: “B is faster” not measured"},
		{"supported, in words of the author", `throughput{server="b"} > throughput{server="a"}`, more, "is-supported",
			"B gets 1.20 times as many requests [1.15 to 1.25 times]: b against a, after 3 as claimed",
			"B gets 1.20 times as many requests: b against a, after 3", "B is faster as claimed"},
		{"contradicted, in words of the author", `throughput{server="b"} < throughput{server="a"}`, more, "is-contradicted",
			"B gets no more: 20 % more [+15 to +25 %]. The original found −17 % not as claimed",
			"B gets no more: 20 % more. The original found −17 %", "hypothesis: “B is faster” contradicted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := rendertest.New(t, "sample", []byte("---\ntitle: Sample\n---\n\n"+strings.Replace(experiment, "[a, b]",
				"[a, b, c]", 1)+
				"## How fast: [](claim:stated)\n\nSee [above](#how-fast).\n\n"+
				"- [](claim:stated) More.\n- Here: [](claim:stated), more.\n- [B is faster](claim:stated), as it seems.\n"+
				"- [B gets `{value} throughput{server=\"b\"}`](claim:stated)\n\n"+
				"```yaml claim\n- name: stated\n  published: 0.83\n  says: "+tt.says+"\n  expect: '"+tt.expect+"'\n```\n\n"+
				"```yaml figure\n{label: fig-f, kind: dots, x: throughput, y: server, title: claim:stated, "+
				"caption: claim:stated}\n```\n\n"+
				"```yaml table\n{label: tbl-t, rows: [server], columns: [throughput], title: claim:stated}\n```\n"))
			b.Measure("full", "servers", "a", []float64{500, 490, 510})
			b.Measure("full", "servers", "b", []float64{600, 590, 610})
			page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
			html := string(page.HTML)
			var items []string
			for _, m := range regexp.MustCompile(`(?s)<li>([^\n]*)`).FindAllStringSubmatch(html, -1) {
				if strings.Contains(m[1], `class="said `) {
					items = append(items, m[1])
				}
			}
			if len(items) != 4 {
				t.Fatalf("found %q", items)
			}
			for i, want := range []string{tt.sentence + ". More.", "Here: " + tt.sentence + ", more.",
				tt.fixed + ", as it seems."} {
				assert.Equal(t, wordsOf(items[i]), want, "item %d", i)
				if !strings.Contains(items[i], `<a href=#claim-stated class="said `+tt.class) {
					t.Errorf("item %d is %s", i, items[i])
				}
			}
			if !strings.Contains(items[3], `<span class="said `+tt.class) || !strings.Contains(items[3], `<a class=nb href`) {
				t.Errorf("links stand in a link: %s", items[3])
			}
			for what, want := range map[string]string{
				"heading": `<h2 id=how-fast><span class=kicker>How fast</span>` + tt.title + `</h2>`,
				"link":    `<a href=#how-fast>above</a>`, "contents": `<a href=#how-fast>How fast</a>`,
			} {
				if !strings.Contains(strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(html), want) {
					t.Errorf("no %s %s", what, want)
				}
			}
			plain := strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(html)
			if n := strings.Count(plain, tt.title); n < 4 { // heading, titles of figure, drawing and table
				t.Errorf("the title is there %d times", n)
			}
			if strings.Contains(html, "The title states a claim") {
				t.Error("a title that is a sentence of the outcome is said to state the claim")
			}
		})
	}
}
