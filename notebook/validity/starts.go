package validity

import (
	"fmt"
	"math"
	"time"

	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
)

// hasGenerators reports whether several generators put the load on.
func hasGenerators(r *record.Record) bool { return r.Load != nil && len(r.Load.Generators) > 1 }

// judgeStarts asks whether the generators of a load began together: for as long as they lie apart, only a part of the
// load is there, at both ends of the window. A hundredth of that does not matter, and neither does a millisecond,
// within which clocks and threads keep to a moment. Where they have different clocks, what cannot be excluded counts.
//
// Source: docs/validity.md#checks, starts.
func judgeStarts(r *record.Record) finding {
	all, apart, words := r.Load.Generators, 0.0, "began"
	for i, a := range all {
		for _, b := range all[:i] {
			between := math.Abs(a.After - b.After)
			if a.Host != b.Host {
				between, words = between+a.Uncertain+b.Uncertain, "by the clocks of their nodes began up to"
			}
			apart = max(apart, between)
		}
	}
	limit := max(time.Millisecond.Seconds(), 0.01*r.Load.Window)
	return graded(apart, limit, 5*limit, true, fmt.Sprintf("%d generators %s %s apart (ok up to %s)", len(all), words,
		phrase.Duration(apart), phrase.Duration(limit)))
}
