package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// CleanEngines removes the leftovers of earlier runs in all engines, and in the cluster of the project if there is one.
// It fails if no engine answers.
func CleanEngines(ctx context.Context, a *Session, dryRun bool) error {
	c := &cleaning{Session: a, dryRun: dryRun, left: []engine.Leftover{}}
	for _, wired := range a.Config.Engines {
		err := c.sweep(ctx, wired.Connect)
		if errors.Is(err, engine.ErrUnavailable) && !wired.Name.Can(spec.Keeping) {
			continue // its processes end with the run
		}
		c.add(err)
	}
	c.sweepCluster(ctx)
	if c.failed != nil && c.answered > 0 && errors.Is(c.failed, engine.ErrUnavailable) {
		fmt.Fprintf(a.Stderr, "not checked: %s\n", terminal.ErrorText(c.failed))
		c.failed = nil
	}
	return a.JoinErrors(c.failed, a.Print(c.left, c.print))
}

// A cleaning sweeps one engine after another.
type cleaning struct {
	*Session
	dryRun   bool
	answered int // engines
	left     []engine.Leftover
	failed   error
}

func (c *cleaning) print() {
	verb := "removed"
	if c.dryRun {
		verb = "would remove"
	}
	for _, l := range c.left {
		if l.Problem == "" {
			fmt.Fprintf(c.Stdout, "%s %s %s of run %s\n", verb, l.Kind, l.Name, l.Run)
		}
	}
	if c.failed == nil && len(c.left) == 0 {
		fmt.Fprintln(c.Stdout, "nothing was left behind")
	}
}

func (c *cleaning) add(err error) {
	if err != nil {
		c.failed = c.JoinErrors(c.failed, Failure(err))
	}
}

// sweepCluster sweeps the cluster of the project, if there is one.
func (c *cleaning) sweepCluster(ctx context.Context) {
	project, err := article.OpenProject(c.Dir)
	if err != nil || c.Config.Cluster == nil || !project.Engine.V.Can(spec.Nodes) && project.Cluster == nil {
		return
	}
	err = c.sweep(ctx, func(ctx context.Context) (engine.Engine, error) {
		return c.Config.Cluster(ctx, OptionsOf(project, project.Cluster))
	})
	if errors.Is(err, engine.ErrUnavailable) {
		fmt.Fprintf(c.Stderr, "not checked: %s\n", terminal.ErrorText(err))
		return
	}
	c.add(err)
}

// sweep removes the leftovers in one engine.
func (c *cleaning) sweep(ctx context.Context, connect func(context.Context) (engine.Engine, error)) error {
	e, err := connect(ctx)
	if err != nil {
		return err
	}
	defer e.Close()
	left, err := e.Sweep(ctx, c.dryRun)
	c.left = append(c.left, left...)
	if err == nil {
		err = StuckLeftovers(left)
	}
	if err == nil {
		c.answered++
	}
	return err
}

// Leftovers counts leftovers by kind, in words.
func Leftovers(left []engine.Leftover) string {
	var words []string
	for _, kind := range []string{"container", "network", "volume", "folder", "namespace"} {
		n := 0
		for _, l := range left {
			n += Boolean(l.Kind == kind)
		}
		if n > 0 {
			words = append(words, terminal.Count(n, kind))
		}
	}
	return terminal.InSentence(words)
}

// StuckLeftovers returns an error that names the leftovers that an engine could not remove, and the remedy.
func StuckLeftovers(left []engine.Leftover) error {
	var names []string
	problem := ""
	for _, l := range left {
		if l.Problem == "" {
			continue
		}
		names, problem = append(names, l.Kind+" "+l.Name), cmp.Or(problem, l.Problem)
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("cannot remove %s of an earlier run (%s): "+
		"restart the container engine, and then run benchbook clean", terminal.InSentence(names), problem)
}
