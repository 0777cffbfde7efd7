package claim

import (
	"testing"

	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// The ratio of a to b is 1.2 [1.16 to 1.26], and of b to a 0.83 [0.80 to 0.86].
func TestOutcomeStrongerThanClaimed(t *testing.T) {
	const ab, ba = `throughput{server="a"}, throughput{server="b"}`, `throughput{server="b"}, throughput{server="a"}`
	for _, tt := range []struct {
		expect string
		want   stats.Verdict
	}{
		{"about(" + ab + ", 1.2)", stats.Supported},
		{"about(" + ab + ", 1.1, 3%)", stats.Stronger},
		{"about(" + ab + ", 2)", stats.Contradicted},       // weaker
		{"about(" + ab + ", 0.9, 3%)", stats.Contradicted}, // the other way
		{"about(" + ab + ", 1.1, 20%)", stats.Supported},   // the region has both sides of no effect
		{"about(" + ba + ", 0.9, 2%)", stats.Stronger},     // less than one
		{"about(" + ba + ", 0.5)", stats.Contradicted},     // weaker
		{"same(" + ab + ")", stats.Contradicted},           // no effect is claimed
		{"within(" + ab + ", 10%)", stats.Contradicted},    // likewise
		{"about(" + ab + ", 1.5)", stats.Inconclusive},     //
		{"ratio(" + ba + ") > 1.1", stats.Contradicted},    // not a claim of a size
		{"about(" + ab + ", 1.1, 3%) and about(" + ba + ", 0.9, 2%)", stats.Stronger},
		{"about(" + ab + ", 1.1, 3%) and about(" + ba + ", 0.83)", stats.Stronger},
		{"about(" + ab + ", 1.1, 3%) and about(" + ab + ", 2)", stats.Contradicted},
	} {
		t.Run(tt.expect, func(t *testing.T) {
			j := measuredServers(t, recordtest.Claimed(tt.expect)).judge()
			if got := j.Outcome(); got != tt.want {
				t.Errorf("outcome %q, verdict %s, effect %+v; want %q", got, j.Verdict, j.Effect, tt.want)
			}
			if tt.want == stats.Stronger && j.Verdict != stats.Contradicted {
				t.Errorf("the verdict is %s", j.Verdict)
			}
		})
	}
}
