package dataset

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"benchbook/notebook/stats"
)

// RatioOf is a comparison in the dress of a Quantity.
func RatioOf(c stats.Comparison, change bool) Quantity {
	q := Quantity{Number: c.Ratio, Unit: "1", Kind: c.Kind(), N: min(c.NA, c.NB),
		Step: stats.LastDigit(c.Ratio, stats.MinResolution)}
	if q.Kind != stats.NoInterval {
		q.Interval = &stats.Interval{Lo: c.Interval.Lo, Hi: c.Interval.Hi}
	}
	if change {
		AsChange(&q)
	}
	return q
}

// AsChange turns a ratio into a relative difference.
//
// Source: docs/method.md#definitions.
func AsChange(q *Quantity) {
	q.Number, q.Share = q.Number-1, true
	if q.Interval != nil {
		q.Interval = &stats.Interval{Lo: q.Interval.Lo - 1, Hi: q.Interval.Hi - 1}
	}
}

// NoRatio says why two cells have no ratio, by name: a value of zero, which failures may have, or an error.
func NoRatio(err error, nameA string, a stats.Cell, nameB string, b stats.Cell) string {
	if !errors.Is(err, stats.ErrNotPositive) {
		return err.Error()
	}
	name, smallest := nameA, slices.Min(a.Values)
	if smallest > 0 {
		name, smallest = nameB, slices.Min(b.Values)
	}
	return fmt.Sprintf("the smallest value of %s is %v", name, smallest)
}

func Finite(x float64) bool { return !math.IsInf(x, 0) && !math.IsNaN(x) }

// SearchedRatio is the ratio of two values that searches found, or their relative difference, with its interval. It
// is not a number where no rate met an objective.
func SearchedRatio(a, b Result, change bool) Quantity {
	interval := a.Estimate.Interval.Over(b.Estimate.Interval)
	q := Quantity{Number: a.Estimate.Centre / b.Estimate.Centre, Unit: "1", Kind: stats.BySearch, N: 1,
		Interval: &interval}
	if change {
		AsChange(&q)
	}
	return q
}
