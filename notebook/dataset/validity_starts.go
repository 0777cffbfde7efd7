package dataset

import (
	"fmt"
	"time"

	"benchbook/notebook/record"
)

// hasGenerators reports whether several generators put the load on.
func hasGenerators(r *record.Record) bool { return r.Load != nil && len(r.Load.Generators) > 1 }

// lookAtStarts asks whether the generators of a load began together: for as long as they lie apart, only a part of the load is there, at both
// ends of the window. A hundredth of that does not matter, and neither does a millisecond, within which clocks and threads keep to a moment.
//
// Source: the manual, "Several generators"; METHOD.md 7 has no such check.
func lookAtStarts(r *record.Record) finding {
	apart := 0.0
	for _, g := range r.Load.Generators {
		apart = max(apart, g.After)
	}
	limit := max(time.Millisecond.Seconds(), 0.01*r.Load.Window)
	return graded(apart, limit, 5*limit, true, fmt.Sprintf("%d generators began %s apart (ok up to %s)", len(r.Load.Generators), duration(apart), duration(limit)))
}
