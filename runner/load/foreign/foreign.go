// Package foreign is other people's load generators: how they are called, and what they print means.
//
// A Tool's Parse turns what the tool printed into an Output, in base units, by the definitions of
// docs/method.md#definitions. What a tool does not tell is absent from its Output, and never zero. Output that was cut
// off, or that contradicts itself, is an error: half a result is none. A Driver runs a tool in a container of its own.
//
// Each tool has a file of its own, which says how it counts. All of them are in one list, see Tools.
package foreign

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/record"
)

// ErrNoSamples is wrapped by errors that say that an output holds no whole result: it is of another tool, or the tool was
// stopped, or what it wrote was cut off.
var ErrNoSamples = errors.New("no result")

// Tool is a load generator that is not ours.
type Tool struct {
	Name string

	// Note is a sentence about what its numbers are, for pages; empty if they are what they seem.
	Note string

	// parse reads what the tool printed, as Text gives it. The error wraps ErrNoSamples if there is no whole result.
	parse func(text []byte) (*Output, error)
	// shares find the percentiles that a text has; nil where there are none.
	shares []func(text []byte) []string

	// Saved says that output which somebody saved can be imported; then wrote tells it from that of other tools.
	Saved bool
	wrote func(text []byte) bool
	// pick leaves one of several programs that a text is of; nil where it is of one.
	pick func(text []byte, name string, likely []string) ([]byte, error)

	// program is how the tool is run; nil where benchbook only reads its output.
	program *program
}

// Tools lists every tool that benchbook knows, by name.
func Tools() []Tool {
	return []Tool{
		{Name: "ab", parse: parseAb, shares: inLines, Saved: true, wrote: wroteAb, program: &abProgram,
			Note: "times are whole milliseconds"},
		{Name: "fortio", parse: parseFortio, shares: inList, Saved: true, wrote: wroteFortio,
			Note: "percentiles are read off lines across the bars of a histogram"},
		{Name: "hey", parse: parseHey, shares: inLines, Saved: true, wrote: wroteHey, program: &heyProgram,
			Note: "times have a step of 0.1 ms"},
		{Name: "hyperfine", parse: parseHyperfine, Saved: true, wrote: wroteHyperfine, pick: pickHyperfine,
			Note: "times are means over the runs of one session"},
		{Name: "k6", parse: parseK6, shares: inK6, Saved: true, wrote: wroteK6,
			Note: "times do not include connecting, and the window is that of the whole test"},
		{Name: "oha", parse: parseOha, shares: inNames, Saved: true, wrote: wroteOha,
			Note: "requests that it gave up at the end are not counted"},
		{Name: "pgbench", parse: parsePgbench, program: &pgbenchProgram,
			Note: "a request is a transaction; times do not include connecting"},
		{Name: "redis-benchmark", parse: parseRedisBenchmark, shares: inTable, program: &redisBenchmarkProgram,
			Note: "times do not include connecting"},
		{Name: "vegeta", parse: parseVegeta, shares: inVegeta, Saved: true, wrote: wroteVegeta,
			Note: "times begin when requests were sent, not when they were due"},
		{Name: "wrk", parse: parseWrk, shares: inLines, Saved: true, wrote: wroteWrk, program: &wrkProgram,
			Note: "times do not include connecting, leave out answers after the timeout, and have times of requests added that were never sent"},
		{Name: "wrk2", parse: parseWrk2, shares: inLines, Saved: true, wrote: wroteWrk2,
			Note: "times begin when requests were due, and those of the first ten seconds are left out"},
	}
}

// Find gives the tool of a name; false if there is none.
func Find(name string) (Tool, bool) {
	all := Tools()
	i := slices.IndexFunc(all, func(t Tool) bool { return t.Name == name })
	if i < 0 {
		return Tool{}, false
	}
	return all[i], true
}

// Parse reads what the tool printed, or somebody saved of that. Nothing is assumed of how it was called: what only its command line tells is
// absent from the Output. The error wraps ErrNoSamples if there is no whole result; a percentile that is told and cannot be read makes it none.
func (t Tool) Parse(printed []byte) (*Output, error) { return t.ParseOne(printed, "") }

// ParseOne is Parse for output that may be of several programs: it is read of the one of that name, or, if that is empty, of the one that has
// one of the likely names.
func (t Tool) ParseOne(printed []byte, program string, likely ...string) (*Output, error) {
	text, err := Text(printed)
	if err != nil {
		return nil, noSamples(t.Name, "%v", err)
	}
	switch {
	case t.pick != nil:
		if text, err = t.pick(text, program, likely); err != nil {
			return nil, err
		}
	case program != "":
		return nil, noSamples(t.Name, "it is not of programs: leave --program out")
	}
	o, err := t.parse(text)
	if err == nil {
		err = t.losesNone(text, o)
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Guess finds the tool that printed something, of those whose output can be imported; false if none of them did.
func Guess(printed []byte) (Tool, bool) {
	text, err := Text(printed)
	if err != nil {
		return Tool{}, false
	}
	for _, t := range Tools() {
		if t.Saved && t.wrote(text) {
			return t, true
		}
	}
	return Tool{}, false
}

// Output is what a tool said of one run.
type Output struct {
	Tool    string
	Version string // empty if the output does not tell

	// Samples are in base units, with the step in which the tool prints them. There are no samples of what Attempted, Failed and
	// Window give, unless the tool tells it better.
	Samples    []record.Sample
	Histograms map[string]record.Histogram // "latency", if the tool gives every value

	Attempted int64 // requests; -1 unknown
	Failed    int64 // of them, without a right answer; -1 unknown
	Completed int64 // right answers; -1 unknown

	// Failures counts by kind, and has only the kinds that the tool tells from others. Statuses is nil if the tool does not tell
	// the status of every answer.
	Failures, Statuses map[string]int64

	Window      time.Duration // in which it measured; 0 unknown
	Connections int           // clients of a closed loop; 0 unknown
	Timed       int64         // requests behind the mean latency; 0 unknown
	Started     time.Time     // zero if the output does not tell

	// Connecting says whether the times of requests include opening their connections, where that is necessary.
	Connecting bool
	// Counted says that the run ended after a number of requests, Paced that clients waited between requests, or sent them on a
	// schedule. Then Little's law tells nothing of the clients.
	Counted, Paced bool

	// Due says that times begin when requests were due, and not when they were sent.
	Due bool
	// untold says that what stands in the output is no time of requests, or not of those that are asked for.
	untold bool

	// Commands are the exit statuses of the runs of a program that was timed; nil for requests.
	Commands []int
}

// empty is an output that tells nothing yet.
func empty(tool string) *Output { return &Output{Tool: tool, Attempted: -1, Failed: -1, Completed: -1} }

func (o *Output) add(metric string, value, step float64, unit string) {
	o.Samples = append(o.Samples, record.Sample{Metric: metric, Value: value, Step: step, Unit: unit})
}

// addTime adds a time in seconds.
func (o *Output) addTime(metric string, r reading) { o.add(metric, r.value, r.step, "s") }

// untimed takes out all times of requests, which are not those of right answers.
func (o *Output) untimed() {
	o.Samples = slices.DeleteFunc(o.Samples, func(s record.Sample) bool { return strings.HasPrefix(s.Metric, "latency.") })
	o.Histograms, o.Timed = nil, 0
}

// addPercentile adds a percentile as the tool writes it; of 0 % there is nothing to add. It is false for what is none.
func (o *Output) addPercentile(share string, r reading) bool {
	metric, ok := percentileMetric(share)
	if ok && metric != "" {
		o.addTime(metric, r)
	}
	return ok
}

func (o *Output) sample(metric string) (record.Sample, bool) {
	i := slices.IndexFunc(o.Samples, func(s record.Sample) bool { return s.Metric == metric })
	if i < 0 {
		return record.Sample{}, false
	}
	return o.Samples[i], true
}

// noSamples is the error for output without a whole result.
func noSamples(tool, format string, args ...any) error {
	return fmt.Errorf("output of %s: %w: %w", tool, ErrNoSamples, fmt.Errorf(format, args...))
}

// whole checks what every output promises; an output that breaks it was damaged.
func (o *Output) whole() (*Output, error) {
	for _, s := range o.Samples {
		m, known := record.LookupMetric(s.Metric)
		switch {
		case !known || m.Unit != s.Unit:
			return nil, noSamples(o.Tool, "%s cannot be measured in %q", s.Metric, s.Unit)
		case !finite(s.Value) || !finite(s.Step):
			return nil, noSamples(o.Tool, "%s is %v", s.Metric, s.Value)
		}
	}
	for i, s := range o.Samples {
		if slices.ContainsFunc(o.Samples[:i], func(other record.Sample) bool { return other.Metric == s.Metric }) {
			return nil, noSamples(o.Tool, "it tells %s twice", s.Metric)
		}
	}
	switch {
	case o.Failed > o.Attempted && o.Attempted >= 0, o.Completed > o.Attempted && o.Attempted >= 0:
		return nil, noSamples(o.Tool, "of %d requests %d failed and %d were right", o.Attempted, o.Failed, o.Completed)
	case o.Attempted < -1 || o.Failed < -1 || o.Completed < -1 || o.Window < 0 || o.Timed < 0 || o.Connections < 0:
		return nil, noSamples(o.Tool, "it counts below zero")
	}
	if err := o.inOrder(); err != nil {
		return nil, err
	}
	return o, nil
}

// inOrder makes sure that no percentile is below one that it cannot be below.
func (o *Output) inOrder() error {
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
	slices.SortStableFunc(points, func(a, b point) int {
		switch {
		case a.p < b.p:
			return -1
		case a.p > b.p:
			return 1
		}
		return 0
	})
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		if a.value > b.value+max(a.step, b.step) {
			return noSamples(o.Tool, "%g%% of the times are at most %g s, and %g%% at most %g s", a.p, a.value, b.p, b.value)
		}
	}
	return nil
}
