package show

import (
	"fmt"
	"math"

	"benchbook/notebook/record"
	"benchbook/render/wording"
)

// FoundWords says what a search came to.
func FoundWords(s *record.Search) string {
	rate := wording.UnitFor("1/s", false)
	switch {
	case s.Reason != "":
		return "no value found: " + s.Reason
	case s.Kind == record.SearchTune:
		words := wording.Plain.Tuned(float64(s.Chosen), s.Lo, s.Hi)
		if s.Matters >= 1 {
			words += fmt.Sprintf(", the best %.2g times as good as the worst", s.Matters)
		}
		return words + " (" + stopWords[s.Stop] + ")"
	case s.Hi == 0:
		return rate.Capacity(s.Lo, math.Inf(1))
	}
	return rate.Capacity(s.Lo, s.Hi)
}

// stopWords say why a search for a value ended.
var stopWords = map[string]string{
	record.StopWorse: "larger ones were no better", record.StopLimit: "up to the largest allowed",
	record.StopBudget: "until its budget was over",
	record.StopPoints: "as many as this profile tries", record.StopOnly: "the only one allowed",
}
