package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/internal/phrase"
	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/lab/pages"
	"benchbook/lab/show"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/check"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/render/prose"
)

func (a *app) checkCommand() *cobra.Command {
	var strict, services bool
	var explain, format string
	var flags measure.Options
	cmd := &cobra.Command{
		Use:   "check [ARTICLE[#NAME] ...]",
		Short: "Check articles for errors",
		Long: `Check articles for errors without running them, and report all errors at once. Whole articles are checked, even if
experiments are named, because run measures nothing in an article with problems. Dead links, claims that the
plan cannot decide, and words that the records contradict are warnings. They come last, and change the status only with
--strict.

With --services it also starts the services of every trial of these experiments as run does, with hooks, sends one request
to each target, checks the answers, and removes everything again. Nothing is measured.`,
		Example: "  benchbook check\n" +
			"  benchbook check --explain unknown-key   what a rule means, with an article that breaks it",
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("explain") {
				return a.explainRule(explain)
			}
			project, list, err := a.Select(args)
			if err != nil {
				return err
			}
			flags.ChooseEngine(project)
			problems, err := a.Check(project, list, plan.Options{Profile: flags.Profile})
			if err != nil {
				return err
			}
			problems = append(problems, pages.Problems(project)...)
			sound := slices.DeleteFunc(slices.Clone(list), func(c *lab.Article) bool { return !c.Problems.Empty() })
			for _, c := range sound {
				var found source.Problems
				check.WrongAssertions(c.Doc, &found)
				problems = append(problems, found.Sorted()...)
			}
			warnings, err := warnings(a.Session, project, sound)
			if err != nil {
				return err
			}
			all := slices.Concat(problems, warnings)
			err = a.Print(problemsJSON(all), func() {
				if format == formatGitHub {
					annotate(a.Stdout, project.Dir, all)
				} else {
					lab.PrintProblems(a.Stdout, all)
				}
				fmt.Fprintln(a.Stdout, summary(len(list), len(problems), len(warnings)))
			})
			if err == nil && (len(problems) > 0 || strict && len(warnings) > 0) {
				err = lab.Failure(nil)
			}
			if err == nil && services {
				return measure.Verify(cmd.Context(), a.Session, project, list, flags)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&explain, "explain", "", "print what a rule means, with an article that breaks it")
	addFormat(cmd, &format, show.FormatText, formatGitHub)
	cmd.Flags().BoolVar(&strict, "strict", false, "treat warnings as problems in the exit status")
	cmd.Flags().BoolVar(&services, "services", false, "start the services, and check their answers")
	cmd.Flags().StringVar(&flags.Profile, "profile", plan.Full, "check the plan of this profile")
	a.addEngine(cmd.Flags(), &flags.Engine)
	return cmd
}

type problemJSON struct {
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Severity string `json:"severity"` // error or warning
	Rule     string `json:"rule"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

func problemsJSON(problems []*source.Problem) []problemJSON {
	out := []problemJSON{}
	for _, p := range problems {
		j := problemJSON{Severity: p.Severity.String(), Rule: p.Rule, Message: p.Message, Hint: p.Hint}
		if p.Pos.Source != nil {
			j.File = p.Pos.Source.Path
			j.Line, j.Column = p.Pos.Source.Position(p.Pos.Start)
		}
		out = append(out, j)
	}
	return out
}

// formatGitHub prints problems as workflow commands of GitHub Actions, which shows them in the diff of a pull request.
const formatGitHub = "github"

var (
	annotationText     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	annotationProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// annotate prints problems of the project in dir in formatGitHub, with paths relative to the working folder.
func annotate(w io.Writer, dir string, problems []*source.Problem) {
	for _, p := range problemsJSON(problems) {
		place := ""
		if p.File != "" {
			file := filepath.ToSlash(terminal.Relative(filepath.Join(dir, p.File)))
			place = fmt.Sprintf("file=%s,line=%d,col=%d,", annotationProperty.Replace(file), p.Line, p.Column)
		}
		text := p.Message
		if p.Hint != "" {
			text += "\n" + p.Hint
		}
		fmt.Fprintf(w, "::%s %stitle=%s::%s\n", p.Severity, place, annotationProperty.Replace(p.Rule), annotationText.Replace(text))
	}
}

func (a *app) explainRule(rule string) error {
	rule = strings.Trim(rule, "[]") // as problems print it
	text, ok := check.Explain(rule)
	if !ok {
		return fmt.Errorf("no rule %q: %s", rule, source.Suggest(rule, check.Rules()))
	}
	type explained struct {
		Rule string `json:"rule"`
		Text string `json:"text"` // Markdown
	}
	return a.Print(explained{rule, text}, func() { fmt.Fprintln(a.Stdout, text) })
}

// warnings returns what authors of articles without problems should look at, such as dead links and words that the
// records contradict.
func warnings(a *lab.Session, project *article.Project, list []*lab.Article) ([]*source.Problem, error) {
	slugs, err := project.Slugs()
	if err != nil {
		return nil, lab.Failure(err)
	}
	this, err := a.Here()
	if err != nil {
		return nil, err
	}
	var out []*source.Problem
	for _, c := range list {
		var found, here source.Problems
		prose.DeadLinks(c.Doc, slugs, &found)
		for _, e := range c.Planned.Experiments {
			e.AddWarnings(&found)
			e.CheckCPUs(this.Cores, &here)
		}
		for _, p := range here.Sorted() { // only warnings: the article may be meant for another machine
			found.Warn(p.Rule, p.Pos, "%s", p.Message).Hint = p.Hint
		}
		check.Headlines(c.Doc, &found)
		check.Finding(c.Doc, &found)
		d := dataset.WithoutRecords(c.Doc, c.Planned)
		if _, err := os.Stat(project.RecordsDir(c.Slug)); err == nil {
			if d, err = show.ShownDataset(a, project, c); err != nil {
				return nil, lab.Failure(fmt.Errorf("article %s: %w", c.Slug, err))
			}
			check.UnsupportedAssertions(claim.JudgeAll(d), &found)
		}
		claim.Warn(claim.Undecidable(d), &found)
		out = append(out, found.Sorted()...)
	}
	return out, nil
}

// summary counts articles, problems and warnings in one line.
func summary(articles, problems, warnings int) string {
	words := phrase.Count(articles, "article") + ", no problems"
	if problems > 0 {
		words = phrase.Count(problems, "problem")
	}
	if warnings > 0 {
		words += ", " + phrase.Count(warnings, "warning")
	}
	return words
}
