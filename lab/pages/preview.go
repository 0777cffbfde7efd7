package pages

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/check"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/render"
	"benchbook/site"
	"benchbook/site/preview"
	"benchbook/site/theme"
)

// ArticlesDir is where a project has its articles.
const ArticlesDir = "experiments"

// recordsDir is where an article has its records.
const recordsDir = "records"

// A Previewer renders the site in memory, and keeps pages of articles whose files do not change.
type Previewer struct {
	app      *lab.Session
	open     func() (*article.Project, error)
	flags    Options
	renderer *render.Renderer

	project string                 // stamp of what concerns all pages
	shown   []string               // slugs of the articles on the site, to which pages may link
	made    map[string]madeArticle // by slug
}

// madeArticle is the last page of an article without problems, and its problems since then.
type madeArticle struct {
	stamp    string            // of its files
	read     *article.Document // now, to be rendered
	page     *render.Page
	problems string

	measured      measured // which take longer to read than the text
	measuredStamp string   // of their files
}

// NewPreviewer previews a project.
func NewPreviewer(a *lab.Session, project *article.Project, flags Options) (*Previewer, error) {
	renderer, err := render.New(theme.Files)
	if err != nil {
		return nil, err
	}
	return &Previewer{app: a, open: project.Reopen, flags: flags, renderer: renderer}, nil
}

// Build is the Build of a preview. It renders articles whose files have changed since the last build.
func (p *Previewer) Build(ctx context.Context) preview.Built {
	var problems strings.Builder
	made, err := p.site(ctx, &problems)
	if err != nil {
		problems.WriteString(err.Error() + "\n")
	}
	return preview.Built{Files: made, Problems: problems.String()}
}

func (p *Previewer) site(ctx context.Context, said *strings.Builder) (map[string]site.File, error) {
	project, err := p.open()
	if err != nil {
		return nil, err
	}
	lab.PrintProblems(said, project.Problems.Sorted())
	slugs, err := project.Slugs()
	if err != nil {
		return nil, err
	}
	var problems source.Problems
	options := p.flags.Site(p.app, project, &problems)
	if lab.PrintProblems(said, problems.Sorted()); !problems.Empty() {
		return nil, nil // the site is as it was
	}
	stale, err := p.read(project, slugs)
	if err != nil {
		return nil, err
	}
	if err := p.render(ctx, project, stale); err != nil {
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

// read reads articles whose files have changed, and returns those whose pages are out of date.
func (p *Previewer) read(project *article.Project, slugs []string) (stale []string, err error) {
	before := p.made
	if now := stampOf(projectFile(project)) + strings.Join(slugs, " "); now != p.project {
		p.project, before = now, nil
	}
	p.made = map[string]madeArticle{}
	for _, slug := range slugs {
		m, stamp := before[slug], stampOf(filesOf(project, slug)...)
		if m.stamp != stamp {
			doc, err := lab.ReadArticle(project, slug)
			if err != nil {
				return nil, err
			}
			m.stamp, m.read = stamp, doc
			stale = append(stale, slug)
		}
		p.made[slug] = m
	}
	if !slices.Equal(slugs, p.shown) { // links between articles lead elsewhere, or nowhere
		p.shown = slugs
		return slugs, nil
	}
	return stale, nil
}

// render renders articles. One with problems keeps its page.
func (p *Previewer) render(ctx context.Context, project *article.Project, slugs []string) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	made := make([]madeArticle, len(slugs))
	for i, slug := range slugs {
		made[i] = p.made[slug]
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return p.article(project, slug, &made[i])
		})
	}
	err := group.Wait()
	for i, slug := range slugs {
		if err != nil {
			made[i].stamp = "" // so that it is rendered again
		}
		p.made[slug] = made[i]
	}
	return err
}

// article renders an article, unless it has problems.
func (p *Previewer) article(project *article.Project, slug string, m *madeArticle) error {
	doc, err := m.read, error(nil)
	if m.read = nil; doc == nil {
		doc, err = lab.ReadArticle(project, slug)
	}
	if err != nil {
		return err
	}
	c := &lab.Article{Slug: slug, Doc: doc}
	planned, err := c.Plan(project, plan.Options{})
	if err != nil {
		return err
	}
	c.Problems.Merge(&doc.Problems)
	check.Check(doc, planned, &c.Problems)
	c.Planned = planned
	var text strings.Builder
	lab.PrintProblems(&text, c.Problems.Sorted())
	if m.problems = text.String(); m.problems != "" {
		return nil
	}
	if stamp := stampOf(project.RecordsDir(slug)); stamp != m.measuredStamp {
		if m.measured.records, m.measured.bad, err = p.app.ReadRecords(project.RecordsDir(slug)); err != nil {
			m.problems, m.measuredStamp = slug+": "+err.Error()+"\n", ""
			return nil
		}
		m.measuredStamp = stamp
	}
	made, err := renderPage(p.app, project, c, m.measured, p.renderer, render.Options{Articles: p.shown}, p.flags)
	if err != nil {
		m.problems = slug + ": " + err.Error() + "\n"
		return nil
	}
	m.page = made.page
	return nil
}

// stampOf describes files, and those below folders, by name, size and time.
func stampOf(names ...string) string {
	var out strings.Builder
	for _, name := range names {
		_ = filepath.WalkDir(name, func(name string, e fs.DirEntry, err error) error {
			if err != nil {
				return nil // gone, or without permission
			}
			if info, err := e.Info(); err == nil && !e.IsDir() {
				fmt.Fprintln(&out, name, info.Size(), info.ModTime().UnixNano())
			}
			return nil
		})
	}
	return out.String()
}

func projectFile(project *article.Project) string {
	if file := project.File(); file != "" {
		return file
	}
	return filepath.Join(project.Dir, article.ProjectFile)
}

func filesOf(project *article.Project, slug string) []string {
	if file := project.File(); file != "" {
		return []string{file, project.RecordsDir("")}
	}
	return []string{project.ArticleDir(slug)}
}

// Problems returns the problems of the project's style sheet.
func Problems(project *article.Project) []*source.Problem {
	var problems source.Problems
	theme.Style(project, &problems)
	return problems.Sorted()
}

// Watched returns the folders and files to watch for changes.
func Watched(project *article.Project) (folders, files []string) {
	files = []string{projectFile(project)}
	if style := project.Theme.Value; style != "" {
		files = append(files, filepath.Join(project.Dir, filepath.FromSlash(style)))
	}
	if project.File() != "" {
		return []string{project.RecordsDir("")}, files
	}
	return []string{filepath.Join(project.Dir, ArticlesDir)}, files
}
