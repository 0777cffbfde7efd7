package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"benchbook/lab/show"
)

func (a *app) showCommand() *cobra.Command {
	var flags show.Selection
	var history bool
	var format string
	cmd := &cobra.Command{
		Use:   "show [ARTICLE[#NAME] ...]",
		Short: "Show measured results and the verdicts of claims",
		Long: `Show the results that the page shows, or others. Several articles are a line each, with their standing. ARTICLE is its
claims with their verdicts, and a line for each cell. ARTICLE#EXPERIMENT is, for every cell, its metrics with the number of
valid repetitions, the centre and the interval, its validity, and the noise floor. --trial shows only that cell, or those,
repetition by repetition, and what limited it. --trial with --repetition shows the checks of one
record, and the output of services and tools; --json has all of it.

The format benchfmt is that of Go's benchmarks, a line for each value of a valid repetition: benchstat old.txt new.txt`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.Repetition != 0 && len(flags.Trials) != 1 {
				return errors.New("--repetition needs --trial, once")
			}
			if history && format == show.FormatBenchfmt {
				return errors.New("--history has no benchmarks to print: write --format text or csv")
			}
			if history {
				return show.History(a.Session, args, flags, format)
			}
			return show.Show(a.Session, args, flags, format)
		},
	}
	addFormat(cmd, &format, show.FormatText, show.FormatCSV, show.FormatBenchfmt)
	cmd.Flags().BoolVar(&history, "history", false, "list the runs, the newest first, and what each says alone")
	cmd.Flags().StringVar(&flags.Run, "run", "", "show this run")
	cmd.Flags().StringVar(&flags.Host, "host", "", "show the results of this host, or class of hosts")
	cmd.Flags().StringVar(&flags.Profile, "profile", "", "show the results of this profile")
	cmd.Flags().StringArrayVar(&flags.Trials, "trial", nil, "show only this trial, named as in plan; can be repeated")
	cmd.Flags().IntVar(&flags.Repetition, "repetition", 0, "show all of this repetition of the trial")
	cmd.MarkFlagsMutuallyExclusive("history", "trial")
	return cmd
}
