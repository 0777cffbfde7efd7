package render

import (
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// Mark is a standing or verdict as pages show it: a glyph and a colour by Class, and always the Word.
type Mark struct {
	Class   string // of the style sheet, such as "is-reproduced"
	Word    string // such as "Direction only"
	Filter  string // the name by which an index picks articles; empty for verdicts
	Meaning string // in a sentence; empty for verdicts
}

// Standings lists all marks of standings, in the order in which an index explains them.
//
// Source: docs/claims.md#standing; docs/results.md.
func Standings() []Mark {
	return []Mark{
		{"is-reproduced", "Reproduced", "reproduced",
			"Order and sizes agree with what was published, and every headline claim is supported."},
		{"is-direction", "Direction only", "direction", "The published order holds here; the sizes do not, or a headline claim is not decided."},
		{"is-not", "Not reproduced", "not", "The published order does not hold here, or a headline claim is contradicted."},
		{"is-reproduced", "Holds", "holds", "Nothing was published to compare with; every headline claim is supported."},
		{"is-direction", "Holds in part", "part", "Some headline claims are supported, none is contradicted."},
		{"is-not", "Does not hold", "doesnot", "A headline claim is contradicted."},
		{"is-quick", "Quick only", "quick", "Measured with the quick profile: values are shown, under a banner."},
		{"is-not", "Failed", "failed", "There are repetitions, and every one failed: nothing is measured."},
		{"is-measured", "Measured", "measured", "There are results, and no headline claim, or they are too noisy to decide."},
		{"is-none", "Not measured", "none", "Written and not run, or too little was measured to say anything."},
	}
}

// StandingMark is the mark of a standing.
func StandingMark(s stats.Standing) Mark {
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

// VerdictMark is the mark of a verdict.
func VerdictMark(v stats.Verdict) Mark {
	if v == stats.NotMeasured || v == "" {
		return Mark{Class: "is-none", Word: "Not measured"}
	}
	return Mark{Class: "is-" + string(v), Word: wording.Capital(string(v))}
}
