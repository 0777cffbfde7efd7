package claim

import (
	"strings"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/recordtest"
)

// The servers answer about 1200, 1000 and 800 requests per second. Each part is called by its condition. The same hold
// once the author has changed the words around them.
func TestApplies(t *testing.T) {
	const text = "::: when c supported\n::: when `throughput{server=\"a\"} > 1/s`\n:::\n" +
		"::: when `throughput{server=\"a\"} > 1200/s`\n:::\n:::\n" +
		"::: when c contradicted\n::: when `throughput{server=\"a\"} > 2/s`\n:::\n:::\n::: when c else\n:::\n"
	for _, tt := range []struct {
		name, expect string
		measured     bool
		want         []string
	}{
		{"supported", `throughput{server="a"} > throughput{server="b"}`, true,
			[]string{"c supported", "`throughput{server=\"a\"} > 1/s`"}}, // and on 1200/s nothing is decided
		{"contradicted", `throughput{server="a"} < throughput{server="b"}`, true,
			[]string{"c contradicted", "`throughput{server=\"a\"} > 2/s`"}},
		{"inconclusive", `throughput{server="a"} > 1200/s`, true, []string{"c else"}},
		{"not measured", `throughput{server="a"} > throughput{server="b"}`, false, []string{"c else"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t, recordtest.Claimed(tt.expect)+text)
			if tt.measured {
				b = measuredServers(t, recordtest.Claimed(tt.expect)+text)
			}
			r := JudgeAll(b.dataset(dataset.Options{}))
			var got []string
			for _, p := range r.Data.Doc.Parts {
				if r.Applies(p) {
					got = append(got, strings.TrimPrefix(string(p.Place.Source.Data[p.Place.Start:p.Place.End]), "::: when "))
				}
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if !r.Applies(nil) {
				t.Error("what stands in no part does not apply")
			}
		})
	}
}
