package main

import (
	"github.com/spf13/cobra"

	"benchbook/lab/inspect"
)

func (a *app) cleanCommand() *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "Remove containers of killed or --keep runs",
		Long: `Remove containers of killed or --keep runs, with their networks and volumes, and the folders of services without
containers. They are found by benchbook's labels, on the hosts and the cluster of the project too. Nothing else is
touched, and nothing of a run that is still alive.`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			defer a.AwaitOnInterrupt(cmd.Context())()
			return inspect.CleanEngines(cmd.Context(), a.Session, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "list what would be removed, and remove nothing")
	return cmd
}
func (a *app) gcCommand() *cobra.Command {
	var dryRun, asJSON, wait bool
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Delete superseded records and unused images",
		Long: `Delete superseded records, and images that benchbook built and no article uses any more. For each host, profile and
experiment, gc keeps the newest run, the last complete run of each month, imported records, and all records that
results depend on. Probes of a stopped search are deleted if no run would continue it. Only files and images made by
benchbook are deleted.`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := inspect.CollectGarbage(cmd.Context(), a.Session, dryRun, wait)
			if found != nil {
				if printErr := inspect.PrintGarbage(a.Session, found, dryRun, asJSON); err == nil {
					err = printErr
				}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "list what would be removed, and remove nothing")
	cmd.Flags().BoolVar(&wait, "wait", false, waitUsage)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}
