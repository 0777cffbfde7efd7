package main

import (
	"errors"

	"github.com/spf13/cobra"

	"benchbook/lab/results"
)

func (a *app) showCommand() *cobra.Command {
	var flags results.Selection
	var formatted formatFlag
	cmd := &cobra.Command{
		Use:   "show [ARTICLE[#NAME] ...]",
		Short: "Show measured results and the verdicts of claims",
		Long: `Show the results that the page shows, or others. Several articles are a line each. ARTICLE is its claims with their
verdicts, also under every alternative way to judge them, and a line for each cell. ARTICLE#EXPERIMENT is, for every cell, its
metrics with the number of valid repetitions, the centre and the interval, its validity, and the noise floor. --claim shows only that claim, with one line for each alternative. --trial shows only that
cell, or those, repetition by repetition, and what limited it. --trial with --repetition shows everything in one record: samples, the
counts of the load generator, facts, checks, and the output of services and tools.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			format, err := formatted.Check(cmd)
			if err != nil {
				return err
			}
			if flags.Repetition != 0 && len(flags.Trials) != 1 {
				return errors.New("--repetition needs --trial, once")
			}
			if flags.Claim != "" && len(flags.Trials) > 0 {
				return errors.New("--claim and --trial: give one of them")
			}
			return results.Show(a.Session, args, flags, format)
		},
	}
	formatted.Add(cmd)
	cmd.Flags().StringVar(&flags.Run, "run", "", "show this run")
	cmd.Flags().StringVar(&flags.Host, "host", "", "show the results of this host")
	cmd.Flags().StringVar(&flags.Profile, "profile", "", "show the results of this profile")
	cmd.Flags().StringArrayVar(&flags.Trials, "trial", nil, "show only this trial, named as in status; can be repeated")
	cmd.Flags().StringVar(&flags.Claim, "claim", "", "show only this claim, with every alternative way to judge it")
	cmd.Flags().IntVar(&flags.Repetition, "repetition", 0, "show all of this repetition of the trial")
	return cmd
}
