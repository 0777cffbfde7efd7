package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) cleanCommand() *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "Remove the containers and networks that a killed run left behind",
		Long: `Remove the containers and networks that carry benchbook's labels and whose run is no longer alive.
Nothing else is touched, nor anything of a run that is still going on.`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			defer a.waits(cmd.Context())()
			e, err := a.wiring.engine(cmd.Context())
			if err != nil {
				return &statusError{statusFailed, err}
			}
			defer e.Close()
			left, err := e.Sweep(cmd.Context(), dryRun)
			for _, l := range left {
				verb := "removed"
				if dryRun {
					verb = "would remove"
				}
				fmt.Fprintf(a.stdout, "%s %s %s of run %s\n", verb, l.Kind, l.Name, l.Run)
			}
			if err != nil {
				return &statusError{statusFailed, err}
			}
			if len(left) == 0 {
				fmt.Fprintln(a.stdout, "nothing was left behind")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be removed")
	return cmd
}
