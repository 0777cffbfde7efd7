package claim

import (
	"slices"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

// After a look the cells of comparisons go on that are undecided in an undecided claim, unless more repetitions would
// be no better.
func TestOpen(t *testing.T) {
	const published = "\n```yaml published\nname: theirs\nsource: a paper\nexperiment: servers\nrows:\n" +
		"  - {server: a, throughput: 2000/s}\n  - {server: b, throughput: 1000/s}\n  - {server: c, throughput: 900/s}\n```\n"
	fast, slow := []float64{2000, 2020, 2010}, []float64{1000, 1010, 1005}
	wide := []float64{1000, 1200, 800} // neither more nor less than slow
	failing := func(r *record.Record) { r.Failure, r.Samples, r.Load = "it ended", nil, nil }
	stolen := func(r *record.Record) { r.Machine = &record.Machine{Steal: 0.2} }
	lead := recordtest.Fence("claim", "name: lead\nheadline: true\n"+
		"expect: throughput{server=\"b\"} > throughput{server=\"c\"}")
	busy := func(r *record.Record) { r.Load.Busy = 0.85 }
	for _, tt := range []struct {
		name, claim string
		more        string
		c           recordtest.Change
		want        []string
	}{
		{"decided", `throughput{server="a"} > throughput{server="b"}`, "", nil, nil},
		{"contradicted", `throughput{server="a"} < throughput{server="b"}`, "", nil, nil},
		{"undecided", `throughput{server="b"} > throughput{server="c"}`, "", nil, []string{"b", "c"}},
		{"of all pairs those that are", `every(throughput{server!="c"}, ">", throughput{server="c"})`, "", nil,
			[]string{"b", "c"}},
		{"one contradicted, which decides", `throughput{server="b"} > throughput{server="c"} and ` +
			`throughput{server="a"} < throughput{server="b"}`, "", nil, nil},
		{"one cell", `throughput{server="c"} > 1000/s`, "", nil, []string{"c"}},
		{"a cell that always fails", `throughput{server="b"} > throughput{server="c"}`, "", failing, nil},
		{"a cell that the machine disturbed", `throughput{server="b"} > throughput{server="c"}`, "", stolen,
			[]string{"b", "c"}},
		{"by a percentile that needs more answers", `latency.p99.99{server="b"} > latency.p99.99{server="c"}`, "", nil, nil},
		{"without a ratio, as a value is zero", `failed{server="b"} > failed{server="c"}`, "", nil, nil},
		{"a headline that cannot be carried", `throughput{server="a"} > throughput{server="b"}`,
			lead, busy, nil},
		{"published in an order that is undecided", `throughput{server="a"} > throughput{server="b"}`, published, nil,
			[]string{"b", "c"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bench := newFixture(t, recordtest.Claimed(tt.claim)+tt.more)
			changes := []recordtest.Change{}
			if tt.c != nil {
				changes = append(changes, tt.c)
			}
			bench.Measure("servers", "a", "1", fast)
			bench.Measure("servers", "b", "1", slow)
			bench.Measure("servers", "c", "1", wide, changes...)
			got := Open(bench.dataset(dataset.Options{}))["servers"]
			if slices.Sort(got); !slices.Equal(got, tt.want) {
				t.Errorf("open %v, want %v", got, tt.want)
			}
		})
	}
}
