package plan

import (
	"net/url"

	"benchbook/notebook/article"

	"benchbook/internal/slice"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// LoadName stands for the load where services have names.
const LoadName = "load"

// Reader reads the parts of the trials of one article.
type Reader struct {
	Project *article.Project
	Folder  func(source.Text) *Folder // that of the article which a path was written in
	// Revision is what builds without one of their own take their contexts from; empty: the files as they are.
	Revision string
	Private  map[string]bool // values that records and messages do not show, added to it
}

// Parts are what a trial runs.
type Parts struct {
	Services []*spec.Service // those that others depend on first
	Load     *spec.Load
	Command  *spec.Command
	Prepare  []spec.Hook
	Conclude []spec.Hook
	Places   Places
}

// Places says where in the article values stand that are checked against the machine and its engine.
type Places struct {
	CPUSets     map[*string]source.Text // by the field of a service, the load or the command
	CPUs        map[*spec.Service]source.Text
	Dockerfiles map[*spec.Build]DockerfilePlace
	Images      map[string]source.Pos // by the name of the image
}

// Configs are the files that the containers of a trial get when they start, by what names them in the article.
type Configs map[*source.Text]spec.File

// reading is one trial while it is read.
type reading struct {
	Reader
	experiment *article.Experiment
	node       *source.Node
	configs    Configs
	places     Places
	problems   *source.Problems
}

// Read reads the parts of a trial. Configs of all trials have to be read before: build contexts leave out their files.
// Problems without a place of their own are reported at at.
func (r Reader) Read(e *article.Experiment, n *source.Node, configs Configs, at source.Pos, problems *source.Problems) Parts {
	places := Places{map[*string]source.Text{}, map[*spec.Service]source.Text{}, map[*spec.Build]DockerfilePlace{},
		map[string]source.Pos{}}
	checkValues(n, "", "", problems)
	reading := &reading{r, e, n, configs, places, problems}
	out := Parts{Services: reading.services(), Prepare: Hooks(e.Prepare), Conclude: Hooks(e.Conclude), Places: places}
	if e.Load != nil {
		out.Load = reading.load(at)
		checkBesideLink(out, e.Load, problems)
	} else if e.Command != nil {
		out.Command = reading.command(at)
	}
	return out
}

// Configs reads the files that the containers of a trial get when they start.
func (r Reader) Configs(e *article.Experiment, problems *source.Problems) Configs {
	out := Configs{}
	add := func(list []article.Config, users []string) {
		for i := range list {
			if f, ok := r.Folder(list[i].Source).Config(list[i], users, problems); ok {
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
			if f, ok := r.Folder(l.Script).Config(script, UsersOf(LoadName, nil), problems); ok {
				out[&l.Script] = f
			}
		}
	}
	return out
}

// files are those of a list of configs.
func (c Configs) files(list []article.Config) []spec.File {
	var out []spec.File
	for i := range list {
		if f, ok := c[&list[i].Source]; ok {
			out = append(out, f)
		}
	}
	return out
}

// Hooks reads commands that are run before or after something.
func Hooks(list []article.Hook) []spec.Hook {
	var out []spec.Hook
	for _, h := range list {
		if h.Run != nil {
			out = append(out, spec.Hook{Service: h.Service.Value, Run: h.Run.Words})
		}
	}
	return out
}

// Names gives the names of a mapping, such as that of services, in the order written.
func Names[T any](list []article.Named[T]) []string {
	return slice.Map(list, func(named article.Named[T]) string { return named.Name.Value })
}

// checkBesideLink reports a load in the network of a service with a link, which it would bypass.
func checkBesideLink(parts Parts, l *article.Load, problems *source.Problems) {
	target, err := url.Parse(parts.Load.Target)
	if l.Network.V != source.SharedNetwork || err != nil {
		return // an invalid target was reported
	}
	for _, s := range parts.Services {
		if s.Link != nil && s.Name == target.Hostname() {
			problems.Add("contradiction", l.Network.Text.Pos,
				"the load would be behind the link of service %q, not in front of it", s.Name).
				Hint = "remove network, or the link"
		}
	}
}
