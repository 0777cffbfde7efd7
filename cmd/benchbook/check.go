package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/pages"
	"benchbook/lab/results"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/check"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/projects"
	"benchbook/notebook/source"
	"benchbook/render/prose"
	"benchbook/runner/sysinfo"
	"benchbook/slice"
)

func (a *app) checkCommand() *cobra.Command {
	var asJSON, strict, mutate bool
	var profile string
	cmd := &cobra.Command{
		Use:   "check [ARTICLE[#NAME] ...]",
		Short: "Check articles for errors",
		Long: `Check articles for errors without running them, and report all errors at once. Whole articles are checked, even if
experiments are named, because run measures nothing in an article with problems. Dead links, missing pictures and typed
numbers that contradict the records are warnings. Warnings come last and change the status only with --strict. Remarks,
on what would make results better, never do. With --mutate every claim is judged on made-up numbers, which are never
shown: a claim that no numbers can support or contradict is a problem, and so is text that with some verdict on a claim
would assert what does not hold. A claim that is still supported after its cells swap their values is a warning.`,
		RunE: func(_ *cobra.Command, args []string) error {
			project, list, err := a.Select(args)
			if err != nil {
				return err
			}
			plans, problems, err := a.Check(project, list, plan.Options{Profile: profile})
			if err != nil {
				return err
			}
			problems = append(problems, pages.Problems(project)...)
			sound := slices.DeleteFunc(slices.Clone(list), func(c *lab.Article) bool { return !c.Problems.Empty() })
			var moved []string
			movable := map[string][]*article.Claim{} // by article
			if mutate {
				for _, c := range sound {
					var found source.Problems
					movable[c.Slug] = claim.Mutate(c.Doc, plans[c.Slug], &found)
					check.Asserts(c.Doc, &found)
					for _, claim := range movable[c.Slug] {
						moved = append(moved, fmt.Sprintf("%s: claim %s can be supported, can fail, and can stay undecided",
							c.Slug, claim.Name.Value))
					}
					problems = append(problems, found.Sorted()...)
				}
			}
			warnings, err := warnings(a.Session, project, sound, plans, movable)
			if err != nil {
				return err
			}
			all := slices.Concat(problems, warnings)
			remarks := len(slice.Filter(warnings, func(p *source.Problem) bool { return p.Severity == source.SeverityRemark }))
			err = a.Print(asJSON, problemsJSON(all), func() {
				lab.PrintProblems(a.Stdout, all)
				for _, line := range moved {
					fmt.Fprintln(a.Stdout, line)
				}
				fmt.Fprintln(a.Stdout, summary(len(list), len(problems), len(warnings)-remarks, remarks))
			})
			if err == nil && (len(problems) > 0 || strict && len(warnings) > remarks) {
				err = lab.WithStatus(lab.StatusProblems, nil)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print problems as JSON")
	cmd.Flags().BoolVar(&strict, "strict", false, "treat warnings as problems in the exit status")
	cmd.Flags().BoolVar(&mutate, "mutate", false,
		"check with made-up numbers that each claim can be supported and can fail")
	cmd.Flags().StringVar(&profile, "profile", plan.Full, "check the plan of this profile")
	return cmd
}

// warnings says what the authors of articles without problems should look at: links that lead to nothing, and what the
// records show. The records are exchanged to move the claims given, by article.
func warnings(a *lab.Session, project *projects.Project, list []*lab.Article, plans map[string]*plan.Plan,
	movable map[string][]*article.Claim) ([]*source.Problem, error) {
	slugs, err := project.Slugs()
	if err != nil {
		return nil, lab.Failure(err)
	}
	this, err := sysinfo.ThisHost()
	if err != nil {
		return nil, lab.Failure(err)
	}
	var out []*source.Problem
	for _, c := range list {
		var found, here source.Problems
		prose.DeadLinks(c.Doc, slugs, &found)
		for _, e := range plans[c.Slug].Experiments {
			e.Remarks(&found)
			e.CheckCPUs(func(host string) [][]int { // of other machines that is asked before a run
				if host != "" {
					return nil
				}
				return this.Cores
			}, &here)
		}
		for _, p := range here.Sorted() { // it may run on another machine
			found.Warn(p.Rule, p.Pos, "%s", p.Message).Hint = p.Hint
		}
		check.Doubtful(c.Doc, plans[c.Slug], &found)
		check.Headlines(c.Doc, &found)
		check.Marks(c.Doc, &found)
		if _, err := os.Stat(project.RecordsDir(c.Slug)); err != nil {
			claim.Warn(claim.Undecidable(dataset.WithoutRecords(c.Doc, plans[c.Slug])), &found)
			out = append(out, found.Sorted()...)
			continue
		}
		d, err := results.ShownDataset(a, project, c, this)
		if err != nil {
			return nil, lab.Failure(fmt.Errorf("article %s: %w", c.Slug, err))
		}
		check.StaleNumbers(d, &found)
		check.Asserted(d, &found)
		claim.Warn(slices.Concat(claim.Undecidable(d), claim.Foreseen(d)), &found)
		claim.Unmoved(d, movable[c.Slug], &found)
		out = append(out, found.Sorted()...)
	}
	return out, nil
}

// summary counts in one line what was found.
func summary(articles, problems, warnings, remarks int) string {
	var words []string
	if problems > 0 {
		words = append(words, terminal.Count(problems, "problem"))
	} else {
		words = append(words, terminal.Count(articles, "article"), "no problems")
	}
	if warnings > 0 {
		words = append(words, terminal.Count(warnings, "warning"))
	}
	if remarks > 0 {
		words = append(words, terminal.Count(remarks, "remark"))
	}
	return strings.Join(words, ", ")
}
