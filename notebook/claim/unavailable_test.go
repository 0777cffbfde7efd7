package claim

import (
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// measuredWithGone has all that can be measured of recordtest.ServersWithGone, and a claim.
func measuredWithGone(t *testing.T, expect string) *fixture {
	text := recordtest.FrontMatter + recordtest.Dockerfile + recordtest.Fence("experiment", recordtest.ServersWithGone)
	if expect != "" {
		text = strings.ReplaceAll(recordtest.Claimed(expect), recordtest.Servers, recordtest.ServersWithGone)
	}
	return measuredServers(t, text)
}

// A claim over a list is about what can be measured, and says what it leaves out.
func TestUnavailableInClaims(t *testing.T) {
	tests := []struct {
		expect, reason string
		want           stats.Verdict
		marked         bool
	}{
		{`every(throughput{server="a"}, ">", throughput{server!="a"})`, "", stats.Supported, true},
		{`geomean(throughput{server!="b"}) > geomean(throughput{server="c"})`, "", stats.Supported, true},
		{`throughput{server="a"} > throughput{server="b"}`, "", stats.Supported, false},
		{`throughput{server="a"} > throughput{server="gone"}`, "throughput, gone: unavailable: it has no package",
			stats.NotMeasured, false},
	}
	for _, tt := range tests {
		t.Run(tt.expect, func(t *testing.T) {
			j := measuredWithGone(t, tt.expect).judge()
			if j.Verdict != tt.want || j.Reason != tt.reason || slices.Contains(j.Marks, recordtest.LeftGone) != tt.marked {
				t.Errorf("got %s, %q with marks %q; want %s, %q, marked %v", j.Verdict, j.Reason, j.Marks, tt.want, tt.reason,
					tt.marked)
			}
		})
	}
}
