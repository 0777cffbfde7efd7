package plan

import (
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/loadtool"
	"benchbook/notebook/source"
)

// Unsupported is a valid part of an article that this version can plan and cannot run.
type Unsupported struct {
	Pos  source.Pos
	What string // a key of the article language, or a sentence's beginning: "load.rate", "a target over https"
	// Instead is why that is so and what can be done instead, in half a sentence; "" if there is nothing but to wait.
	Instead string
}

// Tools that a load can name: those whose output we only read, and those that we can run and that send requests over
// HTTP.
var (
	onlyRead   = loadtool.Names(func(t loadtool.Tool) bool { return t.Load && t.Program == nil })
	drivenHTTP = loadtool.Names(func(t loadtool.Tool) bool { return t.Program != nil && t.Program.HTTP })
)

// orList joins words as in "a, b or c".
func orList(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// notYet is what this version parses and plans and cannot run: the one list of it. Each entry gives the place where a
// load asks for it, or no place.
var notYet = []struct {
	what, instead string
	at            func(*article.Load) source.Pos
}{
	{"a load by " + orList(onlyRead),
		"images of tools are made of Debian's packages, and Debian has none of these: run the tool yourself and give " +
			"what it printed to benchbook import, or take tool: " +
			orList(append([]string{string(article.OwnTool)}, drivenHTTP...)), func(l *article.Load) source.Pos {
			if l.Tool.Known() && slices.Contains(onlyRead, string(l.Tool.V)) {
				return l.Tool.Text.Pos
			}
			return source.Pos{}
		}},
}

// unsupported lists what of an experiment this version cannot run, once each.
func unsupported(e *outline) []Unsupported {
	var out []Unsupported
	for _, entry := range notYet {
		for _, d := range e.drafts {
			if d.definition == nil || d.definition.Load == nil {
				continue
			}
			if at := entry.at(d.definition.Load); at.Source != nil {
				out = append(out, Unsupported{Pos: at, What: entry.what, Instead: entry.instead})
				break
			}
		}
	}
	return out
}
