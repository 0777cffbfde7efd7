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
