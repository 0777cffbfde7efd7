package cli

import (
	"github.com/spf13/cobra"

	"benchbook/lab"
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check that this machine can run benchmarks",
		Long: `Check that this machine can run benchmarks: the engine and its registry, leftovers of killed runs,
benchbook's own programs, cores, governor, memory, noise, other programs, steal, disks, and other runs. Each is ok, a
warning, or missing, with the remedy. Nothing is changed. The status is 1 if this machine cannot run benchmarks.`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			defer a.AwaitOnInterrupt(cmd.Context())()
			x, err := lab.Examine(cmd.Context(), a.Session)
			if err != nil {
				return lab.Interrupted(cmd.Context(), err)
			}
			err = a.Print(x, func() { lab.PrintReport(a.Session, x) })
			if err == nil && !x.Measure {
				err = lab.Failure(nil)
			}
			return err
		},
	}
}

func (a *app) cleanCommand() *cobra.Command {
	var dryRun, records bool
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "Remove containers of killed or --keep runs, and old records",
		Long: `Remove containers of killed or --keep runs, with their networks and volumes, and the folders of services without
containers. They are found by benchbook's labels. Nothing else is touched, and nothing of a run that is still alive.

With --records it removes old records instead: a run stays if it is one of the newest three of its host and profile for
any experiment that it measured.`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			defer a.AwaitOnInterrupt(cmd.Context())()
			if records {
				return lab.CleanRecords(cmd.Context(), a.Session, dryRun)
			}
			return lab.CleanEngines(cmd.Context(), a.Session, dryRun)
		},
	}
	cmd.Flags().BoolVar(&records, "records", false, "remove old runs from the records of all articles")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "list what would be removed, and remove nothing")
	return cmd
}
