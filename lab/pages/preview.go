package pages

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"benchbook/internal/files"
	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/check"
	"benchbook/notebook/plan"

	"benchbook/notebook/source"
	"benchbook/render"
	"benchbook/runner/machine"
	"benchbook/site"
	"benchbook/site/theme"
)

// ArticlesDir is where a project has its articles.
const ArticlesDir = "experiments"

// recordsDir is where an article has its records.
const recordsDir = "records"

// A Previewer renders the site in memory, and after a change only the pages of changed articles.
type Previewer struct {
	app   *lab.Session
	open  func() (*article.Project, error)
	dir   string // of the project
	flags Options
	host  machine.Host // this machine
	shown []string     // slugs of the articles on the site, to which pages may link
	made  map[string]*madeArticle
}

// madeArticle is the last page of an article without problems.
type madeArticle struct {
	page     *render.Page
	problems string
}

// NewPreviewer previews a project.
func NewPreviewer(a *lab.Session, project *article.Project, flags Options) (*Previewer, error) {
	host, err := machine.Here()
	if err != nil {
		return nil, err
	}
	return &Previewer{app: a, open: project.Reopen, dir: project.Dir, flags: flags, host: host,
		made: map[string]*madeArticle{}}, nil
}

// Build is the Build of a site.Preview. It renders the pages whose files have changed; all if changed is nil.
func (p *Previewer) Build(ctx context.Context, changed []string) site.Built {
	var problems strings.Builder
	made, err := p.site(ctx, changed, &problems)
	if err != nil {
		problems.WriteString(err.Error() + "\n")
	}
	return site.Built{Files: made, Problems: problems.String()}
}

func (p *Previewer) site(ctx context.Context, changed []string, said *strings.Builder) (map[string][]byte, error) {
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
	look := theme.OfProject(project, &problems)
	var renderer *render.Renderer
	if problems.Empty() {
		if renderer, err = render.New(look); err != nil && !look.Explain(err, &problems) {
			return nil, err
		}
	}
	if lab.PrintProblems(said, problems.Sorted()); renderer == nil || !problems.Empty() {
		return nil, nil // the site is as it was
	}
	list, drafts, err := p.read(project, slugs)
	if err != nil {
		return nil, err
	}
	pages, err := p.pages(ctx, project, renderer, list, drafts, p.touched(changed))
	if err != nil {
		return nil, err
	}
	for _, slug := range slugs {
		said.WriteString(p.made[slug].problems)
	}
	made, err := site.Files(pages, look, p.flags.Site(p.app, project))
	if err != nil && look.Explain(err, &problems) {
		lab.PrintProblems(said, problems.Sorted())
		err = nil
	}
	return made, err
}

// read reads the articles, and returns which of them are drafts that the site leaves out.
func (p *Previewer) read(project *article.Project, slugs []string) (list []*lab.Article, drafts map[string]bool,
	err error) {
	drafts = map[string]bool{}
	var shown []string
	for _, slug := range slugs {
		doc, err := lab.ReadArticle(project, slug)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, &lab.Article{Slug: slug, Doc: doc})
		if doc.Front.Draft.V && !p.flags.Drafts {
			drafts[slug] = true
		} else {
			shown = append(shown, slug)
		}
	}
	if !slices.Equal(shown, p.shown) { // links between articles lead elsewhere, or nowhere
		p.shown, p.made = shown, map[string]*madeArticle{}
	}
	return list, drafts, nil
}

// pages returns the pages of articles, and renders the touched ones.
func (p *Previewer) pages(ctx context.Context, project *article.Project, renderer *render.Renderer,
	list []*lab.Article, drafts map[string]bool, touched func(slug string) bool) (pages []*render.Page, err error) {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	once := sync.OnceValues(func() (*render.Renderer, error) { return renderer, nil })
	for _, c := range list {
		m := p.made[c.Slug]
		if m != nil && !touched(c.Slug) && !extendsOthers(c.Doc) {
			continue
		}
		if m == nil {
			m = &madeArticle{}
			p.made[c.Slug] = m
		}
		m.problems = ""
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			planned, err := c.Plan(project, plan.Options{})
			if err != nil {
				return err
			}
			c.Problems.Merge(&c.Doc.Problems)
			check.Check(c.Doc, planned, &c.Problems)
			if !c.Problems.Empty() || drafts[c.Slug] {
				var text strings.Builder
				lab.PrintProblems(&text, c.Problems.Sorted())
				m.problems = text.String()
				return nil
			}
			made, err := renderPage(p.app, project, c, once, render.Options{Articles: p.shown}, p.flags, p.host)
			if err != nil {
				m.problems = c.Slug + ": " + err.Error() + "\n"
				return nil
			}
			m.page = made.page
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, c := range list {
		if m := p.made[c.Slug]; m.page != nil && !drafts[c.Slug] {
			pages = append(pages, m.page)
		}
	}
	return pages, nil
}

// extendsOthers reports whether an article extends experiments of other articles.
func extendsOthers(doc *article.Document) bool {
	return slices.ContainsFunc(doc.Experiments, func(e *article.ExperimentBlock) bool {
		of := e.Node.Get("extends")
		return of != nil && strings.Contains(of.Text.Value, "#")
	})
}

// touched returns which articles have changed files: all if the project file, the theme or the folder of articles
// changed, or if changed is nil.
func (p *Previewer) touched(changed []string) func(slug string) bool {
	slugs := map[string]bool{}
	for _, name := range changed {
		below, ok := files.Below(filepath.Join(p.dir, ArticlesDir), name)
		slug, _, _ := strings.Cut(filepath.ToSlash(below), "/")
		if !ok || slug == "" || slug == "." {
			changed = nil
			break
		}
		slugs[slug] = true
	}
	return func(slug string) bool { return changed == nil || slugs[slug] }
}

// themeDir returns the folder of the project's theme; empty for none.
func themeDir(project *article.Project) string {
	if project.Theme.Value == "" {
		return ""
	}
	return filepath.Join(project.Dir, filepath.FromSlash(project.Theme.Value))
}

// Problems returns the problems of the project's theme.
func Problems(project *article.Project) []*source.Problem {
	var look source.Problems
	theme.OfProject(project, &look)
	return look.Sorted()
}

// Roots returns the folders to watch for changes.
func Roots(project *article.Project) []string {
	if project.File() != "" {
		return []string{project.RecordsDir("")}
	}
	roots := []string{filepath.Join(project.Dir, ArticlesDir)}
	if dir := themeDir(project); dir != "" {
		roots = append(roots, dir)
	}
	return roots
}
