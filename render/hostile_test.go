package render_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// pageOf renders an article with a title and the least experiment.
func pageOf(t testing.TB, prose string) *render.Page {
	t.Helper()
	b := measured(t, "", experiment+prose+"\n", nil)
	return must.Get(newRenderer(t).Page(b.Dataset(), render.Options{Articles: []string{"sample", "other"}}))
}

// Nothing that an author writes can run, load, or pass for a part of the page.
func TestHostileProse(t *testing.T) {
	for _, test := range []struct{ name, prose, want, never string }{
		{"a script", "Hello <script>alert(1)</script> there", "Hello alert(1) there", "<script"},
		{"a block of script", "<script>\nalert(1)\n</script>\n", "", "alert(1)"},
		{"an event handler", `<b onclick="alert(1)">bold</b>`, "<b>bold</b>", "onclick"},
		{"a picture that fails", `<img src=x onerror=alert(1)>`, "", "onerror"},
		{"an unclosed tag", `<div title="` + "\n\ntext", "text", "title="},
		{"a frame", `<iframe src=https://example.org></iframe>`, "", "<iframe"},
		{"a style", `<p style="position:fixed">x</p><style>*{display:none}</style>`, "<p>x</p>", "position"},
		{"a class that looks measured", `<span class=m>12 ms</span>`, "<span>12 ms</span>", `<span class=m>12`},
		{"an id of ours", `<a id=method>x</a>`, "x", `<a id=method`},
		{"a form", `<form action="https://example.org"><input></form>`, "", "<form"},
		{"markup of drawings", `<svg><script>alert(1)</script></svg>`, "<p>alert(1)</p>", "<svg><"},
		{"a link that runs", "[x](javascript:alert(1))", "<p>x</p>", "javascript:"},
		{"a link that runs, disguised", "[x](JaVaScRiPt:alert(1))", "<p>x</p>", "alert"},
		{"a link that runs, by an entity", "[x](javascript&colon;alert(1))", "<p>x</p>", "alert"},
		{"a link that runs, in raw HTML", `<a href="javascript:alert(1)">x</a>`, "x", "javascript:"},
		{"a link that runs, by itself", "<javascript:alert(1)>", "", `href="javascript`},
		{"data", "[x](data:text/html;base64,PHNjcmlwdD4=)", "<p>x</p>", "data:text"},
		{"a file", "[x](file:///etc/passwd)", "<p>x</p>", "file:"},
		{"a picture elsewhere is a link", "![alt](https://example.org/x.png)", `<a href=https://example.org/x.png>alt</a>`,
			"<img"},
		{"a picture of another folder", "![alt](../other/x.png)", "<p>alt</p>", "<img"},
		{"the title of a link", `[x](https://example.org "\"onmouseover=alert(1)")`, "&#34;onmouseover", `"onmouseover`},
		{"harmless formatting stays", "H<sub>2</sub>O and <kbd>Ctrl</kbd>", "H<sub>2</sub>O and <kbd>Ctrl</kbd>", "&lt;sub"},
		{"a fold over several blocks", "<details><summary>More</summary>\n\n*inside*\n\n</details>\n\noutside",
			"<p><em>inside</em></p>\n</details>", ""},
		{"a closing tag that breaks out", "</article></main></div>text", "text", "</article></main></div>text"},
		{"a link to another article", "[x](../other/article.md#part)", `<a href=../other/index.html#part>x</a>`,
			"article.md#part"},
		{"a link to nothing", "[x](../nothing/article.md)", "<p>x</p>", "nothing/"},
		{"a fragment to nothing", "[x](#nothing)", "<p>x</p>", `href=#nothing`},
		{"a heading that takes our id", "## Method\n\n[x](#method)", `<a href=#section-method>x</a>`, ""},
		{"code", "`<script>`\n\n```\n</code></pre><script>\n```", "&lt;/code&gt;&lt;/pre&gt;&lt;script&gt;", "<script"},
		{"a mail address", "<me@example.org>", `<a href=mailto:me@example.org>me@example.org</a>`, ""},
		{"an ordinary quote", "> words", "<blockquote>\n<p>words</p>\n</blockquote>", ""},
		{"a table that is aligned", "| a | b |\n|---|--:|\n| 1 | 2 |", `<td class=n>2`, "style="},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := string(pageOf(t, test.prose).HTML)
			_, got, _ = strings.Cut(got, `class=toc-fold`)
			got, _, _ = strings.Cut(got, `<h2 id=method`)
			assert.Contains(t, got, test.want)
			if test.never != "" && strings.Contains(got, test.never) {
				t.Errorf("%q is in\n%s", test.never, got)
			}
		})
	}
}

// A hostile text in a record stays text on the page and in its files. TestHostileSite of package site checks the
// author's texts.
func TestHostileRecords(t *testing.T) {
	t.Parallel()
	slowtest.SkipSequential(t)
	shown := 0
	for h := range rendertest.HostileRecords(t, []byte(textOf("everything.md")), []byte(textOf("sockets.md"))) {
		t.Run(h.Name, func(t *testing.T) {
			if strings.Contains(string(harmlessPage(t, h.Bench).HTML), "evil") {
				shown++
			}
		})
	}
	if shown < 20 {
		t.Errorf("only %d hostile texts were shown", shown)
	}
}

// Names of files are text too: those of listings, of what they are read from, and of pictures with what these show.
func TestHostileNames(t *testing.T) {
	names := []string{`<script>window.evil=1</script>`, `<img/src=//evil.example/x/onerror=window.evil=1>`,
		`</code></pre></figcaption><svg/onload=window.evil=1>`,
		`javascript:window.evil=1`, `data:text/html,<script>window.evil=1</script>`, `=evil()`, `{{evil}}`, `&lt;script&gt;`,
		`a;background:url(//evil.example/y)`}
	escaped := strings.NewReplacer("<", `\<`, ">", `\>`, "&", `\&`)
	names = append(names, "\u202egnp.exe", "\x1bc\u2066evil")
	text := "---\ntitle: Names\n---\n\n" + experiment
	kept := map[string]string{}
	for i, name := range names {
		listed, included, picture := fmt.Sprintf("%d/%s.py", i, name), fmt.Sprintf("included/%d/%s.py", i, name),
			fmt.Sprintf(`pictures/%d/%s" onerror="window.evil=1.png`, i, name)
		text += "```python file=" + listed + "\n# " + rendertest.Evil + "\n```\n\n```python include=" + included +
			"\n```\n\n" +
			"![" + escaped.Replace(rendertest.Evil) + "](" + strings.ReplaceAll((&url.URL{Path: picture}).EscapedPath(), "&",
			"%26") + ") ![x](<" + escaped.Replace(name) + ">)\n\n"
		kept[included], kept[picture] = "# "+rendertest.Evil, "a picture"
	}
	b := rendertest.WithFiles(t, "names", []byte(text), kept)
	b.MeasureAll()
	page := harmlessPage(t, b)
	if listings, images := strings.Count(string(page.HTML), `evil`), strings.Count(string(page.HTML),
		"<img "); listings < 2*len(names) || images != len(names) {
		t.Errorf("hostile words stand %d times in the page, and there are %d pictures", listings, images)
	}
}

// harmlessPage renders a page and fails if it or its files are not harmless, without checking those free of "evil".
func harmlessPage(t *testing.T, b *rendertest.Bench) *render.Page {
	t.Helper()
	page := rendered(t, b)
	if strings.Contains(string(page.HTML), "evil") {
		rendertest.Harmless(t, string(page.HTML))
	}
	for _, f := range page.Files {
		if strings.Contains(string(f.Data), "evil") {
			rendertest.HarmlessFile(t, f.Path, f.Data)
		}
	}
	return page
}

// Warnings tell the author what the page leaves out.
func TestWarnings(t *testing.T) {
	page := pageOf(t, "[a](ftp://example.org) [b](#nowhere) [c](notes.txt) ![d](gone.png) ![e](e.exe)")
	assert.Equal(t, len(page.Warnings), 5, "warnings")
	assert.Contains(t, strings.Join(page.Warnings, "\n"), "ftp://example.org", "#nowhere", "notes.txt", "gone.png", "e.exe")
}

// Pictures come from the folder of the article, and become files of the page.
func TestPictures(t *testing.T) {
	b := measured(t, "", experiment+"![A *curve*](shots/a%20b.png) ![again](shots/a%20b.png) ![out](link.png)\n", nil)
	outside := filepath.Join(t.TempDir(), "secret.png")
	must.Write(filepath.Join(b.Dir(), "shots", "a b.png"), "picture")
	must.Write(outside, "secret")
	d := b.Dataset() // before there is a link, which a build context must not have
	must.Do(os.Symlink(outside, filepath.Join(b.Dir(), "link.png")))
	page := must.Get(newRenderer(t).Page(d, render.Options{}))
	assert.Contains(t, string(page.HTML), `<img src=media/shots/a%20b.png alt="A curve" loading=lazy>`)
	assert.Equal(t, fileOf(t, page, "media/shots/a b.png"), "picture", "the file")
	assert.Equal(t, len(page.Files), 2, "files, with the article")
	assert.Equal(t, len(page.Warnings), 1, "warnings")
	assert.Contains(t, page.Warnings[0], "link.png")
}
