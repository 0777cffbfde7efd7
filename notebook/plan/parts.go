package plan

import (
	"benchbook/notebook/article"

	"benchbook/internal/slice"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// LoadName is the name of the load among names of services.
const LoadName = "load"

// Configs are the files that the containers of a trial get when they start, by what names them in the article.
type Configs map[*source.Text]spec.File

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
func (p *planner) configs(d *draft) Configs {
	e, at := d.definition, revisionOf{p.project.Repository(), d.revision}
	out := Configs{}
	add := func(list []article.Config, users []string) {
		for i := range list {
			if f, ok := p.folder(list[i].Source).Config(list[i], users, at, p.problems); ok {
				out[&list[i].Source] = f
			}
		}
	}
	for i := range e.Services {
		s := &e.Services[i]
		add(s.Value.Configs, UsersOf(s.Name.Value, s.Value.Build))
	}
	if c := e.Command; c != nil {
		add(c.Configs, UsersOf("", c.Build))
	}
	if e.Load != nil && e.Load.Driver != nil {
		add(e.Load.Driver.Configs, UsersOf(LoadName, e.Load.Driver.Build))
	}
	if l := e.Load; l != nil {
		if tool := foreignTool(l.Tool.V); tool != nil && tool.Script != "" {
			script := article.Config{Source: l.Script, Target: source.Text{Value: tool.Script}}
			if f, ok := p.folder(l.Script).Config(script, UsersOf(LoadName, nil), at, p.problems); ok {
				out[&l.Script] = f
			}
		}
	}
	return out
}

func (c Configs) files(list []article.Config) []spec.File {
	var out []spec.File
	for i := range list {
		if f, ok := c[&list[i].Source]; ok {
			out = append(out, f)
		}
	}
	return out
}

func hooks(list []article.Hook) []spec.Hook {
	var out []spec.Hook
	for _, h := range list {
		if h.Run != nil {
			out = append(out, spec.Hook{Service: h.Service.Value, Run: h.Run.Words})
		}
	}
	return out
}

// Names returns the names of a mapping, such as services, in the order written.
func Names[T any](list []article.Named[T]) []string {
	return slice.Map(list, func(named article.Named[T]) string { return named.Name.Value })
}
