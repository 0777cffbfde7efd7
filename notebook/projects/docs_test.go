package projects

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/article"
)

// docsOf reads the docs of a project that has these files.
func docsOf(t *testing.T, files map[string]string) (*Docs, []string) {
	t.Helper()
	dir := t.TempDir()
	if files[article.ProjectFile] == "" {
		files[article.ProjectFile] = "docs: docs\n"
	}
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	project, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	problems := project.Problems
	docs := project.ReadDocs(&problems)
	var said []string
	for _, p := range problems.Sorted() {
		said = append(said, p.Message+" ["+p.Rule+"]")
	}
	return docs, said
}

// Pages come in the order in which the index links them below its headings, whatever their names are and whatever
// stands above.
func TestDocsOrder(t *testing.T) {
	docs, said := docsOf(t, map[string]string{
		"docs/README.md": "# Manual\n\nBegin with [c](c.md#x), or [e](e.md).\n\n## First\n\n- [d](d.md)\n- [c](./c.md)\n\n" +
			"## Second\n\n[b](b.md), [d](d.md)\n",
		"docs/b.md": "# B\n", "docs/c.md": "# C\n\n## X\n", "docs/d.md": "# D\n", "docs/e.md": "# E\n",
		"docs/a.txt": "no page", "docs/.f.md": "hidden",
	})
	if len(said) > 0 {
		t.Fatal(said)
	}
	var got []string
	for _, p := range docs.Pages {
		got = append(got, p.Name+" "+p.Group)
	}
	if want := []string{"README ", "d First", "c First", "b Second", "e "}; !slices.Equal(got, want) {
		t.Errorf("pages are %q, want %q", got, want)
	}
}

func TestDocsProblems(t *testing.T) {
	index := func(text string) map[string]string {
		return map[string]string{"docs/README.md": "# Manual\n\n" + text + "\n",
			"docs/page.md":  "# Page\n\n## A heading\n\n[Back](README.md)\n",
			"docs/data.csv": "a,b\n", "docs/run.sh": "true\n", "docs/deep/down.yml": "a: b\n",
			"experiments/sockets/article.md": "---\ntitle: Sockets\n---\n\n## How\n"}
	}
	const listed = "[page](page.md)\n\n"
	tests := []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"all that can be linked", index(listed +
			"[h](page.md#a-heading) [own](#manual) [data](data.csv) [down](deep/down.yml) [web](https://example.org/x#y) " +
			"[mail](mailto:a@example.org) [article](../experiments/sockets/article.md#how) [folder](../experiments/sockets)"),
			nil},
		{"no such page", index(listed + "[x](other.md)"),
			[]string{`the link "other.md" leads to nothing: there is no such page [dead-link]`}},
		{"no such heading", index(listed + "[x](page.md#nowhere)"),
			[]string{`the link "page.md#nowhere" leads to nothing: docs/page.md has no such heading [dead-link]`}},
		{"no such heading here", index(listed + "[x](#nowhere)"),
			[]string{`the link "#nowhere" leads to nothing: docs/README.md has no such heading [dead-link]`}},
		{"no such heading of an article", index(listed + "[x](../experiments/sockets/article.md#why)"),
			[]string{`the link "../experiments/sockets/article.md#why" leads to nothing: the article sockets has no such heading, table or figure [dead-link]`}},
		{"no such article", index(listed + "[x](../experiments/other/article.md)"),
			[]string{`the link "../experiments/other/article.md" leads to nothing: the site has neither a page nor an article there [dead-link]`}},
		{"no such file", index(listed + "[x](other.csv)"),
			[]string{`the link "other.csv" leads to nothing: there is no such file [dead-link]`}},
		{"a file that browsers might run", index(listed + "[x](run.sh)"),
			[]string{`the link "run.sh" leads to nothing: the site includes only .csv .json .txt .yaml .yml files [dead-link]`}},
		{"out of the folder", index(listed + "[x](../benchbook.yaml)"),
			[]string{`the link "../benchbook.yaml" leads to nothing: the site has neither a page nor an article there [dead-link]`}},
		{"a path of the machine", index(listed + "[x](/etc/hosts.txt)"),
			[]string{`the link "/etc/hosts.txt" leads to nothing: paths are counted from the page, and have slashes [dead-link]`}},
		{"a script", index(listed + "[x](javascript:alert(1))"),
			[]string{`the link "javascript:alert(1)" leads to nothing: pages can link by http, https and mailto only [dead-link]`}},
		{"a picture", index(listed + "![x](a.png)"),
			[]string{`the link "a.png" leads to nothing: there is no such file [dead-link]`}},
		{"links in code are none", index(listed + "`[x](other.md)`\n\n```markdown\n[x](other.md)\n```"), nil},
		{"a page that is not linked", index(""), []string{"the page is not linked from README.md [unlisted-page]"}},
		{"no index", map[string]string{"docs/page.md": "# Page\n"},
			[]string{`the docs "docs" have no page README.md [no-docs]`}},
		{"no folder", map[string]string{}, []string{`the docs "docs" cannot be read: no such file or directory [no-docs]`}},
		{"the project itself", map[string]string{article.ProjectFile: "docs: .\n"},
			[]string{`the docs folder "." is not inside the project [no-docs]`}},
		{"outside", map[string]string{article.ProjectFile: "docs: ../docs\n"},
			[]string{`the docs folder "../docs" is not inside the project [no-docs]`}},
		{"no title", map[string]string{"docs/README.md": "Manual\n"},
			[]string{`the docs "docs" have no page README.md [no-docs]`, "the page does not begin with its title [no-title]"}},
		{"not UTF-8", map[string]string{"docs/README.md": "# Manual\n\n[x](x.md)", "docs/x.md": "# \xe9\n"},
			[]string{`the link "x.md" leads to nothing: there is no such page [dead-link]`,
				"the file is not UTF-8 from here on [bad-utf8]"}},
		{"nothing named", map[string]string{article.ProjectFile: "title: T\n", "docs/README.md": "no title\n"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, said := docsOf(t, tt.files); !slices.Equal(said, tt.want) {
				t.Errorf("it says\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// A link that leads out of the folder is followed nowhere, wherever it lies.
func TestDocsStayInTheirFolder(t *testing.T) {
	docs, said := docsOf(t, map[string]string{"docs/README.md": "# Manual\n", "secret.txt": "secret"})
	if len(said) > 0 {
		t.Fatal(said)
	}
	if err := os.Symlink("../secret.txt", filepath.Join(docs.Dir, "data.txt")); err != nil {
		t.Fatal(err)
	}
	if data, err := docs.ReadFile("data.txt"); err == nil {
		t.Errorf("it reads %q", data)
	}
	if _, err := docs.Follow(docs.Pages[0], "data.txt"); err == nil {
		t.Error("it can be linked")
	}
}
