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
		Long: `Show the set of records that the page shows, or another one: of every cell the metrics with the number of valid
repetitions, the centre and the interval; how far the cell can be believed, and why; the noise floor; and the claims with
their verdicts, and what every other way to judge them comes to. With --claim only that claim, each way in a line. With
--trial only that cell, repetition by repetition, and what it was limited by. With --repetition as well all that one record holds:
samples, what the load generator counted, facts, checks, and what services and tools wrote.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			format, err := formatted.Check(cmd)
			if err != nil {
				return err
			}
			if flags.Repetition != 0 && flags.Trial == "" {
				return errors.New("--repetition needs --trial, which says of what")
			}
			if flags.Claim != "" && flags.Trial != "" {
				return errors.New("--claim and --trial: give one of them")
			}
			return results.Show(a.Session, args, flags, format)
		},
	}
	formatted.Add(cmd)
	cmd.Flags().StringVar(&flags.Run, "run", "", "show this run")
	cmd.Flags().StringVar(&flags.Host, "host", "", "show the results of this host")
	cmd.Flags().StringVar(&flags.Profile, "profile", "", "show the results of this profile")
	cmd.Flags().StringVar(&flags.Trial, "trial", "", "show only this trial, by its name as status has it")
	cmd.Flags().StringVar(&flags.Claim, "claim", "", "show only this claim, with every way to judge it that was measured")
	cmd.Flags().IntVar(&flags.Repetition, "repetition", 0, "show all of this repetition of the trial")
	return cmd
}
