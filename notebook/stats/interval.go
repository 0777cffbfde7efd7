package stats

import "math"

// Interval is the numbers from Lo to Hi, both included; an end is infinite where it is unbounded.
type Interval struct {
	Lo, Hi float64
}

// unbounded is the interval that tells nothing about a value.
func unbounded() Interval { return Interval{math.Inf(-1), math.Inf(1)} }

// Contains reports whether x lies in the interval, its ends included.
func (i Interval) Contains(x float64) bool { return i.Lo <= x && x <= i.Hi }

// Widen returns the interval of a ratio widened by the noise floor f of the experiment: [lo/(1+f), hi·(1+f)].
//
// Source: docs/method.md#claims-as-regions.
func (i Interval) Widen(f float64) Interval { return Interval{i.Lo / (1 + f), i.Hi * (1 + f)} }

// Over returns the interval of the ratio of two quantities that are only known to lie in an interval each, such
// as two tuned values: [lo/other.Hi, hi/other.Lo]. Neither interval may reach below zero.
//
// Source: docs/method.md#claims-as-regions and docs/method.md#capacities.
func (i Interval) Over(other Interval) Interval { return Interval{i.Lo / other.Hi, i.Hi / other.Lo} }
