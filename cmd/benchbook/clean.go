package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/inspect"
	"benchbook/lab/measure"
	"benchbook/lab/terminal"
	"benchbook/notebook/projects"
	"benchbook/runner/sysinfo"
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

func syncCommand(a *app) *cobra.Command {
	var asJSON, wait bool
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Exchange records with the branch that the project keeps them in",
		Long: `Exchange records with the branch that the project keeps them in, which records: {branch: NAME} in benchbook.yaml
names: runs that are only there come here, and those that are only here go there, in a commit each. What gc has removed
on either side is removed on the other. run, import and gc do this at their end, and whatever reads records does when
none have been fetched yet.`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			project, err := projects.Open(a.Dir)
			if err != nil {
				return lab.UsageError(err)
			}
			if !project.Problems.Empty() {
				lab.PrintProblems(a.Stderr, project.Problems.Sorted())
				return lab.WithStatus(lab.StatusProblems, errors.New("nothing was exchanged"))
			}
			if project.RecordsIn == "" {
				return lab.UsageError(errors.New("the project keeps its records beside its articles: to keep them in a branch, " +
					"write records: {branch: benchbook-records} to benchbook.yaml"))
			}
			host, err := sysinfo.ThisHost()
			if err != nil {
				return lab.Failure(err)
			}
			unlock, err := measure.Lock(cmd.Context(), a.Session, host, nil, "exchanging records", wait)
			if err != nil {
				return err
			}
			defer unlock()
			done, err := a.Sync(cmd.Context(), project, true, nil)
			if err != nil {
				return lab.Interrupted(cmd.Context(), lab.Failure(err))
			}
			a.WarnAside(done)
			return a.Print(asJSON, done, func() {
				fmt.Fprintf(a.Stdout, "%s fetched, %d sent, %d removed\n", terminal.Count(done.Fetched, "run"), len(done.Sent),
					done.Removed)
			})
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, waitUsage)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}
