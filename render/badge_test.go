package render

import (
	"strings"
	"testing"

	"benchbook/notebook/claim"
	"benchbook/notebook/stats"
)

// A standing without a mark of its own would be shown as not measured.
func TestOfStanding(t *testing.T) {
	filters := map[string]bool{}
	for _, s := range []stats.Standing{stats.Reproduced, stats.PartlyReproduced, stats.NotReproduced, stats.Holds,
		stats.PartlyHolds, stats.DoesNotHold, stats.Undecided,
		stats.StandingFailed, stats.StandingMeasured, stats.StandingNotMeasured} {
		m := StandingBadge(claim.Standing{Is: s})
		if !strings.EqualFold(m.Word, string(s)) || filters[m.Filter] {
			t.Errorf("%q is marked %+v", s, m)
		}
		filters[m.Filter] = true
	}
	if len(StandingBadges()) != len(filters) {
		t.Errorf("%d marks of %d standings", len(StandingBadges()), len(filters))
	}
	if m := StandingBadge(claim.Standing{Is: stats.PartlyHolds, Count: "2 of 3"}); m.Word != "Partly holds, 2 of 3" {
		t.Errorf("with its count: %+v", m)
	}
}
