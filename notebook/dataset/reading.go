package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/expr"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Value gives one metric of one repetition, in the metric's base unit, whether the repetition is valid or not, or the
// reason why it has none. Added are the metrics that its experiment adds, some of which are computed from others.
func Value(r *record.Record, metric string, added []plan.Metric) (value float64, missing string) {
	if r.Failure != "" {
		return 0, "failed: " + r.Failure
	}
	return newReading(r, added).value(metric)
}

// A reading gives metrics of one repetition that could be run. It is what names mean in an expression that is about
// the repetition alone. That added metrics do not go round in a circle is seen to when they are planned.
type reading struct {
	decode func(record.Histogram) (*record.Bars, error)
	*record.Record
	added []plan.Metric // by the experiment
}

func newReading(r *record.Record, added []plan.Metric) reading {
	return reading{new(record.Decoder).Decode, r, added}
}

// value gives a metric, or the reason why there is none; the metric may be one that an experiment computes from others.
func (r reading) value(metric string) (value float64, missing string) {
	i := slices.IndexFunc(r.added, func(m plan.Metric) bool { return m.Name == metric && m.Value != "" })
	if i < 0 {
		return r.measured(metric)
	}
	n, err := expr.Parse(r.added[i].Value)
	if err != nil {
		return 0, notMeasured + err.Error()
	}
	v, err := expr.Eval(n, r)
	if without, ok := errors.AsType[*missingError](err); ok {
		return 0, without.reason
	}
	if err != nil {
		return 0, notMeasured + err.Error()
	}
	return v.Number, ""
}

// A missingError is a metric that another one is computed from, and that a repetition does not have.
type missingError struct{ metric, reason string }

func (e *missingError) Error() string { return e.metric + ": " + e.reason }

// Select gives the metric that a selector names.
func (r reading) Select(s *expr.Selector) (expr.Value, error) {
	value, missing := r.value(s.Name)
	if missing != "" {
		return expr.Value{}, &missingError{s.Name, missing}
	}
	m, known := record.LookupMetric(s.Name)
	if i := slices.IndexFunc(r.added, func(m plan.Metric) bool { return m.Name == s.Name }); i >= 0 {
		m, known = r.added[i].Metric, true
	}
	if !known { // a program printed it
		sample, _ := r.Sample(s.Name)
		m.Unit = sample.Unit
	}
	return expr.NumberOf(value, DimensionOf(m)), nil
}

// Call refuses functions that compare cells.
func (reading) Call(c *expr.Call) (expr.Value, error) {
	return expr.Value{}, &expr.Error{Span: c.Span, Msg: c.Name + " compares cells, and this is about one repetition"}
}

// needsAll says that a metric is not available for a cell of which a valid repetition lacks it: the ones that lack it
// would have been the slow ones, or the best.
func needsAll(metric string, added []plan.Metric) bool {
	if record.IsTime(metric) || metric == "throughput.per_core" {
		return true
	}
	i := slices.IndexFunc(added, func(m plan.Metric) bool { return m.Name == metric && m.Value != "" })
	if i < 0 {
		return false
	}
	n, err := expr.Parse(added[i].Value)
	return err == nil && slices.ContainsFunc(expr.Selectors(n),
		func(s *expr.Selector) bool { return needsAll(s.Name, added) })
}

// notMeasured stands before the reason why there is no value.
const notMeasured = "not measured: "

// ofLoad are metrics of a load that are not as such in its record.
var ofLoad = map[string]func(reading) (float64, string){
	"throughput":          reading.perSecond,
	"throughput.per_core": reading.perCore,
	"requests":            func(r reading) (float64, string) { return r.told(r.Load.Attempted) },
	"failed":              reading.failedShare,
	"failed.count":        func(r reading) (float64, string) { return r.told(r.Load.Failed) },
	"generator.cpu":       reading.generatorCPU,
}

// measured gives a metric that was measured as such.
func (r reading) measured(metric string) (value float64, missing string) {
	if r.Load == nil {
		return r.sample(metric)
	}
	if read, ok := ofLoad[metric]; ok {
		return read(r)
	}
	isTold := r.Load.Tool == ""
	if kind, ok := strings.CutPrefix(metric, "errors."); ok {
		n, counted := r.Load.Failures[kind]
		if !isTold && !counted {
			return r.told(-1) // it tells some kinds from others only
		}
		return float64(n), ""
	}
	if code, ok := strings.CutPrefix(metric, "status."); ok {
		if (!isTold || r.Load.Driver != "") && r.Load.Statuses == nil {
			return r.told(-1)
		}
		return float64(r.Load.Statuses[code]), ""
	}
	switch {
	case record.IsTime(metric):
		return r.time(metric)
	case !isTold && strings.HasPrefix(metric, "service."):
		return r.sampleTime(metric)
	}
	return r.sample(metric)
}

func (r reading) sample(metric string) (float64, string) {
	if s, ok := r.Sample(metric); ok {
		return s.Value, ""
	}
	if why := r.Missing[metric]; why != "" {
		return 0, notMeasured + why
	}
	return 0, "not measured"
}

// told is a number that the tool told, or the reason why it is missing: other tools than ours do not tell everything.
func (r reading) told(n int64) (float64, string) {
	if n < 0 {
		return 0, notMeasured + cmp.Or(r.Load.Tool, record.DriverTool) + " does not report it"
	}
	return float64(n), ""
}

func (r reading) failedShare() (float64, string) {
	switch l := r.Load; {
	case l.Attempted < 0 || l.Failed < 0:
		return r.told(-1)
	case l.Attempted == 0:
		return 0, "nothing was attempted"
	default:
		return float64(l.Failed) / float64(l.Attempted), ""
	}
}

func (r reading) generatorCPU() (float64, string) {
	if r.Load.Busy < 0 {
		return 0, "not measured"
	}
	return r.Load.Busy, ""
}

func (r reading) perSecond() (float64, string) {
	l := r.Load
	if s, ok := r.Sample("throughput"); ok && l.Tool != "" {
		return s.Value, "" // the tool knows better
	}
	if l.Completed < 0 {
		return r.told(-1)
	}
	rate, ok := l.Throughput()
	if !ok {
		return 0, "not measured: the window has no length"
	}
	return rate, ""
}

// perCore is throughput over the mean number of busy cores of all services.
//
// Source: docs/method.md#definitions.
func (r reading) perCore() (float64, string) {
	cores := 0.0
	for _, s := range r.Samples {
		if strings.HasPrefix(s.Metric, "cpu.") {
			cores += s.Value
		}
	}
	if cores <= 0 {
		return 0, "not measured: no CPU time of services"
	}
	rate, missing := r.perSecond()
	return rate / cores, missing
}

// step is how coarse a value of a metric is, in the metric's unit, as it is counted or the tool prints it so; 0 where
// it is finer than anything else. Wanted is how many requests the load was to make, 0 for any number.
//
// Source: docs/method.md#words-and-defaults and docs/method.md#resolution-of-counts.
func step(r *record.Record, metric string, wanted int, value float64) float64 {
	family, _ := familyOf(metric)
	if h, ok := r.Histograms[family]; ok && record.IsTime(metric) {
		return h.Step
	}
	s, told := r.Sample(metric)
	switch {
	case s.Step > 0 || r.Load == nil || r.Load.Window <= 0:
		return s.Step
	case strings.HasPrefix(metric, "throughput"):
		if r.Load.Overlap != nil || told && r.Load.Tool != "" {
			return 0
		}
		return value * countStep(r, wanted)
	case strings.HasPrefix(metric, "bytes."):
		return value * countStep(r, wanted)
	case metric == "offered":
		return 1 / r.Load.Window
	}
	return 0
}

// countStep is the step of a number of right answers over that number; 0 if no end of the window cuts it.
func countStep(r *record.Record, wanted int) float64 {
	l := r.Load
	endedByRequests := wanted > 0 && l.Attempted >= int64(wanted)
	everyTime := l.Tool != "" && r.Histograms["latency"].Count > 0 // from the first start to the last end
	switch {
	case l.Completed <= 0 || endedByRequests || everyTime:
		return 0
	case r.IsOpenLoop():
		return 1 / float64(l.Completed)
	}
	return float64(max(1, l.Connections)) / float64(l.Completed)
}

// time gives a metric that is made from a histogram: latency.p99, latency.mean, latency.connect.p50.
func (r reading) time(metric string) (float64, string) {
	family, last := familyOf(metric)
	h, ok := r.Histograms[family]
	switch {
	case r.Load.Tool != "" && r.Load.Failed < 0:
		return 0, notMeasured + r.Load.Tool + " does not report how many requests failed, and failures count as slower " +
			"than all others"
	case !ok:
		return r.sampleTime(metric)
	case h.Count == 0:
		return 0, "no answers"
	case last == "mean":
		return h.Sum / float64(h.Count), ""
	case last == "max":
		return max(h.Max, cutOf(r.Record, family).Max), ""
	}
	p, err := stats.ParsePercentile(strings.TrimPrefix(last, "p"))
	if err != nil {
		return 0, err.Error()
	}
	seconds, missing := r.percentile(h, cutOf(r.Record, family), p, attemptsOf(r.Record, family))
	if missing == "" {
		missing = r.belowStep(seconds, h.Step)
	}
	return seconds, missing
}

// percentile gives the percentile of times, in seconds, or the reason why there is none. Attempts is how many there
// could have been: those without a value in the histogram rank above all that have one. Cut are the ages of requests
// that were cut, which come on top of them.
//
// Source: docs/method.md#histogram, docs/method.md#requests-that-were-cut and docs/method.md#percentiles.
func (r reading) percentile(h, cut record.Histogram, p stats.Percentile, attempts int64) (seconds float64,
	missing string) {
	attempts = max(attempts, h.Count)
	if h.Count == 0 {
		return 0, "no answers"
	}
	if need := p.Need(); attempts < need {
		return 0, fmt.Sprintf("needs %d answers, has %d", need, attempts)
	}
	if p.Rank(attempts) > h.Count {
		return 0, "among failures" // whatever the histogram holds
	}
	decoded, err := r.decode(h)
	if err == nil && cut.Count > 0 {
		var ages *record.Bars
		if ages, err = r.decode(cut); err == nil {
			decoded = decoded.WithCut(ages, attempts)
		}
	}
	if err != nil {
		return 0, fmt.Sprintf("the histogram cannot be read: %v", err)
	}
	return decoded.At(h, p.Rank(attempts))
}

// cutOf are the ages of the requests that were cut, if they belong to a family of times.
func cutOf(r *record.Record, family string) record.Histogram {
	if family != "latency" {
		return record.Histogram{}
	}
	return r.Histograms[family+".cut"]
}

// familyOf divides a metric that is made from a histogram: "latency.connect" and "p99.9".
func familyOf(metric string) (family, last string) {
	i := strings.LastIndex(metric, ".p") // the percentage may have a point of its own
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
func (r reading) belowStep(seconds, step float64) string {
	if seconds >= step/2 {
		return ""
	}
	return fmt.Sprintf("not measured: shorter than %s can tell, in steps of %g ms", r.Load.Tool, step*1e3)
}

// sampleTime gives a time that another tool told as such, without the times that it was made from. It is of answers
// as the tool counts them, and those of requests that failed are among them or left out, while docs/method.md ranks
// them above all others: beside failures it is not the number that is asked for.
//
// Source: docs/method.md#histogram and docs/method.md#percentiles.
func (r reading) sampleTime(metric string) (float64, string) {
	l := r.Load
	s, ok := r.Sample(metric)
	if !ok || l.Tool == "" {
		return r.sample(metric)
	}
	if l.Failed > 0 {
		return 0, fmt.Sprintf("not measured: %d requests failed, and %s does not rank them above its answers", l.Failed,
			l.Tool)
	}
	if _, last := familyOf(metric); strings.HasPrefix(last, "p") {
		p, err := stats.ParsePercentile(strings.TrimPrefix(last, "p"))
		if err != nil {
			return 0, err.Error()
		}
		switch need := p.Need(); {
		case l.Attempted < 0:
			return 0, notMeasured + l.Tool + " does not report how many requests there were"
		case l.Attempted < need:
			return 0, fmt.Sprintf("needs %d answers, has %d", need, l.Attempted)
		}
	}
	return s.Value, r.belowStep(s.Value, s.Step)
}
