package render_test

import (
	"regexp"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
	"benchbook/render/rendertest"
)

// values matches the text and the tooltip of each measured value.
var values = regexp.MustCompile(
	`<span class="?m[^>]* tabindex=0 aria-describedby=(value-\d+)>(?:<data value=[^ >]*>)?([^<]*)(?:</data>)?<span class=tooltip role=tooltip id=(value-\d+) hidden>(.*?)</span></span>`)

func TestValues(t *testing.T) {
	tests := []struct{ name, expression, text, tooltip string }{
		{"a metric of one cell", `throughput{server="a"}`, "500/s",
			"476 to 525/s, 95\u202f% interval of 3\u00a0repetitions."},
		{"rounded", `throughput{server="a"} | round 1`, "499.9/s", "475.7"},
		{"a time in the unit that suits it", `latency.p50{server="a"}`, "16.7\u00a0ms", "interval of 3"},
		{"a time in another unit", `latency.p50{server="a"} | unit s | round 3`, "0.017\u00a0s", "interval of 3"},
		{"in microseconds", `latency.p50{server="a"} | unit us | round 0`, "16,675\u00a0µs", "interval of 3"},
		{"with its interval", `throughput{server="a"} | interval`, "500/s [476–525]", "95\u202f%"},
		{"a ratio", `ratio(throughput{server="b"}, throughput{server="a"}) | round 2`, "1.20", "interval of 3"},
		{"a ratio as a percentage", `ratio(throughput{server="b"}, throughput{server="a"}) | percent | round 0`, "120\u202f%",
			"interval"},
		{"a share of nothing", `failed{server="a"}`, "0\u202f%", "interval"},
		{"of several cells", `max(throughput{server!="d", server!="e", server!="f"})`, "600/s", "no interval: computed"},
		{"of one run", `throughput{server="c"}`, "450/s", "1\u00a0run, so no interval."},
		{"of one run, with its interval", `throughput{server="c"} | interval`, "450/s (1 run)", "1\u00a0run"},
		{"a cell that was not measured", `throughput{server="d"}`, "not measured", "not measured"},
		{"a cell that failed", `throughput{server="e"}`, "not measured", "failed: it broke"},
		{"a cell that is not valid", `throughput{server="f"}`, "700/s (not valid)", "waited for a core"},
	}
	body := strings.Replace(experiment, "[a, b]", "[a, b, c, d, e, f]", 1)
	for _, test := range tests {
		body += "`{value} " + test.expression + "`\n\n"
	}
	page := rendered(t, measured(t, "", body, trials{"a": {500, 490, 510}, "b": {600, 590, 610}, "c": {450}, "e": {1, 1, 1},
		"f": {700, 690, 710}}, func(r *record.Record) {
		switch r.Trial {
		case "e":
			rendertest.Fails("it broke", "")(r)
		case "f":
			r.Load.Health = &record.Health{Waiting: 0.47}
		}
	}))
	found := values.FindAllStringSubmatch(string(page.HTML), -1)
	if len(found) != len(tests) {
		t.Fatalf("found %d values, want %d", len(found), len(tests))
	}
	for i, test := range tests {
		assert.Equal(t, found[i][2], test.text, "%s: %s is shown as", test.name, test.expression)
		assert.Equal(t, found[i][1], found[i][3], "what describes %s, and its tooltip", test.expression)
		assert.Contains(t, found[i][4], test.tooltip)
	}
}

// Only what was measured is underlined: what others published is told from it, with its source in the tooltip. It is in
// a file in base units.
func TestPublishedValuesAreNotMeasurements(t *testing.T) {
	page := pageOf(t, "`{value} published(throughput{server=\"a\"})`, `{value} published(throughput{server=\"a\"}) / "+
		"published(throughput{server=\"b\"})`, `{value} 100ms`\n\n"+
		"```yaml published\nsource: A paper\nrows:\n  - {server: a, throughput: 500/s, latency.p50: 11.43600800060085ms}\n"+
		"  - {server: b, throughput: 400/s, latency.p50: 2.5s}\n```\n")
	text := string(page.HTML)
	assert.Lacks(t, text, `<span class=m`)
	assert.Contains(t, text, `<span class=given tabindex=0 aria-describedby=value-1><data value=500>500/s</data>`,
		`<data value=1.25>1.25</data>`, "Published by A paper.", `<data value=0.1>100`+"\u00a0"+`ms</data>`)
	assert.Equal(t, strings.Count(text, "Published by A paper."), 2, "how often the source is named")
	assert.Equal(t, fileOf(t, page, "data/published-1.csv"),
		"server,throughput,latency.p50\na,500,0.01143600800060085\nb,400,2.5\n", "the file")
}
