package render

import (
	"strings"

	"benchbook/notebook/claim"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// Badge shows a standing or verdict: a glyph and a colour by Class, and always the Word.
type Badge struct {
	Class   string // of the style sheet, such as "is-reproduced"
	Word    string // such as "Partly reproduced, 2 of 3"
	Meaning string // in a sentence; empty for verdicts
}

// StandingBadges lists the badges of all standings in the order of an index: docs/claims.md#standing.
func StandingBadges() []Badge {
	return []Badge{
		{"is-reproduced", "Reproduced", "Every headline claim about what was published is supported."},
		{"is-direction", "Partly reproduced", "Some headline claims are supported, or hold for most of their pairs."},
		{"is-not", "Not reproduced", "No headline claim is supported, and one or more are contradicted."},
		{"is-reproduced", "Holds", "No published numbers to compare with; every headline claim is supported."},
		{"is-direction", "Partly holds", "No published numbers to compare with; some headline claims are supported."},
		{"is-not", "Does not hold",
			"No published numbers to compare with; no headline claim is supported, and one or more are contradicted."},
		{"is-inconclusive", "Undecided", "No headline claim is supported, and none is contradicted."},
		{"is-not", "Failed", "Every repetition failed, so there are no results."},
		{"is-measured", "Measured", "There are results, but no headline claim, or some are not measured yet."},
		{"is-none", "Not measured", "Not run yet."},
	}
}

// StandingBadge shows a standing with its count: "Partly reproduced, 2 of 3".
func StandingBadge(s claim.Standing) Badge {
	mark := PlainBadge(s)
	if s.Count != "" {
		mark.Word += ", " + s.Count
	}
	return mark
}

// PlainBadge shows a standing without its count.
func PlainBadge(s claim.Standing) Badge {
	all := StandingBadges()
	for _, mark := range all {
		if mark.Word == wording.Capital(string(s.Is)) {
			return mark
		}
	}
	return all[len(all)-1]
}

// VerdictBadge shows a verdict.
func VerdictBadge(v stats.Verdict) Badge {
	if v == stats.NotMeasured || v == "" {
		return Badge{Class: "is-none", Word: "Not measured"}
	}
	class, _, _ := strings.Cut(string(v), " ")
	return Badge{Class: "is-" + class, Word: wording.Capital(string(v))}
}
