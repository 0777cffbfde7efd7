package pages

import (
	"path/filepath"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

func TestWhereTheSiteGoes(t *testing.T) {
	project := &article.Project{Dir: filepath.FromSlash("/articles/paper")}
	project.URL.Value = "https://example.org/"
	for _, tt := range []struct {
		name      string
		options   Options
		title     string
		dir, base string
	}{
		{"below the project", Options{}, "", "/articles/paper/_site", "https://example.org/"},
		{"elsewhere", Options{Out: "/tmp/out"}, "", "/tmp/out", "https://example.org/"},
		{"with a title", Options{}, "A paper", "/articles/paper/_site", "https://example.org/"},
	} {
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
