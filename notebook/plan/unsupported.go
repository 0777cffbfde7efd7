package plan

import (
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/loadtool"
	"benchbook/notebook/source"
)

// Unsupported is something that an article says, that is planned, and that this version cannot run.
type Unsupported struct {
	Pos  source.Pos
	What string // a key of the article language, or a sentence's beginning: "load.rate", "a target over https"
	// Instead is why that is so and what can be done instead, in half a sentence; "" if there is nothing but to wait.
	Instead string
}

// Tools that a load can name: those whose output we only read, and those that we can run and that send requests over HTTP.
var (
	onlyRead   = loadtool.Names(func(t loadtool.Tool) bool { return t.Load && t.Program == nil })
	drivenHTTP = loadtool.Names(func(t loadtool.Tool) bool { return t.Program != nil && t.Program.HTTP })
)

// orList joins words as in "a, b or c".
func orList(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// notYet is what this version parses and plans and cannot run: the one list of it. Each entry gives the place where an experiment
// asks for it, or no place.
var notYet = []struct {
	what, instead string
	at            func(*article.Experiment) source.Pos
}{
	{"a load by " + orList(onlyRead), "images of tools are made of Debian's packages, and Debian has none of these: run the tool " +
		"yourself and give what it printed to benchbook import, or take tool: " +
		orList(append([]string{string(article.OwnTool)}, drivenHTTP...)), inLoad(func(l *article.Load) source.Pos {
		if l.Tool.V != article.OwnTool && programOf(l.Tool.V) == nil && l.Tool.Known() {
			return l.Tool.Text.Pos
		}
		return source.Pos{}
	})},
}

func inLoad(at func(*article.Load) source.Pos) func(*article.Experiment) source.Pos {
	return func(e *article.Experiment) source.Pos {
		if e.Load == nil {
			return source.Pos{}
		}
		return at(e.Load)
	}
}

// unsupported lists what of an experiment this version cannot run, once each.
func (p *planner) unsupported(e *outline) []Unsupported {
	var out []Unsupported
	add := func(what string, at source.Pos) {
		known := slices.ContainsFunc(out, func(u Unsupported) bool { return u.What == what })
		if at.Source != nil && !known {
			out = append(out, Unsupported{Pos: at, What: what})
		}
	}
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
		if i := slices.IndexFunc(out, func(u Unsupported) bool { return u.What == entry.what }); i >= 0 {
			out[i].Instead = entry.instead
		}
	}
	return out
}
