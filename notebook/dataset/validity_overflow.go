package dataset

import (
	"benchbook/notebook/record"
)

// lookAtOverflow asks whether some answers took longer than the histogram can hold.
//
// Source: docs/method.md#histogram and docs/validity.md#checks.
func lookAtOverflow(r *record.Record) finding {
	h, ok := r.Histograms["latency"]
	if !ok {
		return notChecked("no histogram")
	}
	f := finding{words: plural(int(h.Overflow), "answer") + " beyond the histogram", size: float64(h.Overflow)}
	if h.Overflow > 0 {
		f.level = Warn
	}
	return f
}
