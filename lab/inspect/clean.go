package inspect

import (
	"context"
	"errors"
	"fmt"

	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// CleanEngines asks every engine for what was left behind. It fails if none could be asked.
func CleanEngines(ctx context.Context, a *lab.Session, dryRun bool) error {
	c := &cleaning{Session: a, dryRun: dryRun}
	for _, wired := range a.Config.Engines {
		c.ask(ctx, "", wired.Connect, func(err error) {
			if wired.Name.Can(spec.Keeping) { // others have left no processes
				c.failed = a.JoinErrors(c.failed, lab.Failure(err))
			}
		})
	}
	c.askElsewhere(ctx)
	if c.failed != nil && c.asked > 0 && errors.Is(c.failed, engine.ErrUnavailable) {
		fmt.Fprintf(a.Stderr, "not checked: %s\n", terminal.ErrorText(c.failed))
		c.failed = nil
	}
	if c.failed == nil && c.found == 0 {
		fmt.Fprintln(a.Stdout, "nothing was left behind")
	}
	return c.failed
}

// A cleaning is the asking of one engine after another.
type cleaning struct {
	*lab.Session
	dryRun       bool
	asked, found int // engines, and what they had
	failed       error
}

// askElsewhere asks the hosts and the cluster of a project, if there is one: engines can be cleaned from anywhere.
func (c *cleaning) askElsewhere(ctx context.Context) {
	project, err := article.OpenProject(c.Dir)
	if err != nil {
		return
	}
	if (project.Engine.V.Can(spec.Nodes) || project.Cluster != nil) && c.Config.Cluster != nil {
		c.ask(ctx, "", func(ctx context.Context) (engine.Engine, error) {
			return c.Config.Cluster(ctx, lab.OptionsOf(project, project.Cluster))
		}, func(err error) { fmt.Fprintf(c.Stderr, "not checked: %s\n", terminal.ErrorText(err)) })
	}
}

// ask sweeps one engine, that of a host of the project if it has a name.
func (c *cleaning) ask(
	ctx context.Context,
	host string,
	connect func(context.Context) (engine.Engine, error),
	unavailable func(error),
) {
	err := c.sweep(ctx, host, connect)
	switch {
	case err == nil:
		c.asked++
	case errors.Is(err, engine.ErrUnavailable):
		unavailable(err)
	default:
		if host != "" {
			err = fmt.Errorf("host %q: %w", host, err)
		}
		c.failed = c.JoinErrors(c.failed, lab.Failure(err))
	}
}

// sweep removes what was left in one engine, and says what that was.
func (c *cleaning) sweep(ctx context.Context, host string, connect func(context.Context) (engine.Engine, error)) error {
	e, err := connect(ctx)
	if err != nil {
		return err
	}
	defer e.Close()
	verb, where := "removed", ""
	if c.dryRun {
		verb = "would remove"
	}
	if host != "" {
		where = " on host " + host
	}
	left, err := e.Sweep(ctx, c.dryRun)
	for _, l := range left {
		if l.Problem != "" {
			continue
		}
		fmt.Fprintf(c.Stdout, "%s %s %s of run %s%s\n", verb, l.Kind, l.Name, l.Run, where)
	}
	c.found += len(left)
	if err != nil {
		return err // names the containers that could not be removed
	}
	return measure.StuckLeftovers(left)
}
