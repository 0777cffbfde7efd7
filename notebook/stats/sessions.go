package stats

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// MinSessions is the fewest sessions for an interval between sessions.
const MinSessions = 3

// A SessionEffect is the result of one session: a ratio with the standard error of its natural logarithm, or a
// difference with its standard error, both in the unit of the difference.
type SessionEffect struct {
	Effect, SE float64

	// Range holds the values that a search or a disturbance leaves open for the effect, apart from its error. Zero
	// means the effect alone.
	Range Interval
}

// span returns the range, or the effect alone if there is none.
func (s SessionEffect) span() Interval {
	if s.Range == (Interval{}) {
		return Interval{s.Effect, s.Effect}
	}
	return s.Range
}

// ErrFewSessions means that there are fewer than MinSessions sessions.
var ErrFewSessions = errors.New("fewer than 3 sessions: measure again on another day, or with run --sessions")

// RatioBetween estimates a ratio and its interval from sessions. The interval covers how much sessions differ: with the
// logarithms y of k ratios it is mean(y) ± t(1−alpha/2, k−1) · max(s, m/2) / √k, where s is the standard deviation of y
// and m the median of the standard errors, which keeps sessions that agree by chance from looking certain. With ranges,
// it extends from the low end for their lower ends to the high end for their upper ones, which may be infinite.
//
// Source: docs/method.md#sessions.
func RatioBetween(sessions []SessionEffect, alpha float64) (ratio float64, interval Interval, err error) {
	logs := slices.Clone(sessions)
	for i, s := range logs {
		if s.Effect <= 0 {
			return 0, Interval{}, fmt.Errorf("session %d: %w", i+1, ErrNotPositive)
		}
		span := s.span()
		logs[i].Effect, logs[i].Range = math.Log(s.Effect), Interval{math.Log(max(0, span.Lo)), math.Log(span.Hi)}
	}
	middle, within, err := DifferenceBetween(logs, alpha)
	return math.Exp(middle), Interval{math.Exp(within.Lo), math.Exp(within.Hi)}, err
}

// DifferenceBetween is RatioBetween for differences, without logarithms.
//
// Source: docs/method.md#sessions.
func DifferenceBetween(sessions []SessionEffect, alpha float64) (difference float64, interval Interval, err error) {
	k := len(sessions)
	switch {
	case k < MinSessions:
		return 0, Interval{}, ErrFewSessions
	case checkAlpha(alpha) != nil:
		return 0, Interval{}, checkAlpha(alpha)
	}
	var effects, errs, lows, highs []float64
	for i, s := range sessions {
		span := s.span()
		if math.IsNaN(s.Effect+s.SE) || math.IsInf(s.Effect, 0) || math.IsInf(s.SE, 0) || math.IsNaN(span.Lo) ||
			math.IsNaN(span.Hi) {
			return 0, Interval{}, fmt.Errorf("session %d: %w", i+1, ErrNotFinite)
		}
		effects, errs = append(effects, s.Effect), append(errs, s.SE)
		lows, highs = append(lows, span.Lo), append(highs, span.Hi)
	}
	least := Median(errs) / 2
	mean, half := between(effects, least, alpha)
	lowest, below := between(lows, least, alpha)
	highest, above := between(highs, least, alpha)
	return mean, Interval{min(mean-half, lowest-below), max(mean+half, highest+above)}, nil
}

// between returns the mean of sessions' values and the half-width of its interval, for a standard deviation of at least
// least. For an infinite mean the half-width is 0.
func between(values []float64, least, alpha float64) (mean, half float64) {
	mean, deviation := stat.MeanStdDev(values, nil)
	if math.IsInf(mean, 0) {
		return mean, 0
	}
	k := float64(len(values))
	return mean, tCritical(alpha, k-1) * (max(deviation, least) / math.Sqrt(k))
}

// OfSessions returns the verdict of one or two sessions, each judged alone: inconclusive unless they agree. Three or
// more are judged by the interval between them.
//
// Source: docs/method.md#sessions.
func OfSessions(verdicts ...Verdict) Verdict {
	first := verdicts[0]
	if slices.ContainsFunc(verdicts, func(v Verdict) bool { return v != first }) {
		return Inconclusive
	}
	return first
}

// StandardError returns the standard error of an estimate whose interval at a level this is, if errors are normal.
func (i Interval) StandardError(alpha float64) float64 { return (i.Hi - i.Lo) / 2 / zCritical(alpha) }
