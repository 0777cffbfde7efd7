package claim

import (
	"slices"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
)

// With six repetitions the signed ranks of the median reach 96.9 %, with seven 98.4 %, with eight 99.2 %.
func TestTooFewRepetitions(t *testing.T) {
	const two = `'time.real{n="1"} < 5s and time.real{n="2"} < 5s'`
	tests := []struct {
		name, expect, repetitions string
		want                      []string
	}{
		{"one part", `'time.real{n="1"} < 5s'`, "6", nil},
		{"two parts", two, "6", []string{"one of its parts decides it only at a confidence of 97.5 %, for which 6 " +
			"repetitions are too few; write repetitions: 7 or more"}},
		{"two parts with enough", two, "7", nil},
		{"four parts",
			`'time.real{n="1"} < 5s and time.real{n="2"} < 5s and time.real{n="1"} > 1ms and memory.peak{n="1"} < 1GiB'`,
			"7", []string{"one of its parts decides it only at a confidence of 98.75 %, for which 7 repetitions are too few; " +
				"write repetitions: 8 or more"}},
		{"t on logarithms has two ends at any level", two, "5", nil},
		{"ranks of two cells", `'time.real{n="1"} < time.real{n="2"} and time.real{n="2"} > time.real{n="1"}'`, "6", nil},
		{"two repetitions", `'time.real{n="1"} < time.real{n="2"}'`, "2", []string{"a verdict needs 3 repetitions, and " +
			"experiment \"e\" has 2; write repetitions: 3 or more"}},
		{"mistaken", `'time.real{n="3"} < 5s and time.real{n="2"} < 5s'`, "6", nil},
		{"a limit that can be told", `'ratio(time.real{n="1"}, time.real{n="2"}) > 1.0015'`, "5", nil},
		{"whichever is larger", `'ratio(time.real{n="1"}, time.real{n="2"}) > 1'`, "5", nil},
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
			var got []string
			d := dataset.WithoutRecords(b.Doc, p)
			for _, doubt := range Undecidable(d) {
				got = append(got, doubt.Words+"; "+doubt.Hint)
				if doubt.Experiment != "e" {
					t.Errorf("it is of experiment %q", doubt.Experiment)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			var problems source.Problems
			Warn(Undecidable(d), &problems)
			for _, p := range problems.Sorted() {
				if p.Severity != source.SeverityWarning || p.Hint == "" || p.Pos != b.Doc.Claims[0].Expect.Text.Pos {
					t.Errorf("no warning at the claim with a way out: %+v", p)
				}
			}
		})
	}
}
