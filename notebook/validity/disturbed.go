package validity

import (
	"fmt"
	"slices"

	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Disturbed reports whether other work of the machine makes a repetition invalid, and which: others used the processor,
// or time was stolen from it. With a running target the use of others is unknown; a load generator that stood still or
// waited for a core counts instead. Results play no part, so measuring again does not select results.
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

// NeedsRepeating reports whether disturbances of the machine alone would make a cell invalid.
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

// slowdown returns the factor by which others slowed a repetition at most: as if everything stood still whenever one of
// them had a CPU. It is false if that is unknown, or if others had a CPU all the time.
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

// acceptDisturbed makes repetitions valid, within bounds, that are invalid only because others took processor time, if
// the cell then has an estimate. The bounds hold for metrics that add up over the window.
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

// Disturbed says how many of the valid repetitions are disturbed, and by how much that widens intervals; empty if none
// are. It names the cell unless that is empty.
func (a Assessment) Disturbed(cell string) string {
	if a.Slowed == nil {
		return ""
	}
	return a.about(cell, func(i int) bool { return a.Slowed[i] > 1 }, "disturbed (%s): ") +
		fmt.Sprintf("the interval allows for up to %.2f times the speed", slices.Max(a.Slowed))
}
