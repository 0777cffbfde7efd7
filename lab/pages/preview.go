package pages

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/render"
	"benchbook/site"
	"benchbook/site/preview"
	"benchbook/site/theme"
)

// ArticlesDir is the folder of a project's articles.
const ArticlesDir = "experiments"

// recordsDir is the folder of an article's records.
const recordsDir = "records"

// A Previewer renders the site in memory and caches the pages of unchanged articles.
type Previewer struct {
	app      *lab.Session
	open     func() (*article.Project, error)
	renderer *render.Renderer
	made     map[string]*madeArticle // by slug
}

// madeArticle is the last page that could be rendered of an article, and the article's present problems.
type madeArticle struct {
	stamp    string // of the article's and the project's files; if empty, the page is rendered again
	page     *render.Page
	problems string
}

// NewPreviewer returns a Previewer of a project.
func NewPreviewer(a *lab.Session, project *article.Project) (*Previewer, error) {
	renderer, err := render.New(theme.Files)
	if err != nil {
		return nil, err
	}
	return &Previewer{app: a, open: project.Reopen, renderer: renderer}, nil
}

// Build renders the articles whose files have changed since the last build, for preview.Preview.
func (p *Previewer) Build(ctx context.Context) preview.Built {
	var problems strings.Builder
	var built preview.Built
	project, err := p.open()
	if err == nil {
		built.Roots = Watched(project) // a change of the project file may name another style sheet
		built.Files, err = p.site(ctx, project, &problems)
	}
	if err != nil {
		problems.WriteString(err.Error() + "\n")
	}
	built.Problems = problems.String()
	return built
}

func (p *Previewer) site(ctx context.Context, project *article.Project, said *strings.Builder) (map[string]site.File, error) {
	lab.PrintProblems(said, project.Problems.Sorted())
	slugs, err := project.Slugs()
	if err != nil {
		return nil, err
	}
	var problems source.Problems
	options := Options{}.Site(p.app, project, &problems)
	if lab.PrintProblems(said, problems.Sorted()); !problems.Empty() {
		return nil, nil // the site stays as it was
	}
	if err := p.render(ctx, project, slugs); err != nil {
		return nil, err
	}
	var pages []*render.Page
	for _, slug := range slugs {
		m := p.made[slug]
		said.WriteString(m.problems)
		if m.page != nil {
			pages = append(pages, m.page)
		}
	}
	return site.Files(pages, options)
}

// render renders the articles whose files have changed, or all if the project has, because links between articles may
// then be different. An article with problems keeps its last page.
func (p *Previewer) render(ctx context.Context, project *article.Project, slugs []string) error {
	before, ofProject := p.made, stampOf(projectFile(project))+strings.Join(slugs, " ")
	p.made = map[string]*madeArticle{}
	for _, slug := range slugs {
		p.made[slug] = cmp.Or(before[slug], &madeArticle{})
	}
	return lab.Each(slugs, func(_ int, slug string) error {
		m, stamp := p.made[slug], ofProject+stampOf(folderOf(project, slug))
		if m.stamp == stamp || ctx.Err() != nil {
			return ctx.Err()
		}
		m.stamp = ""
		err := p.article(project, slug, slugs, m)
		if err == nil {
			m.stamp = stamp
		}
		return err
	})
}

// article renders an article into m, or sets its problems.
func (p *Previewer) article(project *article.Project, slug string, slugs []string, m *madeArticle) error {
	doc, err := lab.ReadArticle(project, slug)
	if err != nil {
		return err
	}
	c := &lab.Article{Slug: slug, Doc: doc}
	if _, err := p.app.Check(project, []*lab.Article{c}, plan.Options{}); err != nil {
		return err
	}
	var text strings.Builder
	lab.PrintProblems(&text, c.Problems.Sorted())
	if m.problems = text.String(); m.problems != "" {
		return nil
	}
	made, err := renderPage(p.app, project, c, p.renderer, render.Options{Articles: slugs}, Options{})
	if err != nil {
		m.problems = slug + ": " + err.Error() + "\n"
		return nil
	}
	m.page = made.page
	return nil
}

// stampOf returns the names, sizes and modification times of a file, or of all files below a folder.
func stampOf(name string) string {
	var out strings.Builder
	_ = filepath.WalkDir(name, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // removed meanwhile, or unreadable
		}
		if info, err := e.Info(); err == nil && !e.IsDir() {
			fmt.Fprintln(&out, name, info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
	return out.String()
}

func projectFile(project *article.Project) string {
	return cmp.Or(project.File(), filepath.Join(project.Dir, article.ProjectFile))
}

// folderOf returns the folder of an article, or of all articles for "". For a single file it is the folder of records.
func folderOf(project *article.Project, slug string) string {
	if project.File() != "" {
		return project.RecordsDir("")
	}
	return project.ArticleDir(slug)
}

// Problems returns the problems of the project's style sheet.
func Problems(project *article.Project) []*source.Problem {
	var problems source.Problems
	theme.Style(project, &problems)
	return problems.Sorted()
}

// Watched returns the files and folders to watch for changes.
func Watched(project *article.Project) []string {
	watched := []string{projectFile(project), folderOf(project, "")}
	if style := project.Theme.Value; style != "" {
		watched = append(watched, filepath.Join(project.Dir, filepath.FromSlash(style)))
	}
	return watched
}
