package plan

import (
	"benchbook/internal/slice"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// LoadName is the name of the load among names of services.
const LoadName = "load"

// reader reads one trial from its draft.
type reader struct {
	*planner
	*draft
	trial *Trial
}

// readTrial reads what a trial runs. Configs of all trials have to be read before: build contexts leave out their files.
// Problems without a place of their own are reported at at.
func (p *planner) readTrial(d *draft, t *Trial, at source.Pos) {
	t.node, t.dockerfiles = d.node, map[*spec.Build]DockerfilePlace{}
	checkValues(d.node, "", "", p.problems)
	r, e := &reader{p, d, t}, d.definition
	t.Services, t.Prepare = r.services(), hooks(e.Prepare)
	t.Load, t.Command = nil, nil
	if e.Load != nil {
		t.Load = r.load(at)
	} else if e.Command != nil {
		t.Command = r.command(at)
	}
}

// configs reads the files that the containers of a trial get when they start.
func (p *planner) configs(d *draft) {
	e, at := d.definition, revisionOf{p.project.Repository(), d.revision}
	read := func(list *[]spec.File, build *spec.Build, user string, keys ...string) {
		*list = nil
		for _, item := range d.node.Under(append(keys, "configs")...).List() {
			file := item.TextAt("source")
			if f, ok := p.folder(file).Config(file, item.TextAt("target"), UsersOf(user, build), at, p.problems); ok {
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
	if tool := foreignTool(l.Tool); tool != nil && tool.Script != "" {
		file := d.node.TextAt("load", "script")
		target := source.Text{Value: tool.Script}
		if f, ok := p.folder(file).Config(file, target, UsersOf(LoadName, nil), at, p.problems); ok {
			l.Script = &f
		}
	}
}

// hooks returns the hooks that have something to run.
func hooks(list []spec.Hook) []spec.Hook {
	return slice.Filter(list, func(h spec.Hook) bool { return len(h.Run) > 0 })
}
