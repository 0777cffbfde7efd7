package claim

import (
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/recordtest"
)

// Every form of a claim is moved by made-up numbers; parts that contradict or exhaust each other are found out.
func TestMutate(t *testing.T) {
	tests := []struct{ expect, rule string }{
		{`throughput{server="a"} > throughput{server="b"}`, ""},
		{`throughput{server="a"} < throughput{server="b"}`, ""},
		{`throughput{server="a"} >= throughput{server="b"}`, ""},
		{`same(throughput{server="a"}, throughput{server="b"})`, ""},
		{`within(throughput{server="a"}, throughput{server="b"}, 10%)`, ""},
		{`about(throughput{server="a"}, throughput{server="b"}, 40)`, ""},
		{`ratio(throughput{server="a"}, throughput{server="b"}) > 30`, ""},
		{`change(throughput{server="a"}, throughput{server="b"}) < -20%`, ""},
		{`throughput{server="a"} > 3 * throughput{server="b"}`, ""},
		{`latency.p99{server="a"} < 100ms`, ""},
		{`failed{server="a"} < 0.1%`, ""},
		{`failed{server="a"} > 99%`, ""},
		{`fewer(failed{server="a"}, failed{server="b"})`, ""},
		{`every(throughput{server="a"}, ">", throughput{server!="a"})`, ""},
		{`geomean(throughput{server!="b"}) > geomean(throughput{server="b"})`, ""},
		{`best(throughput) == "c"`, ""},
		{`best(latency.p99) == "b"`, ""},
		{`throughput{server="a"} > throughput{server="b"} and throughput{server="b"} > throughput{server="c"}`, ""},
		{`latency.p99{server="a"} < 100ms or latency.p99{server="b"} < 100ms`, ""},
		{`throughput{server="a"} > throughput{server="b"} and throughput{server="b"} > throughput{server="a"}`,
			"cannot-hold"},
		{`latency.p99{server="a"} < 100ms and latency.p99{server="a"} > 200ms`, "cannot-hold"},
		{`throughput{server="a"} >= throughput{server="b"} or throughput{server="b"} >= throughput{server="a"}`,
			"cannot-fail"},
		{`latency.p99{server="a"} < 200ms or latency.p99{server="a"} > 100ms`, "cannot-fail"},
	}
	for _, tt := range tests {
		t.Run(tt.expect, func(t *testing.T) {
			b := newFixture(t, recordtest.Claimed(tt.expect))
			p, err := b.Plan(plan.Full)
			if err != nil {
				t.Fatal(err)
			}
			if err := Check(dataset.WithoutRecords(b.Doc, p), b.Doc.Claims[0]); err != nil {
				t.Fatal(err)
			}
			moved := Mutate(b.Doc, p, &b.Doc.Problems)
			rule := ""
			if problems := b.Doc.Problems.Sorted(); len(problems) > 0 {
				rule = problems[0].Rule
			}
			if rule != tt.rule || (len(moved) == 1) != (tt.rule == "") {
				t.Errorf("got %q and %d moved, want %q", rule, len(moved), tt.rule)
			}
		})
	}
}

// A claim about what cannot be measured has no verdict that numbers could move.
func TestMutateUnavailable(t *testing.T) {
	b := measuredWithGone(t, `throughput{server="a"} > throughput{server="gone"}`)
	p, err := b.Plan(plan.Full)
	if err != nil {
		t.Fatal(err)
	}
	if moved := Mutate(b.Doc, p, &b.Doc.Problems); len(moved) > 0 || !b.Doc.Problems.Empty() {
		t.Errorf("got %d moved and %v", len(moved), b.Doc.Problems.Sorted())
	}
}

// A claim that the records support has to depend on which cell has which value.
func TestUnmoved(t *testing.T) {
	for _, tt := range []struct {
		expect string
		moved  int
		warned bool
	}{
		{`throughput{server="a"} > throughput{server="b"}`, 1, false},
		{`throughput{server="a"} > 500/s`, 1, false},
		{`latency.p50{server="a"} < 100ms and throughput{server="a"} > throughput{server="c"}`, 1, false},
		{`best(throughput) == "a"`, 1, false},
		{`every(throughput{server!="c"}, ">", throughput{server="c"})`, 1, false},
		{`geomean(throughput{server!="c"}) > geomean(throughput{server="c"})`, 1, false},
		{`throughput{server="a"} > throughput{server="b"} or throughput{server="b"} > throughput{server="a"}`, 0, true},
		{`throughput{server="a"} > throughput{server="b"} or throughput{server="b"} > throughput{server="c"} or throughput{server="c"} > throughput{server="a"}`, 0, true},
		{`throughput{server="a"} >= throughput{server="b"}`, 0, false}, // equal cells could be exchanged
		{`throughput{server="a"} < throughput{server="b"}`, 0, false},  // not supported
	} {
		t.Run(tt.expect, func(t *testing.T) {
			d := measuredServers(t, recordtest.Claimed(tt.expect)).dataset(dataset.Options{})
			before := Judge(d, d.Doc.Claims[0]).Verdict
			if moved := Unmoved(d, d.Doc.Claims, &d.Doc.Problems); moved != tt.moved {
				t.Errorf("%d moved, want %d", moved, tt.moved)
			}
			if warned := len(d.Doc.Problems.Sorted()) > 0; warned != tt.warned {
				t.Errorf("warned %v, want %v", warned, tt.warned)
			}
			if after := Judge(d, d.Doc.Claims[0]).Verdict; after != before {
				t.Errorf("the dataset was changed: %s, then %s", before, after)
			}
		})
	}
}
