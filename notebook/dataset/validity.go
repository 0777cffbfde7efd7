package dataset

import (
	"fmt"
	"slices"
	"strings"

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

// A validityCheck looks at one repetition that was run.
type validityCheck struct {
	name string
	look func(r *record.Record) finding
	// of says which repetitions it is for.
	of func(r *record.Record) bool
	// spares says which metrics an invalid finding leaves valid; nil: none.
	spares func(metric string) bool
}

// Names of checks that probes of searches leave aside.
const (
	errorsCheck  = "errors"
	offeredCheck = "offered rate"
	lagCheck     = "send lag"
)

// validityChecks are those of docs/validity.md#checks that are about one repetition, in the order of that table, and
// then our own. That a percentile is available is asked where it is read, metric by metric; steady and outlying are
// about several. In is what reads definitions for them.
func validityChecks(in *definitions) []validityCheck {
	return []validityCheck{
		{name: "Little's law", look: lookAtLittle, of: isClosedLoop},
		{name: "generator CPU", look: in.lookAtGenerator, of: isLoad},
		{name: "generator stalls", look: lookAtStandstill, of: hasHealth},
		{name: "generator waits", look: lookAtWaiting, of: func(r *record.Record) bool { return r.Load != nil && hasHealth(r) }},
		{name: "foreign CPU", look: lookAtForeign, of: isTimed},
		{name: "swap", look: lookAtSwap, of: isTimed},
		{name: "ports", look: lookAtPorts, of: isLoad},
		{name: errorsCheck, look: lookAtErrors, of: isLoad, spares: isFailureMetric},
		{name: offeredCheck, look: lookAtOffered, of: isOpenLoop},
		{name: lagCheck, look: lookAtLag, of: isOpenLoop},
		{name: "overflow", look: lookAtOverflow, of: isLoad},
		{name: "throttled", look: lookAtThrottled, of: isTimed},
		{name: "steal", look: lookAtSteal, of: isTimed},
		{name: "delays", look: lookAtDelays, of: hasDelays},
		{name: "starts", look: lookAtStarts, of: hasGenerators},
	}
}

func isLoad(r *record.Record) bool       { return r.Load != nil }
func isClosedLoop(r *record.Record) bool { return r.Load != nil && r.Load.Open == nil }
func isOpenLoop(r *record.Record) bool   { return r.Load != nil && r.Load.Open != nil }

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

func notChecked(why string) finding { return finding{level: NotChecked, words: why} }

// An assessment is what all checks came to in all repetitions of a cell, as far as they concern one metric.
type assessment struct {
	level    Level
	valid    []bool // by repetition
	names    []string
	findings [][]finding // by check, then by repetition
	steady   CheckResult // of the valid repetitions together; without a name where it does not apply
	failed   int         // repetitions that could not be run
}

// assess judges the cell for a metric; "" stands for one that every check concerns. It is done once for each, and not to be changed.
//
// Source: docs/method.md#valid-cells.
func (c *Cell) assess(metric string) assessment {
	c.assessing.Lock()
	defer c.assessing.Unlock()
	a, ok := c.assessed[metric]
	if !ok {
		if c.assessed == nil {
			c.assessed = map[string]assessment{}
		}
		a = c.assessAnew(metric)
		c.assessed[metric] = a
	}
	return a
}

func (c *Cell) assessAnew(metric string) assessment {
	a := assessment{valid: make([]bool, len(c.Records))}
	for i, r := range c.Records {
		a.valid[i] = r.Failure == ""
		if !a.valid[i] {
			a.failed++
		}
	}
	levels := make([]Level, len(c.Records)) // the worst of each repetition
	looks, drifts := c.looks()
	for _, l := range looks {
		found := slices.Clone(l.found)
		for i := range found {
			if metric != "" && found[i].level != NotChecked && !l.check.isAbout(found[i], metric) {
				found[i].level = OK
			}
			if found[i].level != NotChecked {
				levels[i] = max(levels[i], found[i].level)
			}
			a.valid[i] = a.valid[i] && found[i].level != Invalid
		}
		a.names, a.findings = append(a.names, l.check.name), append(a.findings, found)
	}
	a.level = cellLevel(a.valid, levels)
	if a.steady = steadiness(drifts, a.valid); a.steady.Level == Warn {
		a.level = max(a.level, Warn)
	}
	return a
}

// A look is what a check found in all repetitions of a cell, whatever the metric.
type look struct {
	check validityCheck
	found []finding // by repetition
}

// looks are those of all checks that apply to the cell, and the drift of each repetition. They are made once: they are of the
// records alone, and some read histograms.
func (c *Cell) looks() ([]look, []drift) {
	c.once.Do(func() {
		for _, check := range validityChecks(&definitions{}) {
			l := look{check, make([]finding, len(c.Records))}
			applies := false
			for i, r := range c.Records {
				l.found[i] = notChecked("not run")
				switch {
				case r.Failure != "":
				case check.of(r):
					applies = true
					l.found[i] = check.look(r)
				default:
					l.found[i] = notChecked(untold) // it is older than the check
				}
			}
			if applies {
				c.looked = append(c.looked, l)
			}
		}
		for _, r := range c.Records {
			c.drifts = append(c.drifts, driftOf(r))
		}
	})
	return c.looked, c.drifts
}

// isAbout reports whether a finding of the check matters for a metric.
func (check validityCheck) isAbout(f finding, metric string) bool {
	spared := f.level == Invalid && check.spares != nil && check.spares(metric)
	return !spared && (f.concerns == nil || f.concerns(metric))
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

// words gives a phrase for each check that found the level: "3 of 5 repetitions: errors 6.5 %".
func (a assessment) words(level Level) []string {
	var out []string
	if level == Invalid && a.failed > 0 {
		out = append(out, fmt.Sprintf("%d of %d repetitions: failed", a.failed, len(a.valid)))
	}
	for _, found := range a.findings {
		n, worst := worstOf(found, func(i int, f finding) bool {
			return f.level == level && (level == Invalid || a.valid[i])
		})
		if n > 0 {
			out = append(out, fmt.Sprintf("%d of %d repetitions: %s", n, len(found), worst.words))
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

// leftOut says how many repetitions of a cell enter no number, and why; empty if all do. The cell is named where the
// sentence stands beside numbers of several.
func (a assessment) leftOut(cell string) string {
	left := 0
	for _, valid := range a.valid {
		left += boolean(!valid)
	}
	if left > 0 {
		var reasons []string
		if a.failed > 0 {
			reasons = append(reasons, "failed")
		}
		for _, found := range a.findings {
			if n, worst := worstOf(found, func(_ int, f finding) bool { return f.level == Invalid }); n > 0 {
				reasons = append(reasons, worst.words)
			}
		}
		verb := "are"
		if left == 1 {
			verb = "is"
		}
		return fmt.Sprintf("%d of %d repetitions%s %s not valid: %s",
			left, len(a.valid), ofCell(cell), verb, strings.Join(reasons, ", "))
	}
	return ""
}

func ofCell(name string) string {
	if name == "" {
		return ""
	}
	return " of " + name
}

// Level is how far the cell can be believed, by all checks. Metrics that a check spares can be valid in a cell that
// is not. A cell without records is NotChecked.
//
// Source: docs/method.md#valid-cells.
func (c *Cell) Level() Level {
	if len(c.Records) == 0 {
		return NotChecked
	}
	return c.assess("").level
}

// Checks returns every check that applies to the cell, with its level by the rule for cells applied to it alone.
// First comes that the repetitions could be run. It is done once, since every table asks for it.
func (c *Cell) Checks() []CheckResult {
	c.checking.Do(func() { c.checks = c.checkAll() })
	return slices.Clone(c.checks)
}

func (c *Cell) checkAll() []CheckResult {
	if len(c.Records) == 0 {
		return nil
	}
	a := c.assess("")
	run := CheckResult{Name: "run", Words: fmt.Sprintf("all %d repetitions", len(c.Records))}
	ran, fine := make([]bool, len(c.Records)), make([]Level, len(c.Records))
	for i, r := range c.Records {
		ran[i] = r.Failure == ""
	}
	if a.failed > 0 {
		run.Words = fmt.Sprintf("%d of %d repetitions: failed", a.failed, len(c.Records))
	}
	run.Level = cellLevel(ran, fine)
	checks := []CheckResult{run}
	for k, found := range a.findings {
		checks = append(checks, summary(a.names[k], found))
	}
	if a.steady.Name != "" {
		checks = append(checks, a.steady)
	}
	return checks
}

// summary is what a check came to in the repetitions that it looked at.
func summary(name string, found []finding) CheckResult {
	var valid []bool
	var levels []Level
	worst := OK
	for _, f := range found {
		if f.level != NotChecked {
			valid, levels = append(valid, f.level != Invalid), append(levels, f.level)
			worst = max(worst, f.level)
		}
	}
	if len(valid) == 0 {
		i := slices.IndexFunc(found, func(f finding) bool { return f.words != "not run" })
		return CheckResult{Name: name, Level: NotChecked, Words: found[i].words}
	}
	of := func(level Level) (int, finding) {
		return worstOf(found, func(_ int, f finding) bool { return f.level == level })
	}
	c := CheckResult{Name: name, Level: cellLevel(valid, levels)}
	n, largest := of(worst)
	left := ""
	if worst == Invalid && c.Level == Warn {
		// The cell stands on its valid repetitions: the words are of them, if they have any.
		if warned, words := of(Warn); warned > 0 {
			n, largest = warned, words
		} else {
			left = ", left out"
		}
	}
	if c.Words = largest.words; worst != OK {
		c.Words = fmt.Sprintf("%d of %d repetitions%s: %s", n, len(found), left, largest.words)
	}
	return c
}

// Finding is what one check of validity came to in one repetition, by its record alone.
type Finding struct {
	Repetition int
	Check      string // as in CheckResult
	Level      Level
	Words      string
}

// Findings returns what every check that applies to the cell came to in every repetition, by check and then by repetition. Those
// that metrics are treated differently by have their level for all of them.
//
// Source: docs/method.md#valid-cells.
func (c *Cell) Findings() []Finding {
	var out []Finding
	for _, r := range c.Records {
		f := Finding{Repetition: r.Repetition, Check: "run", Words: "done"}
		if r.Failure != "" {
			f.Level, f.Words = Invalid, "failed: "+r.Failure
		}
		out = append(out, f)
	}
	looks, drifts := c.looks()
	for _, l := range looks {
		for i, f := range l.found {
			out = append(out, Finding{c.Records[i].Repetition, l.check.name, f.level, f.words})
		}
	}
	for i, d := range drifts {
		if d.of != "" {
			level, words := d.found()
			out = append(out, Finding{c.Records[i].Repetition, steadyState, level, words})
		}
	}
	return out
}
