package claim

import (
	"fmt"
	"strings"
	"testing"

	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

func TestStanding(t *testing.T) {
	const (
		order = "rows:\n  - {server: a, throughput: 600/s}\n  - {server: b, throughput: 500/s}\n" +
			"  - {server: c, throughput: 400/s}"
		sizes = "rows:\n  - {server: a, throughput: 6000/s}\n  - {server: b, throughput: 500/s}\n" +
			"  - {server: c, throughput: 40/s}"
		reverse = "rows:\n  - {server: a, throughput: 400/s}\n  - {server: b, throughput: 500/s}\n" +
			"  - {server: c, throughput: 600/s}"
		yes     = `throughput{server="a"} > throughput{server="b"}`
		no      = `throughput{server="b"} > throughput{server="a"}`
		open    = `ratio(throughput{server="a"}, throughput{server="b"}) > 1.2`
		missing = `latency.p99.99{server="a"} < 1s`
	)
	headline := func(expects ...string) string {
		var out strings.Builder
		for i, e := range expects {
			out.WriteString(recordtest.Fence("claim", "{name: c"+string(rune('0'+i))+", headline: true, expect: '"+e+"'}"))
		}
		return out.String()
	}
	published := func(rows ...string) string {
		var out strings.Builder
		for _, r := range rows {
			out.WriteString(recordtest.Fence("published", "source: A paper\n"+r))
		}
		return out.String()
	}
	const (
		factor   = " rows within 25 % of one common factor"
		agree    = "throughput, against A paper: 3 of 3 pairs in the published order; 3 of 3" + factor
		sizesOff = "throughput, against A paper: 3 of 3 pairs in the published order; 1 of 3" + factor
		against  = "throughput, against A paper: 0 of 3 pairs in the published order, 3 not; 1 of 3" + factor
	)
	for _, tt := range []struct {
		name      string
		blocks    string
		changes   []recordtest.Change
		want      string // with its count
		reason    string
		published string // joined
	}{
		{"claims that hold", headline(yes), nil, "holds, 1 of 1", "of 1 headline claim: 1 supported", ""},
		{"a claim that does not hold", headline(no, open), nil, "does not hold, 0 of 2",
			"of 2 headline claims: 1 contradicted, 1 inconclusive", ""},
		{"a claim without numbers", headline(missing), nil, "undecided", "of 1 headline claim: 1 not measured", ""},
		{"everything failed", headline(yes), []recordtest.Change{recordtest.Only("a", recordtest.Failed("x")),
			recordtest.Only("b", recordtest.Failed("x")), recordtest.Only("c", recordtest.Failed("x"))}, "failed",
			"all 9 repetitions failed", ""},
		{"everything but one failed", headline(yes), []recordtest.Change{recordtest.Only("a", recordtest.Failed("x")),
			recordtest.Only("b", recordtest.Failed("x"))}, "undecided", "of 1 headline claim: 1 not measured", ""},
		{"nothing was run", "", nil, "not measured", "there are no results", ""},
		{"no headline", "", nil, "measured", "the article has no headline claim", ""},
		{"no headline, and one of three cells failed", "", []recordtest.Change{recordtest.Only("a", recordtest.Failed("x"))},
			"measured", "the article has no headline claim", ""},
		{"claims that are no headline", strings.Replace(headline(no), "headline: true", "headline: false", 1), nil,
			"measured", "the article has no headline claim", ""},
		{"what was published", published(order) + headline(yes), nil, "reproduced, 1 of 1",
			"of 1 headline claim: 1 supported", agree},
		{"a claim made after the measurement", published(order) + headline(yes), []recordtest.Change{func(r *record.Record) {
			r.Facts = map[string]string{record.FactClaims: "[]", record.FactRevision: "0123456789abcdef"}
		}}, "undecided, 0 of 1, 1 more not stated before", "of 1 headline claim: 1 supported", agree},
		{"a claim that names its published number of parts", strings.Replace(headline(
			`throughput{server="a"} > 1100/s and throughput{server="a"} < 2000/s`), "c0,", "c0, published: 2,", 1), nil,
			"reproduced, 1 of 1", "of 1 headline claim: 1 supported",
			"1 of 1 headline claim within 25 % of the published number that the claim names"},
		{"other sizes are no part of it", published(sizes) + headline(yes), nil, "reproduced, 1 of 1",
			"of 1 headline claim: 1 supported", sizesOff},
		{"nor is another order", published(reverse) + headline(yes), nil, "reproduced, 1 of 1",
			"of 1 headline claim: 1 supported", against},
		{"published numbers alone", published(reverse), nil, "measured", "the article has no headline claim", against},
		{"what claims name as published", strings.Replace(strings.Replace(headline(yes, no, open), "c0,",
			"c0, published: 1.3,", 1), "c1,", "c1, published: 1.6,", 1), nil, "partly reproduced, 1 of 3",
			"of 3 headline claims: 1 supported, 1 contradicted, 1 inconclusive",
			"1 of 2 headline claims within 25 % of the published number that the claim names"},
		{"too little measured", published(order), []recordtest.Change{recordtest.Only("a", recordtest.Failed("x")),
			recordtest.Only("b", recordtest.Failed("x"))}, "measured", "the article has no headline claim",
			"throughput, against A paper: 1 of 3 rows can be compared"},
		{"the only row", published("rows:\n  - {server: c, throughput: 400/s}"), nil, "measured",
			"the article has no headline claim", "throughput, against A paper: 1 of 1 row can be compared"},
		{"nothing measured that was published", published("rows:\n  - {server: a, throughput: 600/s}\n" +
			"  - {server: b, throughput: 500/s}"), []recordtest.Change{recordtest.Only("a", recordtest.Failed("x")),
			recordtest.Only("b", recordtest.Failed("x"))}, "measured", "the article has no headline claim",
			"throughput, against A paper: no row has a measured number above 0 to compare with"},
		{"two blocks", published(order, reverse), nil, "measured", "the article has no headline claim",
			agree + "; " + against},
		{"the metrics of the headlines", published(strings.ReplaceAll(order, "/s}", "/s, memory.server: 64MiB}")) +
			headline(`same(memory.server{server="a"}, memory.server{server="b"})`), nil, "reproduced, 1 of 1",
			"of 1 headline claim: 1 supported",
			"memory of server, against A paper: no two numbers were published far enough apart to have an order; " +
				"3 of 3 rows within 25 % of one common factor"},
		{"published zeros have no ratio", published("rows:\n  - {server: a, failed.count: 0}\n" +
			"  - {server: b, failed.count: 0}"), nil, "measured", "the article has no headline claim",
			"failed requests, against A paper: no published number above 0 to compare with"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := recordtest.Article(strings.Replace(recordtest.Servers, "repetitions: 3",
				"repetitions: 3\nprofiles: {quick: {load: {duration: 10s, warmup: 2s}}}", 1))
			b := recordtest.NewMeasured(t, text+tt.blocks, tt.changes...)
			if tt.name == "nothing was run" {
				b = recordtest.New(t, text+tt.blocks)
			}
			got := JudgeAll(datasetOf(b)).Standing()
			if published := strings.Join(got.Published, "; "); got.String() != tt.want || got.Reason != tt.reason ||
				published != tt.published {
				t.Errorf("%s (%s), %q; want %s (%s), %q", got, got.Reason, published, tt.want, tt.reason, tt.published)
			}
		})
	}
}

// A claim over pairs holds mostly if nearly all pairs do. Its verdict stays, and pairs written out one by one do not
// count.
func TestMostly(t *testing.T) {
	var names, parts []string
	for i := range 10 {
		names = append(names, fmt.Sprintf("n%d", i))
		if i > 0 {
			parts = append(parts, fmt.Sprintf(`throughput{server="n%d"} > throughput{server="n0"}`, i))
		}
	}
	servers := strings.Replace(recordtest.Servers, "[a, b, c]", "["+strings.Join(names, ", ")+"]", 1)
	for _, tt := range []struct {
		name, expect string
		busy         bool               // the generator is too busy for a headline
		slow         map[string]float64 // throughput of servers without the usual 1200/s
		verdict      stats.Verdict
		tally, want  string
	}{
		{"all pairs", `every(throughput{server!="n0"}, ">", throughput{server="n0"})`, false, nil, stats.Supported,
			"9 comparisons: 9 supported", "holds, 1 of 1"},
		{"nearly all", `every(throughput{server!="n0"}, ">", throughput{server="n0"})`, false,
			map[string]float64{"n5": 1045}, stats.Inconclusive,
			"holds mostly, for 8 of 9 pairs: 8 supported, 1 inconclusive", "partly holds, 1 of 1 mostly"},
		{"by a generator that was too busy", `every(throughput{server!="n0"}, ">", throughput{server="n0"})`, true,
			map[string]float64{"n5": 1045}, stats.NotMeasured, "9 comparisons: 8 supported, 1 inconclusive", "undecided"},
		{"nearly all, and made after the measurement", `every(throughput{server!="n0"}, ">", throughput{server="n0"})`, false,
			map[string]float64{"n5": 1045}, stats.Inconclusive,
			"holds mostly, for 8 of 9 pairs: 8 supported, 1 inconclusive", "undecided, 0 of 1, 1 more not stated before"},
		{"one of nine contradicted", `every(throughput{server!="n0"}, ">", throughput{server="n0"})`, false,
			map[string]float64{"n5": 500}, stats.Contradicted, "9 comparisons: 8 supported, 1 contradicted",
			"does not hold, 0 of 1"},
		{"written pair by pair", strings.Join(parts, " and "), false, map[string]float64{"n5": 1045}, stats.Inconclusive,
			"9 comparisons: 8 supported, 1 inconclusive", "undecided, 0 of 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := recordtest.Article(servers) +
				recordtest.Fence("claim", "name: c\nheadline: true\nexpect: '"+tt.expect+"'")
			if strings.HasSuffix(tt.name, "after the measurement") { // of a reproduction
				text += recordtest.Fence("published", "source: A paper\nrows: [{server: n0, throughput: 900/s}]")
			}
			b := recordtest.New(t, text)
			for _, name := range names {
				x := 1200.0
				if name == "n0" {
					x = 1000
				}
				if slow, ok := tt.slow[name]; ok {
					x = slow
				}
				b.Measure("servers", name, "1", []float64{x, x * 1.01, x * 0.99}, func(r *record.Record) {
					if strings.HasSuffix(tt.name, "after the measurement") {
						r.Facts = map[string]string{record.FactClaims: "[]", record.FactRevision: "0123456789abcdef"}
					}
					if tt.busy {
						r.Load.Busy = 0.85
					}
				})
			}
			d := datasetOf(b)
			j := JudgeAll(d).Claims[0]
			if got := JudgeAll(d).Standing().String(); j.Verdict != tt.verdict || j.Tally() != tt.tally || got != tt.want {
				t.Errorf("%s, %q, standing %q; want %s, %q, %q", j.Verdict, j.Tally(), got, tt.verdict, tt.tally, tt.want)
			}
		})
	}
}
