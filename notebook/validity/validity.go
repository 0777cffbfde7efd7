// Package validity checks how far the repetitions of a cell can be trusted, and finds the resource that limited them.
//
// It reads only records: what load generators, hosts and engines reported during the measurement. A Report holds the
// findings of all checks for one cell; Of checks a single record.
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

// String returns the level as pages word it.
func (l Level) String() string {
	return [...]string{"ok", "warn", "invalid", "not checked"}[l]
}

// MarshalText returns the level as String does.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// CheckResult is the result of one check in a cell. Words are about the worst valid repetitions, or about the worst
// ones if the cell is invalid: "3 of 5 repetitions: errors 6.5 %".
type CheckResult struct {
	Name  string `json:"check"`
	Level Level  `json:"level"`
	Words string `json:"words,omitempty"`
}

// Names of checks that probes of searches treat in a way of their own.
const (
	ErrorsCheck       = "errors"
	OfferedCheck      = "offered rate"
	LagCheck          = "send lag"
	GeneratorLagCheck = "generator lag"
)

// A check grades something measured in one repetition by its limits.
type check struct {
	name    string
	read    func(repetition) finding
	applies func(repetition) bool
	spares  func(metric string) bool // metrics that stay valid if the finding is invalid; nil for none
	isLoss  bool                     // measures processor time that others took, which bounds their influence
	// byResult says that slow results fail the check more often than fast ones.
	byResult bool
}

// generatorCheck is the check of how busy the load generator was.
const generatorCheck = "generator CPU"

// limits are the largest values that are OK and that only warn.
type limits struct{ ok, warn float64 }

// anyWarns are the limits of a quantity that should be zero, and otherwise only warns.
var anyWarns = limits{0, math.Inf(1)}

// A finding is the result of one check in one repetition.
type finding struct {
	level    Level
	words    string                   // if NotChecked, why
	size     float64                  // ranks findings of one level
	concerns func(metric string) bool // metrics that it matters for; nil for all
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

// atMostWarn returns the finding with an invalid level lowered to a warning.
func (f finding) atMostWarn() finding {
	f.level = min(f.level, Warn)
	return f
}

func notChecked(why string) finding { return finding{level: NotChecked, words: why} }

// notReported is the finding for a quantity that the load generator does not report.
var notReported = notChecked("the load generator does not report it")

// notRecorded is what checks say about records older than the check.
const notRecorded = "not recorded"

// checks are the checks of single repetitions, in the order of docs/validity.md#checks. Percentiles are checked when
// they are read; steady state and outliers concern several repetitions.
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
	{name: GeneratorLagCheck, read: readGeneratorLag, applies: hasGeneratorLag},
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
// no result to depend on.
func (c check) dependsOnResult(f finding) bool {
	return c.byResult && f.level == Invalid && !math.IsInf(f.size, 1)
}

// share formats a share with enough digits to tell it from its limits.
func (l limits) share(x float64) string { return phrase.PercentBeside(x, l.ok, l.warn) }

// Of checks one repetition by its record, and returns the result of each check that applies. A failed repetition is
// invalid.
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
