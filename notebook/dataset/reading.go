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
	"benchbook/notebook/validity"
)

// Value returns a metric of one repetition, valid or not, in its base unit, or why it is missing. Added lists the
// metrics that the experiment adds, with those computed from others.
func Value(r *record.Record, metric string, added []plan.Metric) (value float64, missing string) {
	if r.Failure != "" {
		return 0, "failed: " + r.Failure
	}
	return reading{record.Histogram.Decode, r, added}.value(metric)
}

// reading reads the metrics of one repetition that did not fail. It is the expr.Env of expressions about that
// repetition. Plans have no circular metrics.
type reading struct {
	decode func(record.Histogram) (*record.Bars, error)
	*record.Record
	added []plan.Metric // by the experiment
}

// value returns a metric, measured or computed, or why it is missing.
func (r reading) value(metric string) (value float64, missing string) {
	n := computed(r.added, metric)
	switch {
	case n == nil && slices.ContainsFunc(r.added, func(m plan.Metric) bool { return m.Name == metric }):
		return r.sample(metric) // its name may begin like one of ours
	case n == nil:
		return r.measured(metric)
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

// computed returns the expression of a metric that the experiment computes from others; nil for other metrics.
func computed(added []plan.Metric, metric string) (n expr.Node) {
	if i := slices.IndexFunc(added, func(m plan.Metric) bool { return m.Name == metric && m.Value != "" }); i >= 0 {
		n, _ = expr.Parse(added[i].Value) // the plan has checked it
	}
	return n
}

// missingError says why a repetition lacks a metric that another one is computed from.
type missingError struct{ metric, reason string }

func (e *missingError) Error() string { return e.metric + ": " + e.reason }

// Select returns the metric that a selector names.
func (r reading) Select(s *expr.Selector) (expr.Value, error) {
	value, missing := r.value(s.Name)
	if missing != "" {
		return expr.Value{}, &missingError{s.Name, missing}
	}
	m, isKnown := record.LookupMetric(s.Name)
	if i := slices.IndexFunc(r.added, func(m plan.Metric) bool { return m.Name == s.Name }); i >= 0 {
		m, isKnown = r.added[i].Metric, true
	}
	if !isKnown { // a program printed it
		sample, _ := r.Sample(s.Name)
		m.Unit = sample.Unit
	}
	return expr.NumberOf(value, DimensionOf(m)), nil
}

// Call rejects functions that compare cells.
func (reading) Call(c *expr.Call) (expr.Value, error) {
	return expr.Value{}, &expr.Error{Span: c.Span, Msg: c.Name + " compares cells, and this is about one repetition"}
}

// needsAll reports whether a cell lacks a metric as soon as one valid repetition does: that repetition would have been
// the slowest or the best.
func needsAll(metric string, added []plan.Metric) bool {
	if record.IsTime(metric) || metric == "throughput.per_core" || metric == "cpu.per_request" {
		return true
	}
	return slices.ContainsFunc(expr.Selectors(computed(added, metric)),
		func(s *expr.Selector) bool { return needsAll(s.Name, added) })
}

// notMeasured is the prefix of reasons why a value is missing.
const notMeasured = "not measured: "

// measured returns a metric that is not computed from others.
func (r reading) measured(metric string) (value float64, missing string) {
	if r.Load == nil {
		return r.sample(metric)
	}
	kind, isError := strings.CutPrefix(metric, "errors.")
	status, isStatus := strings.CutPrefix(metric, "status.")
	switch {
	case metric == "throughput":
		return r.perSecond()
	case metric == "throughput.per_core":
		return r.perCore()
	case metric == "cpu.per_request":
		return r.perRequest()
	case metric == "requests":
		return r.reported(r.Load.Attempted)
	case metric == "failed":
		return r.failedShare()
	case metric == "failed.count":
		return r.reported(r.Load.Failed)
	case metric == "generator.cpu" && r.Load.Busy >= 0:
		return r.Load.Busy, ""
	case isError:
		return r.failures(kind)
	case isStatus:
		return r.answers(status)
	case record.IsTime(metric):
		return r.time(metric)
	case r.Load.Tool != "" && strings.HasPrefix(metric, "service."):
		return r.sampleTime(metric)
	}
	return r.sample(metric)
}

// failures returns how many requests failed in one way.
func (r reading) failures(kind string) (float64, string) {
	n, isCounted := r.Load.Failures[kind]
	if r.Load.Tool != "" && !isCounted {
		return r.reported(-1) // the tool tells only some kinds apart
	}
	return float64(n), ""
}

// answers returns how many answers had a status code.
func (r reading) answers(status string) (float64, string) {
	if (r.Load.Tool != "" || r.Load.Driver != "") && r.Load.Statuses == nil {
		return r.reported(-1)
	}
	return float64(r.Load.Statuses[status]), ""
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

// reported returns a count of the load generator; a negative one means that it does not report it.
func (r reading) reported(n int64) (float64, string) {
	if n < 0 {
		return 0, notMeasured + cmp.Or(r.Load.Tool, record.DriverTool) + " does not report it"
	}
	return float64(n), ""
}

func (r reading) failedShare() (float64, string) {
	switch l := r.Load; {
	case l.Attempted < 0 || l.Failed < 0:
		return r.reported(-1)
	case l.Attempted == 0:
		return 0, "nothing was attempted"
	default:
		return float64(l.Failed) / float64(l.Attempted), ""
	}
}

func (r reading) perSecond() (float64, string) {
	l := r.Load
	if s, ok := r.Sample("throughput"); ok && l.Tool != "" {
		return s.Value, "" // the tool knows better
	}
	if l.Completed < 0 {
		return r.reported(-1)
	}
	rate, ok := l.Throughput()
	if !ok {
		return 0, "not measured: the window has no length"
	}
	return rate, ""
}

// perCore returns the throughput over the mean number of busy cores of all services.
//
// Source: docs/method.md#definitions.
func (r reading) perCore() (float64, string) {
	cores := 0.0
	for _, s := range r.Samples {
		if m, ok := record.LookupMetric(s.Metric); ok && m.Unit == "cores" {
			cores += s.Value
		}
	}
	if cores <= 0 {
		return 0, "not measured: no CPU time of services"
	}
	rate, missing := r.perSecond()
	return rate / cores, missing
}

// perRequest returns the CPU seconds of all services per right answer. It is missing if services fell behind an open
// loop: they then worked on requests that nobody waited for any more.
func (r reading) perRequest() (float64, string) {
	perSecond, missing := r.perCore()
	switch {
	case missing != "":
		return 0, missing
	case fellBehind(r.Record):
		return 0, "not measured: the rate was not reached"
	case perSecond <= 0:
		return 0, "not measured: no request was answered"
	}
	return 1 / perSecond, ""
}

// step returns the resolution of a value, in the metric's unit, as counted or as the tool prints it; 0 if it is finer
// than anything else. Wanted is the number of requests of the load, 0 if it has none.
//
// Source: docs/method.md#words-and-defaults and docs/method.md#resolution-of-counts.
func step(r *record.Record, metric string, wanted int, value float64) float64 {
	family, _ := familyOf(metric)
	if h, ok := r.Histograms[family]; ok && record.IsTime(metric) {
		return h.Step
	}
	s, isSampled := r.Sample(metric)
	_, isOurs := record.LookupMetric(metric)
	switch {
	case s.Step > 0 || !isOurs || r.Load == nil || r.Load.Window <= 0:
		return s.Step
	case strings.HasPrefix(metric, "throughput"):
		if r.Load.Overlap != nil || isSampled && r.Load.Tool != "" {
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

// countStep returns the relative step of a count of right answers; 0 if the end of the window does not cut it.
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

// time returns a time from a histogram, or why it is missing: latency.p99, latency.mean, latency.connect.p50. Attempts
// without a time rank above all times.
//
// Source: docs/method.md#histogram, docs/method.md#requests-that-were-cut and docs/method.md#percentiles.
func (r reading) time(metric string) (seconds float64, missing string) {
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
		return max(h.Max, r.Histograms[family+".cut"].Max), ""
	}
	attempts := attemptsOf(r.Record, family)
	p, missing := percentileOf(last, attempts)
	switch {
	case missing != "":
		return 0, missing
	case p.Rank(attempts) > h.Count:
		return 0, "among failures" // without decoding
	}
	d, err := distributionOf(family, r.decode, r.Record)
	if err != nil {
		return 0, fmt.Sprintf("the histogram cannot be read: %v", err)
	}
	seconds, missing = d.bars.At(h, p.Rank(attempts))
	return seconds, cmp.Or(missing, r.belowStep(seconds, h.Step))
}

// percentileOf parses a percentile such as p99.9, and rejects it if there are too few attempts.
func percentileOf(name string, attempts int64) (p stats.Percentile, missing string) {
	p, err := stats.ParsePercentile(strings.TrimPrefix(name, "p"))
	if err != nil {
		return p, err.Error()
	}
	if need := p.Need(); attempts < need {
		return p, fmt.Sprintf("needs %d answers, has %d", need, attempts)
	}
	return p, ""
}

// AnswersNeeded returns how many answers a repetition needs for a metric: those of the highest percentile of times in
// it or in what it is computed from; 0 without one. Added lists the metrics that the experiment adds.
//
// Source: docs/method.md#percentiles.
func AnswersNeeded(metric string, added []plan.Metric) (need int64) {
	if n := computed(added, metric); n != nil {
		for _, name := range expr.Names(n) {
			need = max(need, AnswersNeeded(name, added))
		}
		return need
	}
	_, last := familyOf(metric)
	if p, err := stats.ParsePercentile(strings.TrimPrefix(last, "p")); err == nil && record.IsTime(metric) {
		return p.Need()
	}
	return 0
}

// familyOf splits the name of a metric from a histogram: "latency.connect" and "p99.9".
func familyOf(metric string) (family, last string) {
	i := strings.LastIndex(metric, ".p") // the percentage may have a point of its own
	if i < 0 {
		i = max(0, strings.LastIndexByte(metric, '.'))
	}
	return metric[:i], strings.TrimPrefix(metric[i:], ".")
}

// attemptsOf returns how many values a histogram would have if every attempt had one.
func attemptsOf(r *record.Record, family string) int64 {
	h := r.Histograms[family]
	switch family {
	case "latency.connect", "latency.tls":
		return h.Count + r.Load.Failures["connect"] // not every request opens a connection
	case "lag":
		return h.Count // a request that never left has none
	}
	return max(h.Count, r.Load.Attempted)
}

// belowStep rejects a time shorter than half a step of a tool, which prints it as 0 ms.
func (r reading) belowStep(seconds, step float64) string {
	if seconds >= step/2 {
		return ""
	}
	return fmt.Sprintf("not measured: shorter than %s can tell, in steps of %g ms", r.Load.Tool, step*1e3)
}

// sampleTime returns a time that another tool reports. It is missing if requests failed, because tools do not rank
// failures above all answers.
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
		if l.Attempted < 0 {
			return 0, notMeasured + l.Tool + " does not report how many requests there were"
		}
		if _, missing := percentileOf(last, l.Attempted); missing != "" {
			return 0, missing
		}
	}
	return s.Value, r.belowStep(s.Value, s.Step)
}

// ProbeOfTune returns the value of a probe in a search for a tuned value, in the metric's base unit. Invalid says why
// the probe does not count; it is "" if it does. Added lists the metrics that the experiment adds.
//
// Source: docs/method.md#tuned-values.
func ProbeOfTune(r *record.Record, metric string, added []plan.Metric) (value float64, invalid string) {
	value, missing := Value(r, metric, added)
	if missing != "" {
		return 0, missing
	}
	return value, invalidBy(r, func(string) bool { return true })
}

// invalidBy returns what the checks that count found invalid in a repetition; "" if nothing.
func invalidBy(r *record.Record, counts func(check string) bool) string {
	var words []string
	_, checks := validity.Of(r)
	for _, c := range checks {
		if c.Level == validity.Invalid && counts(c.Name) {
			words = append(words, c.Words)
		}
	}
	return strings.Join(words, "; ")
}

// ProbeOfCapacity returns the outcome of a probe in a capacity search, and why if it is invalid. Added lists the
// metrics that the experiment adds. Failed requests matter only to the objective. The probe fails if services did not
// keep up or a percentile lies among failed requests; it is invalid if it was disturbed, or the generator was late.
//
// Source: docs/method.md#capacities.
func ProbeOfCapacity(r *record.Record, objective expr.Node, added []plan.Metric) (o stats.Outcome, invalid string) {
	if words, disturbed := validity.Disturbed(r); disturbed {
		return stats.ProbeInvalid, words
	}
	if r.Failure != "" {
		return stats.ProbeFailed, ""
	}
	// With a late generator nobody knows whether services would have kept up.
	late := func(check string) bool { return check == validity.GeneratorLagCheck }
	if words := invalidBy(r, late); words != "" {
		return stats.ProbeInvalid, words
	}
	if fellBehind(r) {
		return stats.ProbeFailed, ""
	}
	ignored := []string{validity.ErrorsCheck}
	if r.IsOpenLoop() && float64(r.Load.Open.Blocked) > (1-keepsUp)*float64(r.Load.Open.Due) {
		// Requests waited for answers to earlier ones, and the latency includes that.
		ignored = append(ignored, validity.OfferedCheck, validity.LagCheck)
	}
	if words := invalidBy(r, func(check string) bool { return !slices.Contains(ignored, check) }); words != "" {
		return stats.ProbeInvalid, words
	}
	v, err := expr.Eval(objective, reading{record.Histogram.Decode, r, added})
	without, isMissing := errors.AsType[*missingError](err)
	switch {
	case isMissing && (without.reason == "no answers" || strings.HasPrefix(without.reason, "among failures") ||
		strings.HasPrefix(without.reason, "> ")):
		return stats.ProbeFailed, "" // too few requests were answered
	case err != nil:
		return stats.ProbeInvalid, expr.MessageOf(err)
	case v.Truth:
		return stats.ProbeMet, ""
	}
	return stats.ProbeFailed, ""
}

// fellBehind reports whether services did not keep up with an open loop: too few sent requests were answered, or
// requests stayed unsent because all connections waited for answers.
//
// Source: docs/method.md#quantities-checked.
func fellBehind(r *record.Record) bool {
	if !r.IsOpenLoop() {
		return false
	}
	l := r.Load.Open
	unsent := l.Due - l.Sent
	return l.Sent > 0 && float64(r.Load.Completed)/float64(l.Sent) < keepsUp ||
		float64(unsent) > (1-keepsUp)*float64(l.Due) && l.Blocked >= unsent
}
