package hosts

import (
	"testing"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
)

// A claim that holds on some hosts is not the same on all, and what must not be compared has no say.
func TestAgreement(t *testing.T) {
	const (
		yes, no, open, none = stats.Supported, stats.Contradicted, stats.Inconclusive, stats.NotMeasured
	)
	for _, test := range []struct {
		name      string
		verdicts  []stats.Verdict
		apart     int // how many of the last must not be compared
		want      Agreement
		holds, of int
		contra    bool
	}{
		{"supported on both", []stats.Verdict{yes, yes}, 0, Same, 2, 2, false},
		{"contradicted on both", []stats.Verdict{no, no}, 0, Same, 0, 2, false},
		{"undecided on one", []stats.Verdict{yes, open}, 0, Differ, 1, 2, false},
		{"contradicted on one", []stats.Verdict{yes, no}, 0, Differ, 1, 2, true},
		{"measured on one", []stats.Verdict{yes, none}, 0, OneHost, 1, 1, false},
		{"measured on two of three", []stats.Verdict{none, yes, yes}, 0, Same, 2, 2, false},
		{"measured nowhere", []stats.Verdict{none, none}, 0, Nowhere, 0, 0, false},
		{"one that must not be compared", []stats.Verdict{yes, no}, 1, NotCompared, 1, 1, false},
		{"one of three that must not be compared", []stats.Verdict{yes, yes, no}, 1, Same, 2, 2, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Claim{Block: &article.Claim{}}
			for i, v := range test.verdicts {
				c.Results = append(c.Results, Result{claim.Judgement{Verdict: v}, i >= len(test.verdicts)-test.apart})
			}
			if c.agree(); c.Agreement != test.want || c.Holds != test.holds || c.Of != test.of ||
				c.isContradiction() != test.contra {
				t.Errorf("%s, holds on %d of %d, a contradiction: %v", c.Agreement, c.Holds, c.Of, c.isContradiction())
			}
		})
	}
}

// The size of differences has one form for all of them.
func TestSizeOf(t *testing.T) {
	for _, test := range []struct {
		ratios []float64
		want   string
	}{
		{[]float64{1.052, 1.45, 1.3}, "5 to 45\u202f% higher"},
		{[]float64{1.3, 1.302}, "30\u202f% higher"},
		{[]float64{.53, .8, .3}, "20 to 70\u202f% lower"},
		{[]float64{.8, 1.45}, "from 20\u202f% lower to 45\u202f% higher"},
		{[]float64{1.2, 3.4}, "1.2 to 3.4\u00a0times as high"},
		{[]float64{.8, 3.4}, "from 20\u202f% lower to 3.4\u00a0times as high"},
	} {
		var list []*compare.Change
		for _, r := range test.ratios {
			list = append(list, &compare.Change{Effect: &dataset.Quantity{Number: r - 1}})
		}
		if got := sizeOf(list); got != test.want {
			t.Errorf("%v: %q, want %q", test.ratios, got, test.want)
		}
	}
}

// A claim is about an absolute number if it, or a part of it, has a limit.
func TestIsAbsolute(t *testing.T) {
	limit, ratio := claim.Judgement{Form: claim.Limit}, claim.Judgement{Form: claim.Compared}
	both := claim.Judgement{Form: claim.All, Parts: []claim.Judgement{ratio, limit}}
	for _, test := range []struct {
		of   claim.Judgement
		want bool
	}{{limit, true}, {ratio, false}, {both, true}} {
		if isAbsolute(&test.of) != test.want {
			t.Errorf("%s is absolute: %v", test.of.Form, !test.want)
		}
	}
}

// What a host measured of an older version alone is no standing of the present one; as soon as anything is of that, it
// is.
func TestOlderVersion(t *testing.T) {
	for _, test := range []struct {
		name   string
		states []dataset.State
		want   bool
	}{
		{"older, and not measured", []dataset.State{dataset.Stale, dataset.Missing}, true},
		{"one is fresh", []dataset.State{dataset.Stale, dataset.Fresh}, false},
		{"one is under way", []dataset.State{dataset.Stale, dataset.Partial}, false},
		{"not measured", []dataset.State{dataset.Missing}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := &dataset.Experiment{}
			for _, state := range test.states {
				e.Cells = append(e.Cells, &dataset.Cell{State: state})
			}
			if got := (Host{Dataset: &dataset.Dataset{Experiments: []*dataset.Experiment{e}}}).isOlder(); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
