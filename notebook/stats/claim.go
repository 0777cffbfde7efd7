package stats

import (
	"fmt"
	"math"
)

// Verdict is what the records say about a claim, in the words a page prints.
type Verdict string

const (
	Supported    Verdict = "supported"    // the whole interval lies inside the region of the claim
	Contradicted Verdict = "contradicted" // all of it lies outside
	Inconclusive Verdict = "inconclusive" // neither, or too little for an interval
	NotMeasured  Verdict = "not measured" // a cell is missing or invalid, or its percentile not admissible
)

// Verdicts are all there are, in the order in which they are counted and listed.
var Verdicts = []Verdict{Supported, Contradicted, Inconclusive, NotMeasured}

// VerdictsInWords lists how many there are of each: "3 supported", "1 inconclusive".
func VerdictsInWords(counts map[Verdict]int) []string {
	var words []string
	for _, v := range Verdicts {
		if counts[v] > 0 {
			words = append(words, fmt.Sprintf("%d %s", counts[v], v))
		}
	}
	return words
}

// Region is what a claim says about a ratio, or about one value: that it lies between Lo and Hi, both excluded.
// A side without limit is infinite.
//
// Source: docs/method.md#claims-as-regions; Schuirmann 1987.
type Region struct {
	Lo, Hi float64
}

// Greater is the region of a/b for "a > b": beyond 1 by more than the smallest effect.
func Greater(delta float64) Region { return Above(1 + delta) }

// NotLess is the region of a/b for "a >= b": not below 1 by more than the smallest effect.
func NotLess(delta float64) Region { return Above(1 / (1 + delta)) }

// Within is the region of a/b for "a is within w of b"; "a is the same as b" is within the smallest effect.
func Within(w float64) Region { return About(1, w) }

// Above is the region for "at least k times", and for a limit k that a single value has to exceed.
func Above(k float64) Region { return Region{k, math.Inf(1)} }

// Below is the region for "at most k times", and for a limit k that a single value has to stay under. It has no
// lower end even for ratios: "no rate meets it" is a capacity of 0, which is below any other.
func Below(k float64) Region { return Region{math.Inf(-1), k} }

// About is the region of a/b for "a is about k times b": from k/(1+w) to k·(1+w).
func About(k, w float64) Region { return Region{k / (1 + w), k * (1 + w)} }

// Judge says whether the true value, known to lie in the interval, lies in the region. An interval that touches a
// boundary of the region is inconclusive, and so is one with an end that is not a number.
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

// Part is one part of a claim, judged at the level handed to it. At a smaller alpha a decided part may become
// inconclusive; nothing else may change.
type Part func(alpha float64) Verdict

// AllOf is the claim that all of its parts are true. It is supported if every part is supported at alpha, which
// needs no correction (intersection–union); contradicted if one of m parts is contradicted at alpha/m; otherwise
// not measured if a part is not, or if there is none, and else inconclusive.
//
// It is a Part itself: inside another group it is judged at the level handed to it.
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
