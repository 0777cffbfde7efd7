package render

import (
	"html/template"
	"testing"

	"benchbook/internal/test/assert"
)

func TestSectionsOf(t *testing.T) {
	for _, test := range []struct {
		name, main string
		want       []Section
	}{
		{"nothing", "", []Section{{}}},
		{"the title and what stands above the first heading",
			`<header><span class="status">Measured</span><h1>A &amp; <em>b</em></h1><p>One<br>two.</p></header><h2 id="x">More</h2><p>3</p>`,
			[]Section{{"", "A & b", "Measured One two."}, {"x", "More", "3"}}},
		{"headings without an address are text", `<h1>T</h1><h2 id="x">X</h2>a<h3>b</h3>c`, []Section{{"", "T", ""}, {"x", "X", "a b c"}}},
		{"contents, buttons, drawings and scripts", `<nav>a<nav>b</nav></nav>c<button>d</button><svg><text>e</text></svg><script>f</script>g`,
			[]Section{{"", "", "cg"}}},
		{"a tooltip, and what is for screen readers", `A <span class="m"><data>3 ms</data><span class="tooltip" hidden><b>x</b><span>y</span></span></span>, <span class="sr">z</span>b`,
			[]Section{{"", "", "A 3 ms, b"}}},
		{"a note at a word", `word<sup class="ref"><a href="#note-1">1</a></sup>.`, []Section{{"", "", "word."}}},
		{"cells, items and lines", `<table><tr><td>a<td>b</tr><tr><td>c</table><ul><li>d</li><li>e</li></ul>`,
			[]Section{{"", "", "a b c d e"}}},
		{"a listing", `a<pre><code><span class="k">if</span><span class="s">x</span>:` + "\n" + `  <span class="y">y</span>-z</code></pre>b<pre>c</pre>`,
			[]Section{{"", "", "a ifx: y-z b c"}}},
		{"parts of words, and pieces side by side", `ab<b>c</b>d<wbr>e <span>f</span><span>g</span>`, []Section{{"", "", "abcde f g"}}},
		{"folded", `<details><summary>a</summary>b</details>`, []Section{{"", "", "a b"}}},
		{"a number, a title and what is below it", `<figcaption><a class="no" href="#x">Figure 1</a>A<span class="sub">b<small>c</small></span></figcaption>`,
			[]Section{{"", "", "Figure 1 A b c"}}},
		{"a heading with a topic", `<h2 id="x"><span class="kicker">A</span>B</h2>`, []Section{{}, {"x", "A: B", ""}}},
		{"words that a table explains",
			`<table><tr><th>a</th></tr><tr><td><code>b</code> or <code>c</code></td><td><code>d</code></td></tr></table><code>e</code>`,
			[]Section{{"", "", "a b or c d e"}}},
	} {
		assert.Slice(t, Sections(template.HTML(test.main)), test.want, test.name)
	}
}
