package claim

import (
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/notebook/recordtest"
)

// statedArticle uses a value of the front matter, a computed metric and published numbers.
const statedArticle = `---
title: T
values:
  speedup: ratio(throughput{server="a"}, throughput{server="b"})
  other: ratio(throughput{server="a"}, throughput{server="c"})
---

` + recordtest.Dockerfile + "```yaml experiment\n" + recordtest.Servers + `
metrics:
  - {name: work, value: throughput + connections_of, unit: 1/s, better: higher}
  - {name: connections_of, value: throughput * 10, unit: 1/s}
` + "```\n\n```yaml published\nname: book\nsource: A book\nrows:\n" + `  - {server: a, throughput: 120/s}
  - {server: b, throughput: 100/s}
` + "```\n\n```yaml claim\n" + `- name: c
  headline: true
  text: A is quicker.
  expect: throughput{server="a"} > throughput{server="b"}
  published: 1.2
- {name: d, headline: true, expect: 'speedup > 1.1'}
- {name: e, expect: 'work{server="a"} > work{server="b"}', smallest_effect: 10%}
` + "```\n"

// Every way to change what an article claims after measuring is marked, and nothing else is.
func TestStatedSince(t *testing.T) {
	begun := State(datasetOf(recordtest.New(t, statedArticle)))
	for _, tt := range []struct {
		name, old, new string
		want           string // claims with marks other than StatedBefore, and their changes
	}{
		{"nothing", "", "", ""},
		{"a space in a test", `throughput{server="a"} > throughput{server="b"}`, `throughput{server="a"}   >  throughput{server="b"}`, ""},
		{"the sentence of a claim", "A is quicker.", "A is much quicker.", ""},
		{"a value that no claim uses", `server="a"}, throughput{server="c"`, `server="b"}, throughput{server="c"`, ""},
		{"the side of a test", `throughput{server="a"} > throughput{server="b"}`, `throughput{server="a"} < throughput{server="b"}`,
			`c changed after measuring: expect: throughput{server="a"} < throughput{server="b"}, was throughput{server="a"} > throughput{server="b"}`},
		{"the cells of a test", `expect: throughput{server="a"} >`, `expect: throughput{server="c"} >`,
			`c changed after measuring: expect: throughput{server="c"} > throughput{server="b"}, was throughput{server="a"} > throughput{server="b"}; published rows: throughput of b 100/s, was throughput of a 120/s, throughput of b 100/s`},
		{"a limit", "speedup > 1.1", "speedup > 1.05",
			`d changed after measuring: expect: ratio(throughput{server="a"}, throughput{server="b"}) > 1.05, was ratio(throughput{server="a"}, throughput{server="b"}) > 1.1`},
		{"a value in a test", `speedup: ratio(throughput{server="a"}, throughput{server="b"})`, `speedup: ratio(throughput{server="a"}, throughput{server="c"})`,
			`d changed after measuring: expect: ratio(throughput{server="a"}, throughput{server="c"}) > 1.1, was ratio(throughput{server="a"}, throughput{server="b"}) > 1.1; published rows: throughput of a 120/s, was throughput of a 120/s, throughput of b 100/s`},
		{"a headline less", "name: d, headline: true", "name: d", "d changed after measuring: headline: false, was true"},
		{"a headline more", "name: e,", "name: e, headline: true,", "e changed after measuring: headline: true, was false"},
		{"a smallest effect", "smallest_effect: 10%", "smallest_effect: 1%", "e changed after measuring: smallest_effect: 1%, was 10%"},
		{"no smallest effect", ", smallest_effect: 10%", "", "e changed after measuring: smallest_effect: nothing, was 10%"},
		{"a formula", "value: throughput + connections_of", "value: throughput / 20",
			"e changed after measuring: metric connections_of of servers: nothing, was throughput * 10, in 1/s; metric work of servers: throughput / 20, in 1/s, higher is better"},
		{"a formula below a formula", "throughput * 10", "throughput * 20",
			"e changed after measuring: metric connections_of of servers: throughput * 20"},
		{"what is better", "better: higher", "better: lower", "e changed after measuring: metric work of servers: throughput + connections_of, in 1/s, lower is better"},
		{"no better", ", better: higher", "", "e changed after measuring: metric work of servers: throughput + connections_of, in 1/s, was"},
		{"a published effect", "published: 1.2", "published: 1.3", "c changed after measuring: published: 1.3, was 1.2"},
		{"no published effect", "  published: 1.2\n", "", "c changed after measuring: published: nothing, was 1.2"},
		{"a published row", "throughput: 120/s", "throughput: 220/s",
			"c changed after measuring: published rows: throughput of a 220/s, throughput of b 100/s, was throughput of a 120/s, throughput of b 100/s; " +
				"d changed after measuring: published rows: throughput of a 220/s"},
		{"another experiment", "- name: c\n", "- name: c\n  experiment: servers\n", "c changed after measuring: experiment: servers, was nothing"},
		{"another name", "- name: c\n", "- name: f\n", "f stated after measuring; c no longer made"},
		{"a claim less", "- {name: d, headline: true, expect: 'speedup > 1.1'}\n", "", "d no longer made"},
		{"a claim more", "- {name: e,", "- {name: g, expect: 'speedup > 2'}\n- {name: e,", "g stated after measuring"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.old != "" && strings.Count(statedArticle, tt.old) != 1 {
				t.Fatalf("%q is in the article %d times", tt.old, strings.Count(statedArticle, tt.old))
			}
			now := State(datasetOf(recordtest.New(t, strings.Replace(statedArticle, tt.old, tt.new, 1))))
			var got []string
			begin := Beginning{Known: true, Claims: begun, Committed: true}
			marks := slice.Map(now, func(s Stated) StatedClaim { return s.Since(begin) })
			for _, c := range append(marks, NoMore(begin, now)...) {
				switch {
				case c.Is == StatedBefore:
				case len(c.Changes) > 0:
					got = append(got, c.Claim+" "+string(c.Is)+": "+strings.Join(c.Changes, "; "))
				default:
					got = append(got, c.Claim+" "+string(c.Is))
				}
			}
			if words := strings.Join(got, "; "); words != tt.want && (tt.want == "" || !strings.HasPrefix(words, tt.want)) {
				t.Errorf("marks\n%s\nwant\n%s", words, tt.want)
			}
		})
	}
}

func TestStatedMarks(t *testing.T) {
	now := State(datasetOf(recordtest.New(t, statedArticle)))
	for _, tt := range []struct {
		name  string
		begun Beginning
		want  Stating
	}{
		{"committed", Beginning{Known: true, Claims: now, Committed: true}, StatedBefore},
		{"not committed", Beginning{Known: true, Claims: now}, StatedUncommitted},
		{"a run without claims", Beginning{}, StatingIsNotKnown},
		{"a run of an article without claims", Beginning{Known: true, Committed: true}, NewAfter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			marks := slice.Map(now, func(s Stated) StatedClaim { return s.Since(tt.begun) })
			if len(marks) != 3 || slices.ContainsFunc(marks, func(c StatedClaim) bool { return c.Is != tt.want }) {
				t.Errorf("marks %v, want %s", marks, tt.want)
			}
		})
	}
}

// A record that names a claim and says nothing more about it counts as a change, without a panic.
func TestStatedByAHostileRecord(t *testing.T) {
	now := State(datasetOf(recordtest.New(t, statedArticle)))
	for _, s := range now {
		c := s.Since(Beginning{Known: true, Claims: []Stated{{Claim: s.Claim}}, Committed: true})
		assert.Equal(t, c.Is, ChangedAfter, "%s", s.Claim)
	}
}

// What the original found is written like the effect of the claim.
func TestPublished(t *testing.T) {
	const ratio = `throughput{server="a"} > throughput{server="b"}`
	for _, tt := range []struct {
		name, expect, published string
		want                    float64
		wrong                   string
	}{
		{"nothing", ratio, "", 0, ""},
		{"a ratio", ratio, "1.26", 1.26, ""},
		{"a difference", ratio, "26%", 1.26, ""},
		{"a difference below", ratio, "-22%", 0.78, ""},
		{"no ratio", ratio, "-2", 0, "a ratio is more than 0, and -2 is not"},
		{"a time for a ratio", ratio, "12ms", 0, "the claim is about a ratio, and 12ms is not one"},
		{"a formula", ratio, "1.2 * 2", 0, "what the original found is not a number"},
		{"a value", `latency.p50{server="a"} < 100ms`, "12ms", 0.012, ""},
		{"a value of another unit", `latency.p50{server="a"} < 100ms`, "12/s", 0,
			"the claim is about a time in s, and 12/s is not one"},
		{"a difference of shares", `fewer(failed{server="a"}, failed{server="b"})`, "4.3%", 0.043, ""},
		{"a number for shares", `fewer(failed{server="a"}, failed{server="b"})`, "4", 0,
			"the claim is about a difference of shares, and 4 is not one"},
		{"pairs", `every(throughput{server="a"}, ">", throughput{server!="a"})`, "2", 2, ""},
		{"more pairs than there are", `every(throughput{server="a"}, ">", throughput{server!="a"})`, "3", 0,
			"the claim has 2 comparisons, and 3 is not a number of them"},
		{"parts", ratio + ` and throughput{server="a"} > 1/s`, "1", 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var keys []string
			if tt.published != "" {
				keys = []string{"published: " + tt.published}
			}
			d := datasetOf(recordtest.NewMeasured(t, recordtest.Claimed(tt.expect, keys...)))
			j := JudgeAll(d).Claims[0]
			if got, ok := j.Published(); ok != (tt.want != 0) || ok && !recordtest.CloseTo(got, tt.want) {
				t.Errorf("got %v, %v; want %v", got, ok, tt.want)
			}
			err := CheckPublished(d, d.Doc.Claims[0])
			if (err == nil) != (tt.wrong == "") || err != nil && !strings.HasPrefix(err.Error(), tt.wrong+": ") {
				t.Errorf("got %v, want %q", err, tt.wrong)
			}
		})
	}
}
