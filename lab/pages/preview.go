package pages

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"golang.org/x/sync/errgroup"

	"benchbook/files"
	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/check"
	"benchbook/notebook/compare"
	"benchbook/notebook/conditional"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/projects"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/render"
	"benchbook/runner/sysinfo"
	"benchbook/site"
	"benchbook/site/theme"
)

// ArticlesDir is where a project has its articles.
const ArticlesDir = "experiments"

// recordsDir is where an article has its records.
const recordsDir = "records"

// A Previewer makes the site again and again, and of each article only what changed.
type Previewer struct {
	app      *lab.Session
	open     func() (*projects.Project, error)
	dir      string // of the project
	flags    Options
	host     sysinfo.Host // this machine
	themeDir string       // of the project; empty if it has none
	look     *theme.Theme
	broken   string           // what is wrong with the theme
	renderer *render.Renderer // of the theme as it is; nil if that cannot be
	Made     map[string]*made // by slug
	shown    []string         // slugs of the articles that the site has, to which pages may link

	docsDir   string // of the project; empty if it has none
	docs      []*render.DocsPage
	docsWrong string   // what is wrong with them
	docsShown []string // what shown was when they were made
	docsMade  bool     // they are as the files are
}

// made is what became of an article.
type made struct {
	doc      *article.Document
	problems []*source.Problem
	records  []*record.Record
	bad      []record.Bad // files among the records that are none
	saidBad  bool
	hasRead  bool         // the records are as they are on disk
	Page     *render.Page // the last one that could be made; nil before
	current  bool         // all of it is as the files are
	// The subpages of page, and what search finds in it, are those of the one before. They take longer than the page
	// itself, which its author looks at.
	unfinished bool
	failure    string // why no page could be made, though the article has no problems
	extends    bool   // it takes experiments over, perhaps from other articles

	fixed   string            // what is not prose
	plan    *plan.Plan        // of the article that had this
	set     *dataset.Dataset  // likewise; nil if it has to be made anew
	moments []*compare.Moment // likewise, and made with it
}

// NewPreviewer previews a project.
func NewPreviewer(a *lab.Session, project *projects.Project, flags Options) (*Previewer, error) {
	host, err := sysinfo.ThisHost()
	if err != nil {
		return nil, err
	}
	return &Previewer{app: a, open: project.Reopen, dir: project.Dir, flags: flags, host: host,
		Made: map[string]*made{}}, nil
}

// Build is the Build of a site.Preview. Whatever is wrong is said where the reader sees it.
func (p *Previewer) Build(ctx context.Context, changed []string) site.Built {
	files, problems, err := p.site(ctx, changed)
	if err != nil {
		problems += err.Error() + "\n"
	}
	unfinished := false
	for _, m := range p.Made {
		unfinished = unfinished || m.unfinished
	}
	return site.Built{Files: files, Problems: problems, Unfinished: unfinished}
}

// site makes what changed, and all files of the site unless a theme or docs cannot be used. Problems are text.
func (p *Previewer) site(ctx context.Context, changed []string) (files map[string][]byte, problems string, err error) {
	themed := p.forget(changed)
	project, err := p.open()
	if err != nil {
		return nil, "", err
	}
	slugs, err := project.Slugs()
	if err != nil {
		return nil, "", err
	}
	var text strings.Builder
	lab.PrintProblems(&text, project.Problems.Sorted())
	if themed {
		if err := p.readTheme(project); err != nil {
			return nil, text.String(), err
		}
	}
	text.WriteString(p.broken)
	var list []*lab.Article
	for _, slug := range slugs {
		c, err := p.check(project, slug)
		if err != nil {
			return nil, text.String(), err
		}
		lab.PrintProblems(&text, p.Made[slug].problems)
		list = append(list, c)
	}
	if p.renderer == nil { // the site is as it was
		return nil, text.String(), nil
	}
	pages, err := p.pages(ctx, project, list, changed != nil && len(changed) == 0)
	if err != nil {
		return nil, text.String(), err
	}
	said := p.failures(slugs)
	text.WriteString(strings.Join(said, ""))
	files, err = p.files(project, pages)
	text.WriteString(p.docsWrong)
	if err == nil {
		return files, text.String(), nil
	}
	failure, isTheme := p.explained(err)
	if !isTheme {
		return nil, text.String(), err
	}
	if !slices.Contains(said, failure) {
		text.WriteString(failure)
	}
	return nil, text.String(), nil
}

// failures are why pages could not be made, each once: a template fails in the same way for one article after another.
func (p *Previewer) failures(slugs []string) (out []string) {
	for _, slug := range slugs {
		if failure := p.Made[slug].failure; failure != "" && !slices.Contains(out, failure) {
			out = append(out, failure)
		}
	}
	return out
}

// files makes the files of the site.
func (p *Previewer) files(project *projects.Project, pages []*render.Page) (map[string][]byte, error) {
	if err := p.readDocs(project); err != nil {
		return nil, err
	}
	options := p.flags.Site(p.app, project)
	options.Docs = p.docs
	return site.Files(pages, p.look, options)
}

// readDocs makes the pages beside the articles, if they are not as they were.
func (p *Previewer) readDocs(project *projects.Project) error {
	if p.docsMade && slices.Equal(p.docsShown, p.shown) {
		return nil
	}
	var problems source.Problems
	docs := project.ReadDocs(&problems)
	p.docsDir, p.docs, p.docsWrong, p.docsShown, p.docsMade = docsDir(project), nil, textOf(&problems), p.shown, true
	if docs == nil {
		return nil
	}
	var err error
	p.docs, err = p.renderer.Docs(docs, render.Options{Articles: p.shown})
	p.docsMade = err == nil
	return err
}

// readTheme takes the theme as it is now. Without a theme that can be used no page is made.
func (p *Previewer) readTheme(project *projects.Project) (err error) {
	p.themeDir, p.broken, p.renderer = themeDir(project), "", nil
	var problems source.Problems
	p.look = theme.OfProject(project, &problems)
	if problems.Empty() {
		if p.renderer, err = render.New(p.look); err == nil || !p.look.Explain(err, &problems) {
			return err
		}
	}
	p.broken = textOf(&problems)
	return nil
}

// textOf is problems as they are printed.
func textOf(problems *source.Problems) string {
	var b strings.Builder
	lab.PrintProblems(&b, problems.Sorted())
	return b.String()
}

// explained says an error of making pages as a problem with its place, if a template of the project made it.
func (p *Previewer) explained(err error) (text string, isTheme bool) {
	var problems source.Problems
	if !p.look.Explain(err, &problems) {
		return "", false
	}
	return textOf(&problems), true
}

// touch is what of an article changed.
type touch struct {
	records bool // or perhaps all of it
	files   bool // others than its text
}

// forget notes which articles are no longer as they were made, and says whether the theme may be another.
func (p *Previewer) forget(changed []string) (themed bool) {
	if changed != nil && len(changed) == 0 {
		return false
	}
	touched, themed, all := p.touched(changed)
	for slug, m := range p.Made {
		t, isTouched := touched[slug]
		m.current = m.current && !themed // all else of it stays
		if all || isTouched || m.extends {
			m.current = false
			m.hasRead = m.hasRead && !all && !t.records
			if all || t.files || m.extends {
				m.set = nil
			}
		}
	}
	themed = themed || all
	p.docsMade = p.docsMade && !themed
	return themed
}

// touched tells what changed of which article, and whether of the theme; all says that anything may have.
func (p *Previewer) touched(changed []string) (touched map[string]touch, themed, all bool) {
	touched, all = map[string]touch{}, changed == nil
	for _, name := range changed {
		if _, ok := files.Below(p.themeDir, name); p.themeDir != "" && ok {
			themed = true
			continue
		}
		if _, ok := files.Below(p.docsDir, name); p.docsDir != "" && ok {
			p.docsMade = false
			continue
		}
		below, err := filepath.Rel(filepath.Join(p.dir, ArticlesDir), name)
		parts := strings.Split(filepath.ToSlash(below), "/")
		if err != nil || parts[0] == ".." || parts[0] == "." { // the project's own file, or the folder of all articles
			return touched, themed, true
		}
		t := touched[parts[0]]
		t.records = t.records || len(parts) == 1 || parts[1] == recordsDir
		t.files = t.files || len(parts) != 2 || parts[1] != article.FileName
		touched[parts[0]] = t
	}
	return touched, themed, all
}

// Check reads and checks an article, if it is not as it was.
func (p *Previewer) check(project *projects.Project, slug string) (*lab.Article, error) {
	m := p.Made[slug]
	if m == nil {
		m = &made{}
		p.Made[slug] = m
	}
	if m.current {
		return &lab.Article{Slug: slug, Doc: m.doc}, nil
	}
	doc, err := lab.ReadArticle(project, slug)
	if err != nil {
		return nil, err
	}
	c := &lab.Article{Slug: slug, Doc: doc}
	if fixed := fixedOf(doc); fixed != m.fixed {
		m.fixed, m.set = fixed, nil
	}
	if m.set == nil { // else what was planned is the same
		if m.plan, err = c.Plan(project, plan.Options{}); err != nil {
			return nil, err
		}
	}
	c.Problems.Merge(&doc.Problems)
	check.Check(doc, m.plan, &c.Problems)
	m.doc, m.problems = doc, c.Problems.Sorted()
	if len(m.problems) > 0 {
		m.set = nil
	}
	m.extends = slices.ContainsFunc(doc.Experiments, func(e *article.ExperimentBlock) bool {
		of := e.Node.Get("extends")
		return of != nil && strings.Contains(of.Text.Value, "#")
	})
	return c, nil
}

// show notes which articles the site has. Pages of others are forgotten.
func (p *Previewer) show(list []*lab.Article) {
	var shown []string
	for _, c := range list {
		if p.flags.Drafts || !c.Doc.Front.Draft.V {
			shown = append(shown, c.Slug)
		}
	}
	if !slices.Equal(shown, p.shown) { // links between articles lead elsewhere, or nowhere
		for _, m := range p.Made {
			m.current = false
		}
		p.shown = shown
	}
	maps.DeleteFunc(p.Made, func(slug string, _ *made) bool {
		return !slices.ContainsFunc(list, func(c *lab.Article) bool { return c.Slug == slug })
	})
}

// pages gives the pages of articles. Of one with problems it is that from before, if there was one.
func (p *Previewer) pages(ctx context.Context, project *projects.Project, list []*lab.Article,
	finish bool) ([]*render.Page, error) {
	p.show(list)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, c := range list {
		m := p.Made[c.Slug]
		switch {
		case !slices.Contains(p.shown, c.Slug):
			m.Page, m.failure, m.current, m.unfinished = nil, "", true, false
		case len(m.problems) > 0:
			m.failure, m.current, m.unfinished = "", true, false
		case !m.current || m.unfinished && finish:
			group.Go(func() error {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				m.failure, m.current, m.unfinished = "", true, false
				if err := p.page(project, c, m, finish); err != nil {
					failure, isTheme := p.explained(err)
					if m.failure = failure; !isTheme {
						m.failure = fmt.Sprintf("%s: %v\n", c.Slug, err)
					}
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var pages []*render.Page
	for _, c := range list {
		m := p.Made[c.Slug]
		if !m.saidBad {
			p.app.WarnBad(m.bad)
			m.saidBad = true
		}
		if m.Page != nil {
			pages = append(pages, m.Page)
		}
	}
	return pages, nil
}

// read reads the records of an article.
func (p *Previewer) read(project *projects.Project, c *lab.Article, m *made) error {
	read, _, err := p.app.ReadRecordsOf(project, c.Slug)
	if err != nil {
		return err
	}
	m.records, m.bad, m.saidBad, m.hasRead = read.Records, read.Bad, false, true
	return nil
}

// page makes the page of an article without problems. Its records are read only if they may have changed. Where only
// words have, its subpages are left for when it is to be finished.
func (p *Previewer) page(project *projects.Project, c *lab.Article, m *made, finish bool) error {
	if !m.hasRead {
		if err := p.read(project, c, m); err != nil {
			return err
		}
	}
	inWords := m.set != nil
	if inWords {
		m.set = m.set.Rewritten(c.Doc)
		for i, moment := range m.moments {
			m.moments[i] = moment.Rewritten(c.Doc)
		}
	} else {
		host, err := p.app.HostOf(project, c, p.host)
		if err != nil {
			return err
		}
		laidOver := lab.DatasetOptions(project, c, host.ID)
		laidOver.Bad = m.bad
		d, _, err := shownOf(c, m.records, laidOver, p.flags.Host)
		if err != nil {
			return err
		}
		if m.moments, err = compare.History(c.Doc, m.records, d, laidOver); err != nil {
			return err
		}
		m.set = d
	}
	options := render.Options{Articles: p.shown, Moments: m.moments, Apart: true,
		Address: cmp.Or(p.flags.BaseURL, project.URL.Value), Licence: project.Licence.Value}
	if before := m.Page; inWords && !finish && before != nil && before.Runs == len(m.moments) && before.Runs > 0 {
		page, err := p.renderer.Article(m.set, options)
		if err != nil {
			return err
		}
		page.Sections, page.Subpages, page.News = before.Sections, before.Subpages, before.News
		m.Page, m.unfinished = page, true
		return nil
	}
	page, err := p.renderer.Page(m.set, options)
	if err != nil {
		return err
	}
	m.Page = page
	return nil
}

// fixedOf is what of an article says what is measured, claimed and shown: all but its prose.
func fixedOf(doc *article.Document) string {
	var b strings.Builder
	text := doc.Source.Data
	b.Write(text[:len(text)-len(bytes.TrimLeft(doc.Text, " \n"))]) // the front matter, which is blank in Text
	_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if part, ok := n.(*conditional.Part); ok { // which blocks are shown depends on it
			fmt.Fprintf(&b, "\x00%t\x00%s", entering, text[part.Place.Start:part.Place.End])
		}
		if block, ok := n.(*article.Block); ok && entering {
			fmt.Fprintf(&b, "\x00%s\x00%s", block.Is, block.YAML)
			if l := block.Listing; l != nil {
				fmt.Fprintf(&b, "\x00%s\x00%s\x00%d\x00%s", l.Language, l.Path, l.First, l.Data)
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}
