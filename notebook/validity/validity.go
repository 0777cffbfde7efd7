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
	limits  limits // unless the reading has its own
	read    func(repetition) reading
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

// A reading is what a check measured in one repetition.
type reading struct {
	value    float64
	words    string
	missing  string // why there is no value
	limits   *limits
	isMild   bool                     // a warning at most
	concerns func(metric string) bool // metrics that it matters for; nil: all
}

// notReported is the reading of a quantity that the load generator does not report.
var notReported = reading{missing: "the load generator does not report it"}

// notRecorded is why checks say nothing about records that are older than they are.
const notRecorded = "not recorded"

// checks are the checks of single repetitions in the order of docs/validity.md#checks. Percentiles are checked where
// they are read; the steady state and outliers are properties of several repetitions.
var checks = []check{
	{name: "record", read: readRecord, applies: func(r repetition) bool { return r.Checked }},
	{name: "Little's law", read: readLittle, applies: isClosedLoop, byResult: true},
	{name: generatorCheck, limits: limits{math.Nextafter(busyOK, 0), math.Nextafter(busyWarn, 0)}, read: readGenerator,
		applies: isLoad},
	{name: "warm-up", limits: anyWarns, read: readWarmup, applies: hasWarmup},
	{name: "generator stalls", read: readStandstill, applies: hasHealth},
	{name: "generator waits", limits: waitingLimits, read: readWaiting, applies: func(r repetition) bool {
		return isLoad(r) && hasHealth(r)
	}},
	{name: "foreign CPU", limits: foreignLimits, read: readForeign, applies: isTimed, isLoss: true},
	{name: "swap", limits: anyWarns, read: readSwap, applies: isTimed},
	{name: ErrorsCheck, read: readErrors, applies: isLoad, spares: isFailureMetric},
	{name: OfferedCheck, limits: limits{0.01, 0.05}, read: readOffered, applies: isOpenLoop, byResult: true},
	{name: LagCheck, read: readLag, applies: isOpenLoop, byResult: true},
	{name: "overflow", limits: anyWarns, read: readOverflow, applies: isLoad},
	{name: "throttled", limits: stolenLimits, read: readThrottled, applies: isTimed},
	{name: "steal", limits: stolenLimits, read: readSteal, applies: isTimed, isLoss: true},
	{name: "stalls", limits: anyWarns, read: readStalls, applies: tellsLost},
	{name: "delays", limits: delayLimits, read: readDelays, applies: hasDelays, byResult: true},
}

func isLoad(r repetition) bool       { return r.Load != nil }
func isOpenLoop(r repetition) bool   { return isLoad(r) && r.Load.Open != nil }
func isClosedLoop(r repetition) bool { return isLoad(r) && r.Load.Open == nil }
func isTimed(r repetition) bool      { return r.Load != nil || r.Command != nil }

// A finding is the result of one check in one repetition.
type finding struct {
	level    Level
	words    string
	size     float64 // ranks findings of one level
	concerns func(metric string) bool
}

func (c check) judge(r repetition) finding {
	x := c.read(r)
	if x.missing != "" {
		return finding{level: NotChecked, words: x.missing}
	}
	return finding{x.level(c.limits), x.words, x.value, x.concerns}
}

// level grades the reading by its own limits, or else by the limits of its check.
func (x reading) level(by limits) Level {
	if x.limits != nil {
		by = *x.limits
	}
	switch {
	case x.value <= by.ok:
		return OK
	case x.value <= by.warn || x.isMild:
		return Warn
	}
	return Invalid
}

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
