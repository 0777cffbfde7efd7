package show

import (
	"encoding/json"
	"strings"
	"testing"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
)

// A claim is shown with its effect by all repetitions, where a check of their result left some out.
func TestShowClaimWithAll(t *testing.T) {
	judgement := func(v stats.Verdict, x float64) claim.Judgement {
		return claim.Judgement{Claim: &article.Claim{}, Verdict: v,
			Effect: &dataset.Quantity{Number: x, Interval: &stats.Interval{Lo: x - 1, Hi: x + 1}}}
	}
	without, all := judgement(stats.Supported, 5), judgement(stats.Inconclusive, 3)
	with := without
	with.All, with.Marks = &all, []string{"with all repetitions the verdict would be inconclusive"}
	for _, tt := range []struct {
		name, want string
		shown      claim.Judgement
	}{
		{"with all", `"value":5,"lo":4,"hi":6,"because":"5 [4 to 6]; with all repetitions the verdict would be ` +
			`inconclusive","invalid":false,"with_all":{"verdict":"inconclusive","value":3,"lo":2,"hi":4}}`, with},
		{"none left out", `"value":5,"lo":4,"hi":6,"because":"5 [4 to 6]","invalid":false}`, without},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := json.Marshal(showClaim(&tt.shown))
			if err != nil || !strings.HasSuffix(string(got), tt.want) {
				t.Errorf("%s, %v; want %s at its end", got, err, tt.want)
			}
		})
	}
}
