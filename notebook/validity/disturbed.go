package validity

import (
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Disturbed reports whether a repetition is invalid because of what else the machine did while it was measured, and says
// what: others used the processor, or time was stolen from it. How much others used is unknown where the target runs
// already; there it is that the load generator stood still or waited for a core. Results of the repetition do not enter,
// so that measuring it again selects nothing.
//
// Source: docs/validity.md#disturbed-repetitions.
func Disturbed(r *record.Record) (words string, ok bool) {
	if r.Failure != "" || !isTimed(r) {
		return "", false
	}
	judges := []func(*record.Record) finding{judgeForeign, judgeSteal}
	if r.Facts[record.FactTarget] != "" && r.Load != nil && r.Load.Health != nil {
		judges = append(judges, judgeStandstill, judgeWaiting)
	}
	for _, judge := range judges {
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

// slowed is by which factor at most others have slowed a repetition: as if everything had stood still whenever one of
// them had a CPU, whichever it was. It is false where the record does not tell, or where they had one all the time.
//
// Source: docs/method.md#disturbed-repetitions.
func slowed(r *record.Record) (factor float64, ok bool) {
	cores, foreign := r.Cores(), foreignOf(r)
	if cores == 0 || foreign < 0 || r.Machine == nil || r.Machine.Steal < 0 || Stalled(r) {
		return 0, false
	}
	lost := float64(cores) * (foreign + r.Machine.Steal)
	return 1 / (1 - lost), lost < 1
}

// takeDisturbed takes repetitions for valid, within bounds, that nothing but the processor time of others makes
// invalid, if the cell has an estimate by them. That is known of metrics that add up over the window alone.
//
// Source: docs/method.md#disturbed-repetitions.
func (a *Assessment) takeDisturbed(records []*record.Record, metric string) {
	if metric != "throughput" && metric != "time.real" {
		return
	}
	n, valid, factors := 0, slices.Clone(a.Valid), make([]float64, len(records))
	for i, r := range records {
		isOther := func(c checked) bool { return c.found[i].level == Invalid && !c.isLoss }
		if factors[i] = 1; !valid[i] && r.Failure == "" && !slices.ContainsFunc(a.checked, isOther) {
			if factor, ok := slowed(r); ok {
				valid[i], factors[i] = true, factor
			}
		}
		if valid[i] {
			n++
		}
	}
	if level := cellLevel(valid, make([]Level, len(records))); level != Invalid && n >= stats.MinRepetitions {
		a.Valid, a.Slowed, a.Level = valid, factors, Warn
	}
}

func (a Assessment) isSlowed(repetition int) bool { return a.Slowed != nil && a.Slowed[repetition] > 1 }

// Disturbed says how many disturbed repetitions are among the valid ones, and by how much they widen intervals; empty
// if there are none. The cell is named where the sentence stands beside numbers of several.
func (a Assessment) Disturbed(cell string) string {
	if a.Slowed == nil {
		return ""
	}
	n, most := 0, 1.0
	for _, factor := range a.Slowed {
		if most = max(most, factor); factor > 1 {
			n++
		}
	}
	var reasons []string
	for _, c := range a.checked {
		if n, worst := worstOf(c.found, func(i int, f finding) bool { return f.level == Invalid && a.isSlowed(i) }); n > 0 {
			reasons = append(reasons, worst.words)
		}
	}
	if cell != "" {
		cell = " of " + cell
	}
	return fmt.Sprintf("%d of %d repetitions%s %s disturbed (%s): the interval allows for up to %.2f times the speed", n,
		len(a.Slowed), cell, phrase.Verb(n, "is", "are"), strings.Join(reasons, ", "), most)
}
