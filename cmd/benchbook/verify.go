package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/lab/terminal"
	"benchbook/notebook/plan"
)

func (a *app) verifyCommand() *cobra.Command {
	var flags measure.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify [ARTICLE[#NAME] ...]",
		Short: "Start services and check their answers, without load",
		Long: `Start services and check their answers, without load: for every trial, verify starts its services as run does, with
hooks, sends one request to each target, and removes everything again. Nothing is measured and no record is saved. The status is 1 if an answer is wrong or a service is not ready.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if known := a.Config.EngineNames(); flags.Engine != "" && !slices.Contains(known, flags.Engine) {
				return fmt.Errorf("no engine %q: known are %s", flags.Engine, terminal.InSentence(known))
			}
			project, list, err := a.Select(args)
			if err != nil {
				return err
			}
			flags.ChooseEngine(project)
			plans, err := a.Plans(project, list, plan.Options{Profile: flags.Profile}, "articles with problems are not verified")
			if err != nil {
				return err
			}
			return measure.Verify(cmd.Context(), a.Session, project, list, plans, flags, asJSON)
		},
	}
	cmd.Flags().StringVar(&flags.Profile, "profile", plan.Full, "verify the trials of this profile")
	cmd.Flags().StringVar(&flags.Only, "only", "", "verify "+lab.OnlyUsage)
	cmd.Flags().BoolVar(&flags.Adapt, "adapt", false, adaptUsage)
	cmd.Flags().BoolVar(&flags.Wait, "wait", false, waitUsage)
	engines := strings.Join(a.Config.EngineNames(), ", ")
	if i := strings.LastIndex(engines, ", "); i >= 0 {
		engines = engines[:i] + " or " + engines[i+len(", "):]
	}
	cmd.Flags().StringVar(&flags.Engine, "engine", "", "where services run: "+engines+
		" (default what the project says, or docker)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}
