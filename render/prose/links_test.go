package prose

import (
	"path/filepath"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"

	"benchbook/notebook/source"
)

// Pictures next to the article have their words and their title, and addresses pasted from HTML lead where they did.
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

// shown is what the page of an article shows of a text.
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
