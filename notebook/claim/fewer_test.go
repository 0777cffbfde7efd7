package claim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// Of failures that nobody saw it is known that there are not many: by how many it matters is written, or published.
func TestFewer(t *testing.T) {
	const none = `fewer(failed{server="a"}, failed{server="b"})`
	published := recordtest.Fence("published",
		"source: A paper\nrows: [{server: a, failed: 2.2%}, {server: b, failed: 6.5%}]")
	for _, tt := range []struct {
		name, expect, published string
		repetitions             int
		failed                  map[string][]int64 // by repetition
		want                    stats.Verdict
		reason                  string
	}{
		{"none at all, against published shares", none, published, 10, nil, stats.Contradicted, ""},
		{"of which the other one is larger", `fewer(failed{server="b"}, failed{server="a"})`, published, 10, nil,
			stats.Inconclusive, "the shares of failures differ by at most 0.0037 % of attempts; " +
				"bursts in less than 30 % of the repetitions would not be seen"},
		{"in too few repetitions", none, published, 5, nil, stats.Inconclusive,
			"the shares of failures differ by at most 0.0074 % of attempts; a verdict on less than 0.43 % needs 10 " +
				"repetitions; bursts in less than 60 % of the repetitions would not be seen"},
		{"none at all, and any difference matters", none, "", 10, nil, stats.Inconclusive,
			"the shares of failures differ by at most 0.0037 % of attempts; bursts in less than 30 % of the repetitions " +
				"would not be seen"},
		{"what is written goes before what is published", `fewer(failed{server="a"}, failed{server="b"}, 0.001%)`,
			published, 10, nil, stats.Inconclusive, "the shares of failures differ by at most 0.0037 % of attempts; " +
				"bursts in less than 30 % of the repetitions would not be seen"},
		{"counts are compared as shares", `fewer(failed.count{server="a"}, failed.count{server="b"}, 0.1%)`, "", 10, nil,
			stats.Contradicted, ""},
		{"failures in every repetition", none, published, 10,
			map[string][]int64{"b": {90, 100, 110, 95, 105, 100, 98, 102, 96, 104}}, stats.Supported, ""},
		{"one burst", none, "", 10, map[string][]int64{"b": {300, 0, 0, 0, 0, 0, 0, 0, 0, 0}}, stats.Inconclusive,
			"the shares of failures differ by at most 0.98 % of attempts"},
		{"the other way round", none, "", 10, map[string][]int64{"a": {90, 100, 110, 95, 105, 100, 98, 102, 96, 104}},
			stats.Contradicted, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t, strings.Replace(recordtest.Claimed(tt.expect), "repetitions: 3",
				fmt.Sprintf("repetitions: %d", tt.repetitions), 1)+tt.published)
			for _, trial := range []string{"a", "b", "c"} {
				b.Measure("servers", trial, "1", slices.Repeat([]float64{1000}, tt.repetitions), func(r *record.Record) {
					r.Load.Attempted, r.Load.Failed = 10_000, 0
					if failed := tt.failed[trial]; failed != nil {
						r.Load.Failed = failed[r.Repetition-1]
					}
				})
			}
			d := b.dataset(dataset.Options{})
			if j := Judge(d, d.Doc.Claims[0]); j.Verdict != tt.want || j.Reason != tt.reason {
				t.Errorf("%s (%s), want %s (%s)", j.Verdict, j.Reason, tt.want, tt.reason)
			}
		})
	}
}
