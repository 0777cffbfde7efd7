package render_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
	"benchbook/render/rendertest"
)

// said matches the line and the details of each claim.
var said = regexp.MustCompile(`(?s)<li id=claim-[^>]*>.*?<summary>(.*?)<code>`)

// The servers a and b have 500 and 600 requests per second, of three repetitions each, c has 450 of one, and d 400 of
// two.
func TestClaims(t *testing.T) {
	tests := []struct{ name, expect, want string }{
		{"more", `throughput{server="b"} > throughput{server="a"}`,
			"Supported · +20 % [+15 to +26 %] throughput, b over a; claimed more than +5 % Its interval is widened by the " +
				"noise floor of 0.84 %."},
		{"less: the author's a over b", `throughput{server="a"} < throughput{server="b"}`,
			"Supported · −17 % [−20 to −13 %] throughput, a over b; claimed less than −4.8 % Its interval is widened by"},
		{"within a range", `within(throughput{server="a"}, throughput{server="b"}, 10%)`,
			"claimed between −9.1 % and +10 % Its interval"},
		{"a limit is not widened", `throughput{server="a"} > 300/s`,
			"500/s [476 to 525/s] throughput, a; claimed more than 300/s"},
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
			"claimed more than +15 %; about 5 repetitions would have an even chance of deciding it Its interval"},
		{"failures", `fewer(failed{server="b"}, failed{server="a"})`,
			"0.40 % [−0.08 to 0.88 %] failed, a minus b; claimed more than 0 % The shares"},
		{"failures as a share of attempts", `fewer(failed.count{server="a"}, failed.count{server="b"}, 0.1%)`,
			"−0.40 % [−0.88 to 0.08 %] failed requests, b minus a, of attempts; claimed more than 0.1 % The shares"},
		{"failures of one run", `fewer(failed{server="c"}, failed{server="a"})`,
			"0.40 % (1 run) failed, a minus c; claimed more than 0 % There is 1 valid"},
		{"parts of two kinds", `throughput{server="b"} > throughput{server="a"} and failed.count{server="a"} < 500`,
			"Supported; 2 comparisons: 2 supported The intervals of ratios are widened by the noise floor of 0.84 %." +
				"Supported throughput, b over a: +20 %, +15 to +26 %Supported failed requests, a: 19, 5 to 72"},
	}
	var body strings.Builder
	body.WriteString(strings.Replace(calibrated, "[a, b]", "[a, b, c, d]", 1) + "```yaml claim\n")
	for i, test := range tests {
		body.WriteString("- {name: c" + string(rune('a'+i)) + ", expect: '" + test.expect + "'}\n")
	}
	body.WriteString("```\n")
	fails := func(r *record.Record) {
		if n := int64(10 * r.Repetition); r.Trial == "a" {
			r.Load.Failed, r.Load.Attempted, r.Load.FailuresMax = n, r.Load.Attempted+n, 1
		}
	}
	page := rendered(t, measured(t, "", body.String(), trials{"a": {500, 490, 510}, "again": {512, 502, 522}, "b": {600, 590, 610},
		"c": {450}, "d": {390, 410}}, fails))
	found := said.FindAllStringSubmatch(string(page.HTML), -1)
	if len(found) != len(tests) {
		t.Fatalf("found %d claims, want %d", len(found), len(tests))
	}
	for i, test := range tests {
		words := wordsOf(found[i][1])
		assert.Contains(t, words, test.want)
		if slices.Contains([]string{"a limit is not widened", "failures", "failures as a share of attempts"}, test.name) {
			assert.Lacks(t, words, "widened")
		}
	}
}

// An index shows the sentence and verdict of the first decided headline claim of an article. Without one it says what
// was measured.
func TestFinding(t *testing.T) {
	claim := func(name, more, expect string) string {
		return "- {name: " + name + ", text: It is so" + more + ", expect: '" + expect + "'}\n"
	}
	slower := claim("c", ", headline: true", `throughput{server="a"} < throughput{server="b"}`)
	for _, test := range []struct {
		name, claims string
		of           trials
		want         string
		verdict      string
	}{
		{"a headline claim", slower, three, "Throughput was 17 % lower for a than for b [−20 to −13 %].", "Supported"},
		{"too few repetitions", slower, trials{"a": {500}, "b": {600, 590, 610}}, "Undecided after 1 repetition, of the 3 that a " +
			"verdict needs: throughput for a differed from that for b by −17 % (1 run), and the limit is −4.8 %.", "Inconclusive"},
		{"the first that is decided", claim("c", ", headline: true", `ratio(throughput{server="b"}, throughput{server="a"}) > 1.2`) +
			claim("d", "", `throughput{server="a"} < throughput{server="b"}`) +
			claim("e", ", headline: true", `throughput{server="a"} > throughput{server="b"}`), three,
			"Throughput was 17 % lower for a than for b [−20 to −13 %].", "Contradicted"},
		{"nothing measured", "", nil, "Not measured yet.", ""},
		{"no headline claim", claim("c", "", `throughput{server="a"} > 1/s`), three,
			"Measured, but no headline claim could be judged.", ""},
	} {
		body := experiment
		if test.claims != "" {
			body += "```yaml claim\n" + test.claims + "```\n"
		}
		page := rendered(t, measured(t, "", body, test.of))
		assert.Equal(t, wordsOf(page.Finding), test.want, test.name)
		assert.Equal(t, page.Verdict.Word, test.verdict, "%s: the verdict", test.name)
	}
}

// The evidence of a claim also gives the effect with repetitions that were excluded because of their own result.
func TestClaimsWithAllRepetitions(t *testing.T) {
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
		checkSayings(t, saying{tt.name, "", experiment + "```yaml claim\n- {name: c, expect: '" + tt.expect + "'}\n```\n",
			trials{"a": {500, 490, 510, 500}, "b": {600, 590, 610, tt.left}}, func(r *record.Record) {
				if r.Trial == "b" && r.Repetition == 4 {
					r.Load.Connections *= 2
				}
			}, []string{tt.want}, nil})
	}
}

// The evidence of a claim lists its sessions, but not the one that its line shows where two agree.
func TestClaimsWithSessions(t *testing.T) {
	const body = experiment + "```yaml claim\n- {name: c, expect: 'throughput{server=\"b\"} > throughput{server=\"a\"}'}\n```\n"
	sessions := regexp.MustCompile(`<p>(In another session|Each session alone): (.*?)</p>`)
	for _, tt := range []struct {
		name   string
		rates  []float64 // of b, in the newest session first
		title  string
		listed []string // when they began

		sameDay bool
	}{
		{"one session", []float64{600}, "", nil, false},
		{"two that agree", []float64{600, 610}, "In another session", []string{"19 Nov 2026"}, false},
		{"two that differ", []float64{600, 400}, "Each session alone", []string{"20 Nov 2026", "19 Nov"}, false},
		{"three", []float64{600, 610, 605}, "Each session alone", []string{"20 Nov 2026", "19 Nov", "18 Nov"}, false},
		{"three of a day", []float64{600, 610, 605}, "Each session alone", []string{"20 Nov 2026 15:00", "20 Nov 14:00", "20 Nov 13:00"}, true},
	} {
		b := measured(t, "", body, nil)
		for i, rate := range tt.rates {
			day := 20 - i
			if tt.sameDay {
				day = 20
			}
			in := rendertest.In(fmt.Sprintf("202611%dT1%d0000Z-%c", day, 5-i, 'a'+i), day)
			b.Measure("full", "servers", "a", []float64{500, 498, 502}, in)
			b.Measure("full", "servers", "b", []float64{rate, rate - 2, rate + 2}, in)
		}
		title, listed := "", []string(nil)
		if m := sessions.FindStringSubmatch(string(rendered(t, b).HTML)); m != nil {
			title, listed = m[1], regexp.MustCompile(`\d+ Nov( 2026)?( \d\d:\d\d)?`).FindAllString(narrow.Replace(m[2]), -1)
		}
		assert.Equal(t, title, tt.title, tt.name)
		assert.Slice(t, listed, tt.listed, tt.name)
	}
}

// The sessions of a claim without an effect are listed only if one of them has another verdict.
func TestClaimsWithPartsAndSessions(t *testing.T) {
	const body = experiment + "```yaml claim\n- {name: c, expect: 'throughput{server=\"b\"} > 500/s and throughput{server=\"a\"} > 400/s'}\n```\n"
	for rate, want := range map[float64]string{620: "Each of 3 sessions alone says the same.", 400: "Each session alone: (Contradicted; 20 Nov 2026); (Supported; 19 Nov); (Supported; 18 Nov)."} {
		b := measured(t, "", body, nil)
		for i, rate := range []float64{rate, 610, 605} {
			in := rendertest.In(fmt.Sprintf("202611%dT100000Z-%c", 20-i, 'a'+i), 20-i)
			b.Measure("full", "servers", "a", []float64{500, 498, 502}, in)
			b.Measure("full", "servers", "b", []float64{rate, rate - 2, rate + 2}, in)
		}
		assert.Contains(t, wordsOf(string(rendered(t, b).HTML)), want)
	}
}
