package validity

import (
	"fmt"
	"slices"

	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Disturbed reports whether a repetition is invalid because of other work of the machine, and says which: others used
// the processor, or time was stolen from it. With a running target the use of others is unknown; there it is that the
// load generator stood still or waited for a core. Results of the repetition play no part, so measuring it again
// selects nothing.
//
// Source: docs/validity.md#disturbed-repetitions.
func Disturbed(r *record.Record) (words string, ok bool) {
	rep := repetition{Record: r}
	if r.Failure != "" || !isTimed(rep) {
		return "", false
	}
	for _, c := range checks {
		waits := (c.name == "generator stalls" || c.name == "generator waits") && r.Facts[record.FactTarget] != "" &&
			isLoad(rep)
		if !c.isLoss && !waits || !c.applies(rep) {
			continue
		}
		if f := c.read(rep); f.level == Invalid {
			return f.words, true
		}
	}
	return "", false
}

// NeedsRepeating reports whether a cell is invalid, or would be, because too many of its repetitions were disturbed by
// the machine.
//
// Source: docs/method.md#valid-cells.
func NeedsRepeating(records []*record.Record) bool {
	valid := make([]bool, len(records))
	for i, r := range records {
		_, disturbed := Disturbed(r)
		valid[i] = !disturbed
	}
	return slices.Contains(valid, false) && cellLevel(valid, make([]Level, len(records))) == Invalid
}

// slowdown is the factor by which others have slowed a repetition at most: as if everything had stood still whenever
// one of them had a CPU. It is false if it is unknown, or if others had a CPU all the time.
//
// Source: docs/method.md#disturbed-repetitions.
func (r repetition) slowdown() (factor float64, ok bool) {
	cores, foreign := r.Cores(), r.foreign()
	if cores == 0 || foreign < 0 || r.Machine == nil || r.Machine.Steal < 0 || Stalled(r.Record) {
		return 0, false
	}
	lost := float64(cores) * (foreign + r.Machine.Steal)
	return 1 / (1 - lost), lost < 1
}

// acceptDisturbed makes repetitions valid, within bounds, that only the processor time of others makes invalid, if that
// gives the cell an estimate. The bound holds for metrics that add up over the window.
//
// Source: docs/method.md#disturbed-repetitions.
func (a *Assessment) acceptDisturbed(repetitions []repetition, metric string) {
	if metric != "throughput" && metric != "time.real" {
		return
	}
	n, valid, factors := 0, slices.Clone(a.Valid), make([]float64, len(repetitions))
	for i, r := range repetitions {
		isOther := func(c checked) bool { return c.found[i].level == Invalid && !c.isLoss }
		if factors[i] = 1; !valid[i] && !slices.ContainsFunc(a.checked, isOther) {
			if factor, ok := r.slowdown(); ok {
				valid[i], factors[i] = true, factor
			}
		}
		if valid[i] {
			n++
		}
	}
	if level := cellLevel(valid, make([]Level, len(repetitions))); level != Invalid && n >= stats.MinRepetitions {
		a.Valid, a.Slowed, a.Level = valid, factors, Warn
	}
}

// Disturbed says how many of the valid repetitions are disturbed, and by how much they widen intervals; empty if there
// are none. A cell is named if it is given.
func (a Assessment) Disturbed(cell string) string {
	if a.Slowed == nil {
		return ""
	}
	return a.about(cell, func(i int) bool { return a.Slowed[i] > 1 }, "disturbed (%s): ") +
		fmt.Sprintf("the interval allows for up to %.2f times the speed", slices.Max(a.Slowed))
}
