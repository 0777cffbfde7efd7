// Package badge shows standings and verdicts: a glyph, a colour and a word for each.
package render

import (
	"slices"

	"benchbook/notebook/claim"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// Badge shows a standing or verdict: a glyph and a colour by Class, and always the Word.
type Badge struct {
	Class   string // of the style sheet, such as "is-reproduced"
	Word    string // such as "Partly reproduced, 2 of 3"
	Filter  string // the name by which an index picks articles; empty for verdicts
	Meaning string // in a sentence; empty for verdicts
}

// Standings lists the badges of all standings in the order of an index: docs/claims.md#standing.
func StandingBadges() []Badge {
	return []Badge{
		{"is-reproduced", "Reproduced", "reproduced", "Every headline claim about what was published is supported."},
		{"is-direction", "Partly reproduced", "partly",
			"Some headline claims are supported, or hold for most of their pairs."},
		{"is-not", "Not reproduced", "not", "No headline claim is supported, and one or more are contradicted."},
		{"is-reproduced", "Holds", "holds", "No published numbers to compare with; every headline claim is supported."},
		{"is-direction", "Partly holds", "part", "No published numbers to compare with; some headline claims are supported."},
		{"is-not", "Does not hold", "doesnot",
			"No published numbers to compare with; no headline claim is supported, and one or more are contradicted."},
		{"is-inconclusive", "Undecided", "undecided", "No headline claim is supported, and none is contradicted."},
		{"is-not", "Failed", "failed", "Every repetition failed, so there are no results."},
		{"is-measured", "Measured", "measured", "There are results, but no headline claim, or some are not measured yet."},
		{"is-none", "Not measured", "none", "Not run yet."},
	}
}

// OfStanding shows a standing with its count: "Partly reproduced, 2 of 3".
func StandingBadge(s claim.Standing) Badge {
	mark := PlainBadge(s)
	if s.Count != "" {
		mark.Word += ", " + s.Count
	}
	return mark
}

// WithoutCount shows a standing without its count.
func PlainBadge(s claim.Standing) Badge {
	marks := StandingBadges()
	i := slices.IndexFunc(marks, func(m Badge) bool { return m.Word == wording.Capital(string(s.Is)) })
	if i < 0 {
		return marks[len(marks)-1]
	}
	return marks[i]
}

// OfVerdict shows a verdict.
func VerdictBadge(v stats.Verdict) Badge {
	if v == stats.NotMeasured || v == "" {
		return Badge{Class: "is-none", Word: "Not measured"}
	}
	if v == stats.Stronger {
		return Badge{Class: "is-stronger", Word: wording.Capital(string(v))}
	}
	return Badge{Class: "is-" + string(v), Word: wording.Capital(string(v))}
}
