package stats

import "testing"

func TestStanding(t *testing.T) {
	rows := func(n int) []AgreementRow { return make([]AgreementRow, n) }
	good := Agreement{Rows: rows(4), Measured: 4, Near: 4, Agreeing: 6}
	tests := []struct {
		name      string
		agreement Agreement
		headlines []Verdict
		quickOnly bool
		want      Standing
		reason    string
	}{
		{"everything agrees", good, []Verdict{Supported}, false, Reproduced, "4 of 4 rows near one common factor"},
		{"without headline claims", good, nil, false, Reproduced, "4 of 4 rows near one common factor"},
		{"(0) quick goes before all", good, []Verdict{Contradicted}, true, QuickOnly, "only quick records"},
		{"(1) one row measured", Agreement{Rows: rows(1), Measured: 1, Near: 1},
			nil, false, StandingNotMeasured, "1 of 1 rows measured"},
		{"(1) fewer than half measured", Agreement{Rows: rows(5), Measured: 2, Near: 2, Agreeing: 1},
			[]Verdict{Contradicted}, false, StandingNotMeasured, "2 of 5 rows measured"},
		{"half measured is enough", Agreement{Rows: rows(4), Measured: 2, Near: 2, Agreeing: 1}, nil, false,
			Reproduced, "2 of 2 rows near one common factor"},
		{"(2) a headline contradicted", good,
			[]Verdict{Supported, Contradicted}, false, NotReproduced, "a headline claim is contradicted"},
		{"(3) too many disagree", Agreement{Rows: rows(4), Measured: 4, Near: 4, Agreeing: 4, Disagreeing: 2},
			nil, false, NotReproduced, "order: 2 of 6 pairs disagree"},
		{"a fifth may disagree", Agreement{Rows: rows(5), Measured: 5, Near: 5, Agreeing: 8, Disagreeing: 2},
			nil, false, Reproduced, "5 of 5 rows near one common factor"},
		{"(4) too many undecided", Agreement{Rows: rows(4), Measured: 4, Near: 4, Agreeing: 4, Undecided: 2},
			[]Verdict{Supported}, false, StandingMeasured, "noise: 2 of 6 pairs undecided"},
		{"(5) four of five near", Agreement{Rows: rows(5), Measured: 5, Near: 4, Agreeing: 10}, nil, false,
			Reproduced, "4 of 5 rows near one common factor"},
		{"(6) three of four near", Agreement{Rows: rows(4), Measured: 4, Near: 3, Agreeing: 6}, nil, false,
			DirectionOnly, "3 of 4 rows near one common factor"},
		{"(6) a headline undecided", good,
			[]Verdict{Supported, Inconclusive}, false, DirectionOnly, "a headline claim is not decided"},
		{"(6) a headline not measured", good,
			[]Verdict{NotMeasured}, false, DirectionOnly, "a headline claim is not decided"},
		{"(5) no order to agree with", Agreement{Rows: rows(3), Measured: 3, Near: 3}, nil, false,
			Reproduced, "3 of 3 rows near one common factor"},
		{"(7) sizes differ, no order", Agreement{Rows: rows(3), Measured: 3, Near: 1}, nil, false, NotReproduced,
			"1 of 3 rows near one common factor, and no published values differ enough to have an order"},
		{"(7) headline undecided, no order", Agreement{Rows: rows(3), Measured: 3, Near: 3},
			[]Verdict{Inconclusive}, false, NotReproduced,
			"a headline claim is not decided, and no published values differ enough to have an order"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, reason := tt.agreement.Standing(tt.headlines, tt.quickOnly)
			if got != tt.want || reason != tt.reason {
				t.Errorf("standing is %q: %s, want %q: %s", got, reason, tt.want, tt.reason)
			}
		})
	}
}

func TestWorstStanding(t *testing.T) {
	tests := []struct {
		name      string
		standings []Standing
		want      Standing
	}{
		{"one", []Standing{Reproduced}, Reproduced},
		{"direction only is worse than reproduced", []Standing{Reproduced, DirectionOnly}, DirectionOnly},
		{"quick only is worse", []Standing{QuickOnly, DirectionOnly}, QuickOnly},
		{"not measured is worse", []Standing{QuickOnly, StandingNotMeasured}, StandingNotMeasured},
		{"measured is worse than quick", []Standing{Reproduced, StandingMeasured, QuickOnly}, StandingMeasured},
		{"not measured is worse than measured", []Standing{StandingMeasured, StandingNotMeasured}, StandingNotMeasured},
		{"not reproduced is worst", []Standing{StandingNotMeasured, NotReproduced, Reproduced}, NotReproduced},
		{"none", nil, StandingNotMeasured},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := WorstStanding(tt.standings...); got != tt.want {
				t.Errorf("worst of %q is %q, want %q", tt.standings, got, tt.want)
			}
		})
	}
}

func TestClaimStanding(t *testing.T) {
	tests := []struct {
		name       string
		headlines  []Verdict
		quickOnly  bool
		hasResults bool
		want       Standing
	}{
		{"all supported", []Verdict{Supported, Supported}, false, true, Holds},
		{"some inconclusive", []Verdict{Supported, Inconclusive}, false, true, HoldsInPart},
		{"some not measured", []Verdict{NotMeasured, Supported}, false, true, HoldsInPart},
		{"one contradicted", []Verdict{Supported, Contradicted}, false, true, DoesNotHold},
		{"none decided", []Verdict{Inconclusive, NotMeasured}, false, true, StandingMeasured},
		{"none measured", []Verdict{NotMeasured, NotMeasured}, false, true, StandingNotMeasured},
		{"no headline claims", nil, false, true, StandingMeasured},
		{"no headline claims and no results", nil, false, false, StandingNotMeasured},
		{"only quick records", []Verdict{Contradicted}, true, true, QuickOnly},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ClaimStanding(tt.headlines, tt.quickOnly, tt.hasResults); got != tt.want {
				t.Errorf("standing is %q, want %q", got, tt.want)
			}
		})
	}
}
