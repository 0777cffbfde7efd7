package article

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yuin/goldmark/ast"
)

// outline shows the blocks of a text: divs by their state and words in brackets, others by their kinds.
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
		t.Run(tt.name, func(t *testing.T) {
			if got := outline(ForArticles().Parse([]byte(tt.text)), []byte(tt.text)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if got := outline(ForPages().Parse([]byte(tt.text)), []byte(tt.text)); strings.Contains(got, "[") {
				t.Errorf("a page of docs has a div: %s", got)
			}
		})
	}
}

// Divs are bounded as lists and quotations are.
func TestDeepDivs(t *testing.T) {
	const n = 10_000
	p := ForArticles()
	p.Parse([]byte(strings.Repeat("::: a\n", n) + strings.Repeat("```\n:::\n```\n", n) + strings.Repeat(":::\n", n)))
	if at, _, _ := p.Exceeded(); at != maxNesting*len("::: a\n") {
		t.Errorf("exceeded at %d, want %d", at, maxNesting*len("::: a\n"))
	}
}
