package dataset

import (
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/plan"
	"benchbook/notebook/stats"
)

// withGone is servers with a fourth cell, which cannot be measured.
var withGone = strings.Replace(servers, "[a, b, c]", "[a, b, c, {name: gone, unavailable: it has no package}]", 1)

const leftGone = "left out, unavailable: gone (it has no package)"

// measuredWithGone has all that can be measured of withGone, and a claim.
func measuredWithGone(t *testing.T, expect string) *bench {
	text := frontMatter + dockerfile + fence("experiment", withGone)
	if expect != "" {
		text = strings.ReplaceAll(claimed(expect), servers, withGone)
	}
	return measuredServers(t, text)
}

// Lists are of what can be measured, and say what they lack; a cell that cannot be measured is a reason where it is named.
func TestUnavailableValues(t *testing.T) {
	d := measuredWithGone(t, "").dataset(Options{})
	tests := []struct {
		name, expr string
		want       float64
		err        string
	}{
		{"the most of a list", `max(throughput)`, 1200, ""},
		{"the number of cells", `count(throughput)`, 3, ""},
		{"a list of which one is left", `mean(throughput{server!="a", server!="b"})`, 800, ""},
		{"the cell itself", `throughput{server="gone"}`, 0, "unavailable: it has no package"},
		{"a list in the place of a cell, of which one is left", `throughput{server!="a", server!="b"}`, 0, "is 2 cells, where one is needed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q, err := d.Eval(parseExpr(t, tt.expr), "")
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil || !closeTo(q.Number, tt.want) || !strings.Contains(q.Note, leftGone) {
				t.Errorf("got %v, %v with note %q; want %v", q.Number, err, q.Note, tt.want)
			}
		})
	}
	best, err := d.Eval(parseExpr(t, "best(throughput)"), "")
	if err != nil || best.Text != "a" || !strings.Contains(best.Note, leftGone) {
		t.Errorf("best is %q, %v with note %q", best.Text, err, best.Note)
	}
}

// A claim over a list is about what can be measured, and says what it leaves out.
func TestUnavailableInClaims(t *testing.T) {
	tests := []struct {
		expect, reason string
		want           stats.Verdict
		marked         bool
	}{
		{`best(throughput) == "a"`, "", stats.Supported, true},
		{`every(throughput{server="a"}, ">", throughput{server!="a"})`, "", stats.Supported, true},
		{`geomean(throughput{server!="b"}) > geomean(throughput{server="c"})`, "", stats.Supported, true},
		{`throughput{server="a"} > throughput{server="b"}`, "", stats.Supported, false},
		{`throughput{server="a"} > throughput{server="gone"}`, "throughput, gone: unavailable: it has no package", stats.NotMeasured, false},
		{`best(throughput) == "gone"`, "throughput, gone: unavailable: it has no package", stats.NotMeasured, true},
	}
	for _, tt := range tests {
		t.Run(tt.expect, func(t *testing.T) {
			j := measuredWithGone(t, tt.expect).judge()
			if j.Verdict != tt.want || j.Reason != tt.reason || slices.Contains(j.Marks, leftGone) != tt.marked {
				t.Errorf("got %s, %q with marks %q; want %s, %q, marked %v", j.Verdict, j.Reason, j.Marks, tt.want, tt.reason, tt.marked)
			}
		})
	}
}

// Where one cell is left of a list it is the best of it, whatever it comes to.
func TestUnavailableLeavesOne(t *testing.T) {
	b := newBench(t, strings.ReplaceAll(claimed(`best(throughput{server!="a", server!="b"}) == "c"`), servers, withGone))
	p, err := b.plan(plan.Full)
	if err != nil {
		t.Fatal(err)
	}
	Check(b.doc, p, &b.doc.Problems)
	got := b.doc.Problems.Sorted()
	if len(got) != 1 || got[0].Rule != "cannot-fail" || !strings.Contains(got[0].Message, "one cell that can be measured") {
		t.Errorf("got %v", got)
	}
}
