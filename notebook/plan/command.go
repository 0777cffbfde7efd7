package plan

import (
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

func (p *planner) command(d *draft, at source.Pos) *spec.Command {
	c := d.definition.Command
	if c.Run != nil {
		at = c.Run.Pos
	}
	out := &spec.Command{WorkingDir: c.WorkingDir.Value, Stdin: c.Stdin.Value, Timeout: c.Timeout.V, Service: c.Service.Value}
	if out.AsLoad = c.CPUSet.Value == asLoad; !out.AsLoad {
		out.CPUSet, d.places.cpusets[&out.CPUSet] = c.CPUSet.Value, c.CPUSet
		p.checkCPUSet(c.CPUSet)
	}
	if c.Service.Value != "" {
		if !p.commandInService(c, names(d.definition.Services)) {
			return nil
		}
		if completes(d.definition.Services, c.Service.Value) {
			p.completed(c.Service, "the command")
		}
	} else {
		image, ok := p.image(d, "", c.Image, c.Build, "the command", at, c.Tried, "service", "service: with the name of one to run in")
		if !ok {
			return nil
		}
		out.Image = image
	}
	if c.Run != nil {
		out.Run = c.Run.Words
	}
	if len(out.Run) == 0 && c.Tried.Has("run") {
		return nil
	}
	if len(out.Run) == 0 {
		p.problems.Add("missing-key", at, "the command has nothing to run").
			Hint = "add run: with a program and its arguments"
		return nil
	}
	if c.Shell.V {
		out.Run = []string{"/bin/sh", "-c", c.Run.Written}
	}
	if c.Timeout.Known() && c.Timeout.V <= 0 {
		p.problems.Add("wrong-value", c.Timeout.Text.Pos, "timeout has to be more than 0").
			Hint = "write a time, such as 1m"
	}
	if c.WorkingDir.Value != "" {
		p.absolute(c.WorkingDir, "working_dir")
	}
	for _, v := range c.Environment {
		out.Environment = append(out.Environment, v.Name.Value+"="+v.Value.Value)
	}
	for i := range c.Configs {
		if f, ok := d.configs[&c.Configs[i]]; ok {
			out.Configs = append(out.Configs, f)
		}
	}
	p.blocked(c.Configs, nil)
	if e := c.Expect; e != nil {
		out.ExpectExit, out.Contains = e.Exit.V, e.Contains.Value
		if e.Exit.Known() && (e.Exit.V < 0 || e.Exit.V > 255) {
			p.problems.Add("wrong-value", e.Exit.Text.Pos, "%d is no exit status", e.Exit.V).
				Hint = "they go from 0 to 255"
		}
	}
	return out
}

// asLoad is the cpuset of a command that runs where a load is put on from.
const asLoad = "load"

// commandInService checks a command that runs in a service, and so has nothing of its own.
func (p *planner) commandInService(c *article.Command, services []string) bool {
	if !slices.Contains(services, c.Service.Value) {
		p.problems.Add("unknown-service", c.Service.Pos, "the command runs in %q, which is no service of the experiment", c.Service.Value).
			Hint = source.Suggest(c.Service.Value, services)
		return false
	}
	if c.Image.Value != "" || c.Build != nil || len(c.Configs) > 0 || c.CPUSet.Value != "" {
		p.problems.Add("contradiction", c.Service.Pos, "a command that runs in a service has no image, build, configs or cpuset of its own").
			Hint = "move them to the service, or remove service"
		return false
	}
	return true
}

// hooks reads commands that are run before or after something.
func hooks(list []article.Hook) []spec.Hook {
	var out []spec.Hook
	for _, h := range list {
		if h.Run != nil {
			out = append(out, spec.Hook{Service: h.Service.Value, Run: h.Run.Words})
		}
	}
	return out
}

func metric(m *article.Metric) Metric {
	out := Metric{Metric: m.Means(), Value: m.Value.Text.Value, Regex: m.Regex.Value, JSON: m.JSON.Value}
	if !m.From.IsZero() {
		out.Service, out.Stream = m.Source()
		if m.Unit.Set() && m.Unit.V != out.Unit {
			out.Written = m.Unit.V
		}
	}
	return out
}
