package check

import (
	"strings"
	"testing"

	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// A sentence has one mark of a claim, and a paragraph three.
func TestMarks(t *testing.T) {
	const fixed, said = "[it is slow](claim:c)", "[](claim:c)"
	for _, tt := range []struct{ name, prose, want string }{
		{"one", "So " + fixed + ".", ""},
		{"three sentences", "So " + fixed + ". And " + fixed + ". But " + fixed + ".", ""},
		{"sentences of claims", said + " " + said + "\n" + said, ""},
		{"behind a colon", "Here: " + said + " " + said, ""},
		{"two in a sentence", "So " + fixed + ", and " + fixed + ".", "the second mark of this sentence"},
		{"one that goes on", said + ", and " + fixed + ".", "the second mark of this sentence"},
		{"within emphasis", "So " + fixed + ", and *" + fixed + "*.", "the second mark of this sentence"},
		{"four", said + " " + said + " " + said + " " + said + " " + said, "the fourth mark of this paragraph"},
		{"in two paragraphs", said + " " + said + "\n\n" + said + " " + said, ""},
		{"in a list", "- " + said + "\n- " + said + "\n- " + said + "\n- " + said, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t, recordtest.Claimed(`throughput{server="a"} > throughput{server="b"}`)+tt.prose+"\n")
			var problems source.Problems
			Marks(b.Doc, &problems)
			var got []string
			for _, p := range problems.Sorted() {
				got = append(got, p.Message)
				if p.Rule != "too-many-marks" || p.Severity != source.SeverityWarning || p.Hint == "" {
					t.Errorf("got %v", p)
				}
			}
			if words := strings.Join(got, "; "); words != tt.want {
				t.Errorf("got %q, want %q", words, tt.want)
			}
		})
	}
}
