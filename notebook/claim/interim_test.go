package claim

import (
	"testing"

	"benchbook/notebook/stats"
)

// A reason is about the printed interval only where that does not decide the claim, also in the parts of a group.
func TestReasonAtStricterLevel(t *testing.T) {
	open := Judgement{Test: Test{What: "a"}, Verdict: stats.Inconclusive,
		Reason: reasonLimit + ", and more than 160 repetitions would be needed to change that"}
	onLimit := Judgement{Test: Test{What: "b"}, Verdict: stats.Inconclusive, Reason: reasonOnLimit}
	group := func(parts ...Judgement) Judgement {
		j := Judgement{Verdict: stats.Inconclusive, Parts: parts}
		j.Needed, j.Reason = undecidedParts(parts)
		return j
	}
	decided := Judgement{Verdict: stats.Supported}
	for _, tt := range []struct {
		name       string
		j, printed Judgement
		want       string
	}{
		{"decided by the printed interval", open, decided,
			"the interval at the stricter level includes the limit of the claim, and more than 160 repetitions would be " +
				"needed to change that"},
		{"not decided by either", open, open, open.Reason},
		{"on its limit at any level", onLimit, decided, reasonOnLimit},
		{"a part", group(open, onLimit), group(decided, onLimit), "2 of 2 parts undecided, the first: a: the interval at " +
			"the stricter level includes the limit of the claim, and more than 160 repetitions would be needed to change that"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := tt.j
			if j.showEffectsOf(&tt.printed); j.Reason != tt.want {
				t.Errorf("because %q, want %q", j.Reason, tt.want)
			}
		})
	}
}
