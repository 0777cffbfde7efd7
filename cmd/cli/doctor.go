package cli

import (
	"github.com/spf13/cobra"

	"benchbook/lab"
)

func (a *app) doctorCommand() *cobra.Command {
	cmd := &cobra.Command{
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
	return cmd
}
