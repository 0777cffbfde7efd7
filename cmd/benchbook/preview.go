package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/yuin/goldmark/ast"
	"golang.org/x/sync/errgroup"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/render"
	"benchbook/runner/machines"
	"benchbook/site"
	"benchbook/site/theme"
)

// articlesDir is where a project has its articles.
const articlesDir = "experiments"

// recordsDir is where an article has its records.
const recordsDir = "records"

func (a *app) previewCommand() *cobra.Command {
	var flags siteOptions
	var port int
	var open bool
	cmd := &cobra.Command{
		Use:   "preview",
		Short: "Serve the site on loopback, and update it at every change",
		Long: `Serve the site on loopback, and update open pages at every change of an article or a record. Problems are shown over
the page, and so is the progress of a run in another terminal. Nothing is measured, and nothing is written. Ctrl-C ends it.`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if port < 0 || port > math.MaxUint16 {
				return fmt.Errorf("--port has to be from 0 to %d, not %d", math.MaxUint16, port)
			}
			project, err := article.OpenProject(a.dir)
			if err != nil {
				return usageError(err)
			}
			p, err := newPreviewer(a.session, project.Dir, flags)
			if err != nil {
				return failure(err)
			}
			roots := []string{filepath.Join(project.Dir, articlesDir)}
			if folder := themeDir(project); folder != "" {
				roots = append(roots, folder)
			}
			if folder := docsDir(project); folder != "" {
				roots = append(roots, folder)
			}
			preview := site.Preview{Roots: roots, Files: []string{filepath.Join(project.Dir, article.ProjectFile)}, Port: port,
				Build: p.build, Progress: func() []string { return runStatus(project.Dir) },
				Notice: func(text string) { fmt.Fprintf(a.stderr, "%s\n", text) }}
			defer a.waits(cmd.Context())()
			err = preview.Serve(cmd.Context(), func(url string) {
				fmt.Fprintf(a.stdout, "the preview is at %s; Ctrl-C ends it\n", url)
				if open {
					if err := openBrowser(url); err != nil {
						fmt.Fprintf(a.stderr, "%s: open %s yourself\n", errorText(err), url)
					}
				}
			})
			if err != nil {
				return failure(err)
			}
			return nil
		},
	}
	addShownFlags(cmd, &flags)
	cmd.Flags().IntVar(&port, "port", 0, "port to listen on (default a free one)")
	cmd.Flags().BoolVar(&open, "open", false, "open it in the browser")
	return cmd
}

// openBrowser opens an address in the browser of the user: $BROWSER, or what the system has for it.
func openBrowser(url string) error {
	opener := map[string]string{"darwin": "open"}[runtime.GOOS]
	if opener == "" {
		opener = "xdg-open"
	}
	if browser := os.Getenv("BROWSER"); browser != "" {
		opener = browser
	}
	cmd := exec.Command(opener, url)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("no browser can be opened (%w)", err)
	}
	go func() { _ = cmd.Wait() }() // it goes its own way
	return nil
}

// A previewer makes the site again and again, and of each article only what changed.
type previewer struct {
	app      *session
	dir      string // of the project
	flags    siteOptions
	host     machines.Host // this machine
	themeDir string        // of the project; empty if it has none
	look     *theme.Theme
	broken   string           // what is wrong with the theme
	renderer *render.Renderer // of the theme as it is; nil if that cannot be
	made     map[string]*made // by slug
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
	page     *render.Page // the last one that could be made; nil before
	current  bool         // all of it is as the files are
	// The subpages of page are those of the one before. They take longer than the page itself, which its author looks at.
	unfinished bool
	failure    string // why no page could be made, though the article has no problems
	extends    bool   // it takes experiments over, perhaps from other articles

	fixed   string            // what is not prose
	plan    *plan.Plan        // of the article that had this
	set     *dataset.Dataset  // likewise; nil if it has to be made anew
	moments []*dataset.Moment // likewise, and made with it
}

func newPreviewer(a *session, dir string, flags siteOptions) (*previewer, error) {
	host, err := machines.ThisHost()
	if err != nil {
		return nil, err
	}
	return &previewer{app: a, dir: dir, flags: flags, host: host, made: map[string]*made{}}, nil
}

// build is the Build of a site.Preview. Whatever is wrong is said where the reader sees it.
func (p *previewer) build(ctx context.Context, changed []string) site.Built {
	files, problems, err := p.site(ctx, changed)
	if err != nil {
		problems += err.Error() + "\n"
	}
	unfinished := false
	for _, m := range p.made {
		unfinished = unfinished || m.unfinished
	}
	return site.Built{Files: files, Problems: problems, Unfinished: unfinished}
}

func (p *previewer) site(ctx context.Context, changed []string) (files map[string][]byte, problems string, err error) {
	themed := p.forget(changed)
	project, err := article.OpenProject(p.dir)
	if err != nil {
		return nil, "", err
	}
	slugs, err := project.Slugs()
	if err != nil {
		return nil, "", err
	}
	var text strings.Builder
	printProblems(&text, project.Problems.Sorted())
	if themed {
		if err := p.readTheme(project); err != nil {
			return nil, text.String(), err
		}
	}
	text.WriteString(p.broken)
	var list []*chosen
	for _, slug := range slugs {
		c, err := p.check(project, slug)
		if err != nil {
			return nil, text.String(), err
		}
		printProblems(&text, p.made[slug].problems)
		list = append(list, c)
	}
	if p.renderer == nil { // the site is as it was
		return nil, text.String(), nil
	}
	pages, err := p.pages(ctx, project, list, changed != nil && len(changed) == 0)
	if err != nil {
		return nil, text.String(), err
	}
	var said []string // a template fails in the same way for one article after another
	for _, slug := range slugs {
		if failure := p.made[slug].failure; failure != "" && !slices.Contains(said, failure) {
			said = append(said, failure)
			text.WriteString(failure)
		}
	}
	options := p.flags.site(p.app, project)
	if err = p.readDocs(project); err == nil {
		text.WriteString(p.docsWrong)
		options.Docs = p.docs
		if files, err = site.Files(pages, p.look, options); err == nil {
			return files, text.String(), nil
		}
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

// readDocs makes the pages beside the articles, if they are not as they were.
func (p *previewer) readDocs(project *article.Project) error {
	if p.docsMade && slices.Equal(p.docsShown, p.shown) {
		return nil
	}
	var problems source.Problems
	docs := project.ReadDocs(&problems)
	var text strings.Builder
	printProblems(&text, problems.Sorted())
	p.docsDir, p.docs, p.docsWrong, p.docsShown, p.docsMade = docsDir(project), nil, text.String(), p.shown, true
	if docs == nil {
		return nil
	}
	var err error
	p.docs, err = p.renderer.Docs(docs, render.Options{Articles: p.shown})
	p.docsMade = err == nil
	return err
}

// themeDir is the folder in which a project has files for the theme; empty if it has none.
func themeDir(project *article.Project) string {
	if project.Theme.Value == "" {
		return ""
	}
	return filepath.Join(project.Dir, filepath.FromSlash(project.Theme.Value))
}

// readTheme takes the theme as it is now. Without a theme that can be used no page is made.
func (p *previewer) readTheme(project *article.Project) (err error) {
	p.themeDir, p.broken, p.renderer = themeDir(project), "", nil
	var problems source.Problems
	p.look = theme.OfProject(project, &problems)
	if problems.Empty() {
		if p.renderer, err = render.New(p.look); err == nil || !p.look.Explain(err, &problems) {
			return err
		}
	}
	var text strings.Builder
	printProblems(&text, problems.Sorted())
	p.broken = text.String()
	return nil
}

// explained says an error of making pages as a problem with its place, if a template of the project made it.
func (p *previewer) explained(err error) (text string, isTheme bool) {
	var problems source.Problems
	if !p.look.Explain(err, &problems) {
		return "", false
	}
	var b strings.Builder
	printProblems(&b, problems.Sorted())
	return b.String(), true
}

// touch is what of an article changed.
type touch struct {
	records bool // or perhaps all of it
	files   bool // others than its text
}

// forget notes which articles are no longer as they were made, and says whether the theme may be another.
func (p *previewer) forget(changed []string) (themed bool) {
	if changed != nil && len(changed) == 0 {
		return false
	}
	touched := map[string]touch{} // articles
	for _, name := range changed {
		if p.themeDir != "" && isWithin(p.themeDir, name) {
			themed = true
			continue
		}
		if p.docsDir != "" && isWithin(p.docsDir, name) {
			p.docsMade = false
			continue
		}
		below, err := filepath.Rel(filepath.Join(p.dir, articlesDir), name)
		parts := strings.Split(filepath.ToSlash(below), "/")
		if err != nil || parts[0] == ".." || parts[0] == "." { // the project's own file, or the folder of all articles
			changed = nil
			break
		}
		t := touched[parts[0]]
		t.records = t.records || len(parts) == 1 || parts[1] == recordsDir
		t.files = t.files || len(parts) != 2 || parts[1] != article.FileName
		touched[parts[0]] = t
	}
	for slug, m := range p.made {
		t, isTouched := touched[slug]
		m.current = m.current && !themed // all else of it stays
		if changed == nil || isTouched || m.extends {
			m.current = false
			m.hasRead = m.hasRead && changed != nil && !t.records
			if changed == nil || t.files || m.extends {
				m.set = nil
			}
		}
	}
	themed = themed || changed == nil
	p.docsMade = p.docsMade && !themed
	return themed
}

// isWithin reports whether a path is that of a folder, or of something in it.
func isWithin(folder, path string) bool {
	below, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(below)
}

// check reads and checks an article, if it is not as it was.
func (p *previewer) check(project *article.Project, slug string) (*chosen, error) {
	m := p.made[slug]
	if m == nil {
		m = &made{}
		p.made[slug] = m
	}
	if m.current {
		return &chosen{slug: slug, doc: m.doc}, nil
	}
	doc, err := readArticle(project, slug)
	if err != nil {
		return nil, err
	}
	c := &chosen{slug: slug, doc: doc}
	if fixed := fixedOf(doc); fixed != m.fixed {
		m.fixed, m.set = fixed, nil
	}
	if m.set == nil { // else what was planned is the same
		if m.plan, err = c.plan(project, plan.Options{}); err != nil {
			return nil, err
		}
	}
	c.problems.Merge(&doc.Problems)
	dataset.Check(doc, m.plan, &c.problems)
	m.doc, m.problems = doc, c.problems.Sorted()
	if len(m.problems) > 0 {
		m.set = nil
	}
	m.extends = slices.ContainsFunc(doc.Experiments, func(e *article.ExperimentBlock) bool {
		of := e.Node.Get("extends")
		return of != nil && strings.Contains(of.Text.Value, "#")
	})
	return c, nil
}

// pages gives the pages of articles. Of one with problems it is that from before, if there was one.
func (p *previewer) pages(ctx context.Context, project *article.Project, list []*chosen, finish bool) ([]*render.Page, error) {
	var shown []string
	for _, c := range list {
		if p.flags.drafts || !c.doc.Front.Draft.V {
			shown = append(shown, c.slug)
		}
	}
	if !slices.Equal(shown, p.shown) { // links between articles lead elsewhere, or nowhere
		for _, m := range p.made {
			m.current = false
		}
		p.shown = shown
	}
	maps.DeleteFunc(p.made, func(slug string, _ *made) bool {
		return !slices.ContainsFunc(list, func(c *chosen) bool { return c.slug == slug })
	})
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, c := range list {
		m := p.made[c.slug]
		switch {
		case !slices.Contains(shown, c.slug):
			m.page, m.failure, m.current, m.unfinished = nil, "", true, false
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
						m.failure = fmt.Sprintf("%s: %v\n", c.slug, err)
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
		m := p.made[c.slug]
		if !m.saidBad {
			p.app.sayBad(m.bad)
			m.saidBad = true
		}
		if m.page != nil {
			pages = append(pages, m.page)
		}
	}
	return pages, nil
}

// page makes the page of an article without problems. Its records are read only if they may have changed. Where only words have, its
// subpages are left for when it is to be finished.
func (p *previewer) page(project *article.Project, c *chosen, m *made, finish bool) error {
	if !m.hasRead {
		records, bad, err := record.Dir(project.RecordsDir(c.slug)).Read()
		if err != nil {
			return err
		}
		m.records, m.bad, m.saidBad, m.hasRead = records, bad, false, true
	}
	inWords := m.set != nil
	if inWords {
		m.set = m.set.Rewritten(c.doc)
		for i, moment := range m.moments {
			m.moments[i] = moment.Rewritten(c.doc)
		}
	} else {
		host, err := p.app.hostOf(project, c, p.host)
		if err != nil {
			return err
		}
		laidOver := datasetOptions(project, c, host.ID)
		laidOver.Bad = m.bad
		d, _, err := shownOf(c, m.records, laidOver, p.flags.host)
		if err != nil {
			return err
		}
		if m.moments, err = dataset.History(c.doc, m.records, d, laidOver); err != nil {
			return err
		}
		m.set = d
	}
	options := render.Options{Articles: p.shown, Moments: m.moments}
	if before := m.page; inWords && !finish && before != nil && before.Runs == len(m.moments) && before.Runs > 0 {
		page, err := p.renderer.Article(m.set, options)
		if err != nil {
			return err
		}
		page.Subpages, page.News = before.Subpages, before.News
		m.page, m.unfinished = page, true
		return nil
	}
	page, err := p.renderer.Page(m.set, options)
	if err != nil {
		return err
	}
	m.page = page
	return nil
}

// fixedOf is what of an article says what is measured, claimed and shown: all but its prose.
func fixedOf(doc *article.Document) string {
	var b strings.Builder
	text := doc.Source.Data
	b.Write(text[:len(text)-len(bytes.TrimLeft(doc.Text, " \n"))]) // the front matter, which is blank in Text
	_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		block, ok := n.(*ast.FencedCodeBlock)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		b.WriteString("\x00")
		if block.Info != nil {
			b.Write(block.Info.Segment.Value(doc.Text))
		}
		for i := range block.Lines().Len() {
			line := block.Lines().At(i)
			b.WriteString("\x00")
			b.Write(line.Value(doc.Text))
		}
		return ast.WalkSkipChildren, nil
	})
	return b.String()
}
