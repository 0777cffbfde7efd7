package claim

import (
	"strings"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/recordtest"
)

// What the original found is written as the effect of the claim is.
func TestPublished(t *testing.T) {
	const ratio = `throughput{server="a"} > throughput{server="b"}`
	for _, tt := range []struct {
		name, expect, published string
		want                    float64
		wrong                   string
	}{
		{"nothing", ratio, "", 0, ""},
		{"a ratio", ratio, "1.26", 1.26, ""},
		{"a difference", ratio, "26%", 1.26, ""},
		{"a difference below", ratio, "-22%", 0.78, ""},
		{"no ratio", ratio, "-2", 0, "a ratio is more than 0, and -2 is not"},
		{"a time for a ratio", ratio, "12ms", 0, "the claim is about a ratio, and 12ms is none"},
		{"a formula", ratio, "1.2 * 2", 0, "what the original found is not a number"},
		{"a value", `latency.p50{server="a"} < 100ms`, "12ms", 0.012, ""},
		{"a value of another unit", `latency.p50{server="a"} < 100ms`, "12/s", 0,
			"the claim is about a time in s, and 12/s is none"},
		{"a difference of shares", `fewer(failed{server="a"}, failed{server="b"})`, "4.3%", 0.043, ""},
		{"a number for shares", `fewer(failed{server="a"}, failed{server="b"})`, "4", 0,
			"the claim is about a difference of shares, and 4 is none"},
		{"pairs", `every(throughput{server="a"}, ">", throughput{server!="a"})`, "2", 2, ""},
		{"more pairs than there are", `every(throughput{server="a"}, ">", throughput{server!="a"})`, "3", 0,
			"the claim has 2 comparisons, and 3 is not a number of them"},
		{"parts", ratio + ` and throughput{server="a"} > 1/s`, "1", 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var keys []string
			if tt.published != "" {
				keys = []string{"published: " + tt.published}
			}
			d := measuredServers(t, recordtest.Claimed(tt.expect, keys...)).dataset(dataset.Options{})
			j := JudgeAll(d).Claims[0]
			if got, ok := j.Published(); ok != (tt.want != 0) || ok && !recordtest.CloseTo(got, tt.want) {
				t.Errorf("got %v, %v; want %v", got, ok, tt.want)
			}
			err := CheckPublished(d, d.Doc.Claims[0])
			if (err == nil) != (tt.wrong == "") || err != nil && !strings.HasPrefix(err.Error(), tt.wrong+": ") {
				t.Errorf("got %v, want %q", err, tt.wrong)
			}
		})
	}
}
