package plan

import (
	"cmp"
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/source"
)

// checkReferences checks the tuned values and shares of a throughput that experiments take from each other: it reports
// missing experiments, searches and cells, and experiments that wait for each other.
func (p *planner) checkReferences() {
	names, needs := p.names(), map[string][]source.Text{}
	for _, e := range p.outlines {
		if e.head == nil {
			continue
		}
		for _, of := range e.references() {
			if slices.Contains(names, of.Value) {
				needs[e.Name] = append(needs[e.Name], of)
			} else {
				p.unknownExperiment(of)
			}
		}
		e.checkTuned()
		e.checkRate()
	}
	inOrder(names, needs, func(string) {}, func(name string, of source.Text) {
		p.problems.Add("circle", of.Pos, "experiment %q waits for %q, which waits for it", name, of.Value).
			Hint = "remove one of the references (rate.of or tune.of)"
	})
}

// references returns the names of experiments that e takes something from.
func (e *outline) references() []source.Text {
	refs := []source.Text{e.headNode.TextAt("load", "rate", "of")}
	for _, f := range e.headNode.Get("tune").All() {
		refs = append(refs, f.Value.TextAt("of"))
	}
	return slices.DeleteFunc(refs, source.Text.IsZero)
}

// find returns an experiment that could be read and that the profile does not skip; nil without one.
func (p *planner) find(name source.Text) *outline {
	found, _ := slice.Find(p.outlines, func(e *outline) bool {
		return name.Value != "" && e.Name == name.Value && e.head != nil
	})
	return found
}

// checkTuned checks the searches of other experiments whose values an experiment takes.
func (e *outline) checkTuned() {
	for _, f := range e.headNode.Get("tune").All() {
		of := f.Value.TextAt("of")
		other := e.find(of)
		if other == nil {
			continue
		}
		if tuned := other.headNode.Get("tune").Keys(); !slices.Contains(tuned, f.Key.Value) {
			e.problems.Add("unknown-search", of.Pos, "experiment %q does not tune %q", other.Name, f.Key.Value).
				Hint = cmp.Or(source.Suggest(f.Key.Value, tuned), "add tune: to it")
		}
		e.checkCells(other, of, "nothing is chosen", "give both experiments the same axes, or tune here as well")
	}
}

// checkRate checks the experiment that a rate is a share of.
func (e *outline) checkRate() {
	of := e.headNode.TextAt("load", "rate", "of")
	other := e.find(of)
	if other == nil {
		return
	}
	if other.head.Command != nil {
		e.problems.Add("contradiction", of.Pos,
			"experiment %q times a command, so it has no throughput to take a share of", other.Name).
			Hint = "name an experiment with a load"
	}
	if e.head.Load.RateOwn {
		e.checkCells(other, of, "no throughput is known", "give both experiments the same axes, or remove own")
	}
}

// checkCells reports a cell that has no counterpart in another experiment, or several.
func (e *outline) checkCells(other *outline, of source.Text, missing, hint string) {
	for _, t := range e.Trials {
		if _, err := other.SameCell(t); err != nil {
			e.problems.Add("no-cell", of.Pos, "for cell %q %s: %v", t.Name, missing, err).Hint = hint
			return // other cells have the same mistake
		}
	}
}
