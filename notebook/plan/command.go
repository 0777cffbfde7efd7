package plan

import (
	"slices"

	"github.com/kballard/go-shellquote"

	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// asLoad is the cpuset of a command that runs on the CPUs of loads.
const asLoad = "load"

// command reads the command of a trial; nil if it cannot be run. Problems without a place of their own are reported at
// at.
func (r *reader) command(at source.Pos) *spec.Command {
	c, n := r.definition.Command, r.node.Get("command")
	run := n.Under("run")
	if run != nil {
		at = run.Text.Pos
	}
	if c.AsLoad = c.CPUSet == asLoad; c.AsLoad {
		c.CPUSet = ""
	}
	r.checkWrittenSecrets(n.Under("environment"))
	ok := true
	if c.Service != "" {
		ok = r.checkInService(n, c)
	} else {
		ok = r.image(&c.Image, image{"", "the command", n, at, "service", "service: with the name of one to run in"})
	}
	if ok && len(c.Run) == 0 && !r.definition.HasTried(n, "run") {
		r.problems.Add("missing-key", at, "the command has nothing to run").
			Hint = "add run: with a program and its arguments"
	}
	if !ok || len(c.Run) == 0 {
		return nil
	}
	if c.Shell {
		line := run.Text.Value
		if run.Kind == source.List {
			line = shellquote.Join(c.Run...)
		}
		c.Run = []string{"/bin/sh", "-c", line}
	}
	if c.Warmup > 0 && c.Stdin != "" {
		r.contradiction(n.TextAt("stdin").Pos, "stdin is read by the first run, which is a warm-up",
			"remove warmup, or let the command read a file of configs")
	}
	return c
}

// checkInService checks a command that runs in a service, with nothing of its own.
func (r *reader) checkInService(n *source.Node, c *spec.Command) bool {
	service := n.TextAt("service")
	if services := r.node.Get("services").Keys(); !slices.Contains(services, c.Service) {
		r.problems.Add("unknown-service", service.Pos, "the command runs in %q, which is not a service of the experiment",
			c.Service).Hint = source.Suggest(c.Service, services)
		return false
	}
	if c.Image.Name != "" || c.Image.Build != nil || len(n.Under("configs").List()) > 0 || c.AsLoad || c.CPUSet != "" {
		r.contradiction(service.Pos, "a command that runs in a service has no image, build, configs or cpuset of its own",
			"move them to the service, or remove service")
		return false
	}
	if completes(r.node.Get("services"), c.Service) {
		addCompleted(service, "the command", r.problems)
	}
	return true
}
