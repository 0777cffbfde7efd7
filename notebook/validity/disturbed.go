package validity

import "benchbook/notebook/record"

// Disturbed reports whether a repetition is invalid by what else the machine did while it was measured, others' use
// of the processor or time stolen from it, and says what. Its own results do not enter, so that measuring it again
// selects nothing.
//
// Source: docs/validity.md#disturbed-repetitions.
func Disturbed(r *record.Record) (words string, ok bool) {
	if r.Failure != "" || !isTimed(r) {
		return "", false
	}
	for _, judge := range []func(*record.Record) finding{judgeForeign, judgeSteal} {
		if f := judge(r); f.level == Invalid {
			return f.words, true
		}
	}
	return "", false
}

// NeedsAgain reports whether a cell is invalid, or would be, because too many of its repetitions were disturbed by
// the machine.
//
// Source: docs/method.md#valid-cells.
func NeedsAgain(records []*record.Record) bool {
	valid, disturbed := make([]bool, len(records)), 0
	for i, r := range records {
		_, bad := Disturbed(r)
		if valid[i] = !bad; bad {
			disturbed++
		}
	}
	return disturbed > 0 && cellLevel(valid, make([]Level, len(records))) == Invalid
}
