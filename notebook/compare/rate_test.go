package compare

import (
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// An open loop gives each cell that keeps up the throughput of its rate: by it no cell wins.
func TestNoWinnerByRate(t *testing.T) {
	rated := strings.Replace(recordtest.Servers, "connections: 10}", "connections: 10, rate: 100/s}", 1)
	open := func(due float64) recordtest.Change { // due is the share of what was answered
		return func(r *record.Record) {
			n := int64(due * float64(r.Load.Completed))
			r.Load.Open = &record.OpenLoop{Rate: 100, Arrivals: "constant", Due: n, Sent: n}
		}
	}
	expect := `latency.p50{server="a"} < latency.p50{server="b"}`
	text := recordtest.FrontMatter + recordtest.Dockerfile + recordtest.Fence("experiment", rated) +
		recordtest.Fence("claim", "{name: c, expect: '"+expect+"'}")
	measured := func(c, dueC float64) *dataset.Dataset {
		b := newFixture(t, text)
		for trial, x := range map[string]float64{"a": 101, "b": 100, "c": c} {
			due := 1.
			if trial == "c" {
				due = dueC
			}
			b.Measure("servers", trial, "1", []float64{x, x, x}, open(due), recordtest.Tail(t, "a", 20))
		}
		return b.dataset(dataset.Options{})
	}
	place := func(d *dataset.Dataset, trial string) float64 {
		q, err := d.Eval(recordtest.Parse(t, `rank(throughput{server="`+trial+`"})`), "")
		if err != nil {
			t.Fatal(err)
		}
		return q.Number
	}
	winner := func(d *dataset.Dataset) (string, string) {
		q, err := d.Eval(recordtest.Parse(t, "best(throughput)"), "")
		if err != nil {
			t.Fatal(err)
		}
		return q.Text, q.Note
	}
	metrics := func(list []record.Metric) (names []string) {
		for _, m := range list {
			names = append(names, m.Name)
		}
		return names
	}

	all := measured(99, 1)
	if text, note := winner(all); text != "a (tied with b, c)" || !strings.Contains(note, dataset.NotRanked) {
		t.Errorf("the best of three that keep up is %q, %q", text, note)
	}
	for _, trial := range []string{"a", "b", "c"} {
		if got := place(all, trial); got != 2 {
			t.Errorf("%s has rank %v of three that keep up", trial, got)
		}
	}
	if g, err := all.Groups("servers", "throughput"); err != nil ||
		slices.ContainsFunc(g.Ranked, func(r stats.RankedCell) bool { return r.Letters != "a" }) {
		t.Errorf("groups %+v, %v", g.Ranked, err)
	}
	o := claim.OrdersOf(all, "servers")
	if names := metrics(o.Metrics); slices.Contains(names, "throughput") || !slices.Contains(names, "latency.p50") {
		t.Errorf("orders are compared by %q", names)
	}

	// One that falls behind has a throughput of its own.
	behind := measured(60, 1.6)
	if text, _ := winner(behind); text != "a (tied with b)" {
		t.Errorf("the best of three, one of which falls behind, is %q", text)
	}
	if a, c := place(behind, "a"), place(behind, "c"); a != 1.5 || c != 3 {
		t.Errorf("ranks %v and %v", a, c)
	}
	if names := metrics(claim.OrdersOf(behind, "servers").Metrics); !slices.Contains(names, "throughput") {
		t.Errorf("orders are compared by %q", names)
	}

	// A higher rate is no merit of what is measured.
	faster := newFixture(t, text)
	faster.Measure("servers", "a", "2", []float64{202, 202, 202}, open(1))
	changes, err := Compare([]Sides{{A: measured(99, 1), B: faster.dataset(dataset.Options{})}},
		ChangeOptions{Metrics: []string{"throughput"}})
	if err != nil || changes[0].Verdict != stats.Higher {
		t.Errorf("twice the rate: %+v, %v", changes, err)
	}

	// In a closed loop the same numbers have a winner.
	closed := newFixture(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment",
		recordtest.Servers))
	for trial, x := range map[string]float64{"a": 101, "b": 100, "c": 99} {
		closed.Measure("servers", trial, "1", []float64{x, x, x})
	}
	if text, _ := winner(closed.dataset(dataset.Options{})); text != "a" {
		t.Errorf("the best of a closed loop is %q", text)
	}
}
