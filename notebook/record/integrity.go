// Package integrity finds numbers in a record that contradict each other: counts that do not add up, shares above 1,
// times that run backwards, and a key that is not that of its inputs. A record with one costs its own repetition and
// nothing else.
//
// Source: docs/validity.md#records-that-contradict-themselves.
package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"benchbook/notebook/spec"
)

const (
	// clockSlack is how far two readings of the clock may be apart.
	clockSlack = time.Millisecond
	// namedAhead is how much later than its start a run may be named.
	namedAhead = ClockError + time.Second
	// ahead is how far the clock of the machine that reads records may be behind.
	ahead = 24 * time.Hour
	// shareSlack is by how much a share of two clock readings may exceed 1.
	shareSlack = 0.05
	// cpuStep is how coarsely some kernels count CPU time, in seconds.
	cpuStep = 0.01
)

// Check sets the Doubts of each record.
func Check(records []*Record, now time.Time) {
	var group errgroup.Group
	parts := runtime.GOMAXPROCS(0)
	for part := range slices.Chunk(records, len(records)/parts+1) {
		group.Go(func() error { // most of the time goes into histograms
			c := checker{now: now}
			for _, r := range part {
				r.Doubts = &Doubts{}
				c.check(finder{r})
			}
			return nil
		})
	}
	_ = group.Wait() // none fails
}

// A checker remembers the definition that it read last, which all repetitions of a trial share.
type checker struct {
	now     time.Time
	decoder Decoder
	last    json.RawMessage
	digests []string // that the last definition may have in a record
}

// A finder notes what is wrong with a record.
type finder struct{ *Record }

func (f finder) invalid(wrong bool, format string, args ...any) {
	if wrong {
		f.Doubts.Invalid = append(f.Doubts.Invalid, fmt.Sprintf(format, args...))
	}
}

func (c *checker) check(f finder) {
	checkTimes(f, c.now)
	checkShares(f)
	c.checkKey(f)
	if f.Load != nil {
		checkCounts(f)
	}
	checkMeasured(f)
	for _, name := range slices.Sorted(maps.Keys(f.Histograms)) {
		h := f.Histograms[name]
		have, err := c.decoder.Content(h)
		f.invalid(err != nil, "histograms.%s cannot be read", name)
		f.invalid(err == nil && have.Count != h.Count-h.Overflow, "histograms.%s has %d times, and count is %d", name,
			have.Count, h.Count-h.Overflow)
	}
}

// checkTimes checks that the clock ran forwards, and that what was measured lies within its repetition.
func checkTimes(f finder, now time.Time) {
	f.invalid(f.Ended.After(now.Add(ahead)), "it ended in the future, on %s", f.Ended.UTC().Format("2 January 2006"))
	begun, err := time.Parse("20060102T150405Z", f.Run[:min(16, len(f.Run))])
	f.invalid(err == nil && f.Started.Before(begun.Add(-namedAhead)),
		"it started before its run, which is named after its start")
	if _, set := f.Facts[FactLeftOut]; set || f.Ended.IsZero() {
		return // the clock was set meanwhile
	}
	within := func(what string, start time.Time, seconds float64) {
		if start.IsZero() {
			return
		}
		end := start.Add(time.Duration(seconds * float64(time.Second)))
		f.invalid(start.Before(f.Started.Add(-clockSlack)), "%s began before the repetition", what)
		f.invalid(end.After(f.Ended.Add(clockSlack)), "%s ended after the repetition", what)
	}
	if f.Load != nil {
		within("its window", f.Load.WindowStart, f.Load.Window)
	}
	if f.Command != nil {
		within("its command", f.Command.Start, f.Command.Real)
	}
}

// checkShares checks that shares are at most 1, and that no service used more cores than there are.
func checkShares(f finder) {
	share := func(name string, x float64) {
		f.invalid(x > 1+shareSlack, "%s is %v, and it is a share", name, x)
	}
	if l := f.Load; l != nil {
		share("load.busy", l.Busy)
		share("load.failures_max", l.FailuresMax)
	}
	cores := f.Cores()
	for _, s := range f.Samples {
		if m, ok := LookupMetric(s.Metric); ok && m.Share {
			share(s.Metric, s.Value)
		}
		f.invalid(cores > 0 && strings.HasPrefix(s.Metric, "cpu.") && s.Value > float64(cores)*(1+shareSlack),
			"%s is %v cores, and the machine has %d", s.Metric, s.Value, cores)
	}
}

// checkMeasured checks that the times of a command, or the window of a load, agree with the part of the repetition that
// was measured, and that no more CPU time was used in it than its machine has.
func checkMeasured(f finder) {
	agree := func(what string, seconds float64, with string, others float64) {
		f.invalid(math.Abs(seconds-others) > clockSlack.Seconds(), "%s is %v s, and %s is %v s", what, seconds, with, others)
	}
	part, isPart := f.Parts["measure"]
	if l := f.Load; l != nil {
		if isPart && l.Window > 0 {
			agree("load.window", l.Window, "parts.measure", part)
		}
		used, services := 0.0, 0
		for _, s := range f.Samples {
			if strings.HasPrefix(s.Metric, "cpu.") {
				used, services = used+s.Value*l.Window, services+1
			}
		}
		checkCPU(f, "the services", used, l.Window, services)
		return
	}
	real, timed := f.Sample("time.real")
	if timed && isPart {
		agree("time.real", real.Value, "parts.measure", part)
	}
	if c := f.Command; c != nil {
		if timed {
			agree("time.real", real.Value, "command.real", c.Real)
		}
		if isPart {
			agree("command.real", c.Real, "parts.measure", part)
		}
	}
	if timed {
		user, _ := f.Sample("time.user")
		system, _ := f.Sample("time.sys")
		checkCPU(f, "the command", user.Value+system.Value, real.Value, 2) // one step for each of the two
	}
}

// checkCPU checks that the CPU time used in some seconds fits into them on all CPUs. Each of the counts that it is the
// sum of may be off by a step.
func checkCPU(f finder, who string, used, seconds float64, counts int) {
	cores := float64(f.Cores())
	most := cores * (seconds*(1+shareSlack) + float64(counts)*cpuStep)
	f.invalid(cores > 0 && used > most, "%s used %.4g s of CPU time in %.4g s, and the machine has %v CPUs", who, used,
		seconds, cores)
}

// checkKey checks that the key is the digest of the inputs, and that the definition has the digest of its input.
func (c *checker) checkKey(f finder) {
	if len(f.Inputs) == 0 {
		return
	}
	c.readDefinition(f.Record)
	h := sha256.New()
	for _, in := range f.Inputs {
		fmt.Fprintln(h, in.Name, in.Digest)
		f.invalid(in.Name == "definition" && len(c.digests) > 0 && !slices.Contains(c.digests, in.Digest),
			"its definition is not the one that its digest is of")
	}
	// The key is that of the definition with its secrets.
	isSecret := bytes.Contains(f.Definition, []byte(Redacted))
	f.invalid(!isSecret && hex.EncodeToString(h.Sum(nil)[:16]) != f.Key, "its key is not that of its inputs")
}

func (c *checker) readDefinition(r *Record) {
	if c.last != nil && bytes.Equal(c.last, r.Definition) {
		return
	}
	c.last, c.digests = r.Definition, nil
	var compact bytes.Buffer
	if json.Compact(&compact, r.Definition) != nil {
		return
	}
	digest := func(data []byte) {
		sum := sha256.Sum256(data)
		c.digests = append(c.digests, hex.EncodeToString(sum[:]))
	}
	digest(compact.Bytes())
	var read spec.Definition
	if json.Unmarshal(r.Definition, &read) == nil {
		if again, err := json.Marshal(read); err == nil {
			digest(again) // with the keys in the order of the plan
		}
	}
}

func sum[K comparable](counts map[K]int64) (n int64) {
	for _, count := range counts {
		n += count
	}
	return n
}

// checkCounts checks that the counts of a load add up.
func checkCounts(f finder) {
	l, kinds := f.Load, sum(f.Load.Failures)
	if l.Tool != "" { // it may not tell every kind and status
		f.invalid(l.Failed >= 0 && kinds > l.Failed, "failures by kind are %d, and failed is %d", kinds, l.Failed)
		f.invalid(l.Attempted >= 0 && l.Failed >= 0 && l.Completed > l.Attempted-l.Failed,
			"%d requests were attempted, and %d failed and %d were completed", l.Attempted, l.Failed, l.Completed)
		return
	}
	latency, ok := f.Histograms["latency"]
	if !ok || f.Failure != "" {
		return
	}
	f.invalid(l.Attempted != latency.Count+l.Failed, "attempted is %d, and %d were answered and %d failed", l.Attempted,
		latency.Count, l.Failed)
	f.invalid(kinds != l.Failed, "failures by kind are %d, and failed is %d", kinds, l.Failed)
	f.invalid(l.Statuses != nil && (sum(l.Statuses) < latency.Count || sum(l.Statuses) > l.Attempted),
		"%d answers have a status, and %d of %d requests were answered", sum(l.Statuses), latency.Count, l.Attempted)
	if l.Open == nil { // each client may have a request that began before the window, and one that ended after it
		f.invalid(math.Abs(float64(l.Completed-latency.Count)) > float64(l.Connections),
			"completed is %d, and %d requests were answered by %d clients", l.Completed, latency.Count, l.Connections)
	}
	var bySecond int64
	for _, n := range l.Answers {
		bySecond += n
	}
	f.invalid(len(l.Answers) > 0 && bySecond != l.Completed, "answers by second are %d, and completed is %d", bySecond,
		l.Completed)
}
