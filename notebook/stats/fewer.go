package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// FailureCounts holds the failed and the attempted requests of each valid repetition of a cell.
type FailureCounts struct {
	Failed, Attempted []int64
}

// FewerFailures compares the shares of failed attempts of two cells.
type FewerFailures struct {
	Verdict  Verdict
	D        float64  // the share of the second cell minus that of the first
	SE       float64  // the standard error of D: the larger of those from pooled counts and from single repetitions
	Interval Interval // of D
	NA, NB   int      // repetitions with attempts of each cell
}

// MinContradicted is the fewest repetitions of each cell that can show that failures differ by less than matters: fewer
// may miss bursts.
const MinContradicted = 10

// Fewer compares the shares of failures of a and b, which may be zero, at the level alpha. By is the smallest
// difference that matters, 0 if any does. The interval contains Newcombe's for the pooled counts, and Welch's for the
// shares of single repetitions, because failures come in bursts. It is Inconclusive below MinRepetitions on a side.
//
// The error is ErrNoValues if a side attempted nothing, ErrAlpha, or names impossible counts.
//
// Source: docs/method.md#fewer-failures; Newcombe, Interval Estimation for the Difference between Independent
// Proportions, Statistics in Medicine 1998; Clopper and Pearson 1934; Welch 1947.
func Fewer(a, b FailureCounts, by, alpha float64) (FewerFailures, error) {
	if err := checkAlpha(alpha); err != nil {
		return FewerFailures{}, err
	}
	ofA, err := a.pool()
	if err != nil {
		return FewerFailures{}, fmt.Errorf("first cell: %w", err)
	}
	ofB, err := b.pool()
	if err != nil {
		return FewerFailures{}, fmt.Errorf("second cell: %w", err)
	}
	intervalA, intervalB := ofA.clopperPearson(alpha), ofB.clopperPearson(alpha)
	shareA, shareB := ofA.share(), ofB.share()
	f := FewerFailures{Verdict: Inconclusive, D: shareB - shareA, NA: len(ofA.shares), NB: len(ofB.shares)}
	f.Interval = Interval{f.D - math.Hypot(shareB-intervalB.Lo, intervalA.Hi-shareA),
		f.D + math.Hypot(intervalB.Hi-shareB, shareA-intervalA.Lo)}
	f.SE = f.Interval.StandardError(alpha)
	if min(f.NA, f.NB) > 1 {
		welch, se := welchOfShares(ofA.shares, ofB.shares, alpha)
		f.Interval, f.SE = f.Interval.orWider(welch), max(f.SE, se)
	}
	switch {
	case min(f.NA, f.NB) < MinRepetitions:
	case f.Interval.Lo > by:
		f.Verdict = Supported
	case f.Interval.Hi < by && (by == 0 || min(f.NA, f.NB) >= MinContradicted):
		f.Verdict = Contradicted
	}
	return f, nil
}

// welchOfShares returns Welch's interval of b minus a from the shares of single repetitions, and its standard error.
func welchOfShares(a, b []float64, alpha float64) (_ Interval, se float64) {
	meanA, varianceA := moments(a)
	meanB, varianceB := moments(b)
	na, nb := float64(len(a)), float64(len(b))
	va, vb := varianceA/na, varianceB/nb
	half, se := 0.0, math.Sqrt(va+vb)
	if se > 0 {
		half = tCritical(alpha, (va+vb)*(va+vb)/(va*va/(na-1)+vb*vb/(nb-1))) * se
	}
	return Interval{meanB - meanA - half, meanB - meanA + half}, se
}

// orWider returns the smallest interval that contains both.
func (i Interval) orWider(other Interval) Interval {
	return Interval{min(i.Lo, other.Lo), max(i.Hi, other.Hi)}
}

// pooled holds the counts of all repetitions together, and the share of each with attempts.
type pooled struct {
	failed, attempted float64
	shares            []float64
}

// pool adds up the counts. The error is ErrNoValues if nothing was attempted, or names impossible counts.
func (c FailureCounts) pool() (pooled, error) {
	var p pooled
	if len(c.Failed) != len(c.Attempted) {
		return p, fmt.Errorf("counts of failed requests for %d repetitions and of attempts for %d: "+
			"give both for each", len(c.Failed), len(c.Attempted))
	}
	for i, attempts := range c.Attempted {
		if c.Failed[i] < 0 || c.Failed[i] > attempts {
			return p, fmt.Errorf("repetition %d: %d failed of %d attempted: count every attempt once",
				i+1, c.Failed[i], attempts)
		}
		if attempts == 0 {
			continue
		}
		p.failed += float64(c.Failed[i])
		p.attempted += float64(attempts)
		p.shares = append(p.shares, float64(c.Failed[i])/float64(attempts))
	}
	if len(p.shares) == 0 {
		return p, ErrNoValues
	}
	return p, nil
}

func (p pooled) share() float64 { return p.failed / p.attempted }

// clopperPearson returns the interval of the pooled share.
func (p pooled) clopperPearson(alpha float64) Interval {
	ends := Interval{0, 1}
	if p.failed > 0 {
		ends.Lo = distuv.Beta{Alpha: p.failed, Beta: p.attempted - p.failed + 1}.Quantile(alpha / 2)
	}
	if p.failed < p.attempted {
		ends.Hi = distuv.Beta{Alpha: p.failed + 1, Beta: p.attempted - p.failed}.Quantile(1 - alpha/2)
	}
	return ends
}
