package validity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/record"
)

// Report holds the findings of all checks in the repetitions of one cell. Goroutines can share it.
type Report struct {
	records     []*record.Record
	repetitions []repetition
	checked     []checked
	drifts      []drift // by repetition
	keepsAll    bool    // checks that depend on results only warn

	assessed slice.Memo[string, Assessment] // by metric
}

// checked is a check that applies to a cell, with its findings by repetition.
type checked struct {
	check
	found []finding
}

// notRun is what other checks find in a failed repetition, which runCheck finds invalid.
const (
	notRun   = "not run"
	runCheck = "run"
)

// NewReport reports on records of one cell, run and key, in the order of repetitions.
func NewReport(records []*record.Record) *Report { return newReport(records, false) }

// WithAll returns a report of the same records in which checks that depend on the result of a repetition warn where
// they would find it invalid.
func (r *Report) WithAll() *Report { return newReport(r.records, true) }

func newReport(records []*record.Record, keepsAll bool) *Report {
	r := &Report{records: records, repetitions: repetitionsOf(records), drifts: slice.Map(records, driftOf),
		keepsAll: keepsAll}
	ran := slice.Map(records, func(r *record.Record) finding {
		if r.Failure != "" {
			return finding{level: Invalid, words: "failed"}
		}
		return finding{words: fmt.Sprintf("all %d repetitions", len(records))}
	})
	r.checked = []checked{{check{name: runCheck}, ran}}
	for _, check := range checks {
		c, applies := checked{check: check}, false
		for _, rep := range r.repetitions {
			f := finding{level: NotChecked, words: notRecorded} // the record is older than the check
			switch {
			case rep.Failure != "":
				f.words = notRun
			case check.applies(rep):
				applies, f = true, check.read(rep)
				if keepsAll && check.dependsOnResult(f) {
					f.level = Warn
				}
			}
			c.found = append(c.found, f)
		}
		if applies {
			r.checked = append(r.checked, c)
		}
	}
	return r
}

// LeftOutByResult counts the repetitions that WithAll makes valid for a metric.
func (r *Report) LeftOutByResult(metric string) (n int) {
	if r.keepsAll {
		return 0
	}
	a := r.For(metric)
	for i, valid := range a.Valid {
		stays := func(c checked) bool { return c.found[i].level == Invalid && !c.dependsOnResult(c.found[i]) }
		if !valid && !slices.ContainsFunc(a.checked, stays) {
			n++
		}
	}
	return n
}

// Assessment is the result of all checks in a cell for one metric.
type Assessment struct {
	Level Level
	Valid []bool // by repetition
	// Slowed is at most how many times a disturbance slowed each repetition, 1 without one; nil if no disturbed
	// repetition is valid.
	Slowed  []float64
	checked []checked
	steady  CheckResult // of the valid repetitions together; no name if it does not apply
}

// IsGeneratorLimited reports whether only a busy load generator makes the repetitions that ran invalid: services could
// have answered more.
func (a Assessment) IsGeneratorLimited() bool {
	isInvalid := func(f finding) bool { return f.level == Invalid }
	failed := slice.Filter(a.checked, func(c checked) bool { return c.name != runCheck && slices.ContainsFunc(c.found, isInvalid) })
	return len(failed) == 1 && failed[0].name == generatorCheck
}

// For assesses the cell for a metric; "" means one that every check concerns. The result must not be changed.
//
// Source: docs/method.md#valid-cells.
func (r *Report) For(metric string) Assessment {
	return r.assessed.Get(metric, func() Assessment { return r.assess(metric) })
}

// ValidFor returns the records that are valid for a metric.
func (r *Report) ValidFor(metric string) (records []*record.Record) {
	for i, valid := range r.For(metric).Valid {
		if valid {
			records = append(records, r.records[i])
		}
	}
	return records
}

func (r *Report) assess(metric string) Assessment {
	a := Assessment{Valid: slices.Repeat([]bool{true}, len(r.records))}
	levels := make([]Level, len(r.records)) // the worst of each repetition
	for _, c := range r.checked {
		c.found = slices.Clone(c.found)
		for i := range c.found {
			f := &c.found[i]
			if f.level == NotChecked {
				continue
			}
			if metric != "" && !c.isAbout(*f, metric) {
				f.level = OK
			}
			levels[i] = max(levels[i], f.level)
			a.Valid[i] = a.Valid[i] && f.level != Invalid
		}
		a.checked = append(a.checked, c)
	}
	if a.Level = cellLevel(a.Valid, levels); a.Level == Invalid {
		a.acceptDisturbed(r.repetitions, metric)
	}
	if a.steady = steadyState(r.drifts, a.Valid); a.steady.Level == Warn {
		a.Level = max(a.Level, Warn)
	}
	return a
}

// cellLevel grades a cell: invalid if more than half of its repetitions are, if none is valid, or if fewer than three
// valid ones remain of three or more; else the worst level of the valid ones, and at least a warning if one was left
// out. An unfinished run is judged by its repetitions so far.
//
// Source: docs/method.md#valid-cells.
func cellLevel(valid []bool, levels []Level) Level {
	n, worst := 0, OK
	for i := range valid {
		if valid[i] {
			n++
			worst = max(worst, levels[i])
		}
	}
	left := len(valid) - n
	switch {
	case n == 0, 2*left > len(valid), len(valid) >= 3 && n < 3:
		return Invalid
	case left > 0:
		return max(worst, Warn)
	}
	return worst
}

// Warnings returns a phrase for each check that warns about valid repetitions: "3 of 5 repetitions: errors 0.5 %".
func (a Assessment) Warnings() []string {
	words := slice.Map(a.reasons(Warn, func(i int) bool { return a.Valid[i] }), a.counted)
	if a.steady.Level == Warn {
		words = append(words, a.steady.Words)
	}
	return words
}

func (a Assessment) counted(r reason) string {
	return fmt.Sprintf("%d of %d repetitions: %s", r.count, len(a.Valid), r.words)
}

// Because returns the main reason for invalid repetitions and counts the others. Among equally frequent reasons, CPU
// time taken by other programs comes first, since the others may follow from it.
func (a Assessment) Because() string {
	found := a.reasons(Invalid, anyRepetition)
	if len(found) == 0 {
		return ""
	}
	first := slices.MaxFunc(found, func(x, y reason) int { return cmp.Or(x.count-y.count, x.cause-y.cause) })
	words := first.words
	if first.count < len(a.Valid) {
		words = a.counted(first)
	}
	switch more := len(found) - 1; more {
	case 0:
		return words
	case 1:
		return words + "; and another reason"
	default:
		return fmt.Sprintf("%s; and %d more reasons", words, more)
	}
}

// A reason is the worst finding of a check in some repetitions.
type reason struct {
	count int // repetitions
	cause int // 1 if the others may follow from it, else 0
	words string
}

// reasons returns what each check found at a level in the meant repetitions.
func (a Assessment) reasons(level Level, meant func(repetition int) bool) (out []reason) {
	for _, c := range a.checked {
		cause := 0
		if c.isLoss {
			cause = 1
		}
		n, worst := c.worst(level, meant)
		isSaid := c.isLoss && level == Warn && a.Slowed != nil // Disturbed says it
		if n > 0 && !isSaid {
			out = append(out, reason{n, cause, worst.words})
		}
	}
	return out
}

func anyRepetition(int) bool { return true }

// worst counts the findings at a level in the meant repetitions, and returns the largest.
func (of checked) worst(level Level, meant func(repetition int) bool) (n int, worst finding) {
	for i, f := range of.found {
		if f.level != level || !meant(i) {
			continue
		}
		if n++; n == 1 || f.size > worst.size {
			worst = f
		}
	}
	return n, worst
}

// LeftOut says how many repetitions of a cell enter no number, and why; empty if all do. It names the cell unless that
// is empty.
func (a Assessment) LeftOut(cell string) string {
	return a.about(cell, func(i int) bool { return !a.Valid[i] }, "not valid: %s")
}

// about counts the meant repetitions and puts the reasons why they are invalid into text; empty if there are none.
func (a Assessment) about(cell string, meant func(repetition int) bool, text string) string {
	n := 0
	for i := range a.Valid {
		if meant(i) {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	if cell != "" {
		cell = " of " + cell
	}
	reasons := slice.Map(a.reasons(Invalid, meant), func(r reason) string { return r.words })
	return fmt.Sprintf("%d of %d repetitions%s %s "+text, n, len(a.Valid), cell, phrase.Verb(n, "is", "are"),
		strings.Join(reasons, ", "))
}

// Level returns how far the cell can be trusted by all checks. Metrics that a check spares can be valid in an invalid
// cell. A cell without records is NotChecked.
//
// Source: docs/method.md#valid-cells.
func (r *Report) Level() Level {
	if len(r.records) == 0 {
		return NotChecked
	}
	return r.For("").Level
}

// Checks returns whether the repetitions ran, and the result of every check that applies to the cell. Each level is by
// the rule for cells, as if there were no other check.
func (r *Report) Checks() []CheckResult {
	if len(r.records) == 0 {
		return nil
	}
	return r.For("").results(checked.summary)
}

// results returns the summary of each check, and the steady state.
func (a Assessment) results(summary func(checked) CheckResult) []CheckResult {
	results := slice.Map(a.checked, summary)
	if a.steady.Name != "" {
		results = append(results, a.steady)
	}
	return results
}

// summary returns the result of a check over the repetitions that it judged.
func (of checked) summary() CheckResult {
	var valid []bool
	var levels []Level
	worst := OK
	for _, f := range of.found {
		if f.level != NotChecked {
			valid, levels = append(valid, f.level != Invalid), append(levels, f.level)
			worst = max(worst, f.level)
		}
	}
	if len(valid) == 0 {
		i := slices.IndexFunc(of.found, func(f finding) bool { return f.words != notRun })
		return CheckResult{Name: of.name, Level: NotChecked, Words: of.found[i].words}
	}
	c := CheckResult{Name: of.name, Level: cellLevel(valid, levels)}
	n, largest := of.worst(worst, anyRepetition)
	left := ""
	if worst == Invalid && c.Level == Warn {
		// The cell rests on its valid repetitions, so the words are about them if there are any.
		if warned, words := of.worst(Warn, anyRepetition); warned > 0 {
			n, largest = warned, words
		} else {
			left = ", left out"
		}
	}
	if c.Words = largest.words; worst != OK {
		c.Words = fmt.Sprintf("%d of %d repetitions%s: %s", n, len(of.found), left, largest.words)
	}
	return c
}
