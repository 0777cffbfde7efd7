package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/render"
	"benchbook/runner"
	"benchbook/site"
	"benchbook/site/theme"
)

// siteDir is where the site goes unless --out says otherwise, below the project.
const siteDir = "_site"

// renderFlags are what render, report and preview have in common.
type renderFlags struct {
	out    string
	drafts bool
	host   string
}

func (f *renderFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.out, "out", "", "folder of the site (default _site in the project)")
	cmd.Flags().BoolVar(&f.drafts, "drafts", false, "show articles that are drafts")
	cmd.Flags().StringVar(&f.host, "host", "", "show the results of this host, instead of this machine's or the newest")
}

func (a *app) renderCommand() *cobra.Command {
	var flags renderFlags
	cmd := &cobra.Command{
		Use:   "render",
		Short: "Make the site from articles and records, without running anything",
		Long: `Make the site from articles and records. Nothing is run and no engine is needed. What was measured on
this machine is shown if it is complete, else the newest complete results of another host, which is named.`,
		Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			project, list, err := a.choose(nil)
			if err != nil {
				return err
			}
			return a.render(project, list, flags, nil)
		},
	}
	flags.add(cmd)
	return cmd
}

func (a *app) reportCommand() *cobra.Command {
	var measure runFlags
	var show renderFlags
	cmd := &cobra.Command{
		Use:   "report [ARTICLE[#NAME] ...]",
		Short: "Measure what is missing, render the site in any case, and say what each claim came to",
		Long: `Measure what is missing or stale as run does, and then render the site as render does, in any case. The
status is that of the measuring, or of the rendering if that went wrong.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := measure.check(cmd.Flags()); err != nil {
				return err
			}
			project, list, err := a.choose(args)
			if err != nil {
				return err
			}
			err = a.measure(cmd.Context(), project, list, measure)
			var s *statusError
			if errors.As(err, &s) {
				switch {
				case s.status == statusUsage || cmd.Context().Err() != nil:
					return err
				case s.err != nil:
					fmt.Fprintf(a.stderr, "benchbook: %v\n", s.err)
					err = &statusError{status: s.status}
				}
			}
			_, all, chooseErr := a.choose(nil)
			if chooseErr != nil {
				return worse(err, chooseErr)
			}
			var said []string // the articles whose problems were said
			for _, c := range list {
				said = append(said, c.slug)
			}
			return a.both(err, a.render(project, all, show, said))
		},
	}
	measure.add(cmd, plan.Full)
	show.add(cmd)
	return cmd
}

// render makes the site of all articles without problems, and says what each claim came to and where the site is. said are the
// articles whose problems, and those of the project, have been said already.
func (a *app) render(project *article.Project, list []*chosen, flags renderFlags, said []string) error {
	_, problems, err := a.check(project, list, plan.Options{})
	if err != nil {
		return err
	}
	pages, sets, err := a.pages(project, list, flags)
	if err != nil {
		return err
	}
	out := flags.dir(project)
	report, err := a.build(project, pages, out, flags)
	if err != nil {
		return err
	}
	for _, p := range pages {
		for _, w := range p.Warnings {
			fmt.Fprintf(a.stderr, "%s: %s\n", p.Slug, w)
		}
	}
	for _, d := range sets {
		a.printDataset(d.Doc.Slug, d)
	}
	if len(said) == 0 {
		printProblems(a.stderr, project.Problems.Sorted())
	}
	for _, c := range list {
		if !slices.Contains(said, c.slug) {
			printProblems(a.stderr, c.problems.Sorted())
		}
	}
	fmt.Fprintf(a.stdout, "the site is in %s: open %s (%s, %d written)\n", relative(out), filepath.Join(relative(out), "index.html"),
		count(report.Files, "file"), len(report.Written))
	if len(problems) > 0 {
		return &statusError{statusProblems, fmt.Errorf("%s; the articles that have them are not part of the site", count(len(problems), "problem"))}
	}
	return nil
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

func (f *renderFlags) dir(project *article.Project) string {
	if f.out == "" {
		return filepath.Join(project.Dir, siteDir)
	}
	out, err := filepath.Abs(f.out)
	if err != nil {
		return f.out
	}
	return out
}

// pages renders the articles that have no problems.
func (a *app) pages(project *article.Project, list []*chosen, flags renderFlags) ([]*render.Page, []*dataset.Dataset, error) {
	host, err := runner.ThisHost()
	if err != nil {
		return nil, nil, &statusError{statusFailed, err}
	}
	renderer, err := render.New(theme.Files)
	if err != nil {
		return nil, nil, &statusError{statusFailed, err}
	}
	var sound []*chosen
	var options render.Options
	for _, c := range list {
		if c.problems.Empty() {
			sound = append(sound, c)
			options.Articles = append(options.Articles, c.slug)
		}
	}
	var pages []*render.Page
	var sets []*dataset.Dataset
	found := flags.host == ""
	for _, c := range sound {
		d, err := a.dataset(project, c, host.ID, flags.host)
		if errors.Is(err, dataset.ErrNoHost) {
			d, err = a.dataset(project, c, flags.host, "") // this one has no records of that host: an empty page says so
		} else {
			found = true
		}
		if err != nil {
			return nil, nil, &statusError{statusFailed, fmt.Errorf("article %s: %w", c.slug, err)}
		}
		page, err := renderer.Page(d, options)
		if err != nil {
			return nil, nil, &statusError{statusFailed, err}
		}
		pages, sets = append(pages, page), append(sets, d)
	}
	if !found {
		return nil, nil, &statusError{statusUsage, fmt.Errorf("no records of host %q in any article", flags.host)}
	}
	return pages, sets, nil
}

func (a *app) build(project *article.Project, pages []*render.Page, out string, flags renderFlags) (site.Report, error) {
	report, err := site.Build(pages, out, theme.Files, site.Options{
		Title: cmp.Or(project.Title.Value, filepath.Base(project.Dir)), Version: version, Drafts: flags.drafts})
	if err != nil {
		return report, &statusError{statusFailed, err}
	}
	return report, nil
}

func (a *app) previewCommand() *cobra.Command {
	var flags renderFlags
	var port int
	cmd := &cobra.Command{
		Use:   "preview",
		Short: "Serve the site on loopback, and reload it when an article or a record changes",
		Long: `Render the site, serve it on the loopback addresses, and render it again and reload the browser when an
article or a record changes. Problems are shown in the page. Nothing is ever measured. Ctrl-C ends it.`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			project, err := article.OpenProject(a.dir)
			if err != nil {
				return &statusError{statusUsage, err}
			}
			out := flags.dir(project)
			preview := site.Preview{Dir: out, Port: port, Watch: []string{filepath.Join(project.Dir, "experiments")},
				Rebuild: func(context.Context) error { return a.rebuild(out, flags) }}
			defer a.waits(cmd.Context())()
			err = preview.Serve(cmd.Context(), func(url string) {
				fmt.Fprintf(a.stdout, "the preview is at %s; Ctrl-C ends it\n", url)
			})
			if err != nil {
				return &statusError{statusFailed, err}
			}
			return nil
		},
	}
	flags.add(cmd)
	cmd.Flags().IntVar(&port, "port", 0, "port to listen on (default a free one)")
	return cmd
}

// rebuild renders the site afresh. Problems are its error, for the reader of the preview.
func (a *app) rebuild(out string, flags renderFlags) error {
	project, list, err := a.choose(nil)
	if err != nil {
		return err
	}
	_, problems, err := a.check(project, list, plan.Options{})
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		var text strings.Builder
		printProblems(&text, problems)
		return errors.New(text.String())
	}
	pages, _, err := a.pages(project, list, flags)
	if err != nil {
		return err
	}
	_, err = a.build(project, pages, out, flags)
	return err
}
