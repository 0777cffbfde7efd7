package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"benchbook/notebook/spec"
)

const (
	clockSlack = time.Millisecond         // how far two readings of the clock may differ
	namedAhead = ClockError + time.Second // how much later than its start a run may be named
	readAhead  = 24 * time.Hour           // how far the reading machine's clock may be behind
	shareSlack = 0.05                     // how far a share of two clock readings may exceed 1
)

// Check sets the contradictions within each record. A contradiction invalidates the repetition of its record only.
//
// Source: docs/validity.md#records-that-contradict-themselves.
func Check(records []*Record, now time.Time) {
	var group sync.WaitGroup
	for part := range slices.Chunk(records, len(records)/runtime.GOMAXPROCS(0)+1) {
		group.Go(func() {
			checked := map[string]json.RawMessage{} // definitions that match their digests
			for _, r := range part {
				r.Checked, r.Contradictions = true, nil
				r.checkTimes(now)
				r.checkShares()
				r.checkKey(checked)
				if r.Load != nil {
					r.checkCounts()
				}
			}
		})
	}
	group.Wait()
}

// checkTimes checks that the clock ran forwards, and that the window or command lies within the repetition.
func (r *Record) checkTimes(now time.Time) {
	doubt := r.Contradictions.add
	doubt(r.Ended.After(now.Add(readAhead)), "it ended in the future, on %s", r.Ended.UTC().Format("2 January 2006"))
	begun, err := time.Parse("20060102T150405Z", r.Run[:min(16, len(r.Run))])
	doubt(err == nil && r.Started.Before(begun.Add(-namedAhead)),
		"it started before its run, which is named after its start")
	if _, set := r.Facts[FactLeftOut]; set || r.Ended.IsZero() {
		return // the clock was set meanwhile
	}
	within := func(what string, start time.Time, seconds float64) {
		if start.IsZero() {
			return
		}
		end := start.Add(time.Duration(seconds * float64(time.Second)))
		doubt(start.Before(r.Started.Add(-clockSlack)), "%s began before the repetition", what)
		doubt(end.After(r.Ended.Add(clockSlack)), "%s ended after the repetition", what)
	}
	if r.Load != nil {
		within("its window", r.Load.WindowStart, r.Load.Window)
	}
	if r.Command != nil {
		within("its command", r.Command.Start, r.Command.Real)
	}
}

// checkShares checks that shares are at most 1, and that no service used more cores than the machine has.
func (r *Record) checkShares() {
	doubt := r.Contradictions.add
	share := func(name string, x float64) {
		doubt(x > 1+shareSlack, "%s is %v, and it is a share", name, x)
	}
	if l := r.Load; l != nil {
		share("load.busy", l.Busy)
		share("load.failures_max", l.FailuresMax)
	}
	cores := r.Cores()
	for _, s := range r.Samples {
		m, _ := LookupMetric(s.Metric)
		if m.Share {
			share(s.Metric, s.Value)
		}
		doubt(cores > 0 && m.Unit == "cores" && s.Value > float64(cores)*(1+shareSlack),
			"%s is %v cores, and the machine has %d", s.Metric, s.Value, cores)
	}
}

// checkKey checks that the key is the digest of the inputs, and that the definition has the digest among them. Checked
// holds definitions that passed, by digest.
func (r *Record) checkKey(checked map[string]json.RawMessage) {
	if len(r.Inputs) == 0 {
		return
	}
	h := sha256.New()
	for _, in := range r.Inputs {
		fmt.Fprintln(h, in.Name, in.Digest)
		if in.Name != "definition" || bytes.Equal(checked[in.Digest], r.Definition) {
			continue
		}
		if isDefinition(r.Definition, in.Digest) {
			checked[in.Digest] = r.Definition
		} else {
			r.Contradictions.add(true, "its definition is not the one that its digest is of")
		}
	}
	// The key digests the definition with its secrets.
	isSecret := bytes.Contains(r.Definition, []byte(Redacted))
	r.Contradictions.add(!isSecret && hex.EncodeToString(h.Sum(nil)[:16]) != r.Key, "its key does not match its inputs")
}

// isDefinition reports whether a definition has a digest, as it is or with its keys in the plan's order.
func isDefinition(data json.RawMessage, digest string) bool {
	is := func(data []byte) bool {
		sum := sha256.Sum256(data)
		return hex.EncodeToString(sum[:]) == digest
	}
	var compact bytes.Buffer
	if json.Compact(&compact, data) != nil || is(compact.Bytes()) {
		return true
	}
	var read spec.Definition
	if json.Unmarshal(data, &read) != nil {
		return false
	}
	again, err := json.Marshal(read)
	return err == nil && is(again)
}

func (r *Record) checkCounts() {
	doubt := r.Contradictions.add
	l, kinds, statuses := r.Load, sum(maps.Values(r.Load.Failures)), sum(maps.Values(r.Load.Statuses))
	if l.Tool != "" { // which may not count every kind and status
		doubt(l.Failed >= 0 && kinds > l.Failed, "failures by kind are %d, and failed is %d", kinds, l.Failed)
		doubt(l.Attempted >= 0 && l.Failed >= 0 && l.Completed > l.Attempted-l.Failed,
			"%d requests were attempted, and %d failed and %d were completed", l.Attempted, l.Failed, l.Completed)
		return
	}
	latency, ok := r.Histograms["latency"]
	if !ok || r.Failure != "" {
		return
	}
	doubt(l.Attempted != latency.Count+l.Failed, "attempted is %d, and %d were answered and %d failed",
		l.Attempted, latency.Count, l.Failed)
	doubt(kinds != l.Failed, "failures by kind are %d, and failed is %d", kinds, l.Failed)
	doubt(l.Statuses != nil && (statuses < latency.Count || statuses > l.Attempted),
		"%d answers have a status, and %d of %d requests were answered", statuses, latency.Count, l.Attempted)
	if l.Open == nil { // each client may have a request that began before the window, and one that ended after it
		doubt(math.Abs(float64(l.Completed-latency.Count)) > float64(l.Connections),
			"completed is %d, and %d requests were answered by %d clients", l.Completed, latency.Count, l.Connections)
	}
	bySecond := sum(slices.Values(l.Answers))
	doubt(len(l.Answers) > 0 && bySecond != l.Completed, "answers by second are %d, and completed is %d",
		bySecond, l.Completed)
}

func sum(counts iter.Seq[int64]) (n int64) {
	for count := range counts {
		n += count
	}
	return n
}
