package render_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/notebook/projects"
	"benchbook/notebook/source"
	"benchbook/render"
	"benchbook/site/theme"
)

// Docs are shown as they are written: what would be measured, or a value, in an article is a listing and code in them.
// Raw HTML is reduced as anywhere, links lead where the site has the pages, and ids that pages have are left to these.
func TestDocs(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"benchbook.yaml": "docs: docs\n",
		"docs/README.md": "# The *manual*\n\nWhat to know. And <b onclick=\"x()\">more</b>.\n\n<script>alert(1)</script>\n" +
			"\n## Main\n\n" +
			"- [Values](values.md#main), [sockets](../experiments/sockets/article.md#how), [gone](gone.md), " +
			"[draft](../experiments/draft/article.md), [data](data.csv)\n",
		"docs/values.md": "# Values\n\n`{value} throughput | round 2` and [a claim](claim:x).\n\n## Main\n\n" +
			"```yaml experiment\nname: e\n```\n\n" +
			"| key | is |\n|---|---|\n| `rate` `share` | `no term` |\n",
		"docs/data.csv":                  "a,b\n",
		"experiments/sockets/article.md": "---\ntitle: Sockets\n---\n\n## How\n",
		"experiments/draft/article.md":   "---\ntitle: Draft\ndraft: true\n---\n",
	} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	project, err := projects.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	docs := project.ReadDocs(&source.Problems{}) // dead links are among them
	r, err := render.New(theme.Files)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := r.Docs(docs, render.Options{Articles: []string{"sockets"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) != 2 {
		t.Fatalf("%d pages", len(pages))
	}
	index, values := pages[0], pages[1]
	for _, tt := range []struct {
		page *render.DocsPage
		has  bool
		text string
	}{
		{index, true, "<h1>The <em>manual</em></h1>"}, {index, false, "<script"}, {index, false, "onclick"},
		{index, true, "<b>more</b>"},
		{index, true, `<a href="values/index.html#section-main">Values</a>`},
		{index, true, `<a href="../sockets/index.html#how">sockets</a>`},
		{index, true, ", gone, draft, "}, {index, true, `<a href="files/data.csv">data</a>`},
		{index, true, `<h2 id="section-main">Main</h2>`},
		{values, true, "<code>{value} throughput | round 2</code> and a claim."}, {values, true, ">yaml experiment</span>"},
		{values, true, "e</code></pre>"},
		{values, true, `<a href="../values/index.html" aria-current="page">`},
		{values, true, `<a class="before" href="../index.html">`},
	} {
		if strings.Contains(string(tt.page.HTML), tt.text) != tt.has {
			t.Errorf("that %q has %s must be %v:\n%s", tt.page.Title, tt.text, tt.has, tt.page.HTML)
		}
	}
	if index.Title != "The manual" || index.Description != "What to know. And more." || index.Path != "" ||
		values.Path != "values" {
		t.Errorf("pages are %q at %q: %q; and at %q", index.Title, index.Path, index.Description, values.Path)
	}
	if s := values.Sections; len(s) != 2 || s[0].Title != values.Title || s[1].ID != "section-main" ||
		s[1].Title != "Main" || !strings.Contains(s[1].Text, "rate") {
		t.Errorf("what can be looked for is %q", s)
	}
	if len(index.Files) != 1 || string(index.Files[0].Data) != "a,b\n" {
		t.Errorf("files are %v", index.Files)
	}
	if len(index.Warnings) != 1 || !strings.Contains(index.Warnings[0],
		"docs/README.md: the link to the article draft is shown as text") {
		t.Errorf("it warns of %q", index.Warnings)
	}
	again, err := r.Docs(docs, render.Options{Articles: []string{"sockets"}})
	if err != nil || again[0].HTML != index.HTML || again[1].HTML != values.HTML {
		t.Errorf("made again they are others, %v", err)
	}
}
