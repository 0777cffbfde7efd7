package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"benchbook/notebook/plan"
)

func (a *app) checkCommand() *cobra.Command {
	var asJSON bool
	var profile string
	cmd := &cobra.Command{
		Use:   "check [ARTICLE ...]",
		Short: "Say everything that is wrong with articles, without running them",
		RunE: func(_ *cobra.Command, args []string) error {
			project, list, err := a.choose(args)
			if err != nil {
				return err
			}
			_, problems, err := a.check(project, list, plan.Options{Profile: profile})
			if err != nil {
				return err
			}
			if asJSON {
				if err := printJSON(a.stdout, problemsJSON(problems)); err != nil {
					return &statusError{statusFailed, err}
				}
			} else {
				printProblems(a.stdout, problems)
			}
			if len(problems) > 0 {
				if !asJSON {
					fmt.Fprintln(a.stdout, count(len(problems), "problem"))
				}
				return &statusError{status: statusProblems}
			}
			if !asJSON {
				fmt.Fprintf(a.stdout, "%s, no problems\n", count(len(list), "article"))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print problems as JSON")
	cmd.Flags().StringVar(&profile, "profile", plan.Full, "check the plan of this profile")
	return cmd
}

// count writes a number of things: "1 article", "3 articles".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
