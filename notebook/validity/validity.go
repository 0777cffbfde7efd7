// Package validity says how far the repetitions of a cell can be believed, and what they ran up against.
//
// It judges records by themselves: by what load generators, hosts and engines told when they were made. A Report is
// what all checks found in the records of one cell; Of is that of a single record.
package validity

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
)

// Level says how far a repetition or a cell can be believed.
type Level int

// The levels, from good to bad; what is not checked is neither.
const (
	OK Level = iota
	Warn
	Invalid
	NotChecked
)

// String is the level in the words of a page.
func (l Level) String() string {
	return [...]string{"ok", "warn", "invalid", "not checked"}[l]
}

// CheckResult is what one check of validity came to in a cell.
type CheckResult struct {
	Name  string
	Level Level
	Words string // of the worst repetitions, of the worst valid ones where the cell is: "3 of 5 repetitions: errors 6.5 %"
}

// A finding is what one check came to in one repetition.
type finding struct {
	level Level
	words string
	size  float64 // how far off, to tell the worst of findings of one level
	// concerns says which metrics it is about; nil: all.
	concerns func(metric string) bool
}

// A check judges one repetition that was run.
type check struct {
	name    string
	judge   func(r *record.Record) finding
	applies func(r *record.Record) bool
	spares  func(metric string) bool // metrics that an invalid finding leaves valid; nil: none
	isLoss  bool                     // it is about processor time that others took, which bounds what it did
	// byResult: what it finds can depend on the result, as slow answers make it fail more often than quick ones
	byResult bool
}

// Names of checks that probes of searches leave aside.
const (
	ErrorsCheck  = "errors"
	OfferedCheck = "offered rate"
	LagCheck     = "send lag"
)

// checks are the checks of docs/validity.md#checks that are about one repetition, in the order of that table, and
// then our own; in reads definitions for them. That a percentile is available is asked where it is read, metric by
// metric; steady and outlying are about several.
func checks(in *definitions) []check {
	return []check{
		{name: "record", judge: judgeRecord, applies: func(r *record.Record) bool { return r.Doubts != nil }},
		{name: "Little's law", judge: judgeLittle, applies: isClosedLoop, byResult: true},
		{name: "generator CPU", judge: in.judgeGenerator, applies: isLoad},
		{name: "warm-up", judge: in.judgeWarmup, applies: in.hasWarmup},
		{name: "generator stalls", judge: judgeStandstill, applies: hasHealth},
		{name: "generator waits", judge: judgeWaiting, applies: func(r *record.Record) bool {
			return r.Load != nil &&
				hasHealth(r)
		}},
		{name: "foreign CPU", judge: judgeForeign, applies: isTimed, isLoss: true},
		{name: "swap", judge: judgeSwap, applies: isTimed},
		{name: ErrorsCheck, judge: judgeErrors, applies: isLoad, spares: isFailureMetric},
		{name: OfferedCheck, judge: judgeOffered, applies: (*record.Record).IsOpenLoop, byResult: true},
		{name: LagCheck, judge: judgeLag, applies: (*record.Record).IsOpenLoop, byResult: true},
		{name: "overflow", judge: judgeOverflow, applies: isLoad},
		{name: "throttled", judge: judgeThrottled, applies: isTimed},
		{name: "steal", judge: judgeSteal, applies: isTimed, isLoss: true},
		{name: "stalls", judge: judgeStalls, applies: tellsLost},
		{name: "delays", judge: judgeDelays, applies: hasDelays, byResult: true},
	}
}

func isLoad(r *record.Record) bool       { return r.Load != nil }
func isClosedLoop(r *record.Record) bool { return r.Load != nil && r.Load.Open == nil }

// isTimed reports whether a load was put on or a command timed. Older records of commands do not tell.
func isTimed(r *record.Record) bool { return r.Load != nil || r.Command != nil }

// graded is the finding of a share that is ok, a warning or invalid by two limits, both of which still belong to
// the better side if inclusive.
func graded(x, ok, warn float64, inclusive bool, words string) finding {
	within := func(limit float64) bool { return x < limit || inclusive && x == limit }
	f := finding{level: Invalid, words: words, size: x}
	switch {
	case within(ok):
		f.level = OK
	case within(warn):
		f.level = Warn
	}
	return f
}

// worse says that a finding is worse than another.
func (f finding) worse(than finding) bool {
	return f.level > than.level || f.level == than.level && f.size > than.size
}

func notChecked(why string) finding { return finding{level: NotChecked, words: why} }

// Report is what the checks found in the repetitions of one cell. It works out what it is asked for, each thing once,
// and can be used by several goroutines.
type Report struct {
	records  []*record.Record
	examined func() ([]checked, []drift)
	checks   func() []CheckResult
	limit    func() Limit
	keepsAll bool // no check by result makes a repetition invalid

	mu       sync.Mutex
	assessed map[string]Assessment // by metric
}

// NewReport is that of records, which are all of one cell, run and key, by repetition.
func NewReport(records []*record.Record) *Report {
	r := &Report{records: records, assessed: map[string]Assessment{}}
	r.examined, r.checks, r.limit = sync.OnceValues(r.examine), sync.OnceValue(r.summarize), sync.OnceValue(r.limitedBy)
	return r
}

// WithAll returns a report of the same records in which a check that depends on the result of a repetition warns where
// it would make it invalid.
func (r *Report) WithAll() *Report {
	all := NewReport(r.records)
	all.keepsAll = true
	return all
}

// LeftOutByResult counts the repetitions that WithAll makes valid for a metric.
func (r *Report) LeftOutByResult(metric string) (n int) {
	if r.keepsAll {
		return 0
	}
	a := r.For(metric)
	for i, rec := range r.records {
		stays := func(c checked) bool { return c.found[i].level == Invalid && !c.dependsOnResult(c.found[i]) }
		if !a.Valid[i] && rec.Failure == "" && !slices.ContainsFunc(a.checked, stays) {
			n++
		}
	}
	return n
}

// dependsOnResult reports whether WithAll takes an invalid finding for a warning. A repetition without any answer has
// no result.
func (c check) dependsOnResult(f finding) bool {
	return c.byResult && f.level == Invalid && !math.IsInf(f.size, 1)
}

// Of says how far one repetition can be believed, from its record alone, and what each check that applies to it came
// to. A repetition that could not be run is invalid.
//
// Source: docs/method.md#valid-cells.
func Of(r *record.Record) (Level, []CheckResult) {
	if r.Failure != "" {
		return Invalid, []CheckResult{{Name: "run", Level: Invalid, Words: r.Failure}}
	}
	a := NewReport([]*record.Record{r}).For("")
	checks := []CheckResult{{Name: "run", Level: OK}}
	for _, c := range a.checked {
		checks = append(checks, CheckResult{Name: c.name, Level: c.found[0].level, Words: c.found[0].words})
	}
	if a.steady.Name != "" {
		checks = append(checks, a.steady)
	}
	return a.Level, checks
}

// checked is what a check found in all repetitions of a cell.
type checked struct {
	check
	found []finding // by repetition
}

// examine makes the findings of all checks that apply to some repetition, whatever the metric, and the drift of each
// repetition.
func (r *Report) examine() (all []checked, drifts []drift) {
	for _, check := range checks(&definitions{}) {
		c := checked{check, make([]finding, len(r.records))}
		applies := false
		for i, rec := range r.records {
			switch {
			case rec.Failure != "":
				c.found[i] = notChecked(notRun)
			case check.applies(rec):
				applies = true
				c.found[i] = check.judge(rec)
				if r.keepsAll && check.dependsOnResult(c.found[i]) {
					c.found[i].level = Warn
				}
			default:
				c.found[i] = notChecked(untold) // it is older than the check
			}
		}
		if applies {
			all = append(all, c)
		}
	}
	for _, rec := range r.records {
		drifts = append(drifts, driftOf(rec))
	}
	return all, drifts
}

// notRun is found of a repetition that failed.
const notRun = "not run"

// isAbout reports whether a finding of the check matters for a metric.
func (c check) isAbout(f finding, metric string) bool {
	spared := f.level == Invalid && c.spares != nil && c.spares(metric)
	return !spared && (f.concerns == nil || f.concerns(metric))
}

// Assessment is what all checks came to in all repetitions of a cell, as far as they concern one metric.
type Assessment struct {
	Level Level
	Valid []bool // by repetition
	// Slowed is by which factor at most a disturbance has slowed each repetition, 1 where there was none; nil where no
	// disturbed repetition is taken for valid.
	Slowed  []float64
	checked []checked
	steady  CheckResult // of the valid repetitions together; without a name where it does not apply
	failed  int         // repetitions that could not be run
}

// For judges the cell for a metric; "" stands for one that every check concerns. The result must not be changed.
//
// Source: docs/method.md#valid-cells.
func (r *Report) For(metric string) Assessment {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.assessed[metric]
	if !ok {
		a = r.assess(metric)
		r.assessed[metric] = a
	}
	return a
}

// ValidFor are the records that are valid as far as a metric is concerned.
func (r *Report) ValidFor(metric string) (records []*record.Record) {
	for i, valid := range r.For(metric).Valid {
		if valid {
			records = append(records, r.records[i])
		}
	}
	return records
}

func (r *Report) assess(metric string) Assessment {
	a := Assessment{Valid: make([]bool, len(r.records))}
	for i, rec := range r.records {
		if a.Valid[i] = rec.Failure == ""; !a.Valid[i] {
			a.failed++
		}
	}
	levels := make([]Level, len(r.records)) // the worst of each repetition
	all, drifts := r.examined()
	for _, c := range all {
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
		a.takeDisturbed(r.records, metric)
	}
	if a.steady = steadiness(drifts, a.Valid); a.steady.Level == Warn {
		a.Level = max(a.Level, Warn)
	}
	return a
}

// cellLevel is the rule for a cell: invalid if more than half of its repetitions are, if none is valid, or if fewer
// than three valid ones remain of three or more; else the worst level of the valid ones, and a warning at
// least if one was left out. Of a run that is not finished, the repetitions so far count.
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

// Words gives a phrase for each check that found the level: "3 of 5 repetitions: errors 6.5 %".
func (a Assessment) Words(level Level) []string {
	var out []string
	if level == Invalid && a.failed > 0 {
		out = append(out, fmt.Sprintf("%d of %d repetitions: failed", a.failed, len(a.Valid)))
	}
	for _, c := range a.checked {
		if c.isLoss && level == Warn && a.Slowed != nil {
			continue // Disturbed says it
		}
		n, worst := worstOf(c.found, func(i int, f finding) bool {
			return f.level == level && (level == Invalid || a.Valid[i])
		})
		if n > 0 {
			out = append(out, fmt.Sprintf("%d of %d repetitions: %s", n, len(c.found), worst.words))
		}
	}
	if a.steady.Name != "" && a.steady.Level == level {
		out = append(out, a.steady.Words)
	}
	return out
}

// worstOf counts the findings that are meant and returns the largest.
func worstOf(found []finding, meant func(int, finding) bool) (n int, worst finding) {
	for i, f := range found {
		if !meant(i, f) {
			continue
		}
		if n++; n == 1 || f.size > worst.size {
			worst = f
		}
	}
	return n, worst
}

// LeftOut says how many repetitions of a cell enter no number, and why; empty if all do. The cell is named where the
// sentence stands beside numbers of several.
func (a Assessment) LeftOut(cell string) string {
	left := 0
	for _, valid := range a.Valid {
		if !valid {
			left++
		}
	}
	if left == 0 {
		return ""
	}
	var reasons []string
	if a.failed > 0 {
		reasons = append(reasons, "failed")
	}
	for _, c := range a.checked {
		if n, worst := worstOf(c.found, func(i int, f finding) bool { return f.level == Invalid && !a.Valid[i] }); n > 0 {
			reasons = append(reasons, worst.words)
		}
	}
	verb := phrase.Verb(left, "is", "are")
	if cell != "" {
		cell = " of " + cell
	}
	return fmt.Sprintf("%d of %d repetitions%s %s not valid: %s", left, len(a.Valid), cell, verb,
		strings.Join(reasons, ", "))
}

// Level is how far the cell can be believed, by all checks. Metrics that a check spares can be valid in a cell that
// is not. A cell without records is NotChecked.
//
// Source: docs/method.md#valid-cells.
func (r *Report) Level() Level {
	if len(r.records) == 0 {
		return NotChecked
	}
	return r.For("").Level
}

// Checks returns every check that applies to the cell, with its level by the rule for cells applied to it alone.
// First comes that the repetitions could be run.
func (r *Report) Checks() []CheckResult { return slices.Clone(r.checks()) }

func (r *Report) summarize() []CheckResult {
	if len(r.records) == 0 {
		return nil
	}
	a := r.For("")
	run := CheckResult{Name: "run", Words: fmt.Sprintf("all %d repetitions", len(r.records))}
	ran := make([]bool, len(r.records))
	for i, rec := range r.records {
		ran[i] = rec.Failure == ""
	}
	if a.failed > 0 {
		run.Words = fmt.Sprintf("%d of %d repetitions: failed", a.failed, len(r.records))
	}
	run.Level = cellLevel(ran, make([]Level, len(r.records)))
	checks := []CheckResult{run}
	for _, c := range a.checked {
		checks = append(checks, c.summary())
	}
	if a.steady.Name != "" {
		checks = append(checks, a.steady)
	}
	return checks
}

// summary is what a check came to in the repetitions that it judged.
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
	worstAt := func(level Level) (int, finding) {
		return worstOf(of.found, func(_ int, f finding) bool { return f.level == level })
	}
	c := CheckResult{Name: of.name, Level: cellLevel(valid, levels)}
	n, largest := worstAt(worst)
	left := ""
	if worst == Invalid && c.Level == Warn {
		// The cell stands on its valid repetitions: the words are of them, if they have any.
		if warned, words := worstAt(Warn); warned > 0 {
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
