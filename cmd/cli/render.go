package cli

import (
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/lab/pages"
	"benchbook/lab/show"
	"benchbook/lab/terminal"
	"benchbook/site/preview"
)

func (a *app) renderCommand() *cobra.Command {
	var flags pages.Options
	cmd := &cobra.Command{
		Use:   "render [FILE.md]",
		Short: "Render the site from articles and records; run nothing",
		Long: `Render the site from articles and records. Nothing is run and no engine is needed. Pages show the results of this
machine if they are complete or decide a headline claim, otherwise the complete results of another host, with its name.
If there are several, the one with the most valid results is shown.

A Markdown file that is not in a project has a site of its own, in _site/NAME next to it.

All links are relative, so the site can be read from disk. The feed and canonical addresses use the url of
benchbook.yaml.`,
		Args: arguments(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := a.OpenSite(args); err != nil {
				return err
			}
			project, list, err := a.Select(args)
			if err != nil {
				return err
			}
			flags.Out = a.At(flags.Out)
			_, err = pages.Render(a.Session, project, list, flags, nil)
			return err
		},
	}
	cmd.Flags().StringVarP(&flags.Out, "output", "o", "", "folder of the site (default _site in the project)")
	cmd.Flags().StringVar(&flags.Host, "host", "", "show the results of this host, instead of those that a page chooses")
	cmd.Flags().BoolVar(&flags.Single, "single-file", false,
		"write each article as one self-contained HTML file, and nothing else")
	cmd.Flags().BoolVar(&flags.PNG, "png", false, "write each figure as PNG too, 1200 × 630 pixels, next to its SVG")
	return cmd
}

func (a *app) reportCommand() *cobra.Command {
	var running runFlags
	cmd := &cobra.Command{
		Use:   "report [ARTICLE[#NAME] ...]",
		Short: "Measure what is missing or stale, then render the site",
		Long: `Measure what is missing or stale, as run does, and render the site, as render does: first with what was measured
before, again after each article, and at the end, even if something could not be measured,
but not after an interrupt. All articles are rendered, and claims are printed for the named articles. The status is the worse one of measuring and
rendering; with --claims it includes the claims of the measured articles.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			project, list, err := a.Select(args)
			if err != nil {
				return err
			}
			running.ChooseEngine(project)
			selected := lab.SlugsOf(list) // articles whose problems and claims are printed
			var siteErr error
			running.Begin = func() error {
				siteErr = pages.SoFar(a.Session, "what was measured before")
				return siteErr
			}
			running.Measured = func(c *lab.Article) {
				if err := pages.SoFar(a.Session, "the results of "+c.Slug); err != nil { // it is rendered again at the end
					fmt.Fprintf(a.Stderr, "the site is not up to date: %s\n", terminal.ErrorText(err))
				}
			}
			err = measure.Run(cmd.Context(), a.Session, project, list, running.Options)
			if siteErr != nil {
				return err
			}
			if s, ok := errors.AsType[*lab.StatusError](err); ok {
				switch {
				case s.Status == lab.StatusUsage || cmd.Context().Err() != nil:
					return err
				case s.Err != nil:
					fmt.Fprintf(a.Stderr, "benchbook: %s\n", terminal.ErrorText(s.Err))
					err = lab.WithStatus(s.Status, nil)
				}
			}
			_, all, chooseErr := a.Select(nil)
			if chooseErr != nil {
				return lab.Worse(err, chooseErr)
			}
			outcomes, renderErr := pages.Render(a.Session, project, all, pages.Options{}, selected)
			err = a.JoinErrors(err, renderErr)
			show.NoteOtherProfile(a.Session, outcomes, selected, running.Profile)
			if running.claims {
				err = a.JoinErrors(err, show.ClaimStatus(outcomes))
			}
			return err
		},
	}
	a.addRunning(cmd, &running)
	return cmd
}

func (a *app) previewCommand() *cobra.Command {
	var port uint16
	cmd := &cobra.Command{
		Use:   "preview [FILE.md]",
		Short: "Serve the site on loopback, and reload it at every change",
		Long: `Serve the site on loopback, and reload open pages at every change of an article or a record. Pages also show problems.
Nothing is measured or written. Ctrl-C ends it.`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			project, err := a.OpenSite(args)
			if err != nil {
				return err
			}
			p, err := pages.NewPreviewer(a.Session, project)
			if err != nil {
				return lab.Failure(err)
			}
			served := preview.Preview{Roots: pages.Watched(project), Port: int(port), Build: p.Build}
			defer a.AwaitOnInterrupt(cmd.Context())()
			err = served.Serve(cmd.Context(), func(url string) {
				_ = a.Print(map[string]string{"url": url}, func() { // the command reports lost output
					fmt.Fprintf(a.Stdout, "the preview is at %s; Ctrl-C ends it\n", url)
				})
			})
			if err != nil {
				return lab.Failure(err)
			}
			return nil
		},
	}
	cmd.Flags().Uint16Var(&port, "port", 0, "port to listen on (default a free one)")
	return cmd
}

func (a *app) weaveCommand() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "weave FILE ...",
		Short: "Fill a README with tables, values and figures of articles",
		Long: `Fill Markdown files, such as a README, with parts of articles, as their pages show them. Comments say what goes
where; the rest of a file stays as it is:

  <!-- benchbook: table tbl-levels of hello --> ... <!-- /benchbook -->
  <!-- benchbook: figure fig-gzip of hello --> ... <!-- /benchbook -->
  <!-- benchbook: value time.real{level="9"} | round 1 of hello --> ... <!-- /benchbook -->
  <!-- benchbook: claim harder-is-slower of hello --> ... <!-- /benchbook -->

The text between the two comments is replaced. Figures, in light and dark, go into the folder woven next to the file. With
--check nothing is written: the status is 1 if the text and the records differ.`,
		Args: arguments(1, math.MaxInt),
		RunE: func(_ *cobra.Command, names []string) error { return pages.Weave(a.Session, names, check) },
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing, and report what differs from the records")
	return cmd
}
