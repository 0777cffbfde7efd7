package validity

import (
	"fmt"
	"math"
	"time"

	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// judgeOffered asks whether the generator sent what the schedule of an open loop asked for.
//
// Source: docs/validity.md#checks.
func judgeOffered(r *record.Record) finding {
	l := r.Load.Open
	if l.Due == 0 {
		return finding{level: Invalid, words: "nothing was due", size: math.Inf(1)}
	}
	short := float64(l.Due-l.Sent) / float64(l.Due)
	return graded(short, 0.01, 0.05, true, phrase.PercentBeside(1-short, 0.99, 0.95)+" of the schedule was sent")
}

// judgeLag asks whether the requests of an open loop left in time: the percentile 99 of their delay may be 5 % of
// that of the latency, or a millisecond.
//
// Source: docs/validity.md#checks.
func judgeLag(r *record.Record) finding {
	lag := p99(r, "lag")
	if lag < 0 {
		return notChecked("the load generator does not report it")
	}
	limit := max(time.Millisecond.Seconds(), 0.05*p99(r, "latency"))
	return graded(lag, limit, 2*limit, true, fmt.Sprintf("requests left %s late at the percentile 99 (ok up to %s)",
		phrase.Duration(lag), phrase.Duration(limit)))
}

// p99 is the percentile 99 of a family of times, in seconds, also of few requests: here it only sets a limit. It is
// -1 if there is none.
func p99(r *record.Record, family string) float64 {
	p, err := stats.ParsePercentile("99")
	h := r.Histograms[family]
	if err != nil || h.Count == 0 {
		return -1
	}
	decoded, err := new(record.Decoder).Decode(h)
	if err != nil {
		return -1
	}
	x, missing := decoded.At(h, p.Rank(h.Count))
	if missing != "" {
		return -1
	}
	return x
}
