package dataset

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// Result is one metric of a cell.
type Result struct {
	Metric record.Metric
	Values []float64 // one per valid repetition that has it, in order of repetition, in the metric's unit
	// Estimate is by docs/method.md#one-cell: of the median, or for "failed" of the share over all repetitions. The
	// interval of a percentile of one repetition is that within it, by docs/method.md#interval-within-one-repetition.
	Estimate stats.Estimate

	// Missing is why there is no estimate: "not measured", "needs 1000 answers, has 940", "failed: …" if no
	// repetition could be run, "invalid: …" if the cell is not valid. It is empty if there is one.
	Missing string
	Marks   []string // what is wrong with some repetitions, in sentences
	Level   Level    // how far the cell can be believed as far as this metric is concerned

	// Pooled is the percentile of the answers of all valid repetitions together; nil where there is no interval to hold it against.
	Pooled *float64

	repetitions       []int   // of Values
	without           int     // valid repetitions that have no value
	failed, attempted []int64 // of Values, where the metric is "failed"
	step              float64 // the coarsest of the tools that gave Values, in the metric's unit; 0 for a fine one
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

func (c *Cell) measure(name string) Result {
	metric, ok := c.Experiment.metric(name)
	r := Result{Metric: metric}
	if c.Trial.Unavailable != "" {
		r.Missing, r.Level = "unavailable: "+c.Trial.Unavailable, NotChecked
		return r
	}
	if !ok {
		r.Metric.Name, r.Metric.Title = name, name
	}
	if IsSearched(name) {
		return c.measureSearched(r)
	}
	a := c.assess(name)
	r.Level = a.level
	switch {
	case len(c.Records) == 0:
		r.Missing, r.Level = c.notMeasured(), NotChecked
		return r
	case !slices.ContainsFunc(c.Records, func(r *record.Record) bool { return r.Failure == "" }):
		r.Missing = "failed: " + c.Records[0].Failure
		return r
	case a.level == Invalid:
		r.Missing = "invalid: " + strings.Join(a.words(Invalid), "; ")
		return r
	}
	reason := "not measured"
	for i, rec := range c.Records {
		if !a.valid[i] {
			continue
		}
		value, missing := readWith(c.decode, rec, name, c.Experiment.Plan.Metrics)
		if missing == "" {
			r.Values = append(r.Values, value)
			r.repetitions = append(r.repetitions, rec.Repetition)
			r.step = max(r.step, step(rec, name))
			if name == "failed" && rec.Load != nil {
				r.failed, r.attempted = append(r.failed, rec.Load.Failed), append(r.attempted, rec.Load.Attempted)
			}
			continue
		}
		reason = missing
		r.without++
		if needsAll(name, c.Experiment.Plan.Metrics) {
			r.Values, r.repetitions = nil, nil
			break
		}
	}
	if len(r.Values) == 0 {
		r.without = 0 // Missing says it
	}
	r.Marks = slices.Concat(r.lacking(c, ""), a.words(Warn), c.Circumstances())
	if why, said := strings.CutPrefix(reason, notMeasured); said && r.without > 0 {
		r.Marks = append(r.Marks, "where it is missing: "+why)
	}
	if words := c.overloaded(); words != "" {
		r.Marks = append(r.Marks, words)
	}
	if len(r.Values) == 0 {
		r.Missing = reason
		return r
	}
	if words := r.outlying(); words != "" {
		r.Marks = append(r.Marks, words)
	}
	estimate, err := r.at(stats.DefaultAlpha)
	if err != nil {
		r.Missing = err.Error()
		return r
	}
	r.Estimate = estimate
	c.tail(&r, a.valid)
	return r
}

// lacking says which repetitions of the cell the result lacks: those that are not valid, and those without a value. The
// cell is named where the sentences stand beside numbers of several.
func (r Result) lacking(c *Cell, name string) []string {
	var out []string
	if IsSearched(r.Metric.Name) {
		return nil // it is of no repetition
	}
	if words := c.assess(r.Metric.Name).leftOut(name); words != "" {
		out = append(out, words)
	}
	if r.without > 0 {
		verb := "have"
		if r.without == 1 {
			verb = "has"
		}
		out = append(out, fmt.Sprintf("%d of %d repetitions%s %s no %s",
			r.without, len(c.Records), ofCell(name), verb, inWords(r.Metric)))
	}
	return out
}

// lacking says which repetitions of some cells do not enter numbers of a metric: Result.lacking, of each cell by name.
func (d *Dataset) lacking(metric string, cells ...*Cell) []string {
	var out []string
	for _, c := range cells {
		if r := c.Metric(metric); r.Missing == "" {
			out = append(out, r.lacking(c, d.nameOf(c, cells...))...)
		}
	}
	return out
}

// Repetition gives the number of the repetition that has Values[i].
func (r Result) Repetition(i int) int { return r.repetitions[i] }

// at is the estimate at another level than the printed one.
func (r Result) at(alpha float64) (stats.Estimate, error) {
	if IsSearched(r.Metric.Name) {
		return r.Estimate, nil
	}
	if len(r.attempted) > 0 {
		return stats.ErrorShare(r.failed, r.attempted, alpha)
	}
	return stats.Summarize(r.cell(), alpha)
}

// cell is the values as package stats takes them.
func (r Result) cell() stats.Cell {
	_, known := record.LookupMetric(r.Metric.Name)
	c := stats.Cell{Values: r.Values, NonNegative: known}
	if median := stats.Median(r.Values); r.step > 0 && median > 0 {
		c.Resolution = r.step / median // docs/method.md#words-and-defaults
	}
	if len(r.attempted) > 0 {
		c.Centre = r.Estimate.Centre // the share over all repetitions, not their median
	}
	return c
}

// isTime reports whether a metric is made from the times of requests.
func isTime(metric string) bool {
	return strings.HasPrefix(metric, "latency.") || strings.HasPrefix(metric, "service.p") || strings.HasPrefix(metric, "lag.p")
}

// read gives one metric of one repetition that could be run, or the reason why it has none.
func read(decode decoder, r *record.Record, metric string) (value float64, missing string) {
	if r.Load == nil {
		return sample(r, metric)
	}
	switch l := r.Load; metric {
	case "throughput":
		return perSecond(r)
	case "throughput.per_core":
		return perCore(r)
	case "requests":
		return told(l, l.Attempted)
	case "failed":
		switch {
		case l.Attempted < 0 || l.Failed < 0:
			return told(l, -1)
		case l.Attempted == 0:
			return 0, "nothing was attempted"
		}
		return float64(l.Failed) / float64(l.Attempted), ""
	case "failed.count":
		return told(l, l.Failed)
	case "generator.cpu":
		if l.Busy < 0 {
			return 0, "not measured"
		}
		return l.Busy, ""
	}
	if kind, ok := strings.CutPrefix(metric, "errors."); ok {
		n, counted := r.Load.Failures[kind]
		if r.Load.Tool != "" && !counted {
			return told(r.Load, -1) // it tells some kinds from others only
		}
		return float64(n), ""
	}
	if code, ok := strings.CutPrefix(metric, "status."); ok {
		if r.Load.Tool != "" && r.Load.Statuses == nil {
			return told(r.Load, -1)
		}
		return float64(r.Load.Statuses[code]), ""
	}
	if isTime(metric) {
		return readTime(decode, r, metric)
	}
	if r.Load.Tool != "" && strings.HasPrefix(metric, "service.") {
		return sampleTime(r, metric)
	}
	return sample(r, metric)
}

func sample(r *record.Record, metric string) (float64, string) {
	s, ok := r.Sample(metric)
	if !ok {
		if why := r.Missing[metric]; why != "" {
			return 0, notMeasured + why
		}
		return 0, "not measured"
	}
	return s.Value, ""
}

// notMeasured stands before the reason why there is no value.
const notMeasured = "not measured: "

// told is a number that the tool told, or the reason why it is missing: other tools than ours do not tell everything.
func told(l *record.Load, n int64) (float64, string) {
	if n < 0 {
		return 0, "not measured: " + l.Tool + " does not tell"
	}
	return float64(n), ""
}

// step is how coarse the tool is that measured a metric, in the metric's unit; 0 where it is finer than anything else.
//
// Source: docs/method.md#words-and-defaults.
func step(r *record.Record, metric string) float64 {
	family, _ := familyOf(metric)
	if h, ok := r.Histograms[family]; ok && isTime(metric) {
		return h.Step
	}
	s, _ := r.Sample(metric)
	return s.Step
}

func perSecond(r *record.Record) (float64, string) {
	l := r.Load
	if s, ok := r.Sample("throughput"); ok && l.Tool != "" {
		return s.Value, "" // the tool knows better
	}
	switch {
	case l.Completed < 0:
		return told(l, -1)
	case l.Window <= 0:
		return 0, "not measured: the window has no length"
	}
	return float64(l.Completed) / l.Window, ""
}

// perCore is throughput over the mean number of busy cores of all services.
//
// Source: docs/method.md#definitions.
func perCore(r *record.Record) (float64, string) {
	cores := 0.0
	for _, s := range r.Samples {
		if strings.HasPrefix(s.Metric, "cpu.") {
			cores += s.Value
		}
	}
	if cores <= 0 {
		return 0, "not measured: no CPU time of services"
	}
	rate, missing := perSecond(r)
	return rate / cores, missing
}

// readTime gives a metric that is made from a histogram: latency.p99, latency.mean, latency.connect.p50.
func readTime(decode decoder, r *record.Record, metric string) (float64, string) {
	family, last := familyOf(metric)
	h, ok := r.Histograms[family]
	switch {
	case r.Load.Tool != "" && r.Load.Failed < 0:
		return 0, "not measured: " + r.Load.Tool + " does not tell how many requests failed, which were slower than all others"
	case !ok:
		return sampleTime(r, metric)
	case h.Count == 0:
		return 0, "no answers"
	case last == "mean":
		return h.Sum / float64(h.Count), ""
	case last == "max":
		return h.Max, ""
	}
	p, err := stats.ParsePercentile(strings.TrimPrefix(last, "p"))
	if err != nil {
		return 0, err.Error()
	}
	seconds, missing := percentile(decode, h, p, attemptsOf(r, family))
	if missing == "" {
		missing = belowStep(r.Load, seconds, h.Step)
	}
	return seconds, missing
}

// familyOf divides a metric that is made from a histogram: "latency.connect" and "p99.9".
func familyOf(metric string) (family, last string) {
	i := strings.Index(metric, ".p") // the percentage may have a point of its own
	if i < 0 {
		i = max(0, strings.LastIndexByte(metric, '.'))
	}
	return metric[:i], strings.TrimPrefix(metric[i:], ".")
}

// attemptsOf is how many values a histogram could have had.
func attemptsOf(r *record.Record, family string) int64 {
	h := r.Histograms[family]
	switch family {
	case "latency.connect", "latency.tls":
		// Not every request opens a connection.
		return h.Count + r.Load.Failures["connect"]
	case "lag":
		return h.Count // a request that never left has none
	}
	return max(h.Count, r.Load.Attempted)
}

// belowStep says that a time cannot be told by a tool whose steps are so long: what it prints as 0 ms is no time.
func belowStep(l *record.Load, seconds, step float64) string {
	if seconds >= step/2 {
		return ""
	}
	return fmt.Sprintf("not measured: shorter than %s can tell, in steps of %g ms", l.Tool, step*1e3)
}

// sampleTime gives a time that another tool told as such, without the times that it was made from. It is of answers as the
// tool counts them, and those of requests that failed are among them or left out, while docs/method.md ranks them above
// all others: beside failures it is not the number that is asked for.
//
// Source: docs/method.md#histogram and docs/method.md#percentiles.
func sampleTime(r *record.Record, metric string) (float64, string) {
	l := r.Load
	s, ok := r.Sample(metric)
	if !ok || l.Tool == "" {
		return sample(r, metric)
	}
	if l.Failed > 0 {
		return 0, fmt.Sprintf("not measured: %d requests failed, and %s does not rank them above its answers", l.Failed, l.Tool)
	}
	if _, last := familyOf(metric); strings.HasPrefix(last, "p") {
		p, err := stats.ParsePercentile(strings.TrimPrefix(last, "p"))
		if err != nil {
			return 0, err.Error()
		}
		switch need := p.Need(); {
		case l.Attempted < 0:
			return 0, "not measured: " + l.Tool + " does not tell how many requests there were"
		case l.Attempted < need:
			return 0, fmt.Sprintf("needs %d answers, has %d", need, l.Attempted)
		}
	}
	return s.Value, belowStep(l, s.Value, s.Step)
}

// metric says what a name of a metric means in the experiment; it is false if it cannot be measured there. Programs
// print metrics of their own, whose units only records know; until then the unit is empty.
func (e *Experiment) metric(name string) (record.Metric, bool) {
	m, ok := e.measured().Lookup(name)
	if !ok && e.unsure {
		return e.mayMeasure(name)
	}
	if !ok || m.Unit != "" {
		return m, ok
	}
	for _, c := range e.Cells {
		for _, r := range c.Records {
			if s, ok := r.Sample(name); ok {
				m.Unit = s.Unit
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
	return record.Metric{Name: name, Title: name}, e.anyName
}

// measured is what the plan has the experiment measure.
func (e *Experiment) measured() record.Measured {
	var out record.Measured
	for _, m := range e.Plan.Metrics {
		out.Added = append(out.Added, m.Metric)
	}
	add := func(list []string, name string) []string {
		if slices.Contains(list, name) {
			return list
		}
		return append(list, name)
	}
	for _, c := range e.Cells {
		t := c.Trial
		out.Command = out.Command || t.Command != nil
		out.Capacity = out.Capacity || t.Capacity != nil
		out.OpenLoop = out.OpenLoop || t.Load != nil && t.Load.Arrivals != ""
		for _, s := range t.Services {
			out.Services = add(out.Services, s.Name)
		}
		for _, s := range t.Tune {
			out.Searches = add(out.Searches, s.Name)
		}
	}
	return out
}

// suggestMetric is a hint about what a name may mean that is no metric of the experiment, nor one of the other names that
// may stand there: the nearest, else those of its family, else all.
func (e *Experiment) suggestMetric(name string, others ...string) string {
	if _, err := expr.Parse(name); err != nil && strings.HasPrefix(name, "latency.") {
		if e, ok := errors.AsType[*expr.Error](err); ok { // a percentile that is none
			return e.Msg + ": " + e.Hint
		}
	}
	known := append(e.measured().Names(), others...)
	if other, ok := record.OtherName(name); ok && (slices.Contains(known, other) || strings.HasPrefix(other, "latency.p") && !e.measured().Command) {
		return fmt.Sprintf("did you mean %q?", other)
	}
	hint := source.Suggest(name, known)
	if isNear(hint) {
		return hint
	}
	head, _, _ := strings.Cut(name, ".")
	family := slices.DeleteFunc(slices.Clone(known), func(k string) bool { return !strings.HasPrefix(k, head+".") })
	if len(family) > 0 {
		return source.Suggest(name, family)
	}
	return hint
}

// isMetric says that a name is a metric that can be measured in the experiment; of what a program may print that is not known.
func (e *Experiment) isMetric(name string) bool {
	m, ok := e.measured().Lookup(name)
	return ok && m.Unit != ""
}

// suggestSetting is a hint about what a name may mean that is no parameter or label of the experiment.
func (e *Experiment) suggestSetting(name string) string {
	known := e.settings()
	switch {
	case e.isMetric(name):
		return "it is a metric, and what belongs here is a parameter or label"
	case len(known) == 0:
		return "the experiment has none: add a matrix"
	}
	return source.Suggest(name, known)
}

// isNear reports whether a hint of article.Suggest has found a near miss.
func isNear(hint string) bool { return strings.HasPrefix(hint, "did you mean") }

// inWords is a metric as it stands inside a sentence: "throughput", "latency p99", "CPU of server".
func inWords(m record.Metric) string {
	if len(m.Title) > 1 && m.Title[1] >= 'a' && m.Title[1] <= 'z' {
		return strings.ToLower(m.Title[:1]) + m.Title[1:]
	}
	return m.Title
}

// percentBeside writes a share with two digits, and with as many more as tell it from limits that it is not on.
func percentBeside(share float64, limits ...float64) string {
	for _, limit := range limits {
		if share == limit || percent(share) != percent(limit) {
			continue
		}
		const most = 7
		for digits := 3; ; digits++ {
			if words := significant(share, digits); digits == most || words != significant(limit, digits) {
				return words
			}
		}
	}
	return percent(share)
}

func significant(share float64, digits int) string { return fmt.Sprintf("%.*g %%", digits, 100*share) }

// percent writes a share with two digits.
func percent(share float64) string {
	if x := 100 * share; x >= 10 || x == 0 {
		return fmt.Sprintf("%.0f %%", x)
	}
	return fmt.Sprintf("%.2g %%", 100*share)
}
