package dataset

import (
	"slices"

	"benchbook/notebook/record"
)

// Disturbed reports whether a repetition is invalid by what else the machine did while it was measured, others' use of the processor or
// time stolen from it, and says what. Its own results do not enter, so that measuring it again selects nothing.
//
// Source: docs/validity.md#disturbed-repetitions.
func Disturbed(r *record.Record) (words string, ok bool) {
	if r.Failure != "" || !isTimed(r) {
		return "", false
	}
	for _, look := range []func(*record.Record) finding{lookAtForeign, lookAtSteal} {
		if f := look(r); f.level == Invalid {
			return f.words, true
		}
	}
	return "", false
}

// NeedsAgain reports whether a cell is invalid, or would be, because too many of its repetitions were disturbed by the machine.
//
// Source: docs/method.md#valid-cells.
func NeedsAgain(records []*record.Record) bool {
	valid, disturbed := make([]bool, len(records)), 0
	for i, r := range records {
		_, bad := Disturbed(r)
		valid[i] = !bad
		disturbed += boolean(bad)
	}
	return disturbed > 0 && cellLevel(valid, make([]Level, len(records))) == Invalid
}

// MeasuredAgain counts the repetitions of what is shown of an experiment that were measured in the place of disturbed ones.
func (e *Experiment) MeasuredAgain() int {
	cells, n := e.Cells, 0
	if e.Calibration != nil {
		cells = append(slices.Clone(cells), e.Calibration)
	}
	for _, c := range cells {
		for _, r := range c.Records {
			n += boolean(r.Order.Replaces > 0)
		}
	}
	return n
}

// ProbesAgain counts the probes of the experiment's own searches that were made again, as the machine had disturbed them.
func (e *Experiment) ProbesAgain() int {
	n := 0
	for _, c := range e.Cells {
		for _, r := range c.searches {
			if r.Experiment == e.Plan.Name { // else it is taken over
				n += r.Search.Disturbed()
			}
		}
	}
	return n
}
