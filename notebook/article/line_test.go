package article

import (
	"strings"
	"testing"

	"benchbook/notebook/source"
)

// Titles and their like are one line, however they are written, and keep their places.
func TestLinesOfYAMLAreOneLine(t *testing.T) {
	const text = "---\ntitle: |\n  A title\n  of lines\ndescription: >\n  One\n\n  two\nauthors: [\"A\\nB\"]\n" +
		"tags: [\"x\\ty\"]\n" +
		"reproduces: {title: \"A\\rwork\"}\n---\n\n" +
		"```yaml claim\nname: c\ntext: |\n  One\n  `{value} throughput{`\nexpect: throughput > 5/s\n```\n\n" +
		"```yaml table\nlabel: tbl-x\ntitle: |\n  A table\n  of lines\ncaption: |+\n  One\n  two\n\n" +
		"```\n\n" +
		"```yaml figure\nlabel: fig-x\ntitle: \"A\\tfigure\"\ncaption: \"One\\ntwo\"\n```\n"
	doc := Parse(t.TempDir(), source.New("article.md", []byte(text)))
	f, table, figure := doc.Front, doc.Tables[0], doc.Figures[0]
	for _, tt := range []struct {
		what, got, want string
	}{
		{"title", f.Title.Value, "A title of lines"},
		{"description", f.Description.Value, "One two"},
		{"author", f.Authors[0].Value, "A B"},
		{"tag", f.Tags[0].Value, "x y"},
		{"reproduced title", f.Reproduces.Title.Value, "A work"},
		{"claim", doc.Claims[0].Text.Value, "One `{value} throughput{`"},
		{"title of the table", table.Title.Value, "A table of lines"},
		{"caption of the table", table.Caption.Value, "One two"},
		{"title of the figure", figure.Title.Value, "A figure"},
		{"caption of the figure", figure.Caption.Value, "One two"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	var found []string
	for _, p := range doc.Problems.Sorted() {
		if p.Rule == "bad-expression" {
			line, _ := p.Pos.Source.Position(p.Pos.Start)
			found = append(found, string(p.Pos.Source.Line(line)))
		}
	}
	if len(found) != 1 || strings.TrimSpace(found[0]) != "`{value} throughput{`" {
		t.Errorf("the mistake in the claim is shown in %q", found)
	}
}
