package stats

import (
	"fmt"
	"math"
	"slices"
)

// Verdict is what the records say about a claim, as pages print it.
type Verdict string

const (
	Supported    Verdict = "supported"    // the whole interval lies inside the region of the claim
	Contradicted Verdict = "contradicted" // the whole interval lies outside
	Inconclusive Verdict = "inconclusive" // neither, or too little for an interval
	NotMeasured  Verdict = "not measured" // a cell is missing or invalid, or has too few answers

	// Stronger is the outcome of a claim of a size that is contradicted by a larger effect. It is not in Verdicts.
	Stronger Verdict = "stronger than claimed"
)

// Verdicts lists all verdicts in display order.
var Verdicts = []Verdict{Supported, Contradicted, Inconclusive, NotMeasured}

// VerdictsInWords returns counts of verdicts in words: "3 supported", "1 inconclusive".
func VerdictsInWords(counts map[Verdict]int) []string {
	var words []string
	for _, v := range slices.Insert(slices.Clone(Verdicts), 1, Stronger) {
		if counts[v] > 0 {
			words = append(words, fmt.Sprintf("%d %s", counts[v], v))
		}
	}
	return words
}

// Region is where a claim says that a ratio, or one value, lies: between Lo and Hi, both excluded. A side without a
// limit is infinite.
//
// Source: docs/method.md#claims-as-regions; Schuirmann 1987.
type Region struct{ Lo, Hi float64 }

// Greater returns the region of a/b for "a > b": above 1 by more than the smallest effect.
func Greater(delta float64) Region { return Above(1 + delta) }

// NotLess returns the region of a/b for "a >= b": not below 1 by more than the smallest effect.
func NotLess(delta float64) Region { return Above(1 / (1 + delta)) }

// Within returns the region of a/b for "a is within w of b"; for "a is the same as b", w is the smallest effect.
func Within(w float64) Region { return About(1, w) }

// Above returns the region for "at least k times", and for a value above k.
func Above(k float64) Region { return Region{k, math.Inf(1)} }

// Below returns the region for "at most k times", and for a value below k. Even for ratios it has no lower end: a
// capacity of 0 (no rate meets the objective) is below any other.
func Below(k float64) Region { return Region{math.Inf(-1), k} }

// About returns the region of a/b for "a is about k times b": from k/(1+w) to k·(1+w).
func About(k, w float64) Region { return Region{k / (1 + w), k * (1 + w)} }

// Judge returns the verdict on whether the true value, known to lie in the interval, lies in the region. It is
// inconclusive for an interval that touches a boundary of the region, or has an end that is NaN.
//
// Source: docs/method.md#claims-as-regions.
func Judge(interval Interval, region Region) Verdict {
	lo, hi := interval.Lo, interval.Hi
	switch {
	case math.IsNaN(lo) || math.IsNaN(hi):
		return Inconclusive
	case (lo > region.Lo || math.IsInf(region.Lo, -1)) && (hi < region.Hi || math.IsInf(region.Hi, 1)):
		return Supported
	case hi < region.Lo || lo > region.Hi:
		return Contradicted
	}
	return Inconclusive
}

// Part judges one part of a claim at a level. A smaller alpha may only make a decided part inconclusive.
type Part func(alpha float64) Verdict

// AllOf returns the Part that all parts are true. It is supported if every part is supported at alpha, which needs no
// correction (intersection–union); contradicted if one of m parts is contradicted at alpha/m; else not measured if a
// part is not measured, or there are no parts; else inconclusive.
//
// Source: docs/method.md#several-comparisons; Berger, Technometrics 1982.
func AllOf(parts ...Part) Part {
	return func(alpha float64) Verdict {
		all, missing := len(parts) > 0, len(parts) == 0
		for _, part := range parts {
			if part(alpha/float64(len(parts))) == Contradicted {
				return Contradicted
			}
			v := part(alpha)
			all = all && v == Supported
			missing = missing || v == NotMeasured
		}
		switch {
		case all:
			return Supported
		case missing:
			return NotMeasured
		}
		return Inconclusive
	}
}

// Looks returns the rounds after which a run of up to n rounds judges its claims: 3, 5, 10, 20, 40 … below n, and n.
//
// Source: docs/method.md#number-of-looks.
func Looks(n int) []int {
	var out []int
	for look, next := 3, 5; look < n; look, next = next, 2*next {
		out = append(out, look)
	}
	return append(out, n)
}

// Level returns the level for claims and A/A pairs: alpha/looks. Printed intervals of cells stay at alpha.
//
// Source: docs/method.md#number-of-looks.
func Level(alpha float64, looks int) float64 { return alpha / float64(max(1, looks)) }

// Standing is what an article's measurements say about its headline claims, as pages print it.
type Standing string

// The standings. Articles that reproduce another are reproduced or not; others hold or not.
const (
	Reproduced       Standing = "reproduced"
	PartlyReproduced Standing = "partly reproduced"
	NotReproduced    Standing = "not reproduced"
	Holds            Standing = "holds"
	PartlyHolds      Standing = "partly holds"
	DoesNotHold      Standing = "does not hold"
	Undecided        Standing = "undecided" // no headline claim is supported, and none is contradicted

	StandingMeasured    Standing = "measured" // there are results, but no headline claims, or some wait for measuring
	StandingNotMeasured Standing = "not measured"
	StandingFailed      Standing = "failed" // every repetition failed
)

// Headline is the result of a headline claim.
type Headline struct {
	Verdict Verdict
	Mostly  bool // not supported, but MostlyHolds is true of its pairs
}

// StandingOf returns the standing of a measured article by its headline claims. Reproduces says that somebody else
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

// MostlyHolds reports whether a claim over pairs that is not supported holds mostly: of at least five pairs, four
// fifths or more are supported and at most a tenth is contradicted.
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
