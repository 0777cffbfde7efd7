package stats

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// MinSessions is the fewest sessions that an interval between sessions rests on.
const MinSessions = 3

// A SessionEffect is what one session found: a ratio with the standard error of its natural logarithm, or a difference
// with its standard error, in the unit of the difference.
type SessionEffect struct{ Effect, SE float64 }

// ErrFewSessions says that there are fewer than MinSessions sessions.
var ErrFewSessions = errors.New("fewer than 3 sessions: measure again on another day, or with run --sessions")

// RatioBetween estimates a ratio and its interval from sessions. The interval covers how much sessions differ: with the
// logarithms y of k ratios it is mean(y) ± t(1−alpha/2, k−1) · max(s, m/2) / √k, where s is the standard deviation of y
// and m the median of the standard errors, which keeps sessions that agree by chance from looking certain.
//
// Source: docs/method.md#sessions.
func RatioBetween(sessions []SessionEffect, alpha float64) (ratio float64, interval Interval, err error) {
	logs := slices.Clone(sessions)
	for i, s := range logs {
		if s.Effect <= 0 {
			return 0, Interval{}, fmt.Errorf("session %d: %w", i+1, ErrNotPositive)
		}
		logs[i].Effect = math.Log(s.Effect)
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
	effects, errs := make([]float64, k), make([]float64, k)
	for i, s := range sessions {
		if math.IsNaN(s.Effect+s.SE) || math.IsInf(s.Effect, 0) || math.IsInf(s.SE, 0) {
			return 0, Interval{}, fmt.Errorf("session %d: %w", i+1, ErrNotFinite)
		}
		effects[i], errs[i] = s.Effect, s.SE
	}
	mean, deviation := stat.MeanStdDev(effects, nil)
	spread := math.Max(deviation, Median(errs)/2) / math.Sqrt(float64(k))
	half := tCritical(alpha, float64(k-1)) * spread
	return mean, Interval{mean - half, mean + half}, nil
}

// OfSessions is the verdict of one or two sessions, each judged by itself: what all say, else inconclusive. Three and
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

// StandardError returns the standard error of an estimate with this interval at a level, if its errors are normal.
func (i Interval) StandardError(alpha float64) float64 { return (i.Hi - i.Lo) / 2 / zCritical(alpha) }
