package loadtool

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// Output is the result of one run of a tool.
type Output struct {
	Tool string

	// Samples are in base units, with the last digit that the tool prints as their step. They have no rates of requests,
	// which follow from the counts and Window.
	Samples    []record.Sample
	Histograms map[string]record.Histogram // "latency", if the tool prints every value

	Attempted int64 // requests; -1 unknown
	Failed    int64 // requests without a right answer; -1 unknown
	Completed int64 // right answers; -1 unknown

	// Failures counts failed requests by the kinds that the tool distinguishes. Statuses is nil unless the tool prints
	// the status of every answer.
	Failures, Statuses map[string]int64

	Window      time.Duration // of the measurement; 0 unknown
	Connections int           // clients of a closed loop; 0 unknown
	Timed       int64         // requests behind the mean latency; 0 unknown
	Started     time.Time     // of the window; zero if unknown

	// Connecting means that times include connecting, for requests that open a connection.
	Connecting bool
	// Paced means that clients wait between requests, so that Little's law says nothing.
	Paced bool
	// Due means that times begin when requests were due, not when they were sent.
	Due bool

	err error // the first reason why the result is not complete
}

func newOutput(tool string) *Output {
	return &Output{Tool: tool, Attempted: -1, Failed: -1, Completed: -1}
}

// fail records why the result is not complete, unless a reason is recorded already.
func (o *Output) fail(format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf("output of %s: %w: %w", o.Tool, ErrNoSamples, fmt.Errorf(format, args...))
	}
}

func (o *Output) add(metric string, r reading, unit string) {
	o.Samples = append(o.Samples, record.Sample{Metric: metric, Value: r.value, Step: r.step, Unit: unit})
}

func (o *Output) addTime(metric, text string, in units) {
	r, err := in.read(text)
	if err != nil {
		o.fail("%s is %q", metric, text)
	}
	o.add(metric, r, "s")
}

var shareLine = regexp.MustCompile(`([0-9.]+)%+\s+(?:in )?([0-9.]+\w*)`)

// addTable adds the percentiles of a table with one on each line, such as " 99% 1.2ms".
func (o *Output) addTable(table string, in units) {
	for _, m := range shareLine.FindAllStringSubmatch(table, -1) {
		if metric := o.percentile(m[1]); metric != "" {
			o.addTime(metric, m[2], in)
		}
	}
}

// addPercentile adds the percentile for a percentage such as "99.9", in seconds.
func (o *Output) addPercentile(share string, r reading) {
	if metric := o.percentile(share); metric != "" {
		o.add(metric, r, "s")
	}
}

// addTimes adds the histogram of the times of right answers. step is in seconds.
func (o *Output) addTimes(d *distribution, step float64) {
	if d.count == 0 {
		return
	}
	encoded, err := d.hdr.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil || !isMeasurable(d.sum) || !isMeasurable(d.max) {
		o.fail("its times of up to %v s make no histogram: %v", d.max, err)
	}
	o.Histograms = map[string]record.Histogram{"latency": {HDR: string(encoded), Count: d.count, Overflow: d.overflow,
		Step: step, Min: d.min, Max: d.max, Sum: d.sum}}
}

var logRow = regexp.MustCompile(`^(\d+) (\w+) (\d+)\n$`)

// addLog reads the rows of a log: a number of requests, their status, and their time in microseconds. It adds the times
// of right answers, and returns the number of requests by status.
func (o *Output) addLog(rows string, isRight func(status string) bool) map[string]int64 {
	times, byStatus := newDistribution(), map[string]int64{}
	for line := range strings.Lines(rows) {
		m := logRow.FindStringSubmatch(line)
		if m == nil {
			o.fail("invalid log line %q", line)
			return nil
		}
		n := o.count(m[1])
		if byStatus[m[2]] += n; isRight(m[2]) {
			times.add(float64(o.count(m[3]))*microsecond, n)
		}
	}
	o.addTimes(times, microsecond)
	return byStatus
}

// setCounts sets the counts of a tool that knows how every request ended.
func (o *Output) setCounts(attempted, right int64) {
	o.Attempted, o.Completed, o.Failed = attempted, right, attempted-right
}

// setWindow sets the window from a number of requests and their rate per second, as the length that tools print has
// fewer digits. If the rate is 0, it uses the length.
func (o *Output) setWindow(requests int64, rate, length string) {
	if perSecond := o.number(rate, "rate"); perSecond > 0 {
		o.Window = duration(float64(requests) / perSecond)
		return
	}
	r, err := seconds.read(length)
	if err != nil {
		o.fail("the length is %q", length)
	}
	o.Window = duration(r.value)
}

func (o *Output) sum(counts map[string]int64) (all int64) {
	for _, n := range counts {
		if n < 0 || n > maxCount-all {
			o.fail("invalid count %d", n)
			return 0
		}
		all += n
	}
	return all
}

// countAnswers sets Statuses and counts all and right answers. A status outside 100 to 999 is a request without answer.
func (o *Output) countAnswers(byStatus map[string]int64) (all, right int64) {
	o.Statuses = map[string]int64{}
	for status, n := range byStatus {
		if isRight(status) {
			right += n
		}
		if len(status) == 3 && status[0] >= '1' && status[0] <= '9' {
			o.Statuses[status] = n
		}
	}
	return o.sum(byStatus), right
}

// isRight reports whether an answer with this status is right by default (docs/method.md#quantities-checked).
func isRight(status string) bool { return len(status) == 3 && status[0] == '2' }

// addFailures counts n requests that failed with a message of an HTTP client. A message of unknown kind makes all kinds
// unknown.
func (o *Output) addFailures(message string, n int64) {
	for _, known := range failureKinds {
		if o.Failures != nil && strings.Contains(strings.ToLower(message), known[0]) {
			o.Failures[known[1]] += n
			return
		}
	}
	o.Failures = nil
}

// failureKinds maps words in lower-case messages to kinds of failures; the first match counts.
var failureKinds = [][2]string{{"connection refused", "connect"}, {"no route to host", "connect"},
	{"connection reset by peer", "reset"}, {"timeout", "timeout"}, {"deadline exceeded", "timeout"}, {"eof", "closed"},
	{"server closed idle connection", "closed"}}

// checked returns the output, or the error of one that is incomplete or contradicts itself.
func (o *Output) checked() (*Output, error) {
	for i, s := range o.Samples {
		m, known := record.LookupMetric(s.Metric)
		if !known || m.Unit != s.Unit {
			o.fail("%s cannot be measured in %q", s.Metric, s.Unit)
		}
		if !isMeasurable(s.Value) || !isMeasurable(s.Step) {
			o.fail("%s is %v", s.Metric, s.Value)
		}
		if slices.ContainsFunc(o.Samples[:i], func(other record.Sample) bool { return other.Metric == s.Metric }) {
			o.fail("it reports %s twice", s.Metric)
		}
	}
	switch {
	case o.Attempted == 0:
		o.fail("no request ended")
	case o.Attempted > 0 && max(o.Failed, o.Completed) > o.Attempted:
		o.fail("of %d requests %d failed and %d were right", o.Attempted, o.Failed, o.Completed)
	}
	o.checkOrder()
	if o.err != nil {
		return nil, o.err
	}
	return o, nil
}

// checkOrder fails an output with a percentile below a lower one.
func (o *Output) checkOrder() {
	percent := func(s record.Sample) float64 {
		if s.Metric == "latency.max" {
			return 100
		}
		p, _ := number(strings.TrimPrefix(s.Metric, "latency.p"))
		return p // 0 for other metrics
	}
	times := slice.Filter(o.Samples, func(s record.Sample) bool { return percent(s) > 0 })
	slices.SortStableFunc(times, func(a, b record.Sample) int { return cmp.Compare(percent(a), percent(b)) })
	for i := 1; i < len(times); i++ {
		if a, b := times[i-1], times[i]; a.Value > b.Value+max(a.Step, b.Step) {
			o.fail("%g%% of the times are at most %g s, and %g%% at most %g s", percent(a), a.Value, percent(b), b.Value)
		}
	}
}

// Load returns the load for a record. If each request connects and times leave connecting out, it removes the times.
// Times of an open loop become service times, unless they begin when requests were due.
//
// Source: docs/method.md#quantities-checked and docs/method.md#definitions.
func (o *Output) Load(l *spec.Load) *record.Load {
	isTime := func(s record.Sample) bool { return strings.HasPrefix(s.Metric, "latency.") }
	if !o.Connecting && !l.Keepalive {
		o.Samples, o.Histograms, o.Timed = slices.DeleteFunc(o.Samples, isTime), nil, 0
	}
	if l.Arrivals != "" && !o.Due {
		o.toService()
	}
	connections := cmp.Or(o.Connections, l.Connections)
	out := &record.Load{Tool: o.Tool, Window: o.Window.Seconds(), Connections: l.Connections, Think: l.Think.Seconds(),
		Attempted: o.Attempted, Failed: o.Failed, Completed: o.Completed, Failures: o.Failures, Statuses: o.Statuses,
		InFlight: -1, Busy: -1, ForeignCPU: -1, FailuresMax: l.FailuresMax}
	isClosed := !o.Paced && l.Arrivals == "" && l.Requests == 0
	if mean, ok := o.mean(); ok && isClosed && connections > 0 && out.Window > 0 && o.Timed == o.Attempted {
		out.InFlight, out.InFlightOver = float64(o.Timed)/out.Window*mean/float64(connections), out.Window
	}
	return out
}

// toService renames latency metrics to service metrics, of which there are only percentiles.
func (o *Output) toService() {
	all := o.Samples
	o.Samples, o.Histograms = nil, nil
	for _, s := range all {
		if rest, ok := strings.CutPrefix(s.Metric, "latency."); ok {
			s.Metric = "service." + rest
		}
		if _, known := record.LookupMetric(s.Metric); known {
			o.Samples = append(o.Samples, s)
		}
	}
}

// mean returns the mean time of requests in seconds; ok is false if it is unknown or too coarse for Little's law.
func (o *Output) mean() (float64, bool) {
	if h, ok := o.Histograms["latency"]; ok {
		return h.Sum / float64(h.Count), h.Count == o.Timed
	}
	const coarse = 0.02 // of the mean; the law is held to 5 %
	s, ok := slice.Find(o.Samples, func(s record.Sample) bool { return s.Metric == "latency.mean" })
	return s.Value, ok && s.Value > 0 && s.Step/2 <= coarse*s.Value
}
