package loadtool

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// Output is the result of one run of a tool.
type Output struct {
	Tool    string
	Version string // empty if the output does not tell

	// Samples are in base units, with the step in which the tool prints them. There are no samples of what Attempted,
	// Failed and Window give, unless the tool tells it better.
	Samples    []record.Sample
	Histograms map[string]record.Histogram // "latency", if the tool gives every value

	Attempted int64 // requests; -1 unknown
	Failed    int64 // of them, without a right answer; -1 unknown
	Completed int64 // right answers; -1 unknown

	// Failures counts by kind, and has only the kinds that the tool tells from others. Statuses is nil if the tool does
	// not tell the status of every answer.
	Failures, Statuses map[string]int64

	Window      time.Duration // in which it measured; 0 unknown
	Connections int           // clients of a closed loop; 0 unknown
	Timed       int64         // requests behind the mean latency; 0 unknown
	Started     time.Time     // zero if the output does not tell

	// Connecting says whether the times of requests include opening their connections, where that is necessary.
	Connecting bool
	// Counted says that the run ended after a number of requests, Paced that clients waited between requests, or sent them
	// on a schedule. Then Little's law tells nothing of the clients.
	Counted, Paced bool

	// Due says that times begin when requests were due, and not when they were sent.
	Due bool
	// noTimes says that times in the output are not those of the requests, or that there are none.
	noTimes bool

	err error // why there is no whole result; nil so far
}

// empty returns an output in which nothing is known yet.
func empty(tool string) *Output { return &Output{Tool: tool, Attempted: -1, Failed: -1, Completed: -1} }

func (o *Output) add(metric string, value, step float64, unit string) {
	o.Samples = append(o.Samples, record.Sample{Metric: metric, Value: value, Step: step, Unit: unit})
}

// addTime adds a time, as the tool writes it.
func (o *Output) addTime(metric, text string, read func(text string) (reading, error)) {
	r, err := read(text)
	if err != nil {
		o.fail("%s is %q", metric, text)
		return
	}
	o.add(metric, r.value, r.step, "s")
}

// untimed removes all times of requests.
func (o *Output) untimed() {
	o.Samples = slices.DeleteFunc(o.Samples, func(s record.Sample) bool { return strings.HasPrefix(s.Metric, "latency.") })
	o.Histograms, o.Timed = nil, 0
}

// addPercentileOf adds a percentile of a histogram in seconds, if it is one that we have.
func (o *Output) addPercentileOf(share string, value, step float64) {
	if metric, ok := percentileMetric(share); ok && metric != "" {
		o.add(metric, value, step, "s")
	}
}

// addPercentile adds a percentile, as the tool writes both it and its time. It adds nothing for 0 %.
func (o *Output) addPercentile(share, text string, read func(text string) (reading, error)) {
	switch metric, ok := percentileMetric(share); {
	case !ok:
		o.fail("invalid percentage %q", share)
	case metric != "":
		o.addTime(metric, text, read)
	}
}

// fromSending renames latency, which began when requests were sent, to service. Service has percentiles only.
func (o *Output) fromSending() {
	for i, s := range o.Samples {
		if rest, ok := strings.CutPrefix(s.Metric, "latency."); ok {
			o.Samples[i].Metric = "service." + rest
		}
	}
	o.Samples = slices.DeleteFunc(o.Samples, func(s record.Sample) bool {
		_, known := record.LookupMetric(s.Metric)
		return !known
	})
	o.Histograms = nil
}

func (o *Output) sample(metric string) (record.Sample, bool) {
	return slice.Find(o.Samples, func(s record.Sample) bool { return s.Metric == metric })
}

// noSamples returns the error for an output without a whole result.
func noSamples(tool, format string, args ...any) error {
	return fmt.Errorf("output of %s: %w: %w", tool, ErrNoSamples, fmt.Errorf(format, args...))
}

// fail notes why there is no whole result, and returns the first reason noted.
func (o *Output) fail(format string, args ...any) (*Output, error) {
	if o.err == nil {
		o.err = noSamples(o.Tool, format, args...)
	}
	return nil, o.err
}

// count reads how many there were of something.
func (o *Output) count(text, of string) int64 {
	n, err := count(text)
	if err != nil || n > maxCount {
		o.fail("invalid number of %s %q", of, text)
		return 0
	}
	return n
}

// number reads a plain number, such as a rate.
func (o *Output) number(text, what string) float64 {
	x, err := number(text)
	if err != nil {
		o.fail("the %s is %q", what, text)
	}
	return x
}

// lasted sets the window from a number of requests and their rate per second.
func (o *Output) lasted(requests int64, perSecond float64) {
	if perSecond > 0 {
		o.Window = long(float64(requests) / perSecond)
	}
}

// whole returns the output if it does not contradict itself: a damaged one does.
func (o *Output) whole() (*Output, error) {
	for i, s := range o.Samples {
		m, known := record.LookupMetric(s.Metric)
		if !known || m.Unit != s.Unit {
			o.fail("%s cannot be measured in %q", s.Metric, s.Unit)
		}
		if !finite(s.Value) || !finite(s.Step) {
			o.fail("%s is %v", s.Metric, s.Value)
		}
		if slices.ContainsFunc(o.Samples[:i], func(other record.Sample) bool { return other.Metric == s.Metric }) {
			o.fail("it reports %s twice", s.Metric)
		}
	}
	if o.Attempted >= 0 && max(o.Failed, o.Completed) > o.Attempted {
		o.fail("of %d requests %d failed and %d were right", o.Attempted, o.Failed, o.Completed)
	}
	if min(o.Attempted, o.Failed, o.Completed) < -1 || o.Window < 0 || o.Timed < 0 || o.Connections < 0 {
		o.fail("it counts below zero")
	}
	o.inOrder()
	if o.err != nil {
		return nil, o.err
	}
	return o, nil
}

// inOrder fails an output with a percentile below a lower one.
func (o *Output) inOrder() {
	type point struct{ p, value, step float64 }
	var points []point
	for _, s := range o.Samples {
		text, ok := strings.CutPrefix(s.Metric, "latency.p")
		if s.Metric == "latency.max" {
			text, ok = "100", true
		}
		if ok {
			p, _ := number(text) // the metric is known, so this is a number
			points = append(points, point{p, s.Value, s.Step})
		}
	}
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(a.p, b.p) })
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		if a.value > b.value+max(a.step, b.step) {
			o.fail("%g%% of the times are at most %g s, and %g%% at most %g s", a.p, a.value, b.p, b.value)
		}
	}
}

// Load returns the load of a record. It removes times without connecting from the output of a load whose every request
// connects. Times of an open loop become service times, unless they begin when requests were due.
//
// Source: docs/method.md#quantities-checked and docs/method.md#definitions.
func (o *Output) Load(l *spec.Load) *record.Load {
	if !o.Connecting && !l.Keepalive {
		o.untimed()
	}
	if l.Arrivals != "" && !o.Due {
		o.fromSending()
	}
	connections := cmp.Or(o.Connections, l.Connections)
	out := &record.Load{Tool: o.Tool, Window: o.Window.Seconds(), Connections: l.Connections, Think: l.Think.Seconds(),
		Attempted: o.Attempted, Failed: o.Failed, Completed: o.Completed, Failures: o.Failures, Statuses: o.Statuses,
		InFlight: -1, Busy: -1, ForeignCPU: -1, FailuresMax: l.FailuresMax}
	mean, ok := o.mean()
	counted := o.Counted || l.Requests > 0
	if ok && !counted && !o.Paced && l.Arrivals == "" && connections > 0 && out.Window > 0 && o.Timed == o.Attempted {
		out.InFlight, out.InFlightOver = float64(o.Timed)/out.Window*mean/float64(connections), out.Window
	}
	return out
}

// mean returns the mean time of requests; false if it is not known, or too coarse for Little's law.
func (o *Output) mean() (float64, bool) {
	if h, ok := o.Histograms["latency"]; ok {
		return h.Sum / float64(h.Count), h.Count == o.Timed
	}
	const coarse = 0.02 // of the mean; the law is held to 5 %
	s, ok := o.sample("latency.mean")
	return s.Value, ok && s.Value > 0 && s.Step/2 <= coarse*s.Value
}
