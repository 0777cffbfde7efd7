package validity

import (
	"cmp"
	"fmt"

	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
)

// settledAfter is how many of its slowest requests a warm-up has to last: then each client has had at least one before
// the window, and clients that began together have drifted apart.
const settledAfter = 2

// judgeWarmup asks whether the warm-up was long enough for requests as slow as those that were measured. A load that
// counts requests off and has no warm-up measures from its first request on purpose.
//
// Source: docs/validity.md#checks.
func (in *definitions) judgeWarmup(r *record.Record) finding {
	longest, _, ok := longestAndMean(r)
	if !ok {
		return notChecked("the load generator does not report it")
	}
	warmup := in.definition(r).Load.Warmup.Seconds()
	if warmup >= settledAfter*longest {
		return finding{words: "the warm-up was long enough"}
	}
	return finding{level: Warn, size: longest, words: fmt.Sprintf(
		"the warm-up of %s is shorter than twice the slowest request, %s", phrase.Duration(warmup), phrase.Duration(longest))}
}

// hasWarmup reports whether a repetition was to measure a steady state.
func (in *definitions) hasWarmup(r *record.Record) bool {
	l := in.definition(r).Load
	return r.Load != nil && l != nil && (l.Requests == 0 || l.Warmup > 0)
}

// Headline says why nothing that an article leads with can rest on a repetition: its window is too short, or its
// generator was too busy. It is empty if something can.
//
// Source: docs/validity.md#headline-claims.
func Headline(r *record.Record) string {
	if r.Failure != "" || r.Load == nil {
		return ""
	}
	return cmp.Or(ShortWindow(r.Load.Window), busyAbove(r.Load.Busy, busyHeadline))
}

// ShortWindow says that nothing that an article leads with can rest on a window of so many seconds; empty if it can.
func ShortWindow(seconds float64) string {
	if seconds >= longEnough {
		return ""
	}
	return fmt.Sprintf("its window of %s is shorter than 1 s", phrase.Duration(seconds))
}

func busyAbove(share, limit float64) string {
	if share <= limit {
		return ""
	}
	return "its load generator was busy " + phrase.PercentBeside(share, limit, busyHeadline)
}

// Usual is what is said of half of some repetitions or more, in the words for the last of them; empty if it is of
// fewer.
func Usual(records []*record.Record, say func(*record.Record) string) (words string) {
	n := 0
	for _, r := range records {
		if said := say(r); said != "" {
			n, words = n+1, said
		}
	}
	if 2*n < len(records) {
		return ""
	}
	return words
}
