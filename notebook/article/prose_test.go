package article

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/yuin/goldmark/ast"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/source"
)

// Links have the destinations that CommonMark gives them, and the places of their text.
func TestDestinationsAreResolved(t *testing.T) {
	const prose = "[a](https://example.org/?a=1&amp;b=2) ![b](a\\_b.png) [c][ref] <https://example.org/?x&amp;y>\n\n" +
		"[ref]: https://example.org/&#95;\n\n" +
		"[d](claim:a\\_b) [](#fig-a\\_b)\n"
	doc := Parse(t.TempDir(), source.New("article.md", []byte(head+prose)))
	want := []string{"https://example.org/?a=1&b=2", "a_b.png", "https://example.org/_", "https://example.org/?x&amp;y"}
	links := doc.Links()
	got := slice.Map(links, func(l ProseLink) string { return l.Destination })
	assert.Slice(t, got, want, "destinations")
	at := links[0].Pos
	assert.Equal(t, string(at.Source.Data[at.Start:at.End]), "https://example.org/?a=1&amp;b=2", "its place")
	if len(doc.ClaimLinks) != 1 || doc.ClaimLinks[0].Name.Value != "a_b" || len(doc.References) != 1 ||
		doc.References[0].Label.Value != "fig-a_b" {
		t.Errorf("claims %v, references %v", doc.ClaimLinks, doc.References)
	}
}

// Titles and similar lines become one line, however they are written, and keep their places.
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
		assert.Equal(t, tt.got, tt.want, "%s", tt.what)
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

// A part has its condition with its place, and its blocks.
func TestParts(t *testing.T) {
	data := must.Get(os.ReadFile("testdata/good/parts.md"))
	doc := parseText(t, string(data))
	var got []string
	for _, p := range doc.Parts {
		words := fmt.Sprintf("%s %q", p.Claim.Value, p.Verdicts)
		if p.Test != nil {
			words = p.Test.String()
			at := p.TestText.Pos
			assert.Equal(t, string(data[at.Start:at.End]), words, "where the test stands")
		} else if at := p.Claim.Pos; string(data[at.Start:at.End]) != p.Claim.Value {
			t.Errorf("the claim stands at %q", data[at.Start:at.End])
		}
		if p.Outer != nil {
			words += " in " + string(data[p.Outer.Place.Start:p.Outer.Place.End])
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
	assert.Equal(t, strings.Join(got, "\n"), strings.Join(want, "\n"))
	assert.Equal(t, doc.Tables[0].Part, doc.Parts[0], "the part that the table is in")
	assert.Equal(t, len(doc.Tests()), 1, "tests")
}

func TestResolve(t *testing.T) {
	for written, want := range map[string]string{
		"?a=1&amp;b=2": "?a=1&b=2", `a\_b.png`: "a_b.png", "a&#95;b": "a_b", "a&#x5F;b": "a_b", `\&amp;`: "&amp;",
		"&#92;*": `\*`, `a\b`: `a\b`,
		"&nothing;": "&nothing;", "&copy": "&copy", "&copy;": "©", "&#0;": "\uFFFD", "&amp;amp;": "&amp;",
		"&#59;": ";", "&#x3B;": ";", "&semi;": ";", "&#xD800;": "\uFFFD", "&notit;": "&notit;", `\\`: `\`, "": "",
	} {
		assert.Equal(t, Resolve([]byte(written)), want, "%q", written)
	}
}

func TestElsewhere(t *testing.T) {
	for destination, want := range map[string]string{
		"https://a.test/b c?d=é&e=%20#f": "https://a.test/b%20c?d=%C3%A9&e=%20#f", "//a.test": "https://a.test",
		"MAILTO:a@b.test": "MAILTO:a@b.test", "https://a.`b": "https://a.%60b", "page.md#part": "", "/a:b": "", "": "",
		" javascript:x": "", "\tjavascript:x": "", // both are relative paths, which lead nowhere
	} {
		assert.Equal(t, must.Get(Elsewhere(destination)), want, "%q leads to", destination)
	}
	for _, refused := range []string{"javascript:x", "JavaScript:x", "data:text/html,x", "irc://a.test", "a:b"} {
		got, err := Elsewhere(refused)
		assert.Equal(t, got == "" && err != nil, true, "%q is refused, and leads to %q", refused, got)
	}
}

func TestMetrics(t *testing.T) {
	for _, tt := range []struct {
		kind, metric string
		shows        bool
		want         string
	}{
		{"dots", "throughput", true, "throughput"},
		{"dots", "latency.p50", false, "throughput"},
		{"scatter", "latency.p50", true, "latency.p50 cpu throughput"},
		{"lines", "throughput", false, "latency.p50 cpu"},
		{"latency", "latency.p99.9", true, ""},
		{"latency", "latency.mean", false, ""},
		{"search", "latency.p50", true, "latency.p50 cpu throughput"},
		{"pie", "throughput", false, ""},
	} {
		f := Figure{Kind: source.Text{Value: tt.kind}, X: source.Text{Value: "throughput"},
			Y: []source.Text{{Value: "latency.p50"}, {Value: "cpu"}}}
		assert.Equal(t, strings.Join(f.Metrics(), " "), tt.want, "%s shows", tt.kind)
		assert.Equal(t, f.Shows(tt.metric), tt.shows, "%s shows %s", tt.kind, tt.metric)
	}
}

// outline shows the blocks of a text: Divs by state and words in brackets, others by kind.
func outline(n ast.Node, source []byte) string {
	var out []string
	for c := n.FirstChild(); c != nil && c.Type() == ast.TypeBlock; c = c.NextSibling() {
		d, ok := c.(*Div)
		if !ok {
			out = append(out, strings.TrimSpace(c.Kind().String()+" "+outline(c, source)))
			continue
		}
		is := [...]string{"unclosed ", "", "stray ", "misplaced "}[d.Is]
		out = append(out, fmt.Sprintf("%s[%s: %s]", is, d.Words.Value(source), outline(d, source)))
	}
	return strings.Join(out, ", ")
}

func TestDivs(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"one", "::: when a\nText.\n:::\n", "[when a: Paragraph]"},
		{"without space", ":::a\nText.\n:::", "[a: Paragraph]"},
		{"in a paragraph", "Before.\n::: a\nIn it.\n:::\nBehind.\n", "Paragraph, [a: Paragraph], Paragraph"},
		{"one after the other", "::: a\n:::\n::: b\n:::\n", "[a: ], [b: ]"},
		{"more colons", "::::: a ::::::\nText.\n::::::::\n", "[a: Paragraph]"},
		{"in each other", ":::: a\nOne.\n::: b\nTwo.\n:::\nThree.\n::::\n", "[a: Paragraph, [b: Paragraph], Paragraph]"},
		{"in each other, as long", "::: a\n::: b\n:::\n:::\nText.", "[a: [b: ]], Paragraph"},
		{"fewer colons", ":: a\nText.\n::\n", "Paragraph"},
		{"indented", "   ::: a\nText.\n  :::\n", "[a: Paragraph]"},
		{"code by its indentation", "    ::: a\n", "CodeBlock"},
		{"around a list", "::: a\n- one\n- two\n:::\nText.\n", "[a: List ListItem TextBlock, ListItem TextBlock], Paragraph"},
		{"around a quotation", "::: a\n> one\n:::\n", "[a: Blockquote Paragraph]"},
		{"around HTML", "::: a\n<div>\n:::\nText.\n", "[a: HTMLBlock], Paragraph"},
		{"around code", "::: a\n```\n:::\n::: b\n```\n:::\nText.\n", "[a: FencedCodeBlock], Paragraph"},
		{"around a heading", "::: a\n# One\n\nTwo\n---\n:::\n", "[a: Heading, Heading]"},
		{"around a definition", "::: a\nWord\n: meaning\n:::\n",
			"[a: DefinitionList DefinitionTerm, DefinitionDescription TextBlock]"},
		{"below a word that is no definition", "Word\n::: a\n:::\n", "Paragraph, [a: ]"},
		{"Windows", "::: a\r\nText.\r\n:::\r\nText.\r\n", "[a: Paragraph], Paragraph"},
		{"never closed", "::: a\nText.\n", "unclosed [a: Paragraph]"},
		{"the outer one never closed", "::: a\n::: b\n:::\n", "unclosed [a: [b: ]]"},
		{"never opened", "Text.\n:::\nText.\n", "Paragraph, stray [: ], Paragraph"},
		{"in a list", "- ::: a\n  Text.\n  :::\n", "List ListItem misplaced [a: ], TextBlock, misplaced [: ]"},
		{"in a quotation", "> ::: a\n> :::\n", "Blockquote misplaced [a: ], misplaced [: ]"},
	} {
		assert.Equal(t, outline(ForArticles().Parse([]byte(tt.text)), []byte(tt.text)), tt.want, "%s", tt.name)
		// Pages of docs have no Divs.
		assert.Lacks(t, outline(ForPages().Parse([]byte(tt.text)), []byte(tt.text)), "[")
	}
}

// Divs are bounded like lists and quotations.
func TestDeepDivs(t *testing.T) {
	const n = 10_000
	p := ForArticles()
	p.Parse([]byte(strings.Repeat("::: a\n", n) + strings.Repeat("```\n:::\n```\n", n) + strings.Repeat(":::\n", n)))
	at, _, _ := p.Exceeded()
	assert.Equal(t, at, maxNesting*len("::: a\n"), "exceeded at")
}
