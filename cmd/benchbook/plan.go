package main

import (
	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/forecast"
	"benchbook/notebook/plan"
	"benchbook/runner/sysinfo"
)

func (a *app) planCommand() *cobra.Command {
	var options plan.Options
	var asJSON, origins bool
	var onlyTrials string
	var chooseQuick func() error
	cmd := &cobra.Command{
		Use:   "plan [ARTICLE[#NAME] ...]",
		Short: "Show what a run would do, without running anything",
		Long: `Show what a run would do, without running anything. Several articles are a line each: what would be measured, and
how long it should take. ARTICLE is a line for each experiment. ARTICLE#EXPERIMENT is every service and load with all
its keys, defaults included; the trials; the order of repetitions; where services and load would run on this machine;
and which trials would be measured, and why. A value that differs between trials is listed for each.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := chooseQuick(); err != nil {
				return err
			}
			if err := checkRepetitions(cmd.Flags(), options.Repetitions); err != nil {
				return err
			}
			project, list, plans, err := a.SelectPlanned(args, options, "articles with problems cannot be planned")
			if err != nil {
				return err
			}
			picked, err := lab.NewFilter(onlyTrials, list, plans)
			if err != nil {
				return err
			}
			for _, c := range list {
				picked.Leave(plans[c.Slug])
			}
			this, err := sysinfo.ThisHost()
			if err != nil {
				return lab.Failure(err)
			}
			if err := forecast.PrintPlans(cmd.Context(), a.Session, project, list, plans, this, asJSON, origins); err != nil {
				return lab.Interrupted(cmd.Context(), err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&options.Profile, "profile", plan.Full, "plan this profile")
	chooseQuick = addQuick(cmd.Flags(), &options.Profile)
	cmd.Flags().StringVar(&options.Repetitions, "repetitions", "", repetitionsUsage)
	cmd.Flags().Int64Var(&options.Seed, "seed", 0,
		"seed of the order of repetitions, instead of one drawn from the experiment")
	cmd.Flags().StringVar(&onlyTrials, "only", "", "plan "+lab.OnlyUsage)
	cmd.Flags().BoolVar(&origins, "origins", false, "show where each value came from")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}
