package validity

import (
	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
)

// judgeOverflow asks whether some answers took longer than the histogram can hold.
//
// Source: docs/method.md#histogram and docs/validity.md#checks.
func judgeOverflow(r *record.Record) finding {
	h, ok := r.Histograms["latency"]
	if !ok {
		return notChecked("no histogram")
	}
	f := finding{words: phrase.Plural(int(h.Overflow), "answer") + " beyond the histogram", size: float64(h.Overflow)}
	if h.Overflow > 0 {
		f.level = Warn
	}
	return f
}
