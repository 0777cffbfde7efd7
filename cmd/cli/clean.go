package cli

import (
	"github.com/spf13/cobra"

	"benchbook/lab"
)

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
