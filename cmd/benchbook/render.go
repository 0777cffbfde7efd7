package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
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

// siteDir is where the site goes unless --out says otherwise, below the project.
const siteDir = "_site"

// siteOptions say what a site shows, and where it goes.
type siteOptions struct {
	out     string
	drafts  bool
	host    string
	baseURL string
	single  bool
	strict  bool // warnings are problems
}

// addSiteFlags adds what render and report have in common.
func addSiteFlags(cmd *cobra.Command, f *siteOptions) {
	cmd.Flags().StringVar(&f.out, "out", "", "folder of the site (default _site in the project)")
	addShownFlags(cmd, f)
}

// addShownFlags adds those that say what is shown.
func addShownFlags(cmd *cobra.Command, f *siteOptions) {
	cmd.Flags().BoolVar(&f.drafts, "drafts", false, "show articles that are drafts")
	cmd.Flags().StringVar(&f.host, "host", "", "show the results of this host, instead of this machine's or the newest")
}

func (a *app) renderCommand() *cobra.Command {
	var flags siteOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "render",
		Short: "Render the site from articles and records, without running anything",
		Long: `Make the site from articles and records. Nothing is run and no engine is needed. What was measured on
this machine is shown if it is complete, else the newest complete results of another host, which is named.

All links of the site are relative, so that it can be read from a disk. Where it will be, which --base-url or url in benchbook.yaml
say, stands in its feed, in the canonical addresses of its pages and in a sitemap.xml.`,
		Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			if flags.baseURL != "" {
				if err := site.CheckBaseURL(flags.baseURL); err != nil {
					return usageError(fmt.Errorf("--base-url: %w", err))
				}
			}
			project, list, err := a.choose(nil)
			if err != nil {
				return err
			}
			_, err = renderSite(a.session, project, list, flags, nil, asJSON)
			return err
		},
	}
	addSiteFlags(cmd, &flags)
	cmd.Flags().StringVar(&flags.baseURL, "base-url", "", "where the site will be, such as https://example.org/benchmarks/ (default url in benchbook.yaml)")
	cmd.Flags().BoolVar(&flags.single, "single-file", false, "make of each article one HTML file that holds all it needs, and nothing else")
	cmd.Flags().BoolVar(&flags.strict, "strict", false, "end with the status of problems if there are warnings")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what the claims came to as JSON")
	return cmd
}

func (a *app) reportCommand() *cobra.Command {
	var running runFlags
	var show siteOptions
	cmd := &cobra.Command{
		Use:   "report [ARTICLE[#NAME] ...]",
		Short: "Measure what is missing or stale, then render the site",
		Long: `Measure what is missing or stale as run does, and then render the site as render does, also where something
could not be measured, though not after an interrupt. All articles are rendered; the claims that are printed are those
of the articles that are named. Drafts are measured if they are named, or with --drafts. The
status is that of the measuring or of the rendering, whichever is worse; with --claims also that of the claims of
the articles that were to be measured.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := running.check(cmd.Flags(), a.wiring.engineNames()); err != nil {
				return err
			}
			project, list, err := a.choose(args)
			if err != nil {
				return err
			}
			running.chooseEngine(project)
			if len(args) == 0 && !show.drafts {
				list = withoutDrafts(a.session, list)
			}
			err = measure(cmd.Context(), a.session, project, list, running.measureOptions)
			var s *statusError
			if errors.As(err, &s) {
				switch {
				case s.status == statusUsage || cmd.Context().Err() != nil:
					return err
				case s.err != nil:
					fmt.Fprintf(a.stderr, "benchbook: %s\n", errorText(s.err))
					err = withStatus(s.status, nil)
				}
			}
			_, all, chooseErr := a.choose(nil)
			if chooseErr != nil {
				return worse(err, chooseErr)
			}
			said := slugsOf(list) // the articles whose problems were said, and that the claims are to be of
			outcomes, renderErr := renderSite(a.session, project, all, show, said, running.json)
			err = a.both(err, renderErr)
			sayOtherProfile(a.session, outcomes, said, running.profile)
			if running.claims {
				err = a.both(err, claimStatus(a.session, outcomes))
			}
			return err
		},
	}
	running.add(cmd, plan.Full)
	addSiteFlags(cmd, &show)
	return cmd
}

// withoutDrafts leaves out, and names, the articles that the site will not show: measuring may take long.
func withoutDrafts(a *session, list []*chosen) []*chosen {
	return slices.DeleteFunc(list, func(c *chosen) bool {
		if c.doc.Front.Draft.V {
			fmt.Fprintf(a.stderr, "%s is a draft, and not measured: give its name, or --drafts\n", c.slug)
		}
		return c.doc.Front.Draft.V
	})
}

// render makes the site of all articles without problems, and says what each claim came to and where the site is. said are the
// articles that were asked for, all if empty: their problems, and those of the project, have been said already, and of no other
// article the claims are said. It gives what the records say of them.
func renderSite(a *session, project *article.Project, list []*chosen, flags siteOptions, said []string, asJSON bool) ([]*articleOutcome, error) {
	plans, problems, err := a.check(project, list, plan.Options{})
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		if c.problems.Empty() {
			c.planned = plans[c.slug]
		}
	}
	pages, outcomes, err := renderPages(a, project, list, flags, said, asJSON)
	if err != nil {
		return nil, err
	}
	out := flags.dir(project)
	report, found, err := buildSite(a, project, pages, out, flags)
	if err != nil {
		return nil, err
	}
	warnings := 0
	for _, p := range pages {
		for _, w := range p.Warnings {
			fmt.Fprintf(a.stderr, "%s: %s\n", p.Slug, w)
			warnings++
		}
	}
	if len(said) > 0 {
		outcomes = slices.DeleteFunc(outcomes, func(o *articleOutcome) bool { return !slices.Contains(said, o.data.Article) })
	}
	if err := printOutcome(a, outcomes, relative(out), asJSON); err != nil {
		return nil, err
	}
	if len(said) == 0 {
		printProblems(a.stderr, project.Problems.Sorted())
	}
	printProblems(a.stderr, found)
	for _, c := range list {
		if !slices.Contains(said, c.slug) {
			printProblems(a.stderr, c.problems.Sorted())
		}
	}
	if !asJSON {
		first := "index.html"
		if flags.single {
			first = "ARTICLE.html"
		}
		fmt.Fprintf(a.stdout, "the site is in %s: open %s (%s, %d written)\n", relative(out), filepath.Join(relative(out), first),
			count(report.Files, "file"), len(report.Written))
	}
	switch {
	case len(problems) > 0:
		return outcomes, withStatus(statusProblems, fmt.Errorf("%s; the articles that have them are not part of the site", count(len(problems), "problem")))
	case len(found) > 0:
		return outcomes, withStatus(statusProblems, fmt.Errorf("%s of the docs; links that lead to nothing are text on the site", count(len(found), "problem")))
	case flags.strict && warnings > 0:
		return outcomes, withStatus(statusProblems, fmt.Errorf("%s, which --strict does not let pass", count(warnings, "warning")))
	}
	return outcomes, nil
}

// relative writes a path as seen from the current folder, where that is shorter to say.
func relative(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(wd, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		return path
	}
	return rel
}

func (f *siteOptions) dir(project *article.Project) string {
	if f.out == "" {
		return filepath.Join(project.Dir, siteDir)
	}
	out, err := filepath.Abs(f.out)
	if err != nil {
		return f.out
	}
	return out
}

// site is what the site is called and has in it.
func (f *siteOptions) site(a *session, project *article.Project) site.Options {
	return site.Options{Title: cmp.Or(project.Title.Value, filepath.Base(project.Dir)), Author: project.Author.Value, Version: a.version, Drafts: f.drafts,
		BaseURL: cmp.Or(f.baseURL, project.URL.Value), SingleFile: f.single}
}

// pages renders the articles that have no problems. Drafts are among them if the site has them, or if they are asked for by name; others
// cannot refer to a page that the site does not have.
func renderPages(a *session, project *article.Project, list []*chosen, flags siteOptions, named []string, asJSON bool) ([]*render.Page, []*articleOutcome, error) {
	this, err := machines.ThisHost()
	if err != nil {
		return nil, nil, failure(err)
	}
	look, err := projectTheme(a, project)
	if err != nil {
		return nil, nil, err
	}
	renderer := sync.OnceValues(func() (*render.Renderer, error) { return render.New(look) })
	go func() { _, _ = renderer() }() // it reads fonts, and nobody needs it before records have been read
	var sound []*chosen
	var options render.Options
	for _, c := range list {
		shown := flags.drafts || !c.doc.Front.Draft.V
		if c.problems.Empty() && (shown || slices.Contains(named, c.slug)) {
			sound = append(sound, c)
		}
		if c.problems.Empty() && shown {
			options.Articles = append(options.Articles, c.slug)
		}
	}
	made := make([]madePage, len(sound))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, c := range sound {
		group.Go(func() (err error) {
			made[i], err = renderPage(a, project, c, renderer, options, flags, this, asJSON)
			c.doc, c.planned = nil, nil // nobody needs them any more, and of a thousand articles they are most of what is in memory
			return err
		})
	}
	err = group.Wait()
	if _, wrong := renderer(); wrong != nil {
		err = wrong
	}
	if err != nil {
		return nil, nil, themeError(a, look, err)
	}
	var pages []*render.Page
	var outcomes []*articleOutcome
	found := flags.host == ""
	for _, m := range made {
		a.sayBad(m.bad)
		found = found || m.found
		pages, outcomes = append(pages, m.page), append(outcomes, m.outcome)
	}
	if !found {
		return nil, nil, usageError(fmt.Errorf("no records of host %q in any article", flags.host))
	}
	return pages, outcomes, nil
}

// shownOf is what the records say of an article, of one host if that is asked for. Of an article without records of that host nothing
// is shown, which its page says, and found is false.
func shownOf(c *chosen, records []*record.Record, o dataset.Options, asked string) (d *dataset.Dataset, found bool, err error) {
	found = asked != ""
	d, err = datasetOf(c, records, o, asked)
	if errors.Is(err, dataset.ErrNoHost) {
		found, o.ThisHost = false, asked
		d, err = datasetOf(c, records, o, "")
	}
	if err != nil {
		return nil, false, fmt.Errorf("article %s: %w", c.slug, err)
	}
	return d, found, nil
}

// madePage is the page of an article, with what its records say.
type madePage struct {
	page    *render.Page
	outcome *articleOutcome
	bad     []record.Bad // files among the records that are none
	found   bool         // there are records of the host that was asked for
}

// page makes the page of an article.
func renderPage(a *session, project *article.Project, c *chosen, renderer func() (*render.Renderer, error), options render.Options, flags siteOptions,
	this machines.Host, asJSON bool) (m madePage, err error) {
	host, err := a.hostOf(project, c, this)
	if err != nil {
		return m, fmt.Errorf("article %s: %w", c.slug, err)
	}
	records, bad, err := record.Dir(project.RecordsDir(c.slug)).Read()
	if err != nil {
		return m, fmt.Errorf("article %s: %w", c.slug, err)
	}
	m.bad = bad
	laidOver := datasetOptions(project, c, host.ID)
	laidOver.Bad = bad
	var shown *dataset.Dataset
	if shown, m.found, err = shownOf(c, records, laidOver, flags.host); err != nil {
		return m, err
	}
	m.outcome = outcomeOf(shown, asJSON)
	if !flags.single {
		if options.Moments, err = dataset.History(c.doc, records, shown, laidOver); err != nil {
			return m, fmt.Errorf("article %s: %w", c.slug, err)
		}
	}
	made, err := renderer()
	if err != nil {
		return m, err
	}
	m.page, err = made.Page(shown, options)
	return m, err
}

// build makes the site, and says what is wrong with the pages beside the articles.
func buildSite(a *session, project *article.Project, pages []*render.Page, out string, flags siteOptions) (r site.Report, found []*source.Problem, err error) {
	look, err := projectTheme(a, project)
	if err != nil {
		return r, nil, err
	}
	options := flags.site(a, project)
	if !flags.single {
		var slugs []string
		for _, p := range pages {
			if flags.drafts || !p.Draft {
				slugs = append(slugs, p.Slug)
			}
		}
		if options.Docs, found, err = renderDocs(a, project, look, slugs); err != nil {
			return r, nil, err
		}
	}
	if r, err = site.Build(pages, out, look, options); err != nil {
		return r, nil, themeError(a, look, err)
	}
	return r, found, nil
}

// theme is how pages of the project look. Without it nothing is rendered.
func projectTheme(a *session, project *article.Project) (*theme.Theme, error) {
	var problems source.Problems
	look := theme.OfProject(project, &problems)
	if !problems.Empty() {
		printProblems(a.stderr, problems.Sorted())
		return nil, withStatus(statusProblems, errors.New("the theme has problems, and the site was not rendered"))
	}
	return look, nil
}

// themeProblems are what is wrong with the files that the project has for the theme.
func themeProblems(project *article.Project) []*source.Problem {
	var problems source.Problems
	theme.OfProject(project, &problems)
	return problems.Sorted()
}

// themed is the error of making pages: a problem with its place, if a template of the project made it.
func themeError(a *session, look *theme.Theme, err error) error {
	var problems source.Problems
	if !look.Explain(err, &problems) {
		return failure(err)
	}
	printProblems(a.stderr, problems.Sorted())
	return withStatus(statusProblems, errors.New("the theme has problems, and the site was not rendered"))
}
