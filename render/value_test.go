package render_test

import (
	"regexp"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// shown finds the words of each measured value, and what its tooltip says.
var shown = regexp.MustCompile(
	`<span class="?m[^>]* tabindex=0 aria-describedby=(value-\d+)>(?:<data value=[^ >]*>)?([^<]*)(?:</data>)?<span class=tooltip role=tooltip id=(value-\d+) hidden>(.*?)</span></span>`)

func TestValues(t *testing.T) {
	tests := []struct{ name, expression, text, tooltip string }{
		{"a metric of one cell", `throughput{server="a"}`, "500/s",
			"476 to 525/s, 95\u202f% interval of 3\u00a0repetitions."},
		{"rounded", `throughput{server="a"} | round 1`, "499.9/s", "475.7"},
		{"a time in the unit that suits it", `latency.p50{server="a"}`, "16.7\u00a0ms", "interval of 3"},
		{"a time in another unit", `latency.p50{server="a"} | unit s | round 3`, "0.017\u00a0s", "interval of 3"},
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
	var article strings.Builder
	article.WriteString("---\ntitle: Values\n---\n\n" + strings.Replace(experiment, "[a, b]", "[a, b, c, d, e, f]", 1))
	for _, test := range tests {
		article.WriteString("`{value} " + test.expression + "`\n\n")
	}
	b := rendertest.New(t, "values", []byte(article.String()))
	b.Measure("full", "servers", "a", []float64{500, 490, 510})
	b.Measure("full", "servers", "b", []float64{600, 590, 610})
	b.Measure("full", "servers", "c", []float64{450})
	b.Measure("full", "servers", "e", []float64{1, 1, 1}, rendertest.Fails("it broke", ""))
	b.Measure("full", "servers", "f", []float64{700, 690, 710}, func(r *record.Record) {
		r.Load.Health = &record.Health{Waiting: 0.47}
	})
	page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
	found := shown.FindAllStringSubmatch(string(page.HTML), -1)
	if len(found) != len(tests) {
		t.Fatalf("found %d values, want %d", len(found), len(tests))
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, found[i][2], test.text, "%s is shown as", test.expression)
			assert.Equal(t, found[i][1], found[i][3], "what describes %s, and its tooltip", test.expression)
			if tooltip := found[i][4]; !strings.Contains(tooltip, test.tooltip) {
				t.Errorf("the tooltip of %s is %q, want %q in it", test.expression, tooltip, test.tooltip)
			}
		})
	}
}

// Only what was measured is underlined: what others published is told from it, with its source in the tooltip.
func TestPublishedValuesAreNotMeasurements(t *testing.T) {
	page := pageOf(t, "`{value} published(throughput{server=\"a\"})`, `{value} published(throughput{server=\"a\"}) / "+
		"published(throughput{server=\"b\"})`, `{value} 100ms`\n\n"+
		"```yaml published\nsource: A paper\nrows:\n  - {server: a, throughput: 500/s}\n"+
		"  - {server: b, throughput: 400/s}\n```\n")
	text := string(page.HTML)
	if strings.Contains(text, `<span class=m`) {
		t.Errorf("a published number looks measured:\n%s", text)
	}
	for _, want := range []string{`<span class=given tabindex=0 aria-describedby=value-1><data value=500>500/s</data>`,
		`<data value=1.25>1.25</data>`, "Published by A paper.", `<data value=0.1>100` + "\u00a0" + `ms</data>.`} {
		if want = strings.TrimSuffix(want, "."); !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	assert.Equal(t, strings.Count(text, "Published by A paper."), 2, "how often the source is named")
}

// A page says everything that is wrong with what it shows.
func TestBanners(t *testing.T) {
	older := func(r *record.Record) { r.Key = "an-older-version" }
	substitute := func(r *record.Record) {
		r.Facts["base.server"] = "debian:bookworm-slim replaced by benchbook/debootstrap:bookworm sha256:1234"
	}
	elsewhere := func(r *record.Record) { r.Host = "c64-ffffff" }
	for _, test := range []struct {
		name string
		make func(t testing.TB) *rendertest.Bench
		want string
		none string
	}{
		{"a full run has none", func(t testing.TB) *rendertest.Bench { return measuredSockets(t, "full") }, "Reproduced",
			`class=banner`},
		{"older", func(t testing.TB) *rendertest.Bench { return measuredSockets(t, "full", older) },
			"Measured with an older version of this experiment:</strong> 3 of 3\u00a0cells.", ""},
		{"substitute", func(t testing.TB) *rendertest.Bench { return measuredSockets(t, "full", substitute) },
			"debian:bookworm-slim is replaced by benchbook/debootstrap:bookworm", ""},
		{"elsewhere", func(t testing.TB) *rendertest.Bench { return measuredSockets(t, "full", elsewhere) },
			"Measured on another host,</strong> c64-ffffff.", ""},
		{"half", func(t testing.TB) *rendertest.Bench {
			b := sockets(t)
			b.Measure("full", "sockets", "sync", []float64{571, 562, 580, 566, 574})
			return b
		}, "Partly measured:</strong> 2 of 3\u00a0cells without results.", ""},
		{"unfinished", func(t testing.TB) *rendertest.Bench {
			b := sockets(t)
			b.Measure("full", "sockets", "sync", []float64{571, 562})
			return b
		}, "Unfinished:</strong> 1 of 3\u00a0cells", ""},
		{"failed", func(t testing.TB) *rendertest.Bench {
			return measuredSockets(t, "full", rendertest.Fails("nothing listens", "a log"))
		}, "Failed or not valid:</strong> 3 of 3\u00a0cells.", ""},
		{"nothing", sockets, "Nothing in this article was measured.", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := test.make(t)
			page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
			if !strings.Contains(string(page.HTML), test.want) {
				t.Errorf("the page does not say %q", test.want)
			}
			if test.none != "" && strings.Contains(string(page.HTML), test.none) {
				t.Errorf("the page has %q", test.none)
			}
		})
	}
}

// Where only words can stand, such as in the title of a window, a line has the words that the page shows.
func TestPlainLines(t *testing.T) {
	article := "---\ntitle: \"`{value} throughput{server=\\\"a\\\"}` in [](#fig-a), [words](#fig-a)\"\n" +
		"description: \"[held](claim:c), see [](#tbl-a)\"\n---\n\n" + experiment +
		"```yaml claim\nname: c\nexpect: throughput{server=\"a\"} > 1/s\n```\n\n" +
		"```yaml figure\nlabel: fig-a\nkind: dots\nx: throughput\ny: server\n```\n\n" +
		"```yaml table\nlabel: tbl-a\nrows: [server]\ncolumns: [throughput]\n```\n"
	b := rendertest.New(t, "plain", []byte(article))
	b.Measure("full", "servers", "a", []float64{500, 490, 510})
	page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
	assert.Equal(t, page.Title, "500/s in Figure\u00a01, words", "the title")
	assert.Equal(t, page.Description, "held, see Table\u00a01", "the description")
}
