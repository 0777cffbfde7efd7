package integrity

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/loadtool"
	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
)

// Numbers of one record come from one clock and one count, so they agree to the last digit, but for what is written in
// seconds and was counted in nanoseconds.
const (
	rounding   = 1e-6
	clockSlack = time.Millisecond
	// betweenMachines is how far apart the clocks of the machines of one run may be.
	betweenMachines = time.Second
	// namedAhead is how much later than its start a run may be named: a second after the one before it.
	namedAhead = record.ClockError + time.Second
	// ahead is how far the clock of whoever reads records may be behind.
	ahead = 24 * time.Hour
	// shareSlack is by how much a share that two clocks were read for may be above 1.
	shareSlack = 0.05
)

// near reports whether two numbers are the same but for rounding.
func near(a, b float64) bool { return math.Abs(a-b) <= rounding*max(1, math.Abs(a), math.Abs(b)) }

func seconds(x float64) time.Duration { return time.Duration(x * float64(time.Second)) }

// checkTimes asks whether the clock ran forwards, and what was measured lies within its repetition.
func checkTimes(f finder, now time.Time) {
	f.invalid(f.Ended.After(now.Add(ahead)), "it ended in the future, on %s", day(f.Ended))
	checkStart(f)
	if _, set := f.Facts[record.FactLeftOut]; set || f.Ended.IsZero() {
		return // the clock was set meanwhile
	}
	slack, whole := clockSlack, f.Ended.Sub(f.Started)
	if strings.Contains(f.Host, "+") {
		slack = betweenMachines
	}
	within := func(what string, start time.Time, length float64) {
		if start.IsZero() {
			return
		}
		f.invalid(start.Before(f.Started.Add(-slack)), "%s began before the repetition", what)
		f.invalid(start.Add(seconds(length)).After(f.Ended.Add(slack)), "%s ended after the repetition", what)
	}
	if f.Load != nil {
		within("its window", f.Load.WindowStart, f.Load.Window)
	}
	if f.Command != nil {
		within("its command", f.Command.Start, f.Command.Real)
	}
	parts := 0.0
	for _, part := range f.Parts {
		parts += part
	}
	f.invalid(f.Search == nil && seconds(parts) > whole+slack, "its parts took %s, and all of it %s",
		phrase.Duration(parts), phrase.Duration(whole.Seconds()))
	measured, length := f.Parts["measure"], f.length()
	f.invalid(f.Failure == "" && measured > 0 && length > 0 && !near(measured, length),
		"parts.measure is %v, and %v s were measured", measured, length)
}

// checkStart asks whether the repetition started after its run.
func checkStart(f finder) {
	begun, err := time.Parse("20060102T150405Z", f.Run[:min(16, len(f.Run))])
	if err != nil || !f.Started.Before(begun.Add(-namedAhead)) {
		return
	}
	const words = "it started before its run, which is named after its start"
	f.invalid(!f.SealFits(), words)
	if f.SealFits() {
		f.warn(words + ": the clock was set back")
	}
}

// length is how long a record says that was measured, in seconds; 0 where it does not say so.
func (f finder) length() float64 {
	switch {
	case f.Load != nil:
		return f.Load.Window
	case f.Command != nil:
		return f.Command.Real
	}
	return 0
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

// checkShares asks whether what is a share is at most 1.
func checkShares(f finder) {
	share := func(name string, x float64) {
		f.invalid(x > 1+shareSlack, "%s is %v, and it is a share", name, x)
	}
	if l := f.Load; l != nil {
		share("load.busy", l.Busy)
		share("load.foreign_cpu", l.ForeignCPU)
		share("load.failures_max", l.FailuresMax)
		if l.Health != nil {
			share("load.health.waiting", l.Health.Waiting)
		}
		for _, g := range l.Generators {
			share("load.generators.busy", g.Busy)
		}
	}
	if f.Command != nil {
		share("command.foreign_cpu", f.Command.ForeignCPU)
	}
	if m := f.Machine; m != nil {
		share("machine.steal", m.Steal)
		for _, service := range slices.Sorted(maps.Keys(m.Throttled)) {
			t := m.Throttled[service]
			f.invalid(t.Throttled > t.Periods, "machine.throttled.%s: %d periods of %d were throttled", service, t.Throttled,
				t.Periods)
		}
		for _, of := range []struct {
			name   string
			shares map[string]float64
		}{{"threads", m.Threads}, {"ports", m.Ports}} {
			for _, service := range slices.Sorted(maps.Keys(of.shares)) {
				share("machine."+of.name+"."+service, of.shares[service])
			}
		}
	}
	cores := f.Cores()
	for _, s := range f.Samples {
		if m, ok := record.LookupMetric(s.Metric); ok && m.Share {
			share(s.Metric, s.Value)
		}
		f.invalid(cores > 0 && strings.HasPrefix(s.Metric, "cpu.") && s.Value > float64(cores)*(1+shareSlack),
			"%s is %v cores, and the machine has %d", s.Metric, s.Value, cores)
	}
}

// checkHost asks whether the machine that a record is of is the one that it describes.
func checkHost(f finder) {
	memory, unit, _ := strings.Cut(f.Facts["host.memory"], " ")
	gib, err := strconv.Atoi(memory)
	cores, model := f.Cores(), f.Facts["host.cpu"]
	if err != nil || unit != "GiB" || cores == 0 || model == "" {
		return
	}
	id := record.HostID(model, cores, gib)
	f.invalid(id != f.Host, "its host is %s, and it was measured on %s, by its processor, cores and memory", f.Host, id)
}

func sum[K comparable](counts map[K]int64) (n int64) {
	for _, count := range counts {
		n += count
	}
	return n
}

func sumOf[N int64 | float64](list []N) (n N) {
	for _, x := range list {
		n += x
	}
	return n
}

// checkCounts asks whether the counts of a load add up.
func checkCounts(f finder) {
	l, answered := f.Load, f.Histograms["latency"].Count
	kinds := sum(l.Failures)
	if l.Tool != "" { // some kinds and codes it may not tell
		f.invalid(l.Failed >= 0 && kinds > l.Failed, "failures by kind are %d, and failed is %d", kinds, l.Failed)
		f.invalid(l.Attempted >= 0 && l.Failed >= 0 && l.Completed > l.Attempted-l.Failed,
			"%d requests were attempted, and %d failed and %d were completed", l.Attempted, l.Failed, l.Completed)
		f.invalid(l.Attempted >= 0 && sum(l.Statuses) > l.Attempted,
			"%d answers have a status, and %d requests were attempted",
			sum(l.Statuses), l.Attempted)
		return
	}
	if _, ok := f.Histograms["latency"]; !ok || f.Failure != "" {
		return
	}
	f.invalid(l.Attempted != answered+l.Failed, "attempted is %d, and %d were answered and %d failed", l.Attempted,
		answered,
		l.Failed)
	f.invalid(kinds != l.Failed, "failures by kind are %d, and failed is %d", kinds, l.Failed)
	failed, ok := f.Histograms["latency.failed"]
	f.invalid(ok && failed.Count != l.Failed, "histograms.latency.failed counts %d, and failed is %d", failed.Count,
		l.Failed)
	cut := f.Histograms["latency.cut"].Count
	f.invalid(cut > int64(l.Clients()), "histograms.latency.cut counts %d, and there were %d clients", cut,
		l.Clients())
	for _, name := range histogramNames(f.Record) {
		n := f.Histograms[name].Count
		f.invalid(n > l.Attempted+cut, "histograms.%s counts %d, and %d requests were attempted", name, n, l.Attempted)
	}
	checkJourneys(f)
	f.invalid(l.Statuses != nil && sum(l.Statuses) < answered, "%d answers have a status, and %d requests were answered",
		sum(l.Statuses), answered)
	f.invalid(sum(l.Statuses) > l.Attempted, "%d answers have a status, and %d requests were attempted", sum(l.Statuses),
		l.Attempted)
	if l.Open == nil { // what was begun before the window and ended in it, or the other way round, is one of each client
		f.invalid(l.Completed > answered+int64(l.Clients()) || l.Completed < answered-int64(l.Clients()),
			"completed is %d, and %d requests were answered by %d clients", l.Completed, answered, l.Clients())
	}
}

// checkJourneys asks whether requests of steps are all requests, and journeys those of their first steps.
func checkJourneys(f finder) {
	j := f.Load.Journeys
	if j == nil || len(j.Steps) == 0 {
		return
	}
	attempted, failed := int64(0), int64(0)
	for _, s := range j.Steps {
		attempted, failed = attempted+s.Attempted, failed+s.Failed()
	}
	f.invalid(attempted != f.Load.Attempted, "steps have %d requests, and attempted is %d", attempted, f.Load.Attempted)
	f.invalid(failed != f.Load.Failed, "steps have %d failures, and failed is %d", failed, f.Load.Failed)
	right := f.Histograms["journey"].Count
	f.invalid(j.Attempted != right+j.Failed, "load.journeys.attempted is %d, and %d were right and %d failed",
		j.Attempted, right, j.Failed)
	f.invalid(j.Attempted > j.Steps[0].Attempted, "load.journeys.attempted is %d, and the first step "+
		"has %d requests", j.Attempted, j.Steps[0].Attempted)
}

// checkSeconds asks whether what is told by second is that of the whole window.
func checkSeconds(f finder) {
	l := f.Load
	if l.Completed < 0 {
		return
	}
	f.invalid(len(l.Answers) > 0 && sumOf(l.Answers) != l.Completed, "answers by second are %d, and completed is %d",
		sumOf(l.Answers), l.Completed)
	if len(l.Completions) == 0 {
		return
	}
	all := sumOf(l.Completions)
	f.invalid(all < l.Completed, "completions by second are %d, and completed is %d", all, l.Completed)
	f.invalid(l.Open == nil && l.Failed >= 0 && all > l.Completed+l.Failed+int64(l.Clients()),
		"completions by second are %d, and %d were completed and %d failed", all, l.Completed, l.Failed)
	h, ok := f.Histograms["latency"]
	within := float64(l.Clients()) * h.Max
	total := sumOf(l.Latencies)
	// Requests that ended in the first second may have begun before the window: then they are in no histogram. Of one that
	// ended later it is known that it began after the warm-up did.
	before := f.Parts["warmup"]
	if first := slices.IndexFunc(l.Latencies, func(sum float64) bool { return sum > 0 }); first >= 0 {
		before += l.Latencies[first]
	}
	f.invalid(ok && l.Open == nil && len(l.Latencies) > 0 &&
		(h.Sum-total > 2*within+rounding || total-h.Sum > 2*within+before+rounding),
		"latencies by second are %v s, and histograms.latency has %v s", total, h.Sum)
	f.invalid(ok && l.Open == nil && h.Sum > float64(l.Clients())*(l.Window+h.Max)*(1+rounding),
		"%d clients cannot wait for %v s in a window of %v s", l.Clients(), h.Sum, l.Window)
}

// checkShared asks whether what is counted by shares of the window is what is counted by ends of requests: either end
// of the window cuts at most one request of each client.
func checkShared(f finder) {
	l, o := f.Load, f.Load.Overlap
	if o == nil || l.Completed < 0 || l.Failed < 0 {
		return
	}
	clients := float64(l.Clients())
	apart := func(a float64, b int64) bool { return math.Abs(a-float64(b)) > clients+rounding*max(1, a) }
	f.invalid(apart(o.Right, l.Completed), "load.overlap has %v right answers, and completed is %d with %d clients",
		o.Right, l.Completed, l.Clients())
	ended := sumOf(l.Completions)
	f.invalid(len(l.Completions) > 0 && apart(o.Right+o.Failed, ended),
		"load.overlap has %v requests, and completions by second are %d with %d clients", o.Right+o.Failed, ended,
		l.Clients())
	f.invalid(o.Time > clients*l.Window*(1+rounding)+rounding,
		"load.overlap.time is %v s, and %d clients have less in a window of %v s", o.Time, l.Clients(), l.Window)
	right, failed := f.Histograms["latency"], f.Histograms["latency.failed"]
	least := right.Sum + failed.Sum - clients*max(right.Max, failed.Max)
	f.invalid(o.Time < least*(1-rounding)-rounding,
		"load.overlap.time is %v s, and by the histograms requests took %v s in the window at least", o.Time, least)
}

// checkSamples asks whether samples are those of the counts that they were made of.
func checkSamples(f finder) {
	l := f.Load
	for _, s := range f.Samples {
		want, known := 0.0, true
		switch s.Metric {
		case "throughput":
			// A rate that weighs requests at the ends of the window is off by no more than these.
			want = float64(l.Completed)
			f.invalid(l.Completed >= 0 && l.Window > 0 && l.Open == nil &&
				math.Abs(s.Value*l.Window-want) > max(float64(l.Clients()), 0.01*want)*(1+rounding),
				"throughput is %v/s, and %d were completed in %v s", s.Value, l.Completed, l.Window)
			continue
		case "generator.cpu":
			want, known = l.Busy, l.Busy >= 0
		case "failed":
			want, known = float64(l.Failed)/float64(l.Attempted), l.Failed >= 0 && l.Attempted > 0
		default:
			continue
		}
		f.invalid(known && !near(s.Value, want), "the sample of %s is %v, and by its load it is %v", s.Metric, s.Value, want)
	}
}

// checkOutput asks whether the numbers of another tool are those that it printed.
func checkOutput(f finder) {
	tool, ok := loadtool.Find(f.Load.Tool)
	if !ok || f.Output == "" || f.Imported != nil || f.Failure != "" {
		return
	}
	said, err := tool.Parse([]byte(f.Output))
	if err != nil {
		return // the middle of a long output is left out
	}
	for _, of := range []struct {
		what      string
		have, was int64
	}{{"attempted", f.Load.Attempted, said.Attempted}, {"completed", f.Load.Completed, said.Completed},
		{"failed", f.Load.Failed, said.Failed}} {
		f.invalid(of.was >= 0 && of.have != of.was, "%s is %d, and by the output of %s %d", of.what, of.have, f.Load.Tool,
			of.was)
	}
	for _, s := range said.Samples {
		own, ok := f.Sample(s.Metric)
		f.invalid(ok && !near(own.Value, s.Value), "%s is %v, and by the output of %s %v", s.Metric, own.Value, f.Load.Tool,
			s.Value)
	}
}

func histogramNames(r *record.Record) []string { return slices.Sorted(maps.Keys(r.Histograms)) }

// checkHistogram asks whether a histogram holds what stands beside it.
func (c *reader) checkHistogram(f finder, name string, h record.Histogram) {
	have, err := c.decoder.Content(h)
	if err != nil {
		f.invalid(true, "histograms.%s cannot be read", name)
		return
	}
	inRange := h.Count - h.Overflow
	f.invalid(have.Count != inRange, "histograms.%s has %d times, and count is %d", name, have.Count, inRange)
	if h.Count == 0 || have.Count != inRange {
		return
	}
	least, most := have.Least+h.Max*float64(h.Overflow)/2, have.Most+h.Max*float64(h.Overflow)
	f.invalid(h.Sum < least*(1-rounding)-rounding || h.Sum > most*(1+rounding)+rounding,
		"histograms.%s has times of %v to %v s together, and sum is %v", name, least, most, h.Sum)
	if have.Count == 0 {
		return
	}
	f.invalid(h.Min > have.First*(1+rounding)+rounding || h.Min < have.FirstFrom*(1-rounding)-rounding,
		"histograms.%s has nothing below %v s, and min is %v", name, have.FirstFrom, h.Min)
	f.invalid(h.Overflow == 0 && (h.Max > have.Last*(1+rounding)+rounding || h.Max < have.LastFrom*(1-rounding)-rounding),
		"histograms.%s has nothing above %v s, and max is %v", name, have.Last, h.Max)
}
