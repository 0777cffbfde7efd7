package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"benchbook/notebook/article"
	"benchbook/runner/engine"
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
			defer a.waits(cmd.Context())()
			return cleanEngines(cmd.Context(), a.session, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be removed")
	return cmd
}

// cleanEngines asks every engine for what was left behind. It fails if none could be asked.
func cleanEngines(ctx context.Context, a *session, dryRun bool) error {
	asked, found := 0, 0
	var failed error
	for _, wired := range a.wiring.engines {
		n, err := cleanEngine(ctx, a, "", wired.connect, dryRun)
		found += n
		switch {
		case err == nil:
			asked++
		case errors.Is(err, engine.ErrUnavailable) && wired.name == article.Local:
			// Whoever cannot start such processes has left none.
		default:
			failed = a.both(failed, failure(err))
		}
	}
	n, m, err := cleanHosts(ctx, a, dryRun)
	asked, found, failed = asked+n, found+m, a.both(failed, err)
	n, m, err = cleanCluster(ctx, a, dryRun)
	asked, found, failed = asked+n, found+m, a.both(failed, err)
	if failed != nil && asked > 0 && errors.Is(failed, engine.ErrUnavailable) {
		fmt.Fprintf(a.stderr, "not asked: %s\n", errorText(failed))
		failed = nil
	}
	if failed == nil && found == 0 {
		fmt.Fprintln(a.stdout, "nothing was left behind")
	}
	return failed
}

// cleanOn asks one engine, that of a host of the project if it has a name, and says what it has found.
func cleanEngine(ctx context.Context, a *session, host string, connect func(context.Context) (engine.Engine, error), dryRun bool) (found int, err error) {
	e, err := connect(ctx)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	left, err := e.Sweep(ctx, dryRun)
	for _, l := range left {
		verb := "removed"
		if dryRun {
			verb = "would remove"
		}
		where := ""
		if host != "" {
			where = " on host " + host
		}
		fmt.Fprintf(a.stdout, "%s %s %s of run %s%s\n", verb, l.Kind, l.Name, l.Run, where)
	}
	return len(left), err
}
