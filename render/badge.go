package render

import (
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// Badge shows a standing or verdict: a glyph and a colour by Class, and always the Word.
type Badge struct {
	Class   string // of the style sheet, such as "is-reproduced"
	Word    string // such as "Direction only"
	Filter  string // the name by which an index picks articles; empty for verdicts
	Meaning string // in a sentence; empty for verdicts
}

// Standings lists the badges of all standings in the order of an index: docs/claims.md#standing.
func Standings() []Badge {
	return []Badge{
		{"is-reproduced", "Reproduced", "reproduced",
			"Order and sizes agree with what was published, and every headline claim is supported."},
		{"is-direction", "Direction only", "direction",
			"The published order holds here; the sizes do not, or a headline claim is not decided."},
		{"is-not", "Not reproduced", "not", "The published order does not hold here, or a headline claim is contradicted."},
		{"is-reproduced", "Holds", "holds", "No published numbers to compare with; every headline claim is supported."},
		{"is-direction", "Holds in part", "part", "Some headline claims are supported, and none is contradicted."},
		{"is-not", "Does not hold", "doesnot", "A headline claim is contradicted."},
		{"is-quick", "Quick only", "quick", "Measured with the quick profile: values are shown, under a banner."},
		{"is-not", "Failed", "failed", "Every repetition failed, so there are no results."},
		{"is-measured", "Measured", "measured",
			"There are results, but no headline claim, or they are too noisy to decide one."},
		{"is-none", "Not measured", "none", "Not run yet, or too little was measured to draw a conclusion."},
	}
}

func StandingBadge(s stats.Standing) Badge {
	word := map[stats.Standing]string{
		stats.Reproduced: "Reproduced", stats.DirectionOnly: "Direction only", stats.NotReproduced: "Not reproduced",
		stats.Holds: "Holds", stats.HoldsInPart: "Holds in part", stats.DoesNotHold: "Does not hold",
		stats.QuickOnly: "Quick only", stats.StandingFailed: "Failed",
		stats.StandingMeasured: "Measured",
	}[s]
	marks := Standings()
	for _, m := range marks {
		if m.Word == word {
			return m
		}
	}
	return marks[len(marks)-1]
}

func VerdictBadge(v stats.Verdict) Badge {
	if v == stats.NotMeasured || v == "" {
		return Badge{Class: "is-none", Word: "Not measured"}
	}
	return Badge{Class: "is-" + string(v), Word: wording.Capital(string(v))}
}
