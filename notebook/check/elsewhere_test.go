package check

import (
	"strings"
	"testing"

	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// What a profile takes off an axis belongs to the others, where it is right: it is no mistake in this one, and not
// measured.
func TestValuesOfAnotherProfile(t *testing.T) {
	const experiment = "name: servers\nservices: {server: {image: x, expose: [\"80\"]}}\nmatrix: {server: [a, b, c]}\n" +
		"load: {target: 'http://server/', requests: 10}\n" +
		"profiles: {quick: {matrix: {server: [a, b]}}, wide: {matrix: {server: [a, b, c, d]}}, one: {matrix: {server: [a]}}}"
	tests := []struct{ name, block, profile, want string }{
		{"a claim", recordtest.Fence("claim", `name: c
expect: throughput{server="a"} > throughput{server="c"}`), "quick", ""},
		{"a claim in full", recordtest.Fence("claim", `name: c
expect: throughput{server="a"} > throughput{server="c"}`), "full", ""},
		{"a claim about what another profile adds", recordtest.Fence("claim", `name: c
expect: throughput{server="a"} > throughput{server="d"}`), "full", ""},
		{"a claim about nothing", recordtest.Fence("claim", `name: c
expect: throughput{server="a"} > throughput{server="e"}`), "quick", "no-cell"},
		{"a list that is short in another profile", recordtest.Fence("claim", `name: c
expect: throughput > 5/s`), "full", "several-cells"},
		{"a value", "It answers `{value} throughput{server=\"c\"}` times.\n", "quick", ""},
		{"a value of nothing", "It answers `{value} throughput{server=\"e\"}` times.\n", "quick", "no-cell"},
		{"a filter", recordtest.Fence("table", "label: tbl-a\nrows: [server]\ncolumns: [throughput]\nwhere: server == \"c\""),
			"quick", ""},
		{"a filter for nothing", recordtest.Fence("table",
			"label: tbl-a\nrows: [server]\ncolumns: [throughput]\nwhere: server == \"e\""), "quick", "no-cell"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t, recordtest.FrontMatter+recordtest.Fence("experiment", experiment)+tt.block)
			p, err := b.Plan(tt.profile)
			if err != nil {
				t.Fatal(err)
			}
			var problems source.Problems
			Check(b.Doc, p, &problems)
			var rules []string
			for _, p := range problems.Sorted() {
				rules = append(rules, string(p.Rule))
			}
			if got := strings.Join(rules, " "); got != tt.want {
				t.Errorf("problems %q, want %q: %v", got, tt.want, problems.Sorted())
			}
		})
	}

	b := newFixture(t, recordtest.FrontMatter+recordtest.Fence("experiment", experiment)+tests[0].block)
	p, err := b.Plan(plan.Quick)
	if err != nil {
		t.Fatal(err)
	}
	j := claim.Judge(dataset.WithoutRecords(b.Doc, p), b.Doc.Claims[0])
	if want := "it belongs to profile full, and profile quick leaves it out"; !strings.Contains(j.Reason, want) {
		t.Errorf("the claim is judged %+v, want that %s", j, want)
	}
}
