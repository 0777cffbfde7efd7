package claim

import (
	"slices"
	"testing"

	"benchbook/notebook/plan"
)

// With six repetitions the order statistics of the median reach 96.9 %, with seven 98.4 %, with eight 99.2 %.
func TestUnbounded(t *testing.T) {
	tests := []struct {
		name, expect, repetitions string
		want                      []string
	}{
		{"one part", `'time.real{n="1"} < 5s'`, "6", nil},
		{"two parts", `'time.real{n="1"} < 5s and time.real{n="2"} < 5s'`, "6",
			[]string{"c: one of its parts decides it only at a confidence of " +
				"97.5 %, for which 6 repetitions are too few; use 7"}},
		{"two parts with enough", `'time.real{n="1"} < 5s and time.real{n="2"} < 5s'`, "7", nil},
		{"four parts", `'time.real{n="1"} < 5s or time.real{n="2"} < 5s or time.real{n="1"} > 1ms or memory.peak{n="1"} < 1GiB'`, "7",
			[]string{"c: one of its parts decides it only at a confidence of " +
				"98.75 %, for which 7 repetitions are too few; use 8"}},
		{"t on logarithms has two ends at any level", `'time.real{n="1"} < 5s and time.real{n="2"} < 5s'`, "5", nil},
		{"ratios have two ends at any level", `'time.real{n="1"} < time.real{n="2"} and time.real{n="2"} > time.real{n="1"}'`,
			"6", nil},
		{"mistaken", `'time.real{n="3"} < 5s and time.real{n="2"} < 5s'`, "6", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newFixture(t, "---\ntitle: A title\n---\n\n```yaml experiment\nname: e\nmatrix: {n: [\"1\", \"2\"]}\n"+
				"command: {image: \"debian:bookworm-slim\", run: \"sleep ${{ matrix.n }}\"}\nrepetitions: "+test.repetitions+
				"\n```\n\n"+
				"```yaml claim\nname: c\nexpect: "+test.expect+"\n```\n")
			p, err := b.Plan(plan.Full)
			if err != nil {
				t.Fatal(err)
			}
			if got := Unbounded(b.Doc, p, "e"); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got := Unbounded(b.Doc, p, "another"); got != nil {
				t.Errorf("of another experiment: %q", got)
			}
		})
	}
}
