package article

import (
	"fmt"
	"strings"
	"testing"

	"benchbook/notebook/source"
)

// A text beyond a bound is a problem at its place; a text just below a bound is not.
func TestLimits(t *testing.T) {
	const head = "---\ntitle: x\n---\n\n"
	count := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	block := func(yaml string) string {
		return head + "```yaml experiment\nname: x\ncommand: {image: x, run: y}\n" + yaml + "```\n"
	}
	for _, tt := range []struct {
		name string
		text func(n int) string
		most int
		rule string
	}{
		{"bytes", func(n int) string { return head + strings.Repeat(strings.Repeat("word ", 50)+"\n", n/251-1) }, 1_000_000,
			"too-large"},
		{"lines", func(n int) string { return head + strings.Repeat("\n", n-5) }, 100_000, "too-large"},
		{"a line", func(n int) string { return head + strings.Repeat("x", n) }, 100_000, "too-large"},
		{"YAML", func(n int) string { return head + "```yaml claim\n" + strings.Repeat("# word\n", n/7) + "```\n" }, 250_000,
			"yaml-too-large"},
		{"quotations in quotations", func(n int) string { return head + strings.Repeat("> ", n) + "a" }, 100, "too-large"},
		{"emphasised words", func(n int) string { return head + strings.Repeat(strings.Repeat("*a* ", 100)+"\n\n", n/200) },
			100_000, "too-large"},
		{"cells of a table", func(n int) string {
			return head + strings.Repeat("|a", 99) + "|\n" + strings.Repeat("|-", 99) + "|\n" + strings.Repeat("|b\n", n/100-2)
		}, 100_000 - 2000, "too-large"},
		{"brackets in a paragraph", func(n int) string { return head + strings.Repeat("a]\n", n) }, 7900, "too-large"},
		{"destinations in a paragraph", func(n int) string { return head + count(n, "[a%d]: b\n") }, 14_000, "too-large"},
		{"experiments", func(n int) string {
			return head + count(n, "```yaml experiment\nname: e%d\ncommand: {image: x, run: y}\n```\n")
		}, maxExperiments, "too-many"},
		{"listings", func(n int) string { return head + count(n, "```python file=f%d.py\n```\n") }, maxListings, "too-many"},
		{"axes", func(n int) string { return block("matrix:\n" + count(n, "  a%d: [1]\n")) }, maxAxes, "too-many"},
		{"values", func(n int) string { return "---\ntitle: x\nvalues:\n" + count(n, "  v%d: 1\n") + "---\n" }, maxNamed,
			"too-many"},
		{"problems", func(n int) string { return head + count(n, "[x](claim:c%d)\n\n") }, source.MaxProblems, "too-many"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			earned := func(n int) *source.Problem {
				doc := Parse(t.TempDir(), source.New("article.md", []byte(tt.text(n))))
				for _, p := range doc.Problems.Sorted() {
					if p.Rule == tt.rule {
						return p
					}
				}
				return nil
			}
			if p := earned(tt.most); p != nil {
				t.Errorf("%d are too many: %v", tt.most, p)
			}
			p := earned(tt.most + max(1, tt.most/5))
			if p == nil {
				t.Fatalf("more than %d are no problem", tt.most)
			}
			if p.Hint == "" || p.Pos.Source == nil || p.Pos.End > len(p.Pos.Source.Data) {
				t.Errorf("without a place or a way out: %v", p)
			}
		})
	}
}
