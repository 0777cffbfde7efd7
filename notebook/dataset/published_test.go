package dataset

import (
	"math"
	"strings"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

func TestPublished(t *testing.T) {
	blocks := recordtest.Fence("published", `- name: first
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
	d := datasetOf(recordtest.NewMeasured(t, servers+blocks, recordtest.Only("c", recordtest.Failed("broken"))))
	for _, tt := range []struct {
		name, trial, metric, block string
		want                       float64
		text, source               string
	}{
		{"the first block that has it", "a", "throughput", "", 1000, "1000/s", "A paper"},
		{"a block by name", "a", "throughput", "second", 700, "700/s", "Another"},
		{"a metric of a later block", "a", "latency.p99", "", 0.05, "50ms", "Another"},
		{"a cell of a later block", "c", "throughput", "", 800, "800/s", "Another"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, ok := d.Published(cellOf(t, d, tt.trial), tt.metric, tt.block)
			if !ok || !recordtest.CloseTo(v.Number, tt.want) || v.Text != tt.text || v.Block.Source.Value != tt.source {
				t.Errorf("%+v, %v; want %+v", v, ok, tt)
			}
		})
	}
	for _, none := range []struct{ trial, metric, block string }{{"b", "latency.p99", ""}, {"b", "throughput", "second"},
		{"a", "throughput", "third"}} {
		_, ok := d.Published(cellOf(t, d, none.trial), none.metric, none.block)
		assert.Equal(t, ok, false, "%v is published", none)
	}
}

// Failures are compared by the share of all attempts, as printed, not by the median repetition.
func TestSharesAreComparedAsTheyArePrinted(t *testing.T) {
	d := datasetOf(recordtest.NewMeasured(t, servers+recordtest.Fence("published",
		"source: A paper\nrows:\n  - {server: a, failed: 1%}\n  - {server: b, failed: 2%}"),
		recordtest.Only("a", recordtest.Failing(1), 1, 2), recordtest.Only("a", recordtest.Failing(3000), 3),
		recordtest.Only("b", recordtest.Failing(200)), recordtest.Only("c", recordtest.Failing(500)),
		recordtest.LoadChange(func(l *record.Load) { l.FailuresMax = 1 })))
	share := cellOf(t, d, "a").Metric("failed").Estimate.Centre
	if a, ok := d.Agreement("failed", ""); !ok || !recordtest.CloseTo(a.Rows[0].Ratio, share/0.01) {
		t.Errorf("%+v, want a ratio of %v", a, share/0.01)
	}
}

func TestRowsJoinByWhatTheyShare(t *testing.T) {
	d := datasetOf(recordtest.New(t, recordtest.Article(recordtest.Grid)+recordtest.Fence("published",
		"source: A paper\nrows:\n  - {kind: blocking, clients: 010, version: 3.10, throughput: 1/s}\n"+
			"  - {kind: blocking, throughput: 2/s}\n  - {version: x, throughput: 3/s}")))
	b := d.Doc.Published[0]
	for i, want := range []string{"sync, 10", "sync, 10; sync, 100", "sync, 10; sync, 100; async, 10; async, 100"} {
		names := slice.Map(d.Join(b, &b.Rows[i]), func(c *Cell) string { return c.Trial.Name })
		assert.Equal(t, strings.Join(names, "; "), want, "row %d joins", i+1)
	}
	_, ok := d.Published(d.Experiments[0].Cells[1], "throughput", "")
	assert.Equal(t, ok, false, "a row that fits several cells was taken for one of them")
}

// Agreement returns the rows of a block with their cells.
func TestAgreement(t *testing.T) {
	b := recordtest.New(t, servers+recordtest.Fence("published", `name: theirs
source: others
rows:
  - {server: a, throughput: 100/s}
  - {server: b, throughput: 300/s}
  - {server: c, latency.p50: 5ms}`))
	b.Measure("servers", "a", "1", []float64{200, 202, 198})
	b.Measure("servers", "b", "1", []float64{600, 606, 594})
	d := datasetOf(b)
	a, ok := d.Agreement("throughput", "")
	if !ok || len(a.Rows) != 2 || len(a.Cells) != 2 || a.Cells[1] != cellOf(t, d, "b") || math.Abs(a.Factor-2) > .05 {
		t.Errorf("%v, %+v", ok, a)
	}
	_, ok = d.Agreement("latency.p50", "theirs")
	assert.Equal(t, ok, true, "the block is found by its name")
	_, ok = d.Agreement("latency.p99", "")
	assert.Equal(t, ok, false, "something that nobody published agrees")
}
