package prose

import (
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"

	"benchbook/notebook/source"
)

// Pictures in the article's folder keep their alternative text and title, and addresses pasted from HTML work.
func TestPicturesAndLinks(t *testing.T) {
	dir := t.TempDir()
	must.Write(filepath.Join(dir, "a b.png"), "")
	for text, want := range map[string]string{
		`![a *b*](<a b.png> "T &amp; \"t\"")`: `<img src="media/a%20b.png" alt="a b" title="T &amp; &#34;t&#34;" loading="lazy">`,
		`![](a&#32;b.png)`:                    `<img src="media/a%20b.png" alt="" loading="lazy">`,
		`![a](https://a.test/?b&amp;c "t")`:   `<a href="https://a.test/?b&amp;c" title="t">a</a>`,
		`[a](https://a.test/?b&amp;c=\*d)`:    `<a href="https://a.test/?b&amp;c=*d">a</a>`,
		"https://a.test/?b&c":                 `<a href="https://a.test/?b&amp;c">https://a.test/?b&amp;c</a>`,
	} {
		assert.Equal(t, shown(t, dir, text), "<p>"+want+"</p>\n", "%s is shown as", text)
	}
}

// shown returns the rendered prose of a text.
func shown(t *testing.T, dir, text string) string {
	t.Helper()
	doc := article.Parse(dir, source.New("article.md", []byte("---\ntitle: An example\n---\n"+text)))
	for _, p := range doc.Problems.All() {
		t.Errorf("%s: %s", p.Rule, p.Message)
	}
	w := NewRenderer().Writer(doc, standardPage{}, nil, nil)
	w.Survey()
	page := w.Prose()
	must.Do(w.Err())
	return string(page)
}

type standardPage struct{ Page }

func (standardPage) AddFile(string, []byte) {}

// Applies is true for the parts whose test mentions yes.
func (standardPage) Applies(p *article.ConditionalPart) bool {
	return p == nil || strings.Contains(p.TestText.Value, "yes")
}

// A paragraph or part right below another continues its paragraph, even if a part that does not apply is between them.
func TestPartsOfAParagraph(t *testing.T) {
	part := func(does bool, text string) string {
		return "::: when `" + map[bool]string{true: "yes", false: "no"}[does] + " > 1`\n" + text + ":::\n"
	}
	for _, tt := range []struct{ name, text, want string }{
		{"a part below a paragraph", "A.\n" + part(true, "B.\n"), "<p>A. B.</p>\n"},
		{"a paragraph below a part", part(true, "A.\n") + "B.\n", "<p>A. B.</p>\n"},
		{"parts below each other", part(true, "A.\n") + part(false, "No.\n") + part(true, "B.\n"), "<p>A. B.</p>\n"},
		{"an empty line", "A.\n\n" + part(true, "B.\n"), "<p>A.</p>\n<p>B.</p>\n"},
		{"an empty line below a part", part(true, "A.\n") + " \t\n" + part(true, "B.\n"), "<p>A.</p>\n<p>B.</p>\n"},
		{"an empty line beside a part that does not apply", part(true, "A.\n") + "\n" + part(false, "No.\n") + part(true, "B.\n"),
			"<p>A.</p>\n<p>B.</p>\n"},
		{"an empty line within a part", "A.\n" + part(true, "\nB.\n"), "<p>A. B.</p>\n"},
		{"paragraphs of a part", "A.\n" + part(true, "B.\n\nC.\n") + "D.\n", "<p>A. B.</p>\n<p>C. D.</p>\n"},
		{"a list", "A.\n" + part(true, "- B.\n"), "<p>A.</p>\n<ul>\n<li>B.</li>\n</ul>\n"},
		{"below a list", part(true, "- A.\n") + "B.\n", "<ul>\n<li>A.</li>\n</ul>\n<p>B.</p>\n"},
		{"nested parts", "A.\n:::" + part(true, part(true, "B.\n")+part(true, "C.\n")) + part(true, "D.\n"), "<p>A. B. C. D.</p>\n"},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, shown(t, t.TempDir(), tt.text), tt.want) })
	}
}
