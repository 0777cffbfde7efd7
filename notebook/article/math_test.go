package article

import (
	"strings"
	"testing"

	"github.com/yuin/goldmark/ast"
)

// Formulas are those that GitHub shows as such; prices and variables of shells are none.
func TestMath(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"in a sentence", "By $L = \\lambda W$, so", `L = \lambda W`},
		{"two of them", "$a$ and $b$.", "a|b"},
		{"with backticks", "That is $`x_{*}`$ here", "x_{*}"},
		{"on its own line", "$$\na_1 + a_2\n$$", "display a_1 + a_2"},
		{"a dollar in it", `$\$5 \cdot n$`, `\$5 \cdot n`},
		{"over the end of a line", "so $a +\nb$ is", "a +\nb"},
		{"prices", "It costs $5 or $6, or $7-$8.", ""},
		{"a price and a variable", "$5 for $HOME", ""},
		{"variables", "$PATH:$HOME", ""},
		{"within a word", "a$b$c", ""},
		{"escaped", `\$a$`, ""},
		{"code", "`$a$`", ""},
		{"nothing", "$$ $$ and $ $", ""},
		{"not closed", "$a and no more", ""},
		{"emphasis stays in the formula", "$a*b*c$ *d*", "a*b*c"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc := Parse("dir/a", NewSource("article.md", []byte("---\ntitle: A\n---\n\n"+test.text+"\n")))
			var got []string
			_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
				if m, ok := n.(*Math); ok && entering {
					words := m.TeX
					if m.Display {
						words = "display " + words
					}
					got = append(got, words)
				}
				return ast.WalkContinue, nil
			})
			if strings.Join(got, "|") != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
