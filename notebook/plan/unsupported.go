package plan

import (
	"slices"
	"strings"

	"benchbook/notebook/article"
)

// Unsupported is something that an article says, that is planned, and that this version cannot run.
type Unsupported struct {
	Pos  article.Pos
	What string // a key of the article language, or a sentence's beginning: "load.rate", "a target over https"
}

// notYet is what this version parses and plans and cannot run: the one list of it. Each entry gives the place where an experiment
// asks for it, or no place.
var notYet = []struct {
	what string
	at   func(*article.Experiment) article.Pos
}{
	{"tune", func(e *article.Experiment) article.Pos {
		if len(e.Tune) > 0 {
			return e.Tune[0].Name.Pos
		}
		return article.Pos{}
	}},
	{"capacity", func(e *article.Experiment) article.Pos {
		if e.Capacity != nil {
			return e.Capacity.Pos
		}
		return article.Pos{}
	}},
	{"shared", func(e *article.Experiment) article.Pos { return first(e.Shared) }},
	{"metrics", func(e *article.Experiment) article.Pos {
		if len(e.Metrics) > 0 {
			return e.Metrics[0].Pos
		}
		return article.Pos{}
	}},
	{"setup", func(e *article.Experiment) article.Pos { return hook(e.Setup) }},
	{"prepare", func(e *article.Experiment) article.Pos { return hook(e.Prepare) }},
	{"conclude", func(e *article.Experiment) article.Pos { return hook(e.Conclude) }},
	{"cleanup", func(e *article.Experiment) article.Pos { return hook(e.Cleanup) }},
	{"hosts", func(e *article.Experiment) article.Pos {
		if len(e.Hosts) > 0 {
			return e.Hosts[0].Name.Pos
		}
		return article.Pos{}
	}},
	{"a load by oha, vegeta, k6 or fortio", inLoad(func(l *article.Load) article.Pos {
		if _, driven := loadTools[l.Tool.V]; l.Tool.V != article.OwnTool && !driven && l.Tool.Known() {
			return l.Tool.Text.Pos
		}
		return article.Pos{}
	})},
	{"volumes", inServices(func(s *article.Service) article.Pos {
		if len(s.Volumes) > 0 {
			return s.Volumes[0].Pos
		}
		return article.Pos{}
	})},
	{"scale", inServices(func(s *article.Service) article.Pos {
		if s.Scale.V > 1 {
			return s.Scale.Text.Pos
		}
		return article.Pos{}
	})},
}

func inLoad(at func(*article.Load) article.Pos) func(*article.Experiment) article.Pos {
	return func(e *article.Experiment) article.Pos {
		if e.Load == nil {
			return article.Pos{}
		}
		return at(e.Load)
	}
}

// inServices gives the place in the first service that has one.
func inServices(at func(*article.Service) article.Pos) func(*article.Experiment) article.Pos {
	return func(e *article.Experiment) article.Pos {
		for i := range e.Services {
			if pos := at(&e.Services[i].Value); pos.Source != nil {
				return pos
			}
		}
		return article.Pos{}
	}
}

func first(list []article.Text) article.Pos {
	if len(list) == 0 {
		return article.Pos{}
	}
	return list[0].Pos
}

func hook(list []article.Hook) article.Pos {
	if len(list) == 0 {
		return article.Pos{}
	}
	return list[0].Pos
}

// unsupported lists what of an experiment this version cannot run, once each.
func (p *planner) unsupported(e *outline) []Unsupported {
	var out []Unsupported
	add := func(what string, at article.Pos) {
		known := slices.ContainsFunc(out, func(u Unsupported) bool { return u.What == what })
		if at.Source != nil && !known {
			out = append(out, Unsupported{at, what})
		}
	}
	if p.project.Engine.Set() && p.project.Engine.V != article.Docker {
		add("engine: "+string(p.project.Engine.V), p.project.Engine.Text.Pos)
	}
	add("registry", p.project.Registry.Pos)
	definitions := []*article.Experiment{e.head}
	for _, d := range e.drafts {
		if d.definition != nil {
			definitions = append(definitions, d.definition)
		}
	}
	for _, entry := range notYet {
		for _, d := range definitions {
			if d == e.head && strings.Contains(entry.what, ".") {
				continue // of loads and commands the templates have to be expanded
			}
			add(entry.what, entry.at(d))
		}
	}
	return out
}
