package validity

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
)

// Limits of how late our own programs may be, at the percentile 99: the millisecond that they promise, and ten times
// that, which is a difference that counts against any delay below 200 ms.
const (
	delayOK   = time.Millisecond
	delayWarn = 10 * time.Millisecond
)

// The facts that tell by how much the link before a service, or an origin, was late.
const (
	lateLink   = "link.late."
	lateOrigin = "origin.late."
)

// latePercentile finds the percentile 99 in such a fact: "p50 30µs, p99 90µs, max 1.2ms of 5000".
var latePercentile = regexp.MustCompile(`\bp99 ([^,]+),`)

// hasDelays reports whether links or origins of ours took part. What they told would be there: one that nothing went
// through is silent.
func hasDelays(r *record.Record) bool {
	for fact := range r.Facts {
		if strings.HasPrefix(fact, lateLink) || strings.HasPrefix(fact, lateOrigin) {
			return true
		}
	}
	return false
}

// judgeDelays asks whether links and origins kept what comes later than it would without them as long as the article
// says. They are woken like any program, and wait for a core where services keep them busy.
//
// Source: docs/validity.md#checks, delays.
func judgeDelays(r *record.Record) finding {
	worst := notChecked(untold)
	for _, fact := range slices.Sorted(maps.Keys(r.Facts)) {
		what := "the link before "
		service, ok := strings.CutPrefix(fact, lateLink)
		if !ok {
			what = "origin "
			if service, ok = strings.CutPrefix(fact, lateOrigin); !ok {
				continue
			}
		}
		found := latePercentile.FindStringSubmatch(r.Facts[fact])
		if found == nil {
			continue
		}
		late, err := time.ParseDuration(found[1])
		if err != nil {
			continue
		}
		f := graded(late.Seconds(), delayOK.Seconds(), delayWarn.Seconds(), true,
			fmt.Sprintf("%s%s was %s late at the percentile 99 (ok up to %s)", what, service, phrase.Duration(late.Seconds()),
				phrase.Duration(delayOK.Seconds())))
		if worst.level == NotChecked || f.worse(worst) {
			worst = f
		}
	}
	return worst
}
