package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/show"
	"benchbook/notebook/plan"
)

func (a *app) planCommand() *cobra.Command {
	var options plan.Options
	cmd := &cobra.Command{
		Use:   "plan [ARTICLE[#NAME] ...]",
		Short: "Show what a run would do, without running anything",
		Long: `Show what a run would do, without running anything: a line for each experiment with what would be measured, and
how long it should take. ARTICLE#EXPERIMENT is every trial: whether it is fresh, stale or missing, and why. With --json it has all keys of each trial, defaults included.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			project, list, err := a.SelectPlanned(args, options, "articles with problems cannot be planned")
			if err != nil {
				return err
			}
			planned, err := show.Plan(cmd.Context(), a.Session, project, list)
			if err != nil {
				return lab.Interrupted(cmd.Context(), err)
			}
			named := slices.ContainsFunc(list, func(c *lab.Article) bool { return len(c.Experiments) > 0 })
			return a.Print(planned, func() { planned.Text(a.Stdout, named) })
		},
	}
	addProfile(cmd.Flags(), &options.Profile, "plan")
	return cmd
}
