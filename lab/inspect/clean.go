package inspect

import (
	"context"
	"errors"
	"fmt"

	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/lab/terminal"
	"benchbook/notebook/projects"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// CleanEngines asks every engine for what was left behind. It fails if none could be asked.
func CleanEngines(ctx context.Context, a *lab.Session, dryRun bool) error {
	asked, found := 0, 0
	var failed error
	for _, wired := range a.Config.Engines {
		n, err := cleanEngine(ctx, a, "", wired.Connect, dryRun)
		found += n
		switch {
		case err == nil:
			asked++
		case errors.Is(err, engine.ErrUnavailable) && !wired.Name.Can(spec.Keeping):
			// Whoever cannot start such processes has left none.
		default:
			failed = a.JoinErrors(failed, lab.Failure(err))
		}
	}
	n, m, err := cleanHosts(ctx, a, dryRun)
	asked, found, failed = asked+n, found+m, a.JoinErrors(failed, err)
	n, m, err = cleanCluster(ctx, a, dryRun)
	asked, found, failed = asked+n, found+m, a.JoinErrors(failed, err)
	if failed != nil && asked > 0 && errors.Is(failed, engine.ErrUnavailable) {
		fmt.Fprintf(a.Stderr, "not asked: %s\n", terminal.ErrorText(failed))
		failed = nil
	}
	if failed == nil && found == 0 {
		fmt.Fprintln(a.Stdout, "nothing was left behind")
	}
	return failed
}

// cleanOn asks one engine, that of a host of the project if it has a name, and says what it has found.
func cleanEngine(ctx context.Context, a *lab.Session, host string, connect func(context.Context) (engine.Engine, error), dryRun bool) (found int, err error) {
	e, err := connect(ctx)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	left, err := e.Sweep(ctx, dryRun)
	for _, l := range left {
		if l.Problem != "" {
			continue
		}
		verb := "removed"
		if dryRun {
			verb = "would remove"
		}
		where := ""
		if host != "" {
			where = " on host " + host
		}
		fmt.Fprintf(a.Stdout, "%s %s %s of run %s%s\n", verb, l.Kind, l.Name, l.Run, where)
	}
	return len(left), errors.Join(err, measure.StuckLeftovers(left))
}

// cleanHosts sweeps the hosts of a project, if there is one.
func cleanHosts(ctx context.Context, a *lab.Session, dryRun bool) (asked, found int, failed error) {
	project, err := projects.Open(a.Dir)
	if err != nil {
		return 0, 0, nil // engines can be cleaned from anywhere
	}
	for _, h := range project.Hosts {
		if h.Value.Docker.IsZero() && h.Value.Kubernetes == nil {
			continue
		}
		n, err := cleanEngine(ctx, a, h.Name.Value, func(ctx context.Context) (engine.Engine, error) {
			return a.Config.ConnectHost(ctx, project, h.Value)
		}, dryRun)
		found += n
		switch {
		case err == nil:
			asked++
		case errors.Is(err, engine.ErrUnavailable):
			fmt.Fprintf(a.Stderr, "not asked: host %q: %s\n", h.Name.Value, terminal.ErrorText(err))
		default:
			failed = a.JoinErrors(failed, lab.Failure(fmt.Errorf("host %q: %w", h.Name.Value, err)))
		}
	}
	return asked, found, failed
}
