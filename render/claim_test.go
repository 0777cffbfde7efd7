package render_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// said finds what stands below each claim, in its line and behind it.
var said = regexp.MustCompile(`(?s)<li id=claim-[^>]*>.*?<summary>(.*?)<code>`)

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
			"Supported · +20 % [+15 to +26 %] throughput, b over a; claimed more than +5 % 95 % interval widened by the " +
				"noise floor of 0.84 %."},
		{"less: the author's a over b", `throughput{server="a"} < throughput{server="b"}`,
			"Supported · −17 % [−20 to −13 %] throughput, a over b; claimed less than −4.8 % 95 % interval widened by"},
		{"within a range", `within(throughput{server="a"}, throughput{server="b"}, 10%)`,
			"claimed between −9.1 % and +10 % 95 % interval"},
		{"a limit is not widened", `throughput{server="a"} > 300/s`,
			"500/s [476 to 525/s] throughput, a; claimed more than 300/s 95 % interval."},
		{"a limit of one run", `throughput{server="c"} > 300/s`,
			"450/s (1 run) throughput, c; claimed more than 300/s There is 1 valid repetition of c, and a verdict needs 3."},
		{"a limit of two runs", `throughput{server="d"} > 300/s`,
			"400/s (2 runs: 390 to 410/s) throughput, d; claimed more than 300/s There are 2"},
		{"no interval: three digits, then the difference", `throughput{server="c"} > throughput{server="a"}`,
			"−10 % (1 run) throughput, c over a; claimed more than +5 % There is 1"},
		{"no interval: above 1", `throughput{server="a"} > throughput{server="c"}`,
			"+11 % (1 run) throughput, a over c; claimed more than +5 % There is 1"},
		{"no interval, two runs", `throughput{server="a"} > throughput{server="d"}`,
			"+25 % (no interval) throughput, a over d; claimed more than +5 % There are 2"},
		{"undecided", `ratio(throughput{server="b"}, throughput{server="a"}) > 1.15`,
			"claimed more than +15 %; about 5 repetitions would have an even chance of deciding it 95 % interval"},
		{"failures", `fewer(failed{server="b"}, failed{server="a"})`,
			"0.40 % [−0.08 to 0.88 %] failed, a minus b; claimed more than 0 % 95 % interval. The shares"},
		{"failures as a share of attempts", `fewer(failed.count{server="a"}, failed.count{server="b"}, 0.1%)`,
			"−0.40 % [−0.88 to 0.08 %] failed requests, b minus a, of attempts; claimed more than 0.1 % 95 % interval."},
		{"failures of one run", `fewer(failed{server="c"}, failed{server="a"})`,
			"0.40 % (1 run) failed, a minus c; claimed more than 0 % There is 1 valid"},
		{"parts of two kinds", `throughput{server="b"} > throughput{server="a"} and failed.count{server="a"} < 500`,
			"Supported; 2 comparisons: 2 supported With 95 % intervals, for ratios widened by the noise floor of 0.84 %." +
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
	page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
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
		{[]float64{500, 490, 510}, "Throughput was 17 % lower for a than for b [−20 to −13 %]."},
		{[]float64{500}, "Undecided after 1 repetition, of the 3 that a verdict needs: throughput for a differed from " +
			"that for b by −17 % (1 run), and the limit is −4.8 %."},
	} {
		b := rendertest.New(t, "claims", []byte("---\ntitle: Claims\n---\n\n"+experiment+
			"```yaml claim\n{name: c, headline: true, text: It is slower., expect: 'throughput{server=\"a\"} < "+
			"throughput{server=\"b\"}'}\n```\n"))
		b.Measure("full", "servers", "a", test.values)
		b.Measure("full", "servers", "b", []float64{600, 590, 610})
		page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
		assert.Equal(t, wordsOf(page.Finding), test.want)
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
		page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
		assert.Equal(t, wordsOf(page.Finding), test.want)
	}
}

// What an index tells of an article is the sentence of its first headline claim that is decided, with the verdict and
// the cells of that claim.
func TestFindingIsFirstDecided(t *testing.T) {
	b := rendertest.New(t, "x", []byte("---\ntitle: T\n---\n\n```yaml experiment\n"+
		"name: e\nservices: {server: {image: \"debian:bookworm-slim\", command: run, expose: [\"80\"]}}\n"+
		"matrix: {server: [a, b]}\nload: {target: \"http://server/\", duration: 10s, connections: 10}\nrepetitions: 5\n"+
		"calibrate: false\n```\n\n"+
		"```yaml claim\n{name: c, headline: true, text: It is half., expect: 'ratio(throughput{server=\"a\"}, "+
		"throughput{server=\"b\"}) > 0.5'}\n```\n\n"+
		"```yaml claim\n{name: d, text: It is the faster one., expect: 'throughput{server=\"a\"} > "+
		"throughput{server=\"b\"}'}\n```\n\n"+
		"```yaml claim\n{name: e, headline: true, text: It is twice as fast., expect: 'ratio(throughput{server=\"a\"}, "+
		"throughput{server=\"b\"}) > 2'}\n```\n"))
	b.Measure("full", "e", "a", []float64{1000, 1010, 990, 1005, 1000})
	b.Measure("full", "e", "b", []float64{2000, 2010, 1990, 2005, 2000})
	page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
	if want := "Throughput for a was 50.0 % of that for b ["; !strings.HasPrefix(wordsOf(page.Finding), want) {
		t.Errorf("the index tells %q, want what begins with %q", page.Finding, want)
	}
	assert.Equal(t, page.Verdict.Word, "Contradicted", "the index shows")
}

// The evidence of a claim has its effect with the repetitions too that only checks of their own result left out.
func TestClaimsWithAllRepetitions(t *testing.T) {
	little := func(r *record.Record) {
		if r.Repetition == 4 {
			r.Load.Connections *= 2
		}
	}
	for _, tt := range []struct {
		name, expect string
		left         float64 // the throughput of the repetition that is left out
		want         string
	}{
		{"the same verdict", `throughput{server="b"} > throughput{server="a"}`, 605,
			"With all repetitions: +20 % [+17 to +23 %], the same verdict."},
		{"another verdict", `throughput{server="b"} > throughput{server="a"}`, 300,
			"with all repetitions the verdict would be inconclusive. With all repetitions: +20 % [−40 to +80 %]."},
		{"a group", `throughput{server="b"} > throughput{server="a"} and throughput{server="b"} > 100/s`, 605,
			"With all repetitions: 2 comparisons: 2 supported."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := rendertest.New(t, "claims", []byte("---\ntitle: Claims\n---\n\n"+experiment+
				"```yaml claim\n- {name: c, expect: '"+tt.expect+"'}\n```\n"))
			b.Measure("full", "servers", "a", []float64{500, 490, 510, 500})
			b.Measure("full", "servers", "b", []float64{600, 590, 610, tt.left}, little)
			page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
			if got := wordsOf(said.FindString(string(page.HTML))); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q in it", got, tt.want)
			}
		})
	}
}
