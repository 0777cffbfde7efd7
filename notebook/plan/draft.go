package plan

import (
	"slices"

	"github.com/kballard/go-shellquote"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/loadtool"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// LoadName stands for the load where services are named, so no service may have it.
const LoadName = "load"

// A draft holds what a trial is read from.
type draft struct {
	*planner
	combination
	at          source.Pos                   // of the experiment, for problems without a place of their own
	secrets     map[string]string            // templates of the secrets of the experiment, by name
	node        *source.Node                 // the experiment with its templates expanded
	definition  *article.Experiment          // decoded from node; nil after a problem
	dockerfiles map[*spec.Build][]source.Pos // place of the Dockerfile, then of its lines if the article contains it
}

// read reads what a trial runs. The configs of all trials must be read first: build contexts leave out their files.
func (t *Trial) read() {
	d := &t.draft
	d.dockerfiles = map[*spec.Build][]source.Pos{}
	checkValues(d.node, d.problems)
	t.Services, t.Prepare = d.services(), hooks(d.definition.Prepare)
	t.Load, t.Command = nil, nil
	if d.definition.Load != nil {
		t.Load = d.load()
	} else if d.definition.Command != nil {
		t.Command = d.command()
	}
}

// configs reads the files that are put into the trial's containers at their start.
func (d *draft) configs() {
	e := d.definition
	read := func(list *[]spec.File, build *spec.Build, user string, keys ...string) {
		*list = nil
		for _, item := range d.node.Under(append(keys, "configs")...).List() {
			file := item.TextAt("source")
			if f, ok := d.folder(file).config(file, item.TextAt("target"), usersOf(user, build), d.revision, d.problems); ok {
				*list = append(*list, f)
			}
		}
	}
	for _, s := range e.Services {
		read(&s.Configs, s.Image.Build, s.Name, "services", s.Name)
	}
	if c := e.Command; c != nil {
		read(&c.Configs, c.Image.Build, "", "command")
	}
	l := e.Load
	if l == nil {
		return
	}
	if l.Driver != nil {
		read(&l.Driver.Configs, l.Driver.Image.Build, LoadName, "load", "driver")
	}
	l.Script = nil
	if tool, ok := loadtool.Find(l.Tool); ok && tool.Script != "" {
		file, target := d.node.TextAt("load", "script"), source.Text{Value: tool.Script}
		if f, ok := d.folder(file).config(file, target, usersOf(LoadName, nil), d.revision, d.problems); ok {
			l.Script = &f
		}
	}
}

// hooks returns the hooks that have something to run.
func hooks(list []spec.Hook) []spec.Hook {
	return slice.Filter(list, func(h spec.Hook) bool { return len(h.Run) > 0 })
}

// asLoad is the value of cpuset that runs a command on the CPUs of the load.
const asLoad = "load"

// command completes the command of a trial; nil if it cannot be run.
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

// checkInService checks a command that runs in a service: the service exists, and has the image, configs and cpuset.
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
	d.checkKeepsRunning(d.node.Get("services"), service, "the command")
	return true
}
