package stats

import (
	"slices"
	"testing"
)

func TestStandingOf(t *testing.T) {
	const yes, no, open, missing = Supported, Contradicted, Inconclusive, NotMeasured
	for _, tt := range []struct {
		name       string
		headlines  []Verdict
		mostly     int // the place of the headline that holds mostly, from 1
		holds      Standing
		reproduces Standing
	}{
		{"all supported", []Verdict{yes, yes}, 0, Holds, Reproduced},
		{"some inconclusive", []Verdict{yes, open}, 0, PartlyHolds, PartlyReproduced},
		{"some not measured", []Verdict{missing, yes}, 0, PartlyHolds, PartlyReproduced},
		{"some contradicted", []Verdict{yes, no}, 0, PartlyHolds, PartlyReproduced},
		{"none supported, one contradicted", []Verdict{open, no}, 0, DoesNotHold, NotReproduced},
		{"none decided", []Verdict{open, missing}, 0, Undecided, Undecided},
		{"none measured", []Verdict{missing, missing}, 0, StandingNotMeasured, StandingNotMeasured},
		{"no headline claims", nil, 0, StandingMeasured, StandingMeasured},
		{"contradicted, and holds mostly", []Verdict{no}, 1, PartlyHolds, PartlyReproduced},
		{"open, and holds mostly", []Verdict{no, open}, 2, PartlyHolds, PartlyReproduced},
		{"not measured in a few pairs, and holds mostly", []Verdict{missing}, 1, PartlyHolds, PartlyReproduced},
		{"all supported but one that holds mostly", []Verdict{yes, open}, 2, PartlyHolds, PartlyReproduced},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var headlines []Headline
			for i, v := range tt.headlines {
				headlines = append(headlines, Headline{v, i+1 == tt.mostly})
			}
			if got := StandingOf(headlines, false); got != tt.holds {
				t.Errorf("standing is %q, want %q", got, tt.holds)
			}
			if got := StandingOf(headlines, true); got != tt.reproduces {
				t.Errorf("standing is %q where something is reproduced, want %q", got, tt.reproduces)
			}
		})
	}
}

func TestMostlyHolds(t *testing.T) {
	for _, tt := range []struct {
		name                       string
		supported, contradicted, n int
		want                       bool
	}{
		{"the example", 37, 3, 40, true},
		{"four of five", 4, 0, 5, true},
		{"a tenth contradicted", 9, 1, 10, true},
		{"more than a tenth contradicted", 8, 1, 9, false},
		{"fewer than four fifths", 7, 0, 9, false},
		{"four pairs", 4, 0, 4, false},
		{"all of them", 5, 0, 5, false},
	} {
		pairs := slices.Concat(slices.Repeat([]Verdict{Supported}, tt.supported),
			slices.Repeat([]Verdict{Contradicted}, tt.contradicted),
			slices.Repeat([]Verdict{Inconclusive}, tt.n-tt.supported-tt.contradicted))
		if got := MostlyHolds(pairs); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
