package validity

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"benchbook/internal/phrase"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// readRecord counts the contradictions in a record.
//
// Source: docs/validity.md#records-that-contradict-themselves.
func readRecord(r repetition) finding {
	n := len(r.Contradictions)
	if n == 0 {
		return finding{words: "agrees with itself"}
	}
	words := "its record cannot be: " + r.Contradictions[0]
	if n > 1 {
		words += fmt.Sprintf(", and %d more", n-1)
	}
	return finding{level: Invalid, words: words, size: float64(n)}
}

// Limits on the share of time that the busiest thread of a generator works. A headline claim needs at most
// busyHeadline.
const (
	busyOK       = 0.50
	busyHeadline = 0.80
	busyWarn     = 0.90
)

var busyLimits = limits{math.Nextafter(busyOK, 0), math.Nextafter(busyWarn, 0)}

// readGenerator grades how busy the load generator was. Shared CPUs are a warning, unless the load has a priority: then
// the checks of waits and stalls show whether it got its CPUs in time.
//
// Source: docs/validity.md#checks.
func readGenerator(r repetition) finding {
	busy := r.Load.Busy
	prefers := r.definition.Load != nil && r.definition.Load.Priority != ""
	if words := r.sharedCPUs(); words != "" && !prefers && busy < busyOK {
		return busyLimits.find(busyOK, words)
	}
	if busy < 0 {
		return notReported
	}
	return busyLimits.find(busy, "load generator busy "+phrase.PercentBeside(busy, busyOK, busyHeadline, busyWarn))
}

// Headline returns why no headline claim can rest on a cell: at least half of its repetitions have too short a window,
// or too busy a generator. It is empty if one can.
//
// Source: docs/validity.md#headline-claims.
func Headline(records []*record.Record) (why string) {
	n := 0
	for _, r := range records {
		switch {
		case r.Failure != "" || r.Load == nil:
		case r.Load.Window < longEnough:
			n, why = n+1, fmt.Sprintf("its window of %s is shorter than 1 s", phrase.Duration(r.Load.Window))
		case r.Load.Busy > busyHeadline:
			n, why = n+1, "its load generator was busy "+phrase.PercentBeside(r.Load.Busy, busyHeadline)
		}
	}
	if 2*n < len(records) {
		return ""
	}
	return why
}

// settledAfter is how many of its slowest requests a warm-up must last: then each client has had at least one before
// the window, and clients that began together have drifted apart.
const settledAfter = 2

// readWarmup warns of a warm-up that is too short for the slowest request.
//
// Source: docs/validity.md#checks.
func readWarmup(r repetition) finding {
	longest, _, ok := longestAndMean(r.Record)
	if !ok {
		return notReported
	}
	warmup := r.definition.Load.Warmup.Seconds()
	if warmup >= settledAfter*longest {
		return finding{words: "the warm-up was long enough"}
	}
	return anyWarns.find(longest, fmt.Sprintf("the warm-up of %s is shorter than twice the slowest request, %s",
		phrase.Duration(warmup), phrase.Duration(longest)))
}

// hasWarmup reports whether a repetition has or needs a warm-up. A fixed number of requests without one measures the
// start on purpose.
func hasWarmup(r repetition) bool {
	l := r.definition.Load
	return isLoad(r) && l != nil && (l.Requests == 0 || l.Warmup > 0)
}

// hasHealth reports whether the load generator, or the timer of a command, recorded its interruptions.
func hasHealth(r repetition) bool { return health(r) != nil }

func health(r repetition) *record.Health {
	switch {
	case r.Load != nil:
		return r.Load.Health
	case r.Command != nil:
		return r.Command.Health
	}
	return nil
}

// A generator may stand still for 1 % of its window, which makes its numbers wrong by as much, but only within these
// bounds: a busy machine keeps any thread waiting for some milliseconds, and a long standstill looks like an outage
// of the server, however long the window is.
const (
	shortStandstill = 0.010 // seconds
	longStandstill  = 0.100
)

// readStandstill grades the longest time in seconds that the generator or the timer was stopped. Answers that come
// meanwhile are noted late, which counts as time of the service.
//
// Source: docs/validity.md#checks.
func readStandstill(r repetition) finding {
	whose := "the load generator"
	if r.Load == nil {
		whose = "the timer"
	}
	stopped, window := health(r).Standstill, r.seconds()
	if stopped < 0 {
		return notChecked(whose + " does not report it")
	}
	limit := min(max(shortStandstill, 0.01*window), longStandstill)
	return limits{limit, 5 * limit}.find(stopped, fmt.Sprintf("%s stood still for %s at most (ok up to %s)", whose,
		phrase.Duration(stopped), phrase.Duration(limit)))
}

// waitingLimits limit the share of the window in which a thread of the generator waited for a core. In a closed loop,
// latencies are too long and throughput too small by at most that share.
var waitingLimits = limits{0.05, 0.15}

// readWaiting grades the share of the window in which the generator waited for a core.
//
// Source: docs/validity.md#checks.
func readWaiting(r repetition) finding {
	waiting := r.Load.Health.Waiting
	if waiting < 0 {
		return notReported
	}
	return waitingLimits.find(waiting,
		"the load generator waited for a core for "+waitingLimits.share(waiting)+" of the window")
}

// readErrors grades the share of requests that failed.
//
// Source: docs/validity.md#checks.
func readErrors(r repetition) finding {
	l := r.Load
	switch {
	case l.Attempted < 0 || l.Failed < 0:
		return notChecked(l.Tool + " does not report it")
	case l.Attempted == 0:
		return limits{}.find(math.Inf(1), "nothing was attempted")
	}
	const ok, warn = 0.001, 0.01
	share, expected := float64(l.Failed)/float64(l.Attempted), l.FailuresMax
	words := "errors " + phrase.PercentBeside(share, ok, warn, expected)
	if share > 0 && share <= expected {
		words += ", which the article expects"
	}
	return limits{max(ok, expected), max(warn, expected)}.find(share, words)
}

func isFailureMetric(metric string) bool {
	return record.CountsFailures(metric) || strings.HasPrefix(metric, "status.")
}

// readOffered grades the share of an open loop's schedule that was not sent.
//
// Source: docs/validity.md#checks.
func readOffered(r repetition) finding {
	l, by := r.Load.Open, limits{0.01, 0.05}
	if l.Due == 0 {
		return by.find(math.Inf(1), "nothing was due")
	}
	short := float64(l.Due-l.Sent) / float64(l.Due)
	return by.find(short, phrase.PercentBeside(1-short, 0.99, 0.95)+" of the schedule was sent")
}

// readLag grades how late requests of an open loop left.
func readLag(r repetition) finding {
	return r.lag("lag", "requests left %s late at the percentile 99 (ok up to %s)")
}

// readGeneratorLag grades how late requests of an open loop left although a connection was free.
func readGeneratorLag(r repetition) finding {
	return r.lag("lag.generator", "the load generator held requests up for %s at the percentile 99 (ok up to %s)")
}

func hasGeneratorLag(r repetition) bool { return r.Histograms["lag.generator"].Count > 0 }

// lag grades the 99th percentile of a family of times in seconds. It may be 5 % of the same percentile of the latency,
// or a millisecond.
//
// Source: docs/validity.md#checks.
func (r repetition) lag(family, words string) finding {
	lag := p99(r.Record, family)
	if lag < 0 {
		return notReported
	}
	limit := max(time.Millisecond.Seconds(), 0.05*p99(r.Record, "latency"))
	return limits{limit, 2 * limit}.find(lag, fmt.Sprintf(words, phrase.Duration(lag), phrase.Duration(limit)))
}

// p99 returns the 99th percentile of a family of times in seconds, -1 without times. It only sets limits, so few
// requests are enough.
func p99(r *record.Record, family string) float64 {
	p, _ := stats.ParsePercentile("99")
	h := r.Histograms[family]
	decoded, err := h.Decode()
	if err != nil || h.Count == 0 {
		return -1
	}
	x, missing := decoded.At(h, p.Rank(h.Count))
	if missing != "" {
		return -1
	}
	return x
}

// readOverflow counts the answers that took longer than the histogram can hold.
//
// Source: docs/method.md#histogram and docs/validity.md#checks.
func readOverflow(r repetition) finding {
	h, ok := r.Histograms["latency"]
	if !ok {
		return notChecked("no histogram")
	}
	return anyWarns.find(float64(h.Overflow), phrase.Count(int(h.Overflow), "answer")+" beyond the histogram")
}

// Constants of docs/method.md#stalls.
const (
	lostSecond = 0.95 // seconds: the kernel's first timeout before it sends again, less its timer's steps
	lostFactor = 10   // times the mean of the others
)

// overflowsOf is the prefix of metrics that count dropped connections.
const overflowsOf = "net.listen_overflows."

// readStalls warns of the longest request, in seconds, if it lost a second or more to the network, as when the queue of
// a listening server was full. One such request can be most of a short window.
//
// Source: docs/method.md#stalls.
func readStalls(r repetition) finding {
	longest, mean, ok := longestAndMean(r.Record)
	overflows, _ := overflowCount(r)
	var why string
	switch {
	case !ok:
		return notReported
	case longest < lostSecond || longest < lostFactor*mean:
		return finding{words: "no request lost a second"}
	case overflows > 0:
		why = phrase.Count(int(overflows), "listen overflow")
	case r.Histograms["latency.connect"].Max >= lostSecond:
		why = "opening a connection"
	default:
		return finding{words: "no request lost a second to the network"}
	}
	return anyWarns.find(longest, fmt.Sprintf("stalled: a request took %s (%s), and the mean is %s",
		phrase.Duration(longest), why, phrase.Duration(mean)))
}

// tellsLost reports whether the record of a load can tell lost packets from slow answers.
func tellsLost(r repetition) bool {
	_, overflows := overflowCount(r)
	_, connecting := r.Histograms["latency.connect"]
	return isLoad(r) && (overflows || connecting)
}

// Stalled reports whether a repetition lost a second or more to the network.
func Stalled(r *record.Record) bool {
	rep := repetition{Record: r}
	return r.Failure == "" && tellsLost(rep) && readStalls(rep).size > 0
}

// overflowCount sums the dropped connections of all services; false if none counted them.
func overflowCount(r repetition) (sum float64, ok bool) {
	for _, s := range r.Samples {
		if strings.HasPrefix(s.Metric, overflowsOf) {
			sum, ok = sum+s.Value, true
		}
	}
	return sum, ok
}

// longestAndMean returns the longest time of a right answer and the mean of the others, in seconds.
func longestAndMean(r *record.Record) (longest, mean float64, ok bool) {
	if h := r.Histograms["latency"]; h.Count > 1 {
		return h.Max, (h.Sum - h.Max) / float64(h.Count-1), true
	}
	most, okMost := r.Sample("latency.max")
	all, okMean := r.Sample("latency.mean")
	return most.Value, all.Value, okMost && okMean && r.Load.Tool != ""
}

// delayLimits limit how late links and origins are at the 99th percentile, in seconds: the millisecond that they
// promise, and ten times that, which matters for any delay below 200 ms.
var delayLimits = limits{0.001, 0.010}

// latePercentile finds the percentile in a fact such as "p50 30µs, p99 90µs, max 1.2ms of 5000".
var latePercentile = regexp.MustCompile(`\bp99 ([^,]+),`)

// lateOf names the link or origin whose delays a fact holds; empty for other facts.
func lateOf(fact string) string {
	if link, ok := strings.CutPrefix(fact, "link.late."); ok {
		return "the link before " + link
	}
	if origin, ok := strings.CutPrefix(fact, "origin.late."); ok {
		return "origin " + origin
	}
	return ""
}

// hasDelays reports whether links or origins recorded their delays. A link without traffic records none.
func hasDelays(r repetition) bool {
	for fact := range r.Facts {
		if lateOf(fact) != "" {
			return true
		}
	}
	return false
}

// readDelays grades how much longer than the article says a link or an origin held something back, in seconds. They are
// woken like any program, and wait for a core if services keep all busy.
//
// Source: docs/validity.md#checks, delays.
func readDelays(r repetition) finding {
	worst := notChecked(notRecorded)
	for _, fact := range slices.Sorted(maps.Keys(r.Facts)) {
		what := lateOf(fact)
		if what == "" {
			continue // as most facts are; matching the pattern is the slow part
		}
		found := latePercentile.FindStringSubmatch(r.Facts[fact])
		if found == nil {
			continue
		}
		late, err := time.ParseDuration(found[1])
		if err != nil || worst.level != NotChecked && late.Seconds() <= worst.size {
			continue
		}
		worst = delayLimits.find(late.Seconds(), fmt.Sprintf("%s was %s late at the percentile 99 (ok up to %s)", what,
			phrase.Duration(late.Seconds()), phrase.Duration(delayLimits.ok)))
	}
	return worst
}
