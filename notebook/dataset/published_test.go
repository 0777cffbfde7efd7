package dataset

import (
	"math"
	"strings"
	"testing"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

func TestPublished(t *testing.T) {
	blocks := fence("published", `- name: first
  source: A paper
  rows:
    - {server: a, throughput: 1000/s, note: on a laptop}
    - {server: b, throughput: 900/s}
    - {server: unmeasured, throughput: 100/s}
- name: second
  source: Another
  rows:
    - {server: a, throughput: 700/s, latency.p99: 50ms}
    - {server: c, throughput: 800/s}`)
	d := measuredServers(t, frontMatter+dockerfile+fence("experiment", servers)+blocks, only("c", failed("broken"))).dataset(Options{})
	tests := []struct {
		name, trial, metric, block string
		want                       float64
		text, source               string
		ratio, shift               float64
	}{
		{"the first block that has it", "a", "throughput", "", 1000, "1000/s", "A paper", 1.2, 0},
		{"a block by name", "a", "throughput", "second", 700, "700/s", "Another", 1200. / 700, 0},
		{"a metric of a later block", "a", "latency.p99", "", 0.05, "50ms", "Another", 0.4168, 0},
		{"a cell of a later block", "c", "throughput", "", 800, "800/s", "Another", math.NaN(), math.NaN()},
	}
	same := func(a, b float64) bool { return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-3 }
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, ok := d.Published(cellOf(t, d, tt.trial), tt.metric, tt.block)
			if !ok || !closeTo(v.Number, tt.want) || v.Text != tt.text || v.Block.Source.Value != tt.source || !same(v.Ratio, tt.ratio) || !same(v.Shift, tt.shift) {
				t.Errorf("%+v, %v; want %+v", v, ok, tt)
			}
		})
	}
	for _, none := range []struct{ trial, metric, block string }{{"b", "latency.p99", ""}, {"b", "throughput", "second"}, {"a", "throughput", "third"}} {
		if v, ok := d.Published(cellOf(t, d, none.trial), none.metric, none.block); ok {
			t.Errorf("%v is published: %+v", none, v)
		}
	}
}

func TestRankShift(t *testing.T) {
	d := measuredServers(t, frontMatter+dockerfile+fence("experiment", servers)+fence("published",
		"source: A paper\nrows:\n  - {server: a, throughput: 800/s}\n  - {server: b, throughput: 1000/s}\n  - {server: c, throughput: 1000/s}")).dataset(Options{})
	for trial, want := range map[string]float64{"a": 2, "b": -0.5, "c": -1.5} {
		if v, ok := d.Published(cellOf(t, d, trial), "throughput", ""); !ok || v.Shift != want {
			t.Errorf("%s rose by %v, want %v", trial, v.Shift, want)
		}
	}
}

// Of failures the share of all attempts is shown, so that is what is compared and ranked, not the median repetition.
func TestSharesAreComparedAsTheyArePrinted(t *testing.T) {
	d := measuredServers(t, frontMatter+dockerfile+fence("experiment", servers)+fence("published",
		"source: A paper\nrows:\n  - {server: a, failed: 1%}\n  - {server: b, failed: 2%}"),
		only("a", failing(1), 1, 2), only("a", failing(3000), 3), only("b", failing(200)), only("c", failing(500)),
		loadChange(func(l *record.Load) { l.FailuresMax = 1 })).dataset(Options{})
	share := cellOf(t, d, "a").Metric("failed").Estimate.Centre
	if v, ok := d.Published(cellOf(t, d, "a"), "failed", ""); !ok || !closeTo(v.Ratio, share/0.01) || v.Shift != -1 {
		t.Errorf("%+v, want a ratio of %v and a shift of -1", v, share/0.01)
	}
	q, err := d.Eval(parseExpr(t, "best(failed)"), "")
	if err != nil || !strings.HasPrefix(q.Text, "b") {
		t.Errorf("best is %q, %v; want b first", q.Text, err)
	}
}

func TestRowsJoinByWhatTheyShare(t *testing.T) {
	d := newBench(t, frontMatter+dockerfile+fence("experiment", grid)+fence("published",
		"source: A paper\nrows:\n  - {kind: blocking, clients: 010, version: 3.10, throughput: 1/s}\n  - {kind: blocking, throughput: 2/s}\n  - {version: x, throughput: 3/s}")).dataset(Options{})
	b := d.Doc.Published[0]
	for i, want := range []string{"sync, 10", "sync, 10; sync, 100", "sync, 10; sync, 100; async, 10; async, 100"} {
		var names []string
		for _, c := range d.join(b, &b.Rows[i]) {
			names = append(names, c.Trial.Name)
		}
		if got := strings.Join(names, "; "); got != want {
			t.Errorf("row %d joins %q, want %q", i+1, got, want)
		}
	}
	if _, ok := d.Published(d.Experiments[0].Cells[1], "throughput", ""); ok {
		t.Error("a row that fits several cells was taken for one of them")
	}
}

func TestStanding(t *testing.T) {
	const (
		order   = "rows:\n  - {server: a, throughput: 600/s}\n  - {server: b, throughput: 500/s}\n  - {server: c, throughput: 400/s}"
		sizes   = "rows:\n  - {server: a, throughput: 6000/s}\n  - {server: b, throughput: 500/s}\n  - {server: c, throughput: 40/s}"
		reverse = "rows:\n  - {server: a, throughput: 400/s}\n  - {server: b, throughput: 500/s}\n  - {server: c, throughput: 600/s}"
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
			out.WriteString(fence("claim", "{name: c"+string(rune('0'+i))+", headline: true, expect: '"+e+"'}"))
		}
		return out.String()
	}
	published := func(rows ...string) string {
		var out strings.Builder
		for _, r := range rows {
			out.WriteString(fence("published", "source: A paper\n"+r))
		}
		return out.String()
	}
	tests := []struct {
		name    string
		blocks  string
		changes []change
		want    stats.Standing
		reason  string
	}{
		{"claims that hold", headline(yes), nil, stats.Holds, "of 1 headline claim: 1 supported"},
		{"claims that hold in part", headline(yes, open), nil, stats.HoldsInPart, "of 2 headline claims: 1 supported, 1 inconclusive"},
		{"a claim that does not hold", headline(yes, no), nil, stats.DoesNotHold, "of 2 headline claims: 1 supported, 1 contradicted"},
		{"a claim without numbers", headline(missing), nil, stats.StandingNotMeasured, "of 1 headline claim: 1 not measured"},
		{"everything failed", headline(yes), []change{only("a", failed("x")), only("b", failed("x")), only("c", failed("x"))}, stats.StandingFailed,
			"all 9 repetitions failed"},
		{"everything but one failed", headline(yes), []change{only("a", failed("x")), only("b", failed("x"))}, stats.StandingNotMeasured,
			"of 1 headline claim: 1 not measured"},
		{"a claim that is open", headline(open), nil, stats.StandingMeasured, "of 1 headline claim: 1 inconclusive"},
		{"nothing was run", "", nil, stats.StandingNotMeasured, "there are no results"},
		{"no headline", "", nil, stats.StandingMeasured, "the article has no headline claim"},
		{"no headline, and one of three cells failed", "", []change{only("a", failed("x"))}, stats.StandingMeasured, "the article has no headline claim"},
		{"claims that are no headline", strings.Replace(headline(yes), "headline: true", "headline: false", 1), nil,
			stats.StandingMeasured, "the article has no headline claim"},
		{"quick claims", headline(yes), []change{inProfile(plan.Quick)}, stats.QuickOnly, "only quick records"},
		{"published sizes", published(order) + headline(yes), nil, stats.Reproduced, "throughput, against A paper: 3 of 3 rows near one common factor"},
		{"published order", published(sizes) + headline(yes), nil, stats.DirectionOnly, "throughput, against A paper: 1 of 3 rows near one common factor"},
		{"another order", published(reverse), nil, stats.NotReproduced, "throughput, against A paper: order: 3 of 3 pairs disagree"},
		{"a headline contradicted", published(order) + headline(no), nil, stats.NotReproduced, "throughput, against A paper: a headline claim is contradicted"},
		{"a headline open", published(order) + headline(open), nil, stats.DirectionOnly, "throughput, against A paper: a headline claim is not decided"},
		{"a headline about something that nobody published", published(order) + headline(yes, memory), nil, stats.Reproduced, "throughput, against A paper: 3 of 3 rows near one common factor"},
		{"such a headline contradicted", published(order) + headline(yes, noMemory), nil, stats.NotReproduced, "headline claim c1, about nothing that was published, is contradicted"},
		{"such a headline open", published(order) + headline(openMemory), nil, stats.DirectionOnly, "headline claim c0, about nothing that was published, is inconclusive"},
		{"such a headline not measured", published(order) + headline(missing), nil, stats.DirectionOnly, "headline claim c0, about nothing that was published, is not measured"},
		{"such a headline in quick records", published(order) + headline(noMemory), []change{inProfile(plan.Quick)}, stats.QuickOnly, "throughput, against A paper: only quick records"},
		{"too little measured", published(order), []change{only("a", failed("x")), only("b", failed("x"))}, stats.StandingNotMeasured,
			"throughput, against A paper: 1 of 3 rows measured"},
		{"quick records", published(order), []change{inProfile(plan.Quick)}, stats.QuickOnly, "throughput, against A paper: only quick records"},
		{"the worst of two blocks", published(order, reverse), nil, stats.NotReproduced, "throughput, against A paper: order: 3 of 3 pairs disagree"},
		{"the metrics of the headlines", published(strings.ReplaceAll(order, "/s}", "/s, memory.server: 64MiB}")) +
			headline(`same(memory.server{server="a"}, memory.server{server="b"})`), nil, stats.Reproduced,
			"memory of server, against A paper: 3 of 3 rows near one common factor"},
		{"published zeros have no ratio", published("rows:\n  - {server: a, failed.count: 0}\n  - {server: b, failed.count: 0}"), nil,
			stats.StandingNotMeasured, "failed requests, against A paper: 0 of 0 rows measured"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := frontMatter + dockerfile + fence("experiment", strings.Replace(servers, "repetitions: 3", "repetitions: 3\nprofiles: {quick: {load: {duration: 10s, warmup: 2s}}}", 1))
			b := measuredServers(t, text+tt.blocks, tt.changes...)
			if tt.name == "nothing was run" {
				b = newBench(t, text+tt.blocks)
			}
			got, reason := b.dataset(Options{}).Standing()
			if got != tt.want || reason != tt.reason {
				t.Errorf("%s (%s), want %s (%s)", got, reason, tt.want, tt.reason)
			}
		})
	}
}

func TestGroups(t *testing.T) {
	d := measuredServers(t, frontMatter+dockerfile+fence("experiment", servers), only("b", func(r *record.Record) { r.Load.Completed = 12000 - 10*int64(r.Repetition) }),
		only("c", failed("broken"))).dataset(Options{})
	g, err := d.Groups("servers", "throughput")
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Ranked) != 2 || g.Ranked[0].Name != "a" || g.Ranked[0].Letters != "a" || g.Ranked[1].Letters != "a" || len(g.LeftOut) != 1 || g.LeftOut[0].Name != "c" {
		t.Errorf("%+v", g)
	}
	for _, tt := range []struct{ experiment, metric, want string }{
		{"other", "throughput", `no experiment "other"`},
		{"servers", "nonsense", `no metric "nonsense"`},
		{"servers", "requests", "requests has no better direction"},
	} {
		if _, err := d.Groups(tt.experiment, tt.metric); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}
