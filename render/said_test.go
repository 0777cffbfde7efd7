package render_test

import (
	"regexp"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
)

// The text states what was measured with the sentence of a claim, and quotes a hypothesis that does not hold. Topics
// and ids of sections don't depend on the verdict.
func TestClaimSentence(t *testing.T) {
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
			page := rendered(t, measured(t, "", strings.Replace(experiment, "[a, b]", "[a, b, c]", 1)+
				"## How fast: [](claim:stated)\n\nSee [above](#how-fast).\n\n## Here [B is faster](claim:stated)\n\n"+
				"- [](claim:stated) More.\n- Here: [](claim:stated), more.\n- [B is faster](claim:stated), as it seems.\n"+
				"- [B gets `{value} throughput{server=\"b\"}`](claim:stated)\n\n"+
				"```yaml claim\n- name: stated\n  published: 0.83\n  says: "+tt.says+"\n  expect: '"+tt.expect+"'\n```\n\n"+
				"```yaml figure\n{label: fig-f, kind: dots, x: throughput, y: server, title: claim:stated, "+
				"caption: claim:stated}\n```\n\n"+
				"```yaml table\n{label: tbl-t, rows: [server], columns: [throughput], title: claim:stated}\n```\n", three))
			html := narrow.Replace(string(page.HTML))
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
				assert.Contains(t, items[i], `<a href=#claim-stated class="said `+tt.class)
			}
			if !strings.Contains(items[3], `<span class="said `+tt.class) || !strings.Contains(items[3], `<a class=nb href`) {
				t.Errorf("links stand in a link: %s", items[3])
			}
			assert.Contains(t, html, `<h2 id=how-fast><span class=kicker>How fast</span>`+tt.title+`</h2>`,
				`<a href=#how-fast>above</a>`, `<a href=#how-fast>How fast</a>`)
			if n := strings.Count(html, tt.title); n < 3 { // heading, titles of figure and table
				t.Errorf("the title is there %d times", n)
			}
			assert.Contains(t, html, `<figcaption class=title id=fig-f-t>`, ` aria-labelledby=fig-f-t `)
			heading := regexp.MustCompile(`<h2 id=[^>]*>(Here .*?)</h2>`).FindString(html)
			assert.Equal(t, wordsOf(heading), "Here "+tt.fixed, "a heading with words of the author")
			found := "" // where a heading stands without its page
			for _, section := range page.Sections {
				found += section.Title + "\n"
			}
			assert.Contains(t, found, "\nHere "+strings.TrimSuffix(strings.TrimPrefix(tt.fixed, "hypothesis: "), " as claimed")+"\n")
		})
	}
}
