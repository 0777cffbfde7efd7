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
	Values []float64 // of the valid repetitions that have one, in order, in the metric's unit
	// Estimate is the pseudo-median; for "failed", the share over all repetitions.
	Estimate stats.Estimate

	// Missing says why there is no estimate: "not measured", "needs 1000 answers, has 940", "failed: …" if no
	// repetition ran, "invalid: …" if the cell is not valid. It is empty if there is one.
	Missing string
	// Unsure holds the values of all repetitions if Missing says that the cell is not valid. Nothing may rest on them;
	// they give readers a rough idea.
	Unsure []float64
	// AtLeast reports that Unsure are lower bounds: only the load generator was too busy.
	AtLeast bool
	Marks   []string       // caveats about repetitions, in sentences
	Level   validity.Level // how far this metric of the cell can be trusted

	Repetitions []int               // repetition number of each of Values; 0 for a search
	Failures    stats.FailureCounts // with attempts, for metrics that count failures

	without int     // valid repetitions without a value
	step    float64 // resolution of the coarsest of Values, in the metric's unit; 0 for fine ones
	// at most how many times a disturbance slowed each of Values, 1 if undisturbed; nil if none was disturbed
	slowed []float64
}

// Metric returns one metric of the cell; Result.Missing says why it has no estimate. A time of answers or the
// throughput per core is missing for the cell if one valid repetition lacks it, since that would have been the slowest
// or the best. For other metrics a mark counts the repetitions without a value.
//
// Source: docs/method.md#percentiles, docs/method.md#one-cell, docs/validity.md#checks and docs/method.md#definitions.
func (c *Cell) Metric(name string) Result {
	r := c.results.Get(name, func() Result { return c.measure(name) })
	// The caller may keep or change the lists.
	r.Values, r.Marks = slices.Clone(r.Values), slices.Clone(r.Marks)
	return r
}

// NoResult returns why no key metric has a value in any valid repetition. It is empty if one has, even too few for an
// estimate, or if other programs disturbed a repetition.
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

// ValidValues returns the values of a metric in the valid repetitions, even if they are too few for a result.
func (c *Cell) ValidValues(name string) []float64 {
	metric, ok := c.Experiment.Metric(name)
	if !ok || record.IsSearched(name) {
		return nil
	}
	r := Result{Metric: metric}
	r.collect(c, c.Validity().For(name))
	return r.Values
}

// markSame marks a number that a command printed unchanged in every repetition: it may draw by a fixed seed.
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
		r.without = 0 // Missing says so
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

// isPrinted reports whether a program printed the metric, rather than benchbook measuring it.
func (r Result) isPrinted() bool {
	_, isOurs := record.LookupMetric(r.Metric.Name)
	return !isOurs
}

// Step returns the resolution of the centre, in the metric's unit.
func (r Result) Step() float64 { return r.resolution() * math.Abs(r.Estimate.Centre) }

func (r Result) resolution() float64 { return max(r.Cell().Resolution, stats.MinResolution) }

// mark adds a caveat, unless it is empty.
func (r *Result) mark(words string) {
	if words != "" {
		r.Marks = append(r.Marks, words)
	}
}

// lacking returns phrases on the repetitions that are invalid, disturbed or without a value. Name is the cell's name
// next to numbers of several cells, else "".
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

// LeftOutOf returns the phrases of lacking for all cells that have a result of a metric.
func LeftOutOf(metric string, cells ...*Cell) []string {
	var out []string
	for _, c := range cells {
		if r := c.Metric(metric); r.Missing == "" {
			out = append(out, r.lacking(c, NameOf(c, cells...))...)
		}
	}
	return out
}

// outlying returns a caveat about values far from the others; "" if there are none. They stay in all numbers.
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

// Disturbed reports for each of Values whether its repetition was disturbed; it is empty if none was.
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

// At returns the estimate at the level alpha.
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

// Metric returns what the name of a metric means in the experiment; false if it cannot be measured there. The unit of a
// metric that programs print is empty until a record has it.
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

// IsSuggestion reports whether source.Suggest found a near miss.
func IsSuggestion(hint string) bool { return strings.HasPrefix(hint, "did you mean") }

// KeyMetrics returns the metrics by which cells are compared by default: the main ones of loads, all of commands, those
// that the article adds; of a capacity search only its rate.
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

// AllMetrics returns the measured metrics of the experiment, key metrics first, without kinds of failures that never
// occurred.
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

// IsUnmeasured reports whether some valid cell could have a metric, but none has it.
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

// Has reports whether the experiment adds a metric, or one of its records has a sample of it.
func (e *Experiment) Has(name string) bool {
	isAdded := slices.ContainsFunc(e.Measured.Added, func(m record.Metric) bool { return m.Name == name })
	return isAdded || slices.ContainsFunc(e.Cells, func(c *Cell) bool {
		return slices.ContainsFunc(c.Records, func(r *record.Record) bool { _, ok := r.Sample(name); return ok })
	})
}
