package pages

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/projects"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
	"benchbook/render"
)

const experiment = "```yaml experiment\nname: one\nload: {target: http://s/}\n```\n"

func parse(text string) *article.Document {
	return article.Parse("x", source.New("article.md", []byte(text)))
}

// listed are articles of which those that are drafts, or have problems, say so in their names.
func listed(slugs ...string) []*lab.Article {
	var out []*lab.Article
	for _, slug := range slugs {
		c := &lab.Article{
			Slug: slug,
			Doc:  parse("---\ntitle: x\ndraft: " + fmt.Sprint(strings.Contains(slug, "draft")) + "\n---\n"),
		}
		if strings.Contains(slug, "wrong") {
			c.Problems.Add("x", source.Pos{}, "wrong")
		}
		out = append(out, c)
	}
	return out
}

func TestRendered(t *testing.T) {
	list := []string{"a", "draft", "wrong", "wrong-draft"}
	tests := []struct {
		name   string
		drafts bool
		named  []string
		sound  string
		linked string // pages may refer to these
	}{
		{"what readers see", false, nil, "a", "a"},
		{"with drafts", true, nil, "a draft", "a draft"},
		{"a draft that is asked for is no part of the site", false, []string{"draft"}, "a draft", "a"},
		{"one with problems that is asked for is not rendered", true, []string{"wrong"}, "a draft", "a draft"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sound, options := rendered(listed(list...), Options{Drafts: tt.drafts}, tt.named)
			var slugs []string
			for _, c := range sound {
				slugs = append(slugs, c.Slug)
			}
			if got, linked := strings.Join(slugs, " "), strings.Join(options.Articles, " "); got != tt.sound ||
				linked != tt.linked {
				t.Errorf("%s are rendered, and %s linked; want %s and %s", got, linked, tt.sound, tt.linked)
			}
		})
	}
}

func TestWithoutDrafts(t *testing.T) {
	var said strings.Builder
	left := WithoutDrafts(&lab.Session{Stderr: &said}, listed("a", "draft", "b"))
	if len(left) != 2 || left[0].Slug != "a" || left[1].Slug != "b" || strings.Count(said.String(), "\n") != 1 {
		t.Errorf("%d articles are left; it says %q", len(left), &said)
	}
}

func TestProblemsError(t *testing.T) {
	tests := []struct {
		name                     string
		articles, docs, warnings int
		strict, fails            bool
	}{
		{"nothing is wrong", 0, 0, 0, true, false},
		{"an article has problems", 1, 0, 0, false, true},
		{"a page of the docs has problems", 0, 1, 0, false, true},
		{"warnings are let pass", 0, 0, 3, false, false},
		{"unless that is forbidden", 0, 0, 3, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := problemsError(tt.articles, tt.docs, tt.warnings, tt.strict)
			var s *lab.StatusError
			if (err != nil) != tt.fails || err != nil && (!errors.As(err, &s) || s.Status != lab.StatusProblems) {
				t.Error(err)
			}
		})
	}
}

func TestWhereTheSiteGoes(t *testing.T) {
	project := &projects.Project{Dir: filepath.FromSlash("/articles/paper")}
	project.URL.Value = "https://example.org/"
	tests := []struct {
		name      string
		options   Options
		title     string
		dir, base string
	}{
		{"below the project", Options{}, "", "/articles/paper/_site", "https://example.org/"},
		{"elsewhere", Options{Out: "/tmp/out"}, "", "/tmp/out", "https://example.org/"},
		{
			"under another address",
			Options{BaseURL: "https://other.example/"},
			"A paper",
			"/articles/paper/_site",
			"https://other.example/",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			project.Title.Value = tt.title
			want := tt.title
			if want == "" {
				want = "paper"
			}
			site := tt.options.Site(&lab.Session{}, project)
			if dir := filepath.ToSlash(tt.options.Dir(project)); dir != tt.dir || site.BaseURL != tt.base ||
				site.Title != want {
				t.Errorf("%s, under %s, with the title %q", dir, site.BaseURL, site.Title)
			}
		})
	}
}

// Prose alone can be written anew without laying the records over the plan again.
func TestFixedOf(t *testing.T) {
	const text = "---\ntitle: x\n---\n\nFast.\n\n" + experiment + "::: when c else\nWell.\n\nGood.\n:::\n"
	tests := []struct {
		name, old, new string
		same           bool
	}{
		{"a word", "Fast", "Slow", true},
		{"a new paragraph", "Fast.", "Fast.\n\nVery.", true},
		{"the front matter", "title: x", "title: y", false},
		{"a line of a block", "http://s/", "http://t/", false},
		{"a comment in a block", "name: one", "name: one # the first", false},
		{"the kind of a block", "yaml experiment", "yaml claim", false},
		{"a word in a part of the text", "Well", "Ill", true},
		{"the outcome that a part is for", "c else", "c supported", false},
		{"where a part ends", "Good.\n:::", ":::\nGood.", true},
		{"another part", "Fast.", "::: when d else\nFast.\n:::", false},
		{"a part in another", "Well.", "::: when d else\n:::", false},
		{"another block", "Fast.", "```dockerfile file=Dockerfile\nFROM x\n```", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changed := strings.Replace(text, tt.old, tt.new, 1)
			if got := fixedOf(parse(text)) == fixedOf(parse(changed)); got != tt.same || changed == text {
				t.Errorf("the same is %v, want %v", got, tt.same)
			}
		})
	}
}

// What has to be made anew after a change of files.
func TestForget(t *testing.T) {
	dir := filepath.FromSlash("/articles/paper")
	in := func(names ...string) []string {
		out := []string{}
		for _, name := range names {
			out = append(out, filepath.Join(dir, filepath.FromSlash(name)))
		}
		return out
	}
	tests := []struct {
		name    string
		changed []string
		again   string // articles of which not everything is current any more
		read    string // of which the records are read again
		laid    string // of which they are laid over the plan again
		themed  bool
		docs    bool // pages beside the articles are made again
	}{
		{"nothing", in(), "", "", "", false, false},
		{"anything may have", nil, "a b extends", "a b extends", "a b extends", true, true},
		{"the text of an article", in("experiments/a/article.md"), "a extends", "", "extends", false, false},
		{"a record", in("experiments/a/records/r.json"), "a extends", "a", "a extends", false, false},
		{"a file that goes into a container", in("experiments/a/app.py"), "a extends", "", "a extends", false, false},
		{"the folder of an article", in("experiments/b"), "b extends", "b", "b extends", false, false},
		{"the folder of all articles", in("experiments"), "a b extends", "a b extends", "a b extends", true, true},
		{"a new article", in("experiments/c/article.md"), "extends", "", "extends", false, false},
		{"the project's file", in("benchbook.yaml"), "a b extends", "a b extends", "a b extends", true, true},
		{"the theme", in("theme/style.css"), "a b extends", "", "extends", true, true},
		{"a page beside the articles", in("docs/more.md"), "extends", "", "extends", false, true},
		{
			"two articles",
			in("experiments/a/article.md", "experiments/b/records/r.json"),
			"a b extends",
			"b",
			"b extends",
			false,
			false,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &Previewer{
				dir:      dir,
				themeDir: in("theme")[0],
				docsDir:  in("docs")[0],
				docsMade: true,
				Made:     map[string]*made{},
			}
			for _, slug := range []string{"a", "b", "extends"} { // the last one takes an experiment from another article
				p.Made[slug] = &made{current: true, hasRead: true, set: &dataset.Dataset{}, extends: slug == "extends"}
			}
			themed := p.forget(tt.changed)
			which := func(is func(*made) bool) string {
				var out []string
				for _, slug := range slices.Sorted(maps.Keys(p.Made)) {
					if is(p.Made[slug]) {
						out = append(out, slug)
					}
				}
				return strings.Join(out, " ")
			}
			again := which(func(m *made) bool { return !m.current })
			read := which(func(m *made) bool { return !m.hasRead })
			laid := which(func(m *made) bool { return m.set == nil })
			if again != tt.again || read != tt.read || laid != tt.laid || themed != tt.themed || p.docsMade == tt.docs {
				t.Errorf(
					"made again: %q, read: %q, laid over: %q, the theme: %v, docs: %v",
					again,
					read,
					laid,
					themed,
					!p.docsMade,
				)
			}
		})
	}
}

// The pages of all articles are made again when others come or go, as they may refer to them.
func TestShow(t *testing.T) {
	tests := []struct {
		name    string
		list    []string
		drafts  bool
		shown   string
		current bool
		left    string // articles that are still known
	}{
		{"as before", []string{"a", "b", "draft"}, false, "a b", true, "a b draft"},
		{"drafts are shown now", []string{"a", "b", "draft"}, true, "a b draft", false, "a b draft"},
		{"one is gone", []string{"a", "draft"}, false, "a", false, "a draft"},
		{"a draft is gone", []string{"a", "b"}, false, "a b", true, "a b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &Previewer{flags: Options{Drafts: tt.drafts}, shown: []string{"a", "b"}, Made: map[string]*made{}}
			for _, slug := range []string{"a", "b", "draft"} {
				p.Made[slug] = &made{current: true}
			}
			p.show(listed(tt.list...))
			if shown, left := strings.Join(p.shown, " "), strings.Join(slices.Sorted(maps.Keys(p.Made)),
				" "); shown != tt.shown ||
				left != tt.left ||
				p.Made["a"].current != tt.current {
				t.Errorf("shown are %q of %q, current: %v", shown, left, p.Made["a"].current)
			}
		})
	}
}

// After a change of words the page of an article is made without its subpages, which are left for when it is
// finished.
func TestPageWhereWordsHaveChanged(t *testing.T) {
	b := recordtest.NewMeasured(
		t,
		recordtest.FrontMatter+"Fast.\n\n"+recordtest.Dockerfile+recordtest.Fence("experiment", recordtest.Servers),
	)
	a := &lab.Session{Stdout: io.Discard, Stderr: io.Discard}
	p, err := NewPreviewer(a, b.Project, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.readTheme(b.Project); err != nil {
		t.Fatal(err)
	}
	m, c := &made{hasRead: true, records: b.Records}, &lab.Article{Slug: "sample", Doc: b.Doc}
	build := func(finish bool) *render.Page {
		t.Helper()
		if err := p.page(b.Project, c, m, finish); err != nil {
			t.Fatal(err)
		}
		return m.Page
	}
	first := build(false)
	if m.unfinished || first.Runs == 0 || len(first.Subpages) == 0 {
		t.Fatalf("%d runs, %d subpages, unfinished: %v", first.Runs, len(first.Subpages), m.unfinished)
	}
	c.Doc = article.Parse(
		b.Doc.Dir,
		source.New("article.md", []byte(strings.Replace(string(b.Doc.Source.Data), "Fast", "Slow", 1))),
	)
	second := build(false)
	if !m.unfinished || len(second.Subpages) != len(first.Subpages) || second == first {
		t.Errorf("%d subpages, unfinished: %v", len(second.Subpages), m.unfinished)
	}
	m.unfinished = false
	if third := build(true); m.unfinished || len(third.Subpages) != len(first.Subpages) {
		t.Errorf("%d subpages, unfinished: %v", len(third.Subpages), m.unfinished)
	}
}

// A site is made again where an article may use files that its digest does not cover.
func TestReachesOut(t *testing.T) {
	for text, want := range map[string]bool{
		"services: {server: {build: .}}":                               false,
		"Text ... and [another](../other/article.md), from 1..2":       false,
		"services: {server: {build: ..}}":                              true,
		"services:\n  server:\n    build:\n      context: \"../..\"\n": true,
		"services: {server: {build: ./../..}}":                         true,
		"services: {server: {build: a/../..}}":                         true,
		"\"compose\" : docker-compose.yml":                             true,
		"matrix: {folder: [a, ../b]}":                                  true,
		"compose: docker-compose.yml":                                  true,
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{article.ProjectFile: "", "experiments/x/" + article.FileName: text} {
			file := filepath.Join(dir, filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		project, err := projects.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := reachesOut(project); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
}
