package stats

import (
	"fmt"
	"slices"
)

// Standing is what an article's measurements say about what it reproduces, or about its own headline claims, in
// the words a page prints.
type Standing string

const (
	Reproduced          Standing = "reproduced"
	DirectionOnly       Standing = "direction only" // the order is the published one, the sizes are not
	NotReproduced       Standing = "not reproduced"
	StandingNotMeasured Standing = "not measured"
	StandingMeasured    Standing = "measured"   // there are results, and nothing that they decide
	QuickOnly           Standing = "quick only" // all records are of the quick profile
	StandingFailed      Standing = "failed"     // there are repetitions, and every one has failed

	// The standing of an article that reproduces nothing; it can also be measured, not measured or quick only.
	Holds       Standing = "holds"
	HoldsInPart Standing = "holds in part"
	DoesNotHold Standing = "does not hold"
)

// Standing returns the standing of one metric of one published block, and the reason for it as part of a sentence.
//
// Headlines are the verdicts of the headline claims about this metric; quickOnly says that there are only quick
// records.
//
// Source: docs/claims.md#standing.
func (a Agreement) Standing(headlines []Verdict, quickOnly bool) (standing Standing, reason string) {
	rows, pairs := len(a.Rows), a.Pairs()
	supported := !slices.ContainsFunc(headlines, func(v Verdict) bool { return v != Supported })
	near := 5*a.Near >= 4*a.Measured
	switch {
	case quickOnly:
		return QuickOnly, "only quick records"
	case a.Measured < 2 || 2*a.Measured < rows:
		return StandingNotMeasured, fmt.Sprintf("%d of %d rows measured", a.Measured, rows)
	case slices.Contains(headlines, Contradicted):
		return NotReproduced, "a headline claim is contradicted"
	case 5*(a.Agreeing+a.Undecided) < 4*pairs:
		return NotReproduced, fmt.Sprintf("order: %d of %d pairs disagree", a.Disagreeing, pairs)
	case 5*a.Agreeing < 4*pairs:
		return StandingMeasured, fmt.Sprintf("noise: %d of %d pairs undecided", a.Undecided, pairs)
	case near && supported:
		return Reproduced, fmt.Sprintf("%d of %d rows near one common factor", a.Near, a.Measured)
	case pairs > 0 && near:
		return DirectionOnly, "a headline claim is not decided"
	case pairs > 0:
		return DirectionOnly, fmt.Sprintf("%d of %d rows near one common factor", a.Near, a.Measured)
	case near:
		return NotReproduced, "a headline claim is not decided, and no published values differ enough to have an order"
	}
	return NotReproduced, fmt.Sprintf("%d of %d rows near one common factor, "+
		"and no published values differ enough to have an order", a.Near, a.Measured)
}

// WorstStanding returns the standing of an article that reproduces something: the worst over its published blocks, the
// metrics of its headline claims, and those claims about nothing published, in the order not reproduced, not measured,
// measured, quick only, direction only, reproduced. Of none it is not measured.
//
// Source: docs/claims.md#standing.
func WorstStanding(standings ...Standing) Standing {
	for _, worst := range []Standing{NotReproduced, StandingNotMeasured, StandingMeasured, QuickOnly, DirectionOnly,
		Reproduced} {
		if slices.Contains(standings, worst) {
			return worst
		}
	}
	return StandingNotMeasured
}

// ClaimStanding returns the standing of an article that reproduces nothing, from the verdicts of its headline
// claims: it holds if there is one and all are supported, does not hold if one is contradicted, holds in part if
// some are supported, and is measured if one is inconclusive. Without headline claims it is measured if anything
// was, which hasResults says, and in all other cases not measured.
//
// Source: docs/claims.md#standing.
func ClaimStanding(headlines []Verdict, quickOnly, hasResults bool) Standing {
	supported := slices.Contains(headlines, Supported)
	open := slices.ContainsFunc(headlines, func(v Verdict) bool { return v != Supported })
	switch {
	case quickOnly:
		return QuickOnly
	case slices.Contains(headlines, Contradicted):
		return DoesNotHold
	case supported && !open:
		return Holds
	case supported:
		return HoldsInPart
	case slices.Contains(headlines, Inconclusive), len(headlines) == 0 && hasResults:
		return StandingMeasured
	}
	return StandingNotMeasured
}
