package article

import (
	"reflect"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/source"
)

// Knowledge is how much of an experiment can be judged in spite of the problems that were found.
type Knowledge int

// What is known of an experiment.
const (
	KnowsNothing Knowledge = iota
	KnowsCells             // its cells are as they were meant; they may have metrics of any name
	KnowsNames             // so are the metrics that are its own; which of the others it has is not sure
	KnowsAll               // its cells and metrics are as they were meant
)

// KnownOf says how much is known of each experiment, by name: as much as no problem that was found can change. What
// rests on more cannot be judged before they are mended: it would be wrong for no reason of its own.
func (doc *Document) KnownOf(found *source.Problems) map[string]Knowledge {
	known := map[string]Knowledge{}
	for _, e := range doc.Experiments {
		known[e.Name.Value] = KnowsAll
	}
	for _, p := range found.All() {
		if p.Severity != source.SeverityError {
			continue
		}
		switch e := doc.experimentAt(p.Pos); {
		case e != nil:
			known[e.Name.Value] = min(known[e.Name.Value], e.leaves(p))
		case p.Pos.Source != doc.Source, doc.concernsAll(p):
			return map[string]Knowledge{}
		}
	}
	// Of one that extends another no more is known than of that; as often as there can be steps from one to another.
	for range doc.Experiments {
		for _, e := range doc.Experiments {
			if base := e.Node.Get("extends"); base != nil {
				if of, own := known[base.Text.Value]; own {
					known[e.Name.Value] = min(known[e.Name.Value], of)
				}
			}
		}
	}
	return known
}

// Keys of an experiment that cannot change its cells, by what a mistake in them leaves to be known.
var keysLeave = map[string]Knowledge{
	"description": KnowsAll, "repetitions": KnowsAll, "timeout": KnowsAll, "calibrate": KnowsAll,
	"setup": KnowsAll, "prepare": KnowsAll, "conclude": KnowsAll, "cleanup": KnowsAll, "shared": KnowsAll,
	"services": KnowsNames, "load": KnowsNames, "tune": KnowsNames, "capacity": KnowsNames, "command": KnowsCells,
	"metrics": KnowsCells,
}

// leaves is how much of the experiment a problem in its block leaves to be known.
func (e *ExperimentBlock) leaves(p *source.Problem) Knowledge {
	if slices.Contains([]string{"yaml-syntax", "yaml-key", "yaml-too-large", "unclosed-fence", "duplicate-name"}, p.Rule) {
		return KnowsNothing
	}
	if p.Pos.In(e.Pos) && p.Rule == "load-or-command" {
		return KnowsCells
	}
	key, value := source.Text{}, (*source.Node)(nil)
	for _, f := range e.Node.Fields {
		if f.Key.Pos.Source == p.Pos.Source && f.Key.Pos.Start <= p.Pos.Start && f.Key.Pos.Start >= key.Pos.Start {
			key, value = f.Key, f.Value
		}
	}
	switch left, harmless := keysLeave[key.Value]; {
	case harmless:
		return left
	case value == nil || slices.Contains(source.KeysOf(reflect.TypeFor[Experiment]()), key.Value) || value.Kind == source.List:
		return KnowsNothing
	}
	// An unknown key. It may be a misspelt one, and what was meant by that is missing.
	if meant, near := source.Nearest(key.Value, []string{"matrix", "extends", "profiles", "name"}); near && meant != "" {
		return KnowsNothing
	}
	return KnowsCells
}

// experimentAt is the experiment in whose block a place lies, or nil.
func (doc *Document) experimentAt(at source.Pos) *ExperimentBlock {
	found, _ := slice.Find(doc.Experiments, func(e *ExperimentBlock) bool { return at.In(e.extent) })
	return found
}

// concernsAll says that a problem outside of experiments may be about any of them: in what a listing is made of, or in
// front matter, whose defaults and values all others use.
func (doc *Document) concernsAll(p *source.Problem) bool {
	if p.Pos.In(doc.front) {
		harmless := []string{"missing-key", "no-front-matter", "too-many", "unknown-label", "unknown-claim", "bad-name"}
		if doc.Front.Defaults.Node == nil {
			harmless = append(harmless, "wrong-value", "bad-expression")
		}
		return !slices.Contains(harmless, p.Rule)
	}
	return slices.ContainsFunc(doc.Listings, func(l *Listing) bool { return p.Pos.In(l.extent) })
}

// Unread says that blocks of a kind, such as "published", could not all be read, so that what is missing may stand in
// one.
func (doc *Document) Unread(kind string) bool { return doc.unread[kind] != "" }

// mayStand reports whether a name may be given by a block of the kind that could not be read.
func (doc *Document) mayStand(kind, name string) bool {
	return strings.Contains(doc.unread[kind], name)
}
