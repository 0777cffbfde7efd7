package outcome

import (
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// A claim without a number is headed by what its author claims, not by the reason.
func TestHeadingOfNotMeasured(t *testing.T) {
	for text, want := range map[string]string{
		"A pool is twice as fast.": "not measured: A pool is twice as fast",
		"":                         "not measured: others used 57 % of the CPU",
	} {
		j := claim.Judgement{Claim: &article.Claim{Text: source.Text{Value: text}}, Verdict: stats.NotMeasured,
			Reason: "others used 57 % of the CPU"}
		assert.Equal(t, notMeasured(&j), want)
	}
}
