package pages

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/article"

	"benchbook/notebook/source"
)

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

func TestWhereTheSiteGoes(t *testing.T) {
	project := &article.Project{Dir: filepath.FromSlash("/articles/paper")}
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
			site := tt.options.Site(&lab.Session{}, project, &source.Problems{})
			if dir := filepath.ToSlash(tt.options.Dir(project)); dir != tt.dir || site.BaseURL != tt.base ||
				site.Title != want {
				t.Errorf("%s, under %s, with the title %q", dir, site.BaseURL, site.Title)
			}
		})
	}
}
