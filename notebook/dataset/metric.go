package dataset

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// Result is one metric of a cell.
type Result struct {
	Metric record.Metric
	Values []float64 // of the valid repetitions that have one, in their order, in the metric's unit
	// Estimate is of the pseudo-median, for "failed" of the share over all repetitions.
	Estimate stats.Estimate

	// Missing is the reason for a missing estimate: "not measured", "needs 1000 answers, has 940", "failed: …" if no
	// repetition could be run, "invalid: …" if the cell is not valid. It is empty if there is one.
	Missing string
	// Unsure are the values of all repetitions that have one, if Missing says that the cell is not valid. Nothing may rest
	// on them; they are shown so that somebody sees about what was measured.
	Unsure []float64
	// AtLeast reports that Unsure are lower bounds: only the load generator was too busy.
	AtLeast bool
	Marks   []string       // caveats about repetitions, in sentences
	Level   validity.Level // how far the cell can be believed by this metric

	Repetitions []int               // of Values, by number; 0 for a search
	Failures    stats.FailureCounts // and attempts, for metrics that count failures

	without int     // valid repetitions without a value
	step    float64 // the coarsest of Values, in the metric's unit; 0 for fine ones
	// by which factor at most a disturbance has slowed each of Values, 1 if there was none; nil if none is disturbed
	slowed []float64
}

// Metric returns one metric of the cell. It never fails: see Result.Missing. A time of answers
// or the throughput per core that one valid repetition lacks is missing for the cell, since that repetition would have
// been the slowest or the best. For other metrics a mark counts the repetitions that lack them.
//
// Source: docs/method.md#percentiles, docs/method.md#one-cell, docs/validity.md#checks and docs/method.md#definitions.
func (c *Cell) Metric(name string) Result {
	r := c.results.Get(name, func() Result { return c.measure(name) })
	// The caller may keep or change the lists.
	r.Values, r.Marks = slices.Clone(r.Values), slices.Clone(r.Marks)
	return r
}

// NoResult is why no key metric has a value in a valid repetition; it is empty if one has, or if a repetition is only
// disturbed by other programs. Estimates may need more values.
func (c *Cell) NoResult() (why string) {
	isDisturbed := func(r *record.Record) bool { _, disturbed := validity.Disturbed(r); return disturbed }
	if slices.ContainsFunc(c.Records, isDisturbed) {
		return ""
	}
	for _, m := range c.Experiment.KeyMetrics() {
		missing := c.Metric(m.Name).Missing
		if missing == "" || len(c.ValidValues(m.Name)) > 0 {
			return ""
		}
		why = cmp.Or(why, missing)
	}
	return cmp.Or(why, "nothing is measured")
}

// allValues returns the values of a metric in all repetitions that have one, valid or not.
func (c *Cell) allValues(name string) (values []float64) {
	for _, rec := range c.Records {
		if value, missing := (reading{c.decode, rec, c.Experiment.Plan.Metrics}).value(name); missing == "" {
			values = append(values, value)
		}
	}
	return values
}

// ValidValues returns the values of a metric in the valid repetitions, also if they are too few for a result.
func (c *Cell) ValidValues(name string) []float64 {
	metric, ok := c.Experiment.Metric(name)
	if !ok || record.IsSearched(name) {
		return nil
	}
	r := Result{Metric: metric}
	r.collect(c, c.Validity().For(name))
	return r.Values
}

// markSame marks what a command printed in the same way each time, which it may draw by one seed.
func (r *Result) markSame(c *Cell) {
	if r.Estimate.Kind == stats.Exact && r.isPrinted() && c.Trial.Command != nil && !isFramework(c.Trial) {
		r.mark(fmt.Sprintf("the same in all %d repetitions: a command that draws by a seed takes it from BENCHBOOK_REPETITION",
			len(r.Values)))
	}
}

func (c *Cell) measure(name string) Result {
	metric, ok := c.Experiment.Metric(name)
	r := Result{Metric: metric}
	if !ok {
		r.Metric.Name, r.Metric.Title = name, name
	}
	switch {
	case len(c.Records) == 0:
		r.Missing, r.Level = c.notMeasured(), validity.NotChecked
		return r
	case record.IsSearched(name):
		c.measureSearched(&r)
		return r
	}
	a := c.Validity().For(name)
	r.Level = a.Level
	switch {
	case !slices.ContainsFunc(c.Records, func(r *record.Record) bool { return r.Failure == "" }):
		r.Missing = "failed: " + c.Records[0].Failure
		return r
	case a.Level == validity.Invalid:
		r.Missing = "invalid: " + a.Because()
		r.Unsure = c.allValues(name)
		r.AtLeast = name == "throughput" && a.IsGeneratorLimited()
		return r
	}
	reason := r.collect(c, a)
	r.Marks = slices.Concat(r.lacking(c, ""), a.Warnings(), c.Circumstances())
	if why, isSaid := strings.CutPrefix(reason, notMeasured); isSaid && r.without > 0 {
		r.Marks = append(r.Marks, "where it is missing: "+why)
	}
	r.mark(c.overloaded())
	if len(r.Values) == 0 {
		r.Missing = cmp.Or(c.lacksBenchmark(), reason)
		return r
	}
	r.mark(r.outlying())
	var err error
	if r.Estimate, err = r.At(stats.DefaultAlpha); err != nil {
		r.Missing = err.Error()
		return r
	}
	r.markSame(c)
	c.compareTail(&r)
	return r
}

// collect reads the values of valid repetitions. It returns why the last repetition without a value has none.
func (r *Result) collect(c *Cell, a validity.Assessment) (reason string) {
	name, added := r.Metric.Name, c.Experiment.Plan.Metrics
	reason = "not measured"
	for i, rec := range c.Records {
		if !a.Valid[i] {
			continue
		}
		value, missing := reading{c.decode, rec, added}.value(name)
		if missing != "" {
			reason = missing
			r.without++
			if needsAll(name, added) {
				r.Values, r.Repetitions = nil, nil
				break
			}
			continue
		}
		r.Values = append(r.Values, value)
		r.Repetitions = append(r.Repetitions, rec.Repetition)
		if a.Slowed != nil {
			r.slowed = append(r.slowed, a.Slowed[i])
		}
		wanted := 0
		if c.Trial.Load != nil {
			wanted = c.Trial.Load.Requests
		}
		r.step = max(r.step, step(rec, name, wanted, value))
		if record.CountsFailures(name) && rec.Load != nil {
			failed := int64(value)
			if r.Metric.Share {
				failed = rec.Load.Failed
			}
			f := &r.Failures
			f.Failed, f.Attempted = append(f.Failed, failed), append(f.Attempted, rec.Load.Attempted)
		}
	}
	if len(r.Values) == 0 {
		r.without = 0 // Missing says it
	}
	return reason
}

// isExact reports whether the metric was counted, or printed by a program, and is the same number in every repetition.
//
// Source: docs/method.md#exact-values.
func (r Result) isExact() bool {
	first := r.Values[0]
	isCounted := r.Metric.Counted && first == math.Trunc(first)
	return len(r.Values) > 1 && (isCounted || r.isPrinted() && r.step == 0) &&
		!slices.ContainsFunc(r.Values, func(v float64) bool { return v != first })
}

// isPrinted reports whether programs print the metric, rather than that we measure it.
func (r Result) isPrinted() bool {
	_, isOurs := record.LookupMetric(r.Metric.Name)
	return !isOurs
}

// Step is how finely the centre is known, in the metric's unit.
func (r Result) Step() float64 { return r.resolution() * math.Abs(r.Estimate.Centre) }

func (r Result) resolution() float64 { return max(r.Cell().Resolution, stats.MinResolution) }

// mark adds a caveat, unless it is empty.
func (r *Result) mark(words string) {
	if words != "" {
		r.Marks = append(r.Marks, words)
	}
}

// lacking says which repetitions of the cell the result lacks: invalid ones, and those without a value. Name is the
// cell in sentences next to numbers of several.
func (r Result) lacking(c *Cell, name string) []string {
	var out []string
	if record.IsSearched(r.Metric.Name) {
		return nil // it is not made of repetitions
	}
	a := c.Validity().For(r.Metric.Name)
	for _, words := range []string{a.LeftOut(name), a.Disturbed(name)} {
		if words != "" {
			out = append(out, words)
		}
	}
	if r.without > 0 {
		if name != "" {
			name = " of " + name
		}
		out = append(out, fmt.Sprintf("%d of %d repetitions%s %s no %s", r.without, len(c.Records), name,
			phrase.Verb(r.without, "has", "have"), r.Metric.InWords()))
	}
	return out
}

// LeftOutOf says which repetitions of some cells do not enter numbers of a metric.
func LeftOutOf(metric string, cells ...*Cell) []string {
	var out []string
	for _, c := range cells {
		if r := c.Metric(metric); r.Missing == "" {
			out = append(out, r.lacking(c, NameOf(c, cells...))...)
		}
	}
	return out
}

// outlying says which values lie far from the others; "" if none does. They stay in all numbers.
//
// Source: docs/method.md#steady-state.
func (r Result) outlying() string {
	far, _ := stats.Outliers(r.Cell(), stats.DefaultSmallestEffect) // Metric reports the same error
	switch {
	case far.Wide:
		return "the repetitions are more than 25 % apart"
	case len(far.At) == 1:
		return fmt.Sprintf("repetition %d is an outlier", r.Repetitions[far.At[0]])
	case len(far.At) > 1:
		return fmt.Sprintf("%d of %d repetitions are outliers", len(far.At), len(r.Values))
	}
	return ""
}

// Disturbed says which of Values are of disturbed repetitions.
//
// Source: docs/method.md#disturbed-repetitions.
func (r Result) Disturbed() []bool {
	return slice.Map(r.slowed, func(factor float64) bool { return factor > 1 })
}

// Times returns the result with each value multiplied by a factor. Its estimate stays.
func (r Result) Times(factor float64) Result {
	r.Values = slice.Map(r.Values, func(v float64) float64 { return v * factor })
	return r
}

// IsErrorShare reports whether the estimate is the share of failures over all repetitions.
func (r Result) IsErrorShare() bool { return r.Metric.Share && len(r.Failures.Attempted) > 0 }

// At returns the estimate at a level.
func (r Result) At(alpha float64) (stats.Estimate, error) {
	if record.IsSearched(r.Metric.Name) {
		return r.Estimate, nil
	}
	if r.IsErrorShare() {
		return stats.ErrorShare(r.Failures.Failed, r.Failures.Attempted, alpha)
	}
	estimate, err := stats.Summarize(r.Cell(), alpha)
	if err == nil && r.isExact() {
		estimate.Interval = stats.Interval{Lo: estimate.Centre, Hi: estimate.Centre}
		estimate.Kind, estimate.Coverage = stats.Exact, 1
	}
	return estimate, err
}

// Cell returns the values as package stats takes them.
func (r Result) Cell() stats.Cell {
	_, isOurs := record.LookupMetric(r.Metric.Name)
	c := stats.Cell{Values: r.Values, NonNegative: isOurs, Correlation: stats.SerialCorrelation(r.Values)}
	if r.step > 0 {
		if centre := stats.PseudoMedian(r.Values); centre > 0 {
			c.Resolution = r.step / centre // docs/method.md#words-and-defaults
		}
	}
	if r.slowed != nil {
		factor := slices.Max(r.slowed)
		if c.Bounds = (stats.Interval{Lo: 1, Hi: factor}); r.Metric.Better == string(stats.LowerIsBetter) {
			c.Bounds = stats.Interval{Lo: 1 / factor, Hi: 1}
		}
	}
	if r.IsErrorShare() {
		c.Centre = r.Estimate.Centre // the share over all repetitions, not their pseudo-median
	}
	return c
}

// Metric says what the name of a metric means in the experiment; it is false if it cannot be measured there. The unit
// of a metric that programs print is empty until a record has it.
func (e *Experiment) Metric(name string) (record.Metric, bool) {
	m, ok := e.Measured.Lookup(name)
	if !ok && e.Known < article.KnowsAll { // a problem may hide what the experiment measures
		if m, ok := record.LookupMetric(name); ok {
			return m, true
		}
		return record.Metric{Name: name, Title: name}, e.Known < article.KnowsNames
	}
	if !ok || m.Unit != "" {
		return m, ok
	}
	for _, c := range e.Cells {
		for _, r := range c.Records {
			if s, ok := r.Sample(name); ok {
				m.Unit, m.Counted = s.Unit, s.Unit == "1" || s.Unit == "B"
				return m, true
			}
		}
	}
	return m, true
}

func (e *Experiment) whatIsMeasured() record.Measured {
	var out record.Measured
	for _, m := range e.Plan.Metrics {
		m.Counted = m.Value == "" && (m.Unit == "1" || m.Unit == "B")
		out.Added = append(out.Added, m.Metric)
	}
	for _, c := range e.Cells {
		t := c.Trial
		out.Command = out.Command || t.Command != nil
		out.Benchmarks = out.Benchmarks || isFramework(t)
		out.Capacity = out.Capacity || t.Capacity != nil
		out.OpenLoop = out.OpenLoop || t.Load != nil && t.Load.Arrivals != ""
		for _, s := range t.Services {
			out.Services = slice.Add(out.Services, s.Name)
		}
		for _, s := range t.Tune {
			out.Searches = slice.Add(out.Searches, s.Name)
		}
	}
	return out
}

// SuggestMetric returns a hint for an unknown metric: the nearest name, else the metrics of its family, else all.
func (e *Experiment) SuggestMetric(name string, others ...string) string {
	if _, err := expr.Parse(name); err != nil && strings.HasPrefix(name, "latency.") {
		return err.Error() // it is not a percentile
	}
	known := append(e.Measured.Names(), others...)
	if other, ok := record.OtherName(name); ok && (slices.Contains(known, other) ||
		strings.HasPrefix(other, "latency.p") && !e.Measured.Command) {
		return fmt.Sprintf("did you mean %q?", other)
	}
	hint := source.Suggest(name, known)
	head, _, _ := strings.Cut(name, ".")
	family := slice.Filter(known, func(k string) bool { return strings.HasPrefix(k, head+".") })
	if !IsSuggestion(hint) && len(family) > 0 {
		return source.Suggest(name, family)
	}
	return hint
}

// IsMetric reports whether a name is a metric that the experiment is known to measure.
func (e *Experiment) IsMetric(name string) bool {
	m, ok := e.Measured.Lookup(name)
	return ok && m.Unit != ""
}

// SuggestSetting returns a hint for an unknown parameter or label.
func (e *Experiment) SuggestSetting(name string) string {
	switch {
	case e.IsMetric(name):
		return "it is a metric, and what belongs here is a parameter or label"
	case len(e.settings) == 0:
		return "the experiment has none: add a matrix"
	}
	return source.Suggest(name, e.settings)
}

// IsSuggestion reports whether source.Suggest has found a near miss.
func IsSuggestion(hint string) bool { return strings.HasPrefix(hint, "did you mean") }

// KeyMetrics returns the metrics by which cells are compared unless the author asks for others: for loads the main
// ones, for commands all, and those that the article adds.
//
// Source: docs/command.md#compare.
func (e *Experiment) KeyMetrics() []record.Metric {
	names := []string{"throughput", "latency.p50", "latency.p99", "throughput.per_core", "failed"}
	if e.Measured.Command {
		if names = []string{"time.real", "time.user", "time.sys", "memory.peak"}; e.Measured.Benchmarks {
			names = nil
		}
		for _, c := range e.Cells {
			for _, r := range c.Records {
				for _, s := range r.Samples {
					if _, isOurs := record.LookupMetric(s.Metric); !isOurs {
						names = slice.Add(names, s.Metric)
					}
				}
			}
		}
	}
	if len(names) == 0 {
		names = []string{"time"} // no benchmark has run
	}
	for _, added := range e.Measured.Added {
		names = slice.Add(names, added.Name)
	}
	if e.Measured.Capacity {
		names = []string{"capacity.rate"}
	}
	var out []record.Metric
	for _, name := range names {
		if metric, ok := e.Metric(name); ok {
			out = append(out, metric)
		}
	}
	return out
}

// AllMetrics returns the metrics of the experiment that something measured, key metrics first. Kinds of failures that
// never occurred are left out.
func (e *Experiment) AllMetrics() []record.Metric {
	out := e.KeyMetrics()
	for _, name := range e.Measured.Names() {
		if m, ok := e.Metric(name); ok && !slices.ContainsFunc(out, func(o record.Metric) bool { return o.Name == name }) {
			out = append(out, m)
		}
	}
	return slices.DeleteFunc(out, func(m record.Metric) bool {
		never := strings.HasPrefix(m.Name, "errors.") && !slices.ContainsFunc(e.Cells, func(c *Cell) bool {
			return slices.ContainsFunc(c.Metric(m.Name).Values, func(v float64) bool { return v != 0 })
		})
		return never || IsUnmeasured(m.Name, e.Cells)
	})
}

// IsUnmeasured reports whether no valid cell has a metric, and at least one could have it.
func IsUnmeasured(metric string, cells []*Cell) bool {
	could := false
	for _, c := range cells {
		missing := c.Metric(metric).Missing
		switch {
		case len(c.Records) == 0 || strings.HasPrefix(missing, "failed: ") || strings.HasPrefix(missing, "invalid: "):
		case strings.HasPrefix(missing, "not measured"):
			could = true
		default:
			return false
		}
	}
	return could
}

// Has reports whether the experiment adds a metric, or a record of it has such a sample.
func (e *Experiment) Has(name string) bool {
	isAdded := slices.ContainsFunc(e.Measured.Added, func(m record.Metric) bool { return m.Name == name })
	return isAdded || slices.ContainsFunc(e.Cells, func(c *Cell) bool {
		return slices.ContainsFunc(c.Records, func(r *record.Record) bool { _, ok := r.Sample(name); return ok })
	})
}
