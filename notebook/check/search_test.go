package check

import (
	"slices"
	"testing"

	"benchbook/notebook/plan"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// Mistakes in claims about what searches find are reported.
func TestSearchedClaimsAreChecked(t *testing.T) {
	for expect, want := range map[string]string{
		`capacity.rate{experiment="ceiling", server="b"} > capacity.rate{experiment="ceiling", server="a"}`:      "",
		`tune.workers{experiment="tuned", server="a"} < 9`:                                                       "",
		`same(capacity.rate{experiment="ceiling", server="b"}, capacity.rate{experiment="ceiling", server="a"})`: "",
		`geomean(capacity.rate{experiment="ceiling"}) > geomean(throughput{experiment="tuned"})`:                 "no-test",
		`capacity.rate{experiment="ceiling", server="a"} > throughput{experiment="tuned", server="a"}`:           "no-test",
	} {
		b := newFixture(t, recordtest.Searching+"```yaml claim\nname: c\nexpect: '"+expect+"'\n```\n")
		p, err := b.Plan(plan.Full)
		if err != nil {
			t.Fatal(err)
		}
		var found source.Problems
		Check(b.Doc, p, &found)
		var problems []string
		for _, problem := range found.Sorted() {
			problems = append(problems, problem.Rule)
		}
		switch {
		case want == "" && len(problems) > 0:
			t.Errorf("%s: %v", expect, problems)
		case want != "" && !slices.Contains(problems, want):
			t.Errorf("%s: %v, want %s", expect, problems, want)
		}
	}
}
