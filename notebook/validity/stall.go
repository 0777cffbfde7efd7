package validity

import (
	"fmt"
	"strings"

	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
)

// Constants of docs/method.md#stalls.
const (
	lostSecond = 0.95 // seconds: the first time after which the kernel sends again, less the steps of its timer
	lostFactor = 10   // of the mean time of the others
)

// judgeStalls asks whether a request lost a second or more because a packet was lost, as where the queue of a server
// that listens was full. One of these can be most of a short window.
//
// Source: docs/method.md#stalls.
func judgeStalls(r *record.Record) finding {
	longest, mean, ok := longestAndMean(r)
	overflows, _ := counter(r, overflowsOf)
	switch {
	case !ok:
		return notChecked("the load generator does not report it")
	case longest < lostSecond || longest < lostFactor*mean:
		return finding{words: "no request lost a second"}
	}
	var why string
	switch {
	case overflows > 0:
		why = phrase.Plural(int(overflows), "listen overflow")
	case r.Histograms["latency.connect"].Max >= lostSecond:
		why = "opening a connection"
	default:
		return finding{words: "no request lost a second to the network"}
	}
	return finding{level: Warn, size: longest, words: fmt.Sprintf("stalled: a request took %s (%s), and the mean is %s",
		phrase.Duration(longest), why, phrase.Duration(mean))}
}

// overflowsOf is the family of metrics of connections that were dropped.
const overflowsOf = "net.listen_overflows."

// tellsLost reports whether a record of a load tells of lost packets.
func tellsLost(r *record.Record) bool {
	_, overflows := counter(r, overflowsOf)
	_, connecting := r.Histograms["latency.connect"]
	return r.Load != nil && (overflows || connecting)
}

// Stalled reports whether a repetition lost a second or more to the network.
func Stalled(r *record.Record) bool {
	return r.Failure == "" && tellsLost(r) && judgeStalls(r).level == Warn
}

// longestAndMean are the longest time of a right answer and the mean of the others, in seconds.
func longestAndMean(r *record.Record) (longest, mean float64, ok bool) {
	if h := r.Histograms["latency"]; h.Count > 1 {
		return h.Max, (h.Sum - h.Max) / float64(h.Count-1), true
	}
	most, okMost := r.Sample("latency.max")
	all, okMean := r.Sample("latency.mean")
	return most.Value, all.Value, okMost && okMean && r.Load.Tool != ""
}

// counter is the sum of a metric over all services; false if none has it.
func counter(r *record.Record, family string) (sum float64, ok bool) {
	for _, s := range r.Samples {
		if strings.HasPrefix(s.Metric, family) {
			sum, ok = sum+s.Value, true
		}
	}
	return sum, ok
}
