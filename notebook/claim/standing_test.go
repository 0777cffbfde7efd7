package claim

import (
	"strings"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
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

		memory     = `same(memory.server{server="a"}, memory.server{server="b"})`
		noMemory   = `memory.server{server="a"} > memory.server{server="b"}`
		openMemory = `ratio(memory.server{server="a"}, memory.server{server="b"}) > 1`
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
	tests := []struct {
		name    string
		blocks  string
		changes []recordtest.Change
		want    stats.Standing
		reason  string
	}{
		{"claims that hold", headline(yes), nil, stats.Holds, "of 1 headline claim: 1 supported"},
		{"claims that hold in part", headline(yes, open), nil, stats.HoldsInPart,
			"of 2 headline claims: 1 supported, 1 inconclusive"},
		{"a claim that does not hold", headline(yes, no), nil, stats.DoesNotHold,
			"of 2 headline claims: 1 supported, 1 contradicted"},
		{"a claim without numbers", headline(missing), nil, stats.StandingNotMeasured, "of 1 headline claim: 1 not measured"},
		{"everything failed", headline(yes), []recordtest.Change{recordtest.Only("a", recordtest.Failed("x")),
			recordtest.Only("b", recordtest.Failed("x")), recordtest.Only("c", recordtest.Failed("x"))}, stats.StandingFailed,
			"all 9 repetitions failed"},
		{"everything but one failed", headline(yes), []recordtest.Change{recordtest.Only("a", recordtest.Failed("x")),
			recordtest.Only("b", recordtest.Failed("x"))}, stats.StandingNotMeasured,
			"of 1 headline claim: 1 not measured"},
		{"a claim that is open", headline(open), nil, stats.StandingMeasured, "of 1 headline claim: 1 inconclusive"},
		{"nothing was run", "", nil, stats.StandingNotMeasured, "there are no results"},
		{"no headline", "", nil, stats.StandingMeasured, "the article has no headline claim"},
		{"no headline, and one of three cells failed", "", []recordtest.Change{recordtest.Only("a", recordtest.Failed("x"))},
			stats.StandingMeasured, "the article has no headline claim"},
		{"claims that are no headline", strings.Replace(headline(yes), "headline: true", "headline: false", 1), nil,
			stats.StandingMeasured, "the article has no headline claim"},
		{"quick claims", headline(yes), []recordtest.Change{recordtest.InProfile(plan.Quick)}, stats.QuickOnly,
			"only quick records"},
		{"published sizes", published(order) + headline(yes), nil, stats.Reproduced,
			"throughput, against A paper: 3 of 3 rows near one common factor"},
		{"published order", published(sizes) + headline(yes), nil, stats.DirectionOnly,
			"throughput, against A paper: 1 of 3 rows near one common factor"},
		{"another order", published(reverse), nil, stats.NotReproduced,
			"throughput, against A paper: order: 3 of 3 pairs disagree"},
		{"a headline contradicted", published(order) + headline(no), nil, stats.NotReproduced,
			"throughput, against A paper: a headline claim is contradicted"},
		{"a headline open", published(order) + headline(open), nil, stats.DirectionOnly,
			"throughput, against A paper: a headline claim is not decided"},
		{"a headline about something that nobody published", published(order) + headline(yes, memory), nil, stats.Reproduced,
			"throughput, against A paper: 3 of 3 rows near one common factor"},
		{"such a headline contradicted", published(order) + headline(yes, noMemory), nil, stats.NotReproduced,
			"headline claim c1, which no published number covers, is contradicted"},
		{"such a headline open", published(order) + headline(openMemory), nil, stats.DirectionOnly,
			"headline claim c0, which no published number covers, is inconclusive"},
		{"such a headline not measured", published(order) + headline(missing), nil, stats.DirectionOnly,
			"headline claim c0, which no published number covers, is not measured"},
		{"such a headline in quick records", published(order) + headline(noMemory),
			[]recordtest.Change{recordtest.InProfile(plan.Quick)}, stats.QuickOnly,
			"throughput, against A paper: only quick records"},
		{"too little measured", published(order), []recordtest.Change{recordtest.Only("a", recordtest.Failed("x")),
			recordtest.Only("b", recordtest.Failed("x"))}, stats.StandingNotMeasured,
			"throughput, against A paper: 1 of 3 rows measured"},
		{"quick records", published(order), []recordtest.Change{recordtest.InProfile(plan.Quick)}, stats.QuickOnly,
			"throughput, against A paper: only quick records"},
		{"the worst of two blocks", published(order, reverse), nil, stats.NotReproduced,
			"throughput, against A paper: order: 3 of 3 pairs disagree"},
		{"the metrics of the headlines", published(strings.ReplaceAll(order, "/s}", "/s, memory.server: 64MiB}")) +
			headline(`same(memory.server{server="a"}, memory.server{server="b"})`), nil, stats.Reproduced,
			"memory of server, against A paper: 3 of 3 rows near one common factor"},
		{"published zeros have no ratio", published("rows:\n  - {server: a, failed.count: 0}\n" +
			"  - {server: b, failed.count: 0}"), nil,
			stats.StandingNotMeasured, "failed requests, against A paper: 0 of 0 rows measured"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := recordtest.FrontMatter + recordtest.Dockerfile + recordtest.Fence("experiment",
				strings.Replace(recordtest.Servers, "repetitions: 3",
					"repetitions: 3\nprofiles: {quick: {load: {duration: 10s, warmup: 2s}}}", 1))
			b := measuredServers(t, text+tt.blocks, tt.changes...)
			if tt.name == "nothing was run" {
				b = newFixture(t, text+tt.blocks)
			}
			got, reason := Standing(b.dataset(dataset.Options{}))
			if got != tt.want || reason != tt.reason {
				t.Errorf("%s (%s), want %s (%s)", got, reason, tt.want, tt.reason)
			}
		})
	}
}
