package article

import (
	"testing"

	"benchbook/notebook/source"
)

// Links lead where Markdown says, wherever their destinations stand, and each has the place of what was written.
func TestDestinationsAreResolved(t *testing.T) {
	const prose = "[a](https://example.org/?a=1&amp;b=2) ![b](a\\_b.png) [c][ref] <https://example.org/?x&amp;y>\n\n" +
		"[ref]: https://example.org/&#95;\n\n" +
		"[d](claim:a\\_b) [](#fig-a\\_b)\n"
	doc := Parse(t.TempDir(), source.New("article.md", []byte(head+prose)))
	want := []string{"https://example.org/?a=1&b=2", "a_b.png", "https://example.org/_", "https://example.org/?x&amp;y"}
	links := doc.Links()
	if len(links) != len(want) {
		t.Fatalf("got %v", links)
	}
	for i, l := range links {
		if l.Destination != want[i] {
			t.Errorf("link %d leads to %q, want %q", i, l.Destination, want[i])
		}
	}
	if at := links[0].Pos; string(at.Source.Data[at.Start:at.End]) != "https://example.org/?a=1&amp;b=2" {
		t.Errorf("it stands at %q", at.Source.Data[at.Start:at.End])
	}
	if len(doc.ClaimLinks) != 1 || doc.ClaimLinks[0].Name.Value != "a_b" || len(doc.References) != 1 ||
		doc.References[0].Label.Value != "fig-a_b" {
		t.Errorf("claims %v, references %v", doc.ClaimLinks, doc.References)
	}
}
