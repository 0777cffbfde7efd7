// Package pages renders the site of a project, once or on every change, and weaves parts of articles into other files.
package pages

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/show"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/render"
	"benchbook/site"
	"benchbook/site/theme"
)

// SiteDir is the default folder of the site, below the project.
const SiteDir = "_site"

// Options select what a site shows and where it is written.
type Options struct {
	Out     string
	Host    string
	Single  bool
	PNG     bool   // a picture of each figure next to its SVG
	Command string // command line that measured the only article; empty for articles of a project
}

// Render renders the site of all articles without problems, and prints outcomes and the site's folder. said lists the
// articles whose problems are printed already; if it is not empty, only their claims are printed.
func Render(a *lab.Session, project *article.Project, list []*lab.Article, flags Options, said []string) (
	[]*show.Article, error) {
	m, err := makeSite(a, project, list, flags)
	if err != nil {
		return nil, err
	}
	var outcomes []*show.Article
	for _, made := range m.pages {
		for _, w := range made.page.Warnings {
			fmt.Fprintf(a.Stderr, "%s: %s\n", made.page.Slug, w)
		}
		if len(said) == 0 || slices.Contains(said, made.page.Slug) {
			outcomes = append(outcomes, made.outcome)
		}
	}
	if err := show.PrintOutcome(a, outcomes, terminal.Relative(m.folder)); err != nil {
		return nil, err
	}
	var unsaid []*source.Problem
	if len(said) == 0 {
		unsaid = project.Problems.Sorted()
	}
	for _, c := range list {
		if !slices.Contains(said, c.Slug) {
			unsaid = append(unsaid, c.Problems.Sorted()...)
		}
	}
	lab.PrintProblems(a.Stderr, unsaid)
	if folder, first := terminal.Relative(m.folder), "index.html"; !a.JSON {
		if flags.Single {
			first = "ARTICLE.html"
		}
		fmt.Fprintf(a.Stdout, "the site is in %s: open %s (%s, %d written)\n", folder, filepath.Join(folder, first),
			phrase.Count(m.report.Files, "file"), len(m.report.Written))
	}
	if m.problems > 0 {
		return outcomes, lab.Failure(errors.New(phrase.Count(m.problems, "problem") +
			"; the affected articles are not part of the site"))
	}
	return outcomes, nil
}

// SoFar renders the site in the middle of a run, and prints only its path and what it shows.
func SoFar(a *lab.Session, shows string) error {
	project, list, err := a.Select(nil)
	if err != nil {
		return err
	}
	m, err := makeSite(a, project, list, Options{})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Stderr, "%s shows %s\n", filepath.Join(terminal.Relative(m.folder), "index.html"), shows)
	return nil
}

type madeSite struct {
	folder   string
	pages    []madePage
	report   site.Report
	problems int // of articles
}

// makeSite renders and writes all articles without problems.
func makeSite(a *lab.Session, project *article.Project, list []*lab.Article, flags Options) (m madeSite, err error) {
	problems, err := a.Check(project, list, plan.Options{})
	if err != nil {
		return m, err
	}
	m = madeSite{folder: flags.Dir(project), problems: len(problems)}
	var ofStyle source.Problems
	options := flags.Site(a, project, &ofStyle)
	if !ofStyle.Empty() {
		lab.PrintProblems(a.Stderr, ofStyle.Sorted())
		return m, lab.Failure(errors.New("the site was not rendered"))
	}
	if m.pages, err = renderPages(a, project, list, flags); err != nil {
		return m, err
	}
	pages := slice.Map(m.pages, func(made madePage) *render.Page { return made.page })
	if m.report, err = site.Build(pages, m.folder, options); err != nil {
		return m, lab.Failure(err)
	}
	return m, nil
}

// Dir returns the folder of the site.
func (f Options) Dir(project *article.Project) string {
	if file := project.File(); f.Out == "" && file != "" {
		return filepath.Join(project.Dir, SiteDir, strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)))
	}
	if f.Out == "" {
		return filepath.Join(project.Dir, SiteDir)
	}
	out, err := filepath.Abs(f.Out)
	if err != nil {
		return f.Out
	}
	return out
}

// Site returns the options of package site. Problems concern the project's style sheet.
func (f Options) Site(a *lab.Session, project *article.Project, problems *source.Problems) site.Options {
	return site.Options{Style: theme.Style(project, problems), Author: project.Author.Value,
		Title: cmp.Or(project.Title.Value, filepath.Base(project.Dir)), Description: project.Description.OneLine().Value,
		Version: a.Version, BaseURL: project.URL.Value, SingleFile: f.Single}
}

func renderPages(a *lab.Session, project *article.Project, list []*lab.Article, flags Options) ([]madePage, error) {
	renderer, err := render.New(theme.Files)
	if err != nil {
		return nil, lab.Failure(err)
	}
	sound := slices.DeleteFunc(slices.Clone(list), func(c *lab.Article) bool { return !c.Problems.Empty() })
	options := render.Options{Articles: lab.SlugsOf(sound), Command: flags.Command, Address: project.URL.Value,
		Licence: project.Licence.Value, PNG: flags.PNG}
	made := make([]madePage, len(sound))
	err = lab.Each(sound, func(i int, c *lab.Article) (err error) {
		if made[i], err = renderPage(a, project, c, renderer, options, flags); err != nil {
			err = fmt.Errorf("article %s: %w", c.Slug, err)
		}
		// With a thousand articles, these would take most of the memory.
		c.Doc, c.Planned = nil, nil
		return err
	})
	if err != nil {
		return nil, lab.Failure(err)
	}
	if flags.Host != "" && !slices.ContainsFunc(made, func(m madePage) bool { return m.found }) {
		return nil, lab.UsageError(fmt.Errorf("no records of host %q in any article", flags.Host))
	}
	return made, nil
}

type madePage struct {
	page    *render.Page
	outcome *show.Article
	found   bool // the article has records of the host of --host
}

func renderPage(a *lab.Session, project *article.Project, c *lab.Article, renderer *render.Renderer,
	options render.Options, flags Options) (m madePage, err error) {
	records, o, err := a.Lay(project, c)
	if err != nil {
		return m, err
	}
	m.found, o.Host = true, flags.Host
	shown, err := dataset.New(c.Doc, records, o)
	if errors.Is(err, dataset.ErrNoHost) { // the page is rendered without results
		m.found, o.ThisHost, o.Host = false, flags.Host, ""
		shown, err = dataset.New(c.Doc, records, o)
	}
	if err != nil {
		return m, err
	}
	m.outcome = show.NewArticle(shown)
	if !flags.Single {
		if options.Sources, err = runFiles(project.RecordsDir(c.Slug), records); err != nil {
			return m, err
		}
	}
	m.page, err = renderer.Page(shown, options)
	return m, err
}

// runFiles returns the finished record files of an article, for readers to download.
func runFiles(folder string, records []*record.Record) (list []render.Copy, err error) {
	unfinished := record.Unfinished(records)
	for _, below := range slices.Compact(slices.Sorted(slices.Values(slice.Map(records, (*record.Record).Path)))) {
		if unfinished[below] {
			continue
		}
		name := filepath.Join(folder, below)
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("finding records: %w", err)
		}
		list = append(list, render.Copy{Path: path.Join(recordsDir, filepath.ToSlash(below)) + ".gz", From: name, Size: info.Size()})
	}
	return list, nil
}
