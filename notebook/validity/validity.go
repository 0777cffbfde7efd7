// Package validity checks how far the repetitions of a cell can be trusted, and finds the resource that limited them.
//
// It reads records alone: what load generators, hosts and engines reported while they were made. A Report has the
// findings of all checks in the records of one cell, Of those in a single record.
package validity

import (
	"math"

	"benchbook/internal/phrase"
	"benchbook/notebook/record"
)

// Level says how far a repetition or a cell can be trusted.
type Level int

// The levels, from good to bad. NotChecked is neither: nothing was recorded that could tell.
const (
	OK Level = iota
	Warn
	Invalid
	NotChecked
)

// String returns the level in the words of a page.
func (l Level) String() string {
	return [...]string{"ok", "warn", "invalid", "not checked"}[l]
}

// MarshalText writes the level as String does.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// CheckResult is the result of one check in a cell. Words are about the worst valid repetitions, or about the worst
// ones if the cell is invalid: "3 of 5 repetitions: errors 6.5 %".
type CheckResult struct {
	Name  string `json:"check"`
	Level Level  `json:"level"`
	Words string `json:"words,omitempty"`
}

// Names of checks that probes of searches ignore.
const (
	ErrorsCheck  = "errors"
	OfferedCheck = "offered rate"
	LagCheck     = "send lag"
)

// A check measures something in one repetition and holds it against its limits.
type check struct {
	name    string
	read    func(repetition) finding
	applies func(repetition) bool
	spares  func(metric string) bool // metrics that stay valid when the finding is invalid; nil: none
	isLoss  bool                     // measures processor time that others took, which bounds their influence
	// byResult is set if slow results fail the check more often than quick ones.
	byResult bool
}

// generatorCheck is the check of how busy the load generator was.
const generatorCheck = "generator CPU"

// limits are the largest values that are ok and that are a warning.
type limits struct{ ok, warn float64 }

// anyWarns are the limits of a quantity that should be zero and never makes a repetition invalid.
var anyWarns = limits{0, math.Inf(1)}

// A finding is the result of one check in one repetition.
type finding struct {
	level    Level
	words    string                   // why, if it is NotChecked
	size     float64                  // ranks findings of one level
	concerns func(metric string) bool // metrics that it matters for; nil: all
}

// find grades a value by the limits.
func (l limits) find(value float64, words string) finding {
	f := finding{level: Invalid, words: words, size: value}
	switch {
	case value <= l.ok:
		f.level = OK
	case value <= l.warn:
		f.level = Warn
	}
	return f
}

// atMostWarn returns the finding as a warning if it is invalid.
func (f finding) atMostWarn() finding {
	f.level = min(f.level, Warn)
	return f
}

func notChecked(why string) finding { return finding{level: NotChecked, words: why} }

// notReported is the finding for a quantity that the load generator does not report.
var notReported = notChecked("the load generator does not report it")

// notRecorded is why checks say nothing about records that are older than they are.
const notRecorded = "not recorded"

// checks are the checks of single repetitions in the order of docs/validity.md#checks. Percentiles are checked where
// they are read; the steady state and outliers are properties of several repetitions.
var checks = []check{
	{name: "record", read: readRecord, applies: func(r repetition) bool { return r.Checked }},
	{name: "Little's law", read: readLittle, applies: isClosedLoop, byResult: true},
	{name: generatorCheck, read: readGenerator, applies: isLoad},
	{name: "warm-up", read: readWarmup, applies: hasWarmup},
	{name: "generator stalls", read: readStandstill, applies: hasHealth},
	{name: "generator waits", read: readWaiting, applies: func(r repetition) bool { return isLoad(r) && hasHealth(r) }},
	{name: "foreign CPU", read: readForeign, applies: isTimed, isLoss: true},
	{name: "swap", read: readSwap, applies: isTimed},
	{name: ErrorsCheck, read: readErrors, applies: isLoad, spares: isFailureMetric},
	{name: OfferedCheck, read: readOffered, applies: repetition.IsOpenLoop, byResult: true},
	{name: LagCheck, read: readLag, applies: repetition.IsOpenLoop, byResult: true},
	{name: "overflow", read: readOverflow, applies: isLoad},
	{name: "throttled", read: readThrottled, applies: isTimed},
	{name: "steal", read: readSteal, applies: isTimed, isLoss: true},
	{name: "stalls", read: readStalls, applies: tellsLost},
	{name: "delays", read: readDelays, applies: hasDelays, byResult: true},
}

func isLoad(r repetition) bool       { return r.Load != nil }
func isClosedLoop(r repetition) bool { return isLoad(r) && r.Load.Open == nil }
func isTimed(r repetition) bool      { return r.Load != nil || r.Command != nil }

func (c check) isAbout(f finding, metric string) bool {
	spared := f.level == Invalid && c.spares != nil && c.spares(metric)
	return !spared && (f.concerns == nil || f.concerns(metric))
}

// dependsOnResult reports whether WithAll turns an invalid finding into a warning. A repetition without any answer has
// no result.
func (c check) dependsOnResult(f finding) bool {
	return c.byResult && f.level == Invalid && !math.IsInf(f.size, 1)
}

// share writes a share with enough digits to tell it from its limits.
func (l limits) share(x float64) string { return phrase.PercentBeside(x, l.ok, l.warn) }

// Of checks one repetition by its record alone and returns the result of each check that applies to it. A repetition
// that failed is invalid.
//
// Source: docs/method.md#valid-cells.
func Of(r *record.Record) (Level, []CheckResult) {
	a := NewReport([]*record.Record{r}).For("")
	results := a.results(func(c checked) CheckResult {
		return CheckResult{Name: c.name, Level: c.found[0].level, Words: c.found[0].words}
	})
	results[0].Words = r.Failure
	return a.Level, results
}
