package plan

import (
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// asLoad is the cpuset of a command that runs on the CPUs of loads.
const asLoad = "load"

// command reads the command of a trial; nil if it cannot be run. Problems without a place of their own are reported at
// at.
func (r *reader) command(at source.Pos) *spec.Command {
	c := r.definition.Command
	if c.Run != nil {
		at = c.Run.Pos
	}
	out := &spec.Command{WorkingDir: c.WorkingDir.Value, Stdin: c.Stdin.Value, Timeout: c.Timeout.V, Warmup: c.Warmup.V,
		Service: c.Service.Value, Run: words(c.Run), Environment: r.variables(c.Environment),
		Configs: r.draft.configs.files(c.Configs)}
	if out.AsLoad = c.CPUSet.Value == asLoad; !out.AsLoad {
		out.CPUSet = c.CPUSet.Value
	}
	ok := true
	if c.Service.Value != "" {
		ok = r.checkInService(c)
	} else {
		out.Image, ok = r.image(image{"", "the command", c.Image, c.Build, at, c.Tried,
			"service", "service: with the name of one to run in"})
	}
	if ok && len(out.Run) == 0 && !c.Tried.Has("run") {
		r.problems.Add("missing-key", at, "the command has nothing to run").
			Hint = "add run: with a program and its arguments"
	}
	if !ok || len(out.Run) == 0 {
		return nil
	}
	if o := c.Output; o != nil {
		out.Output, out.OutputFile = string(o.Format.V), o.File.Value
	}
	if c.Shell.V {
		out.Run = []string{"/bin/sh", "-c", c.Run.Written}
	}
	if c.Warmup.V > 0 && c.Stdin.Value != "" {
		r.contradiction(c.Stdin.Pos, "stdin is read by the first run, which is a warm-up",
			"remove warmup, or let the command read a file of configs")
	}
	return out
}

// checkInService checks a command that runs in a service, with nothing of its own.
func (r *reader) checkInService(c *article.Command) bool {
	if services := Names(r.definition.Services); !slices.Contains(services, c.Service.Value) {
		r.problems.Add("unknown-service", c.Service.Pos, "the command runs in %q, which is not a service of the experiment",
			c.Service.Value).Hint = source.Suggest(c.Service.Value, services)
		return false
	}
	if c.Image.Value != "" || c.Build != nil || len(c.Configs) > 0 || c.CPUSet.Value != "" {
		r.contradiction(c.Service.Pos, "a command that runs in a service has no image, build, configs or cpuset of its own",
			"move them to the service, or remove service")
		return false
	}
	if Completes(r.definition.Services, c.Service.Value) {
		AddCompleted(c.Service, "the command", r.problems)
	}
	return true
}
