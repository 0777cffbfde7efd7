package check

import (
	"testing"

	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// Words that are bound to a claim are warned of unless the records support it. Its sentence always holds.
func TestAsserted(t *testing.T) {
	for _, tt := range []struct{ name, expect, prose, want string }{
		{"a supported claim", `throughput{server="a"} > throughput{server="b"}`, "[a is faster](claim:c).", ""},
		{"a contradicted one", `throughput{server="a"} < throughput{server="b"}`, "[a is slower](claim:c).", "c"},
		{"an undecided one", `ratio(throughput{server="a"}, throughput{server="b"}) > 1.2`, "[a is faster](claim:c).", "c"},
		{"one that is not measured", `bytes.in{server="a"} > 1B/s`, "[a reads](claim:c).", "c"},
		{"in a heading", `throughput{server="a"} < throughput{server="b"}`, "## [a is slower](claim:c)", "c"},
		{"its sentence", `throughput{server="a"} < throughput{server="b"}`, "[](claim:c)", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := recordtest.Claimed(tt.expect) + tt.prose + "\n"
			var problems source.Problems
			Asserted(claim.JudgeAll(measuredServers(t, text).dataset(dataset.Options{})), &problems)
			got := ""
			for _, p := range problems.Sorted() {
				got += text[p.Pos.Start:p.Pos.End]
				if p.Severity != source.SeverityWarning || p.Rule != "asserts-what-does-not-hold" {
					t.Errorf("got %v", p)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
