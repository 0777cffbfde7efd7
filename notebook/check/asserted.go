package check

import (
	"benchbook/notebook/claim"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// Asserted warns of words in the text that are bound to a claim which the records do not support.
//
// Source: docs/claims.md#sentences.
func Asserted(results *claim.Results, problems *source.Problems) {
	verdicts := map[string]stats.Verdict{}
	for _, j := range results.Claims {
		verdicts[j.Claim.Name.Value] = j.Verdict
	}
	for _, s := range results.Data.Doc.Statements() {
		verdict, isKnown := verdicts[s.Claim.Value]
		if isKnown && verdict != stats.Supported && results.Applies(s.Part) {
			problems.Warn("asserts-what-does-not-hold", s.Claim.Pos, "these words state a claim that is %s here", verdict).
				Hint = "write " + s.Instead() + " for the sentence of what was measured, and says: in the claim for one of yours"
		}
	}
}
