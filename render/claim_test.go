package render_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"benchbook/notebook/record"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// said finds what stands below each claim.
var said = regexp.MustCompile(`(?s)<li id="claim-[^"]*">.*?<div class="effect">(.*?)<code class="expect">`)

var tag = regexp.MustCompile(`(?s)<svg.*?</svg>|<[^>]*>`)

// wordsOf is markup as it reads.
func wordsOf(markup string) string {
	text := strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(html.UnescapeString(tag.ReplaceAllString(markup,
		"")))
	return strings.Join(strings.Fields(text), " ")
}

// The servers a and b have 500 and 600 requests per second, of three repetitions each, c has 450 of one, and d 400 of
// two.
func TestClaims(t *testing.T) {
	tests := []struct{ name, expect, want string }{
		{"more", `throughput{server="b"} > throughput{server="a"}`,
			"Throughput, b over a: +20 %, +15 to +26 %, 95 % interval widened by the noise floor of 0.84 %."},
		{"by other metrics", `latency.mean{server="b"} < latency.mean{server="a"}`,
			"By other metrics: robust, supported by all 4Supported by mean latency: −16.7 %"},
		{"less: the author's a over b", `throughput{server="a"} < throughput{server="b"}`,
			"Throughput, a over b: −16.7 %, −20.4 to −12.8 %, 95 % interval widened by the noise floor of 0.84 %."},
		{"within a range", `within(throughput{server="a"}, throughput{server="b"}, 10%)`,
			"Claimed: between −9.1 % and +10 %."},
		{"a change", `change(throughput{server="b"}, throughput{server="a"}) > 10%`,
			"Throughput, b over a: +20 %, +15 to +26 %, 95 % interval"},
		{"a limit is not widened", `throughput{server="a"} > 300/s`, "Throughput, a: 500/s, 476 to 525/s, 95 % interval."},
		{"a limit of one run", `throughput{server="c"} > 300/s`,
			"Throughput, c: 450/s, 1 run. Claimed: more than 300/s. There is 1 valid repetition of c, and a verdict needs 3."},
		{"a limit of two runs", `throughput{server="d"} > 300/s`,
			"Throughput, d: 400/s, 2 runs: 390 to 410/s. Claimed: more than 300/s. There are 2"},
		{"no interval: three digits, then the difference", `throughput{server="c"} > throughput{server="a"}`,
			"Throughput, c over a: −10.0 %, 1 run. Claimed: more than +5 %. There is 1"},
		{"no interval: above 1", `throughput{server="a"} > throughput{server="c"}`,
			"Throughput, a over c: +11 %, 1 run. Claimed: more than +5 %. There is 1"},
		{"no interval, two runs", `throughput{server="a"} > throughput{server="d"}`,
			"Throughput, a over d: +25 %, no interval. Claimed: more than +5 %. There are 2"},
		{"undecided", `ratio(throughput{server="b"}, throughput{server="a"}) > 1.15`,
			"The interval includes the limit of the claim. About 5 repetitions would have an even chance of deciding it."},
		{"failures", `fewer(failed{server="b"}, failed{server="a"})`,
			"Failed, a minus b: 0.40 %, −0.08 to 0.88 %, 95 % interval. Claimed: more than 0 %. The shares"},
		{"failures as a share of attempts", `fewer(failed.count{server="a"}, failed.count{server="b"}, 0.1%)`,
			"Failed requests, b minus a, of attempts: −0.40 %, −0.88 to 0.08 %, 95 % interval. Claimed: more than 0.1 %."},
		{"failures of one run", `fewer(failed{server="c"}, failed{server="a"})`,
			"Failed, a minus c: 0.398 %, 1 run. Claimed: more than 0 %. There is 1 valid"},
		{"parts of two kinds", `throughput{server="b"} > throughput{server="a"} and failed.count{server="a"} < 500`,
			"2 comparisons: 2 supported. With 95 % intervals, for ratios widened by the noise floor of 0.84 %." +
				"Supported throughput, b over a: +20 %, +15 to +26 %Supported failed requests, a: 19, 5 to 72"},
	}
	var article strings.Builder
	article.WriteString("---\ntitle: Claims\n---\n\n" + strings.NewReplacer("[a, b]", "[a, b, c, d]", "calibrate: false",
		"").Replace(experiment) + "```yaml claim\n")
	for i, test := range tests {
		article.WriteString("- {name: c" + string(rune('a'+i)) + ", expect: '" + test.expect + "'}\n")
	}
	article.WriteString("```\n")
	b := rendertest.New(t, "claims", []byte(article.String()))
	fails := func(r *record.Record) {
		n := int64(10 * r.Repetition)
		r.Load.Failed, r.Load.Attempted, r.Load.FailuresMax = n, r.Load.Attempted+n, 1
	}
	b.Measure("full", "servers", "a", []float64{500, 490, 510}, fails)
	b.Measure("full", "servers", "again", []float64{512, 502, 522})
	b.Measure("full", "servers", "b", []float64{600, 590, 610})
	b.Measure("full", "servers", "c", []float64{450})
	b.Measure("full", "servers", "d", []float64{390, 410})
	page, err := newRenderer(t).Page(b.Dataset(), render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	found := said.FindAllStringSubmatch(string(page.HTML), -1)
	if len(found) != len(tests) {
		t.Fatalf("found %d claims, want %d", len(found), len(tests))
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := wordsOf(found[i][1]); !strings.Contains(got, test.want) {
				t.Errorf("%s says %q, want %q in it", test.expect, got, test.want)
			}
		})
	}
}

// The sentence that an index shows says what was compared, and that there is no interval where there is none.
func TestFinding(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   string
	}{
		{[]float64{500, 490, 510}, "It is slower (throughput, a over b: −16.7 %, −20.1 to −13.1 %)."},
		{[]float64{500}, "Inconclusive: It is slower (throughput, a over b: −16.7 %, 1 run)."},
	} {
		b := rendertest.New(t, "claims", []byte("---\ntitle: Claims\n---\n\n"+experiment+
			"```yaml claim\n{name: c, headline: true, text: It is slower., expect: 'throughput{server=\"a\"} < "+
			"throughput{server=\"b\"}'}\n```\n"))
		b.Measure("full", "servers", "a", test.values)
		b.Measure("full", "servers", "b", []float64{600, 590, 610})
		page, err := newRenderer(t).Page(b.Dataset(), render.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := wordsOf(page.Finding); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// Without a headline claim an index says no more than that something was measured, or that nothing was.
func TestFindingWithoutClaim(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   string
	}{
		{nil, "Not measured yet."},
		{[]float64{500, 490, 510}, "Measured, but no headline claim could be judged."},
	} {
		b := rendertest.New(t, "claims", []byte("---\ntitle: Claims\n---\n\n"+experiment))
		if test.values != nil {
			b.Measure("full", "servers", "a", test.values)
			b.Measure("full", "servers", "b", test.values)
		}
		page, err := newRenderer(t).Page(b.Dataset(), render.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := wordsOf(page.Finding); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// What an index tells of an article is why it stands as it does: of several headline claims, the first that is
// contradicted.
func TestFindingNamesDecidingClaim(t *testing.T) {
	b := rendertest.New(t, "x", []byte("---\ntitle: T\n---\n\n```yaml experiment\n"+
		"name: e\nservices: {server: {image: \"debian:bookworm-slim\", command: run, expose: [\"80\"]}}\n"+
		"matrix: {server: [a, b]}\nload: {target: \"http://server/\", duration: 10s, connections: 10}\nrepetitions: 5\n"+
		"calibrate: false\n```\n\n"+
		"```yaml claim\n{name: c, headline: true, text: It is slower., expect: 'throughput{server=\"a\"} < "+
		"throughput{server=\"b\"}'}\n```\n\n"+
		"```yaml claim\n{name: d, text: It is the faster one., expect: 'throughput{server=\"a\"} > "+
		"throughput{server=\"b\"}'}\n```\n\n"+
		"```yaml claim\n{name: e, headline: true, text: It is twice as fast., expect: 'ratio(throughput{server=\"a\"}, "+
		"throughput{server=\"b\"}) > 2'}\n```\n"))
	b.Measure("full", "e", "a", []float64{1000, 1010, 990, 1005, 1000})
	b.Measure("full", "e", "b", []float64{2000, 2010, 1990, 2005, 2000})
	page, err := newRenderer(t).Page(b.Dataset(), render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "Contradicted: It is twice as fast ("; !strings.HasPrefix(page.Finding, want) {
		t.Errorf("the index tells %q, want what begins with %q", page.Finding, want)
	}
}
