package stats

import (
	"math"
)

// Outlying is which repetitions of a cell lie far from the others. They are marked and stay in all statistics: a value is never
// a reason to leave out a repetition.
type Outlying struct {
	At   []int // indices into the values, of five or more
	Wide bool  // of three or four values, the largest is more than 1.25 times the smallest
}

// widest is the ratio of the largest to the smallest of three or four values from which on they are wide.
const widest = 1.25

// Outliers finds outlying repetitions. Of five or more it is those whose modified z-score on logarithms is above 3.5 and which are
// more than delta from the median. There are none of fewer than three values, or where one is zero or less.
//
// The error is ErrNotFinite, ErrNegative or ErrResolution.
//
// Source: docs/method.md#outlying-repetitions; Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993.
func Outliers(c Cell, delta float64) (Outlying, error) {
	if err := c.check(); err != nil {
		return Outlying{}, err
	}
	n := len(c.Values)
	if n < MinRepetitions || c.positive() != nil {
		return Outlying{}, nil
	}
	logs := make([]float64, n)
	least, most := math.Inf(1), math.Inf(-1)
	for i, v := range c.Values {
		logs[i] = math.Log(v)
		least, most = min(least, v), max(most, v)
	}
	if n < 5 {
		return Outlying{Wide: most/least > widest}, nil
	}
	middle := Median(logs)
	apart := make([]float64, n)
	for i, y := range logs {
		apart[i] = math.Abs(y - middle)
	}
	scale := max(Median(apart), c.Resolution, MinResolution)
	var out Outlying
	for i, d := range apart {
		if 0.6745*d/scale > 3.5 && d > math.Log1p(delta) {
			out.At = append(out.At, i)
		}
	}
	return out, nil
}
