package stats

import (
	"errors"
)

// A Step is a change of the level of a series, from one value to the next.
type Step struct {
	At         int // the first value of the new level, from 0
	From, To   int // the new level begins from here to here, at 95 %
	Comparison     // of the values after the step, up to the next one, with those before it, from the last one
}

// ErrSeries is the error of a series with values of zero or less: levels are compared by their ratios.
var ErrSeries = errors.New("a value is not above zero")
