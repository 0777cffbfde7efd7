package dataset

import (
	"strings"
	"testing"

	"benchbook/notebook/plan"
	"benchbook/notebook/source"
)

// What a profile takes off an axis belongs to the others, where it is right: it is no mistake in this one, and not measured.
func TestValuesOfAnotherProfile(t *testing.T) {
	const experiment = "name: servers\nservices: {server: {image: x, expose: [\"80\"]}}\nmatrix: {server: [a, b, c]}\n" +
		"load: {target: 'http://server/', requests: 10}\nprofiles: {quick: {matrix: {server: [a, b]}}, wide: {matrix: {server: [a, b, c, d]}}, one: {matrix: {server: [a]}}}"
	tests := []struct{ name, block, profile, want string }{
		{"a claim", fence("claim", `name: c
expect: throughput{server="a"} > throughput{server="c"}`), "quick", ""},
		{"a claim in full", fence("claim", `name: c
expect: throughput{server="a"} > throughput{server="c"}`), "full", ""},
		{"a claim about what another profile adds", fence("claim", `name: c
expect: throughput{server="a"} > throughput{server="d"}`), "full", ""},
		{"a claim about nothing", fence("claim", `name: c
expect: throughput{server="a"} > throughput{server="e"}`), "quick", "no-cell"},
		{"the best", fence("claim", `name: c
expect: best(throughput) == "c"`), "quick", ""},
		{"the best of one", fence("claim", `name: c
expect: best(throughput) == "a"`), "one", ""},
		{"a list that is short in another profile", fence("claim", `name: c
expect: throughput > 5/s`), "full", "several-cells"},
		{"a value", "It answers `{value} throughput{server=\"c\"}` times.\n", "quick", ""},
		{"a value of nothing", "It answers `{value} throughput{server=\"e\"}` times.\n", "quick", "no-cell"},
		{"a filter", fence("table", "label: tbl-a\nrows: [server]\ncolumns: [throughput]\nwhere: server == \"c\""), "quick", ""},
		{"a filter for nothing", fence("table", "label: tbl-a\nrows: [server]\ncolumns: [throughput]\nwhere: server == \"e\""), "quick", "no-cell"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, frontMatter+fence("experiment", experiment)+tt.block)
			p, err := b.plan(tt.profile)
			if err != nil {
				t.Fatal(err)
			}
			var problems source.Problems
			Check(b.doc, p, &problems)
			var rules []string
			for _, p := range problems.Sorted() {
				rules = append(rules, string(p.Rule))
			}
			if got := strings.Join(rules, " "); got != tt.want {
				t.Errorf("problems %q, want %q: %v", got, tt.want, problems.Sorted())
			}
		})
	}

	b := newBench(t, frontMatter+fence("experiment", experiment)+tests[0].block)
	p, err := b.plan(plan.Quick)
	if err != nil {
		t.Fatal(err)
	}
	j := assemble(b.doc, p, nil).Judge(b.doc.Claims[0])
	if want := "it belongs to profile full, and profile quick leaves it out"; !strings.Contains(j.Reason, want) {
		t.Errorf("the claim is judged %+v, want that %s", j, want)
	}
}
