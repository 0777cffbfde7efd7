package dataset

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// Result is one metric of a cell.
type Result struct {
	Metric record.Metric
	Values []float64 // one per valid repetition that has it, in order of repetition, in the metric's unit
	// Estimate is by docs/method.md#one-cell: of the pseudo-median, or for "failed" of the share over all repetitions. The
	// interval of a percentile of one repetition is that within it, by docs/method.md#interval-within-one-repetition.
	Estimate stats.Estimate

	// Missing is why there is no estimate: "not measured", "needs 1000 answers, has 940", "failed: …" if no
	// repetition could be run, "invalid: …" if the cell is not valid. It is empty if there is one.
	Missing string
	Marks   []string       // what is wrong with some repetitions, in sentences
	Level   validity.Level // how far the cell can be believed as far as this metric is concerned

	// Pooled is the percentile of the answers of all valid repetitions together; nil where there is no interval to
	// hold it against.
	Pooled *float64

	repetitions       []int   // of Values
	without           int     // valid repetitions that have no value
	failed, attempted []int64 // of Values, where the metric is "failed"
	step              float64 // the coarsest of Values, in the metric's unit; 0 for fine ones
	// by which factor at most a disturbance has slowed each of Values, 1 where there was none; nil where none is disturbed
	slowed []float64
}

// Repetitions are those of Values, from 1; there are none where a search found the values.
func (r Result) Repetitions() []int { return slices.Clone(r.repetitions) }

// Metric gives one metric of the cell. It never fails: Result.Missing says why there is no estimate. A percentile
// that is not available in one valid repetition is not available for the cell, since leaving that repetition
// out would leave out the slow ones; so are all times of answers, and the throughput per core, of which a
// repetition without CPU time would have been the best. Of other metrics a mark says how many repetitions lack them.
//
// Source: docs/method.md#percentiles, docs/method.md#one-cell, docs/validity.md#checks and docs/method.md#definitions.
func (c *Cell) Metric(name string) Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.results[name]
	if !ok {
		r = c.measure(name)
		c.results[name] = r
	}
	// The caller may keep or change the lists.
	r.Values, r.Marks = slices.Clone(r.Values), slices.Clone(r.Marks)
	return r
}

// ValidValues returns the values of a metric in the valid repetitions, also where these are too few for a result.
func (c *Cell) ValidValues(name string) []float64 {
	metric, ok := c.Experiment.Metric(name)
	if !ok || record.IsSearched(name) {
		return nil
	}
	r := Result{Metric: metric}
	r.collect(c, c.Validity().For(name))
	return r.Values
}

func (c *Cell) measure(name string) Result {
	metric, ok := c.Experiment.Metric(name)
	r := Result{Metric: metric}
	if c.Trial.Unavailable != "" {
		r.Missing, r.Level = "unavailable: "+c.Trial.Unavailable, validity.NotChecked
		return r
	}
	if !ok {
		r.Metric.Name, r.Metric.Title = name, name
	}
	if record.IsSearched(name) {
		return c.measureSearched(r)
	}
	a := c.Validity().For(name)
	r.Level = a.Level
	switch {
	case len(c.Records) == 0:
		r.Missing, r.Level = c.notMeasured(), validity.NotChecked
		return r
	case !slices.ContainsFunc(c.Records, func(r *record.Record) bool { return r.Failure == "" }):
		r.Missing = "failed: " + c.Records[0].Failure
		return r
	case a.Level == validity.Invalid:
		r.Missing = "invalid: " + strings.Join(a.Words(validity.Invalid), "; ")
		return r
	}
	reason := r.collect(c, a)
	r.Marks = slices.Concat(r.lacking(c, ""), a.Words(validity.Warn), c.Circumstances())
	if why, said := strings.CutPrefix(reason, notMeasured); said && r.without > 0 {
		r.Marks = append(r.Marks, "where it is missing: "+why)
	}
	r.mark(c.overloaded())
	if len(r.Values) == 0 {
		r.Missing = reason
		return r
	}
	r.mark(r.outlying())
	r.estimate()
	if r.Missing == "" {
		c.tail(&r)
	}
	return r
}

// collect reads the values of valid repetitions. It gives the reason why the last of those without one has none.
func (r *Result) collect(c *Cell, a validity.Assessment) (reason string) {
	name, added := r.Metric.Name, c.Experiment.Plan.Metrics
	reason = "not measured"
	for i, rec := range c.Records {
		if !a.Valid[i] {
			continue
		}
		value, missing := reading{c.decode, rec, added}.value(name)
		if missing == "" {
			r.Values = append(r.Values, value)
			r.repetitions = append(r.repetitions, rec.Repetition)
			if a.Slowed != nil {
				r.slowed = append(r.slowed, a.Slowed[i])
			}
			r.step = max(r.step, step(rec, name, c.wanted(), value))
			if record.CountsFailures(name) && rec.Load != nil {
				failed := int64(value)
				if metric := r.Metric; metric.Share {
					failed = rec.Load.Failed
				}
				r.failed, r.attempted = append(r.failed, failed), append(r.attempted, rec.Load.Attempted)
			}
			continue
		}
		reason = missing
		r.without++
		if needsAll(name, added) {
			r.Values, r.repetitions = nil, nil
			break
		}
	}
	if len(r.Values) == 0 {
		r.without = 0 // Missing says it
	}
	return reason
}

// wanted is how many requests the load of the cell was to make, 0 for any number.
func (c *Cell) wanted() int {
	if c.Trial.Load == nil {
		return 0
	}
	return c.Trial.Load.Requests
}

// estimate fills in the estimate of the values, or why there is none.
func (r *Result) estimate() {
	estimate, err := r.At(stats.DefaultAlpha)
	if err != nil {
		r.Missing = err.Error()
	}
	r.Estimate = estimate
}

// isExact reports whether the metric was counted, and came to the same whole number in every repetition.
//
// Source: docs/method.md#exact-values.
func (r Result) isExact() bool {
	first := r.Values[0]
	return r.Metric.Counted && len(r.Values) > 1 && first == math.Trunc(first) &&
		!slices.ContainsFunc(r.Values, func(v float64) bool { return v != first })
}

// Step is how finely the centre is known, in the metric's unit.
func (r Result) Step() float64 { return r.resolution() * math.Abs(r.Estimate.Centre) }

func (r Result) resolution() float64 { return max(r.Cell().Resolution, stats.MinResolution) }

// mark adds what is wrong with some repetitions, if anything is.
func (r *Result) mark(words string) {
	if words != "" {
		r.Marks = append(r.Marks, words)
	}
}

// lacking says which repetitions of the cell the result lacks: those that are not valid, and those without a value. The
// cell is named where the sentences stand beside numbers of several.
func (r Result) lacking(c *Cell, name string) []string {
	var out []string
	if record.IsSearched(r.Metric.Name) {
		return nil // it is of no repetition
	}
	a := c.Validity().For(r.Metric.Name)
	for _, words := range []string{a.LeftOut(name), a.Disturbed(name)} {
		if words != "" {
			out = append(out, words)
		}
	}
	if r.without > 0 {
		verb := phrase.Verb(r.without, "has", "have")
		if name != "" {
			name = " of " + name
		}
		out = append(out, fmt.Sprintf("%d of %d repetitions%s %s no %s", r.without, len(c.Records), name, verb,
			r.Metric.InWords()))
	}
	return out
}

// Lacking says which repetitions of some cells do not enter numbers of a metric: Result.lacking, of each cell by name.
func (d *Dataset) Lacking(metric string, cells ...*Cell) []string {
	var out []string
	for _, c := range cells {
		if r := c.Metric(metric); r.Missing == "" {
			out = append(out, r.lacking(c, d.NameOf(c, cells...))...)
		}
	}
	return out
}

// Disturbed says which of Values are of disturbed repetitions.
//
// Source: docs/method.md#disturbed-repetitions.
func (r Result) Disturbed() []bool {
	return slice.Map(r.slowed, func(factor float64) bool { return factor > 1 })
}

// Repetition gives the number of the repetition that has Values[i].
func (r Result) Repetition(i int) int { return r.repetitions[i] }

// IsErrorShare reports whether the estimate is the share of failures over all repetitions.
func (r Result) IsErrorShare() bool { return r.Metric.Share && len(r.attempted) > 0 }

// FailureCounts are the failures that the metric counts, or whose share it is, and the attempts; none for other
// metrics.
func (r Result) FailureCounts() stats.FailureCounts {
	return stats.FailureCounts{Failed: r.failed, Attempted: r.attempted}
}

// At is the estimate at another level than the printed one.
func (r Result) At(alpha float64) (stats.Estimate, error) {
	if record.IsSearched(r.Metric.Name) {
		return r.Estimate, nil
	}
	if r.IsErrorShare() {
		return stats.ErrorShare(r.failed, r.attempted, alpha)
	}
	estimate, err := stats.Summarize(r.Cell(), alpha)
	if err == nil && r.isExact() {
		estimate.Interval = stats.Interval{Lo: estimate.Centre, Hi: estimate.Centre}
		estimate.Kind, estimate.Coverage = stats.Exact, 1
	}
	return estimate, err
}

// Cell is the values as package stats takes them.
func (r Result) Cell() stats.Cell {
	_, known := record.LookupMetric(r.Metric.Name)
	c := stats.Cell{Values: r.Values, NonNegative: known}
	if centre := stats.PseudoMedian(r.Values); r.step > 0 && centre > 0 {
		c.Resolution = r.step / centre // docs/method.md#words-and-defaults
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

// Metric says what a name of a metric means in the experiment; it is false if it cannot be measured there. Programs
// print metrics of their own, whose units only records know; until then the unit is empty.
func (e *Experiment) Metric(name string) (record.Metric, bool) {
	m, ok := e.Measured().Lookup(name)
	if !ok && e.Known < article.KnowsAll {
		return e.mayMeasure(name)
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

// mayMeasure is metric of an experiment of which a problem may hide what it measures.
func (e *Experiment) mayMeasure(name string) (record.Metric, bool) {
	if m, ok := record.LookupMetric(name); ok {
		return m, true
	}
	return record.Metric{Name: name, Title: name}, e.Known < article.KnowsNames
}

// Measured returns what the plan has the experiment measure.
func (e *Experiment) Measured() record.Measured {
	e.measuring.Do(func() { e.measured = e.newMeasured() }) // every value of every cell asks for it
	return e.measured
}

func (e *Experiment) newMeasured() record.Measured {
	var out record.Measured
	for _, m := range e.Plan.Metrics {
		m.Counted = m.Value == "" && (m.Unit == "1" || m.Unit == "B")
		out.Added = append(out.Added, m.Metric)
	}
	for _, c := range e.Cells {
		t := c.Trial
		out.Command = out.Command || t.Command != nil
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

// SuggestMetric is a hint about what a name may mean that is no metric of the experiment, nor one of the other names
// that may stand there: the nearest, else those of its family, else all.
func (e *Experiment) SuggestMetric(name string, others ...string) string {
	if _, err := expr.Parse(name); err != nil && strings.HasPrefix(name, "latency.") {
		if e, ok := errors.AsType[*expr.Error](err); ok { // a percentile that is none
			return e.Msg + ": " + e.Hint
		}
	}
	known := append(e.Measured().Names(), others...)
	if other, ok := record.OtherName(name); ok && (slices.Contains(known, other) ||
		strings.HasPrefix(other, "latency.p") && !e.Measured().Command) {
		return fmt.Sprintf("did you mean %q?", other)
	}
	hint := source.Suggest(name, known)
	if IsNear(hint) {
		return hint
	}
	head, _, _ := strings.Cut(name, ".")
	family := slices.DeleteFunc(slices.Clone(known), func(k string) bool { return !strings.HasPrefix(k, head+".") })
	if len(family) > 0 {
		return source.Suggest(name, family)
	}
	return hint
}

// IsMetric says that a name is a metric that can be measured in the experiment; of what a program may print that is
// not known.
func (e *Experiment) IsMetric(name string) bool {
	m, ok := e.Measured().Lookup(name)
	return ok && m.Unit != ""
}

// SuggestSetting is a hint about what a name may mean that is no parameter or label of the experiment.
func (e *Experiment) SuggestSetting(name string) string {
	known := e.Settings()
	switch {
	case e.IsMetric(name):
		return "it is a metric, and what belongs here is a parameter or label"
	case len(known) == 0:
		return "the experiment has none: add a matrix"
	}
	return source.Suggest(name, known)
}

// IsNear reports whether a hint of source.Suggest has found a near miss.
func IsNear(hint string) bool { return strings.HasPrefix(hint, "did you mean") }

// outlying says which values of a metric lie far from the others; empty if none does. They stay in all numbers.
//
// Source: docs/method.md#steady-state.
func (r Result) outlying() string {
	far, err := stats.Outliers(r.Cell(), stats.DefaultSmallestEffect)
	switch {
	case err != nil: // it is what there is no estimate for either
		return ""
	case far.Wide:
		return "the repetitions are more than 25 % apart"
	case len(far.At) == 1:
		return fmt.Sprintf("repetition %d is an outlier", r.Repetition(far.At[0]))
	case len(far.At) > 1:
		return fmt.Sprintf("%d of %d repetitions are outliers", len(far.At), len(r.Values))
	}
	return ""
}

// KeyMetrics are the metrics by which cells of an experiment are compared if nothing else is asked for: of loads
// those that conclusions are drawn from, of commands all, and those that the article adds.
//
// Source: docs/claims.md#other-metrics.
func (e *Experiment) KeyMetrics() []record.Metric {
	names := []string{"throughput", "latency.p50", "latency.p99", "throughput.per_core", "failed"}
	if m := e.Measured(); m.Command {
		names = []string{"time.real", "time.user", "time.sys", "memory.peak"}
		for _, c := range e.Cells {
			for _, r := range c.Records {
				for _, s := range r.Samples {
					if _, known := record.LookupMetric(s.Metric); !known && !slices.Contains(names, s.Metric) {
						names = append(names, s.Metric)
					}
				}
			}
		}
	}
	m := e.Measured()
	for _, added := range m.Added {
		names = slice.Add(names, added.Name)
	}
	if m.Capacity {
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

// AllMetrics are the metrics of the experiment that something measured, key metrics first. Failures of a kind that
// never occurred are left out; a percentile that has too few answers is not, for it has a reason.
func (e *Experiment) AllMetrics() []record.Metric {
	out := e.KeyMetrics()
	for _, name := range e.Measured().Names() {
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

// IsUnmeasured reports whether none of the cells that could tell of a metric does, and one could have. Cells that
// failed or are not valid tell of none.
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
	added := slices.ContainsFunc(e.Measured().Added, func(m record.Metric) bool { return m.Name == name })
	return added || slices.ContainsFunc(e.Cells, func(c *Cell) bool {
		return slices.ContainsFunc(c.Records, func(r *record.Record) bool { _, ok := r.Sample(name); return ok })
	})
}
