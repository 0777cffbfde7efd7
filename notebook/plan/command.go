package plan

import (
	"slices"

	"github.com/kballard/go-shellquote"

	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// asLoad is the cpuset of a command that runs on the CPUs of loads.
const asLoad = "load"

// command reads the command of a trial; nil if it cannot be run.
func (d *draft) command() *spec.Command {
	c, n, at := d.definition.Command, d.node.Get("command"), d.at
	run := n.Under("run")
	if run != nil {
		at = run.Text.Pos
	}
	if c.AsLoad = c.CPUSet == asLoad; c.AsLoad {
		c.CPUSet = ""
	}
	d.checkWrittenSecrets(n.Under("environment"))
	ok := true
	if c.Service != "" {
		ok = d.checkInService(n, c)
	} else {
		ok = d.image(&c.Image, image{"", "the command", n, at, "service", "service: with the name of one to run in"})
	}
	if ok && len(c.Run) == 0 && !d.definition.HasTried(n, "run") {
		d.problems.Add("missing-key", at, "the command has nothing to run").
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
		d.contradiction(n.TextAt("stdin").Pos, "stdin is read by the first run, which is a warm-up",
			"remove warmup, or let the command read a file of configs")
	}
	return c
}

// checkInService checks a command that runs in a service, with nothing of its own.
func (d *draft) checkInService(n *source.Node, c *spec.Command) bool {
	service := n.TextAt("service")
	if services := d.node.Get("services").Keys(); !slices.Contains(services, c.Service) {
		d.problems.Add("unknown-service", service.Pos, "the command runs in %q, which is not a service of the experiment",
			c.Service).Hint = source.Suggest(c.Service, services)
		return false
	}
	if c.Image.Name != "" || c.Image.Build != nil || len(n.Under("configs").List()) > 0 || c.AsLoad || c.CPUSet != "" {
		d.contradiction(service.Pos, "a command that runs in a service has no image, build, configs or cpuset of its own",
			"move them to the service, or remove service")
		return false
	}
	d.keepsRunning(d.node.Get("services"), service, "the command")
	return true
}
