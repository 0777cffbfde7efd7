package stats

// Standing is what an article's measurements say about its headline claims, in the words of a page.
type Standing string

// The standings. Articles that reproduce something are reproduced or not; the others hold or not.
const (
	Reproduced       Standing = "reproduced"
	PartlyReproduced Standing = "partly reproduced"
	NotReproduced    Standing = "not reproduced"
	Holds            Standing = "holds"
	PartlyHolds      Standing = "partly holds"
	DoesNotHold      Standing = "does not hold"
	Undecided        Standing = "undecided" // no headline claim is supported, and none is contradicted

	StandingMeasured    Standing = "measured" // there are results, and no headline claim, or some wait for measuring
	StandingNotMeasured Standing = "not measured"
	StandingFailed      Standing = "failed" // there are repetitions, and every one has failed
)

// Headline is the result of a headline claim.
type Headline struct {
	Verdict Verdict
	Mostly  bool // it is not supported, but holds for most of its pairs, as MostlyHolds says
}

// StandingOf returns the standing of a measured article, by its headline claims; reproduces says that somebody else has
// published such results. A claim that holds mostly counts as partly supported.
//
// Source: docs/claims.md#standing.
func StandingOf(headlines []Headline, reproduces bool) Standing {
	all, partly, not := Holds, PartlyHolds, DoesNotHold
	if reproduces {
		all, partly, not = Reproduced, PartlyReproduced, NotReproduced
	}
	counts, mostly := map[Verdict]int{}, false
	for _, h := range headlines {
		counts[h.Verdict]++
		mostly = mostly || h.Mostly
	}
	switch n := len(headlines); {
	case n == 0:
		return StandingMeasured
	case counts[Supported] == n:
		return all
	case counts[Supported] > 0 || mostly:
		return partly
	case counts[Contradicted] > 0:
		return not
	case counts[NotMeasured] == n:
		return StandingNotMeasured
	}
	return Undecided
}

// MostlyHolds reports whether a claim over pairs that is not supported holds mostly: of five pairs or more at least
// four fifths are supported and at most a tenth is contradicted.
//
// Source: docs/claims.md#standing.
func MostlyHolds(pairs []Verdict) bool {
	counts := map[Verdict]int{}
	for _, v := range pairs {
		counts[v]++
	}
	n, supported := len(pairs), counts[Supported]
	return n >= 5 && supported < n && 5*supported >= 4*n && 10*counts[Contradicted] <= n
}
