package main

import (
	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/forecast"
	"benchbook/notebook/plan"
)

func (a *app) statusCommand() *cobra.Command {
	var quiet, why, asJSON bool
	var profile string
	cmd := &cobra.Command{
		Use:   "status [ARTICLE[#NAME] ...]",
		Short: "Show which trials are fresh, stale or missing on this host",
		Long: `Show which trials are fresh, stale or missing on this host: a line for each article, for each experiment of ARTICLE,
and for each trial of ARTICLE#NAME.

  fresh        measured with the present inputs
  stale        measured with other inputs
  disturbed    too few repetitions are valid, because other programs or virtual machines took CPU time
  unfinished   some repetitions are missing
  missing      not measured
  unavailable  the article says that it cannot be measured, with its reason

With -q nothing is printed, and the status is 0 if everything is fresh and 1 if not.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			project, list, plans, err := a.SelectPlanned(args, plan.Options{Profile: profile},
				"the state of articles with problems is not known")
			if err != nil {
				return err
			}
			out, err := forecast.StatusOf(cmd.Context(), a.Session, project, list, plans, profile, why && !quiet)
			if err != nil {
				return err
			}
			switch {
			case !quiet:
				return a.Print(asJSON, out, func() { forecast.PrintStatus(a.Session, out, list, why) })
			case !out.Fresh:
				return lab.WithStatus(lab.StatusFailed, nil)
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print nothing; status 0 if everything is fresh, 1 if not")
	cmd.Flags().BoolVar(&why, "why", false, "list changed inputs, stopped searches, and changed facts, such as the kernel")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	cmd.Flags().StringVar(&profile, "profile", plan.Full, "the state of this profile's records")
	return cmd
}
