package article

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// A part knows its condition and where that stands, and what stands in it.
func TestParts(t *testing.T) {
	data, err := os.ReadFile("testdata/good/parts.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := parseText(t, string(data))
	var got []string
	for _, p := range doc.Parts {
		words := fmt.Sprintf("%s %q", p.Claim.Value, p.Verdicts)
		if p.Test != nil {
			words = p.Test.String()
			if at := p.TestText.Pos; string(data[at.Start:at.End]) != words {
				t.Errorf("the test stands at %q", data[at.Start:at.End])
			}
		} else if at := p.Claim.Pos; string(data[at.Start:at.End]) != p.Claim.Value {
			t.Errorf("the claim stands at %q", data[at.Start:at.End])
		}
		if outer := ConditionalPartOf(p); outer != nil {
			words += " in " + string(data[outer.Place.Start:outer.Place.End])
		}
		got = append(got, words)
	}
	want := []string{
		`slower ["supported"]`,
		`leaner ["supported" "not measured"] in ::: when slower supported`,
		`leaner ["contradicted" "inconclusive"] in ::: when slower supported`,
		`slower ["contradicted" "inconclusive"]`,
		`time.real{size="large"} > 1s in ::: when slower contradicted or inconclusive`,
		`slower ["not measured"]`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if doc.Tables[0].Part != doc.Parts[0] {
		t.Error("the table does not stand in the first part")
	}
	if n := len(doc.Tests()); n != 1 {
		t.Errorf("%d tests, want 1", n)
	}
}
