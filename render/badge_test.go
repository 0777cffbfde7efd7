package render

import (
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/claim"
	"benchbook/notebook/stats"
)

// Each standing has its own badge.
func TestOfStanding(t *testing.T) {
	words := map[string]bool{}
	for _, s := range []stats.Standing{stats.Reproduced, stats.PartlyReproduced, stats.NotReproduced, stats.Holds,
		stats.PartlyHolds, stats.DoesNotHold, stats.Undecided,
		stats.StandingFailed, stats.StandingMeasured, stats.StandingNotMeasured} {
		m := StandingBadge(claim.Standing{Is: s})
		if !strings.EqualFold(m.Word, string(s)) || words[m.Word] {
			t.Errorf("%q is marked %+v", s, m)
		}
		words[m.Word] = true
	}
	assert.Equal(t, len(StandingBadges()), len(words), "marks")
}
