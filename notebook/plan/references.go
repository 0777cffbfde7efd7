package plan

import (
	"cmp"
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// referenceCheck checks the tuned values and shares of a throughput that experiments take from each other.
type referenceCheck struct {
	doc      *article.Document
	outlines []*outline
	problems *source.Problems
	needs    map[string][]string // names of the experiments that have to be measured before one
}

// checkReferences reports references to missing experiments, searches and cells, and experiments that wait for each other.
func checkReferences(doc *article.Document, outlines []*outline, definitions []*Definition, problems *source.Problems) {
	c := referenceCheck{doc, outlines, problems, map[string][]string{}}
	known := slice.Map(definitions, func(d *Definition) string { return d.Block.Name.Value })
	refs := map[*outline][]source.Text{}
	for _, e := range outlines {
		if e.head == nil {
			continue
		}
		for _, of := range e.references() {
			if !slices.Contains(known, of.Value) {
				if !c.doc.MayBeUnread(of.Value, "experiment") {
					problems.Add("unknown-experiment", of.Pos, "no experiment %q in this article", of.Value).
						Hint = source.Suggest(of.Value, known)
				}
				continue
			}
			refs[e], c.needs[e.Name] = append(refs[e], of), append(c.needs[e.Name], of.Value)
		}
		c.searches(e)
		c.rate(e)
	}
	cycles := cyclesOf(c.needs)
	for _, e := range outlines {
		for _, of := range refs[e] {
			if cycles[of.Value] == cycles[e.Name] {
				problems.Add("circle", of.Pos, "experiment %q waits for %q, which waits for it", e.Name, of.Value).
					Hint = "remove one of the references (rate.of or tune.of)"
			}
		}
	}
}

// references returns the names of experiments that e takes something from.
func (e *outline) references() []source.Text {
	var refs []source.Text
	for _, f := range e.headNode.Get("tune").All() {
		refs = append(refs, f.Value.TextAt("of"))
	}
	refs = append(refs, e.headNode.TextAt("load", "rate", "of"))
	return slices.DeleteFunc(refs, source.Text.IsZero)
}

// find returns an experiment that could be read and that the profile does not skip; nil without one.
func (c referenceCheck) find(name source.Text) *outline {
	i := slices.IndexFunc(c.outlines, func(e *outline) bool { return e.Name == name.Value && e.head != nil })
	if i < 0 || name.IsZero() {
		return nil
	}
	return c.outlines[i]
}

func (c referenceCheck) searches(e *outline) {
	for _, f := range e.headNode.Get("tune").All() {
		of := f.Value.TextAt("of")
		other := c.find(of)
		if other == nil {
			continue
		}
		if tuned := other.headNode.Get("tune").Keys(); !slices.Contains(tuned, f.Key.Value) {
			c.problems.Add("unknown-search", of.Pos, "experiment %q does not tune %q", other.Name, f.Key.Value).
				Hint = cmp.Or(source.Suggest(f.Key.Value, tuned), "add tune: to it")
		}
		c.sameCells(e, of, "nothing is chosen", "give both experiments the same axes, or tune here as well")
	}
}

func (c referenceCheck) rate(e *outline) {
	of := e.headNode.TextAt("load", "rate", "of")
	other := c.find(of)
	if other == nil {
		return
	}
	if other.head.Command != nil {
		c.problems.Add("contradiction", of.Pos,
			"experiment %q times a command, so it has no throughput to take a share of", other.Name).
			Hint = "name an experiment with a load"
	}
	if e.head.Load.RateOwn {
		c.sameCells(e, of, "no throughput is known", "give both experiments the same axes, or remove own")
	}
}

// sameCells reports a cell of e that has no counterpart in another experiment, or several.
func (c referenceCheck) sameCells(e *outline, of source.Text, missing, hint string) {
	var cells [][]record.Parameter
	for _, d := range c.find(of).drafts {
		cells = append(cells, d.parameters)
	}
	for _, d := range e.drafts {
		if _, err := sameParameters(d.parameters, cells, of.Value); err != nil {
			c.problems.Add("no-cell", of.Pos, "for cell %q %s: %v", cmp.Or(d.name(), e.Name), missing, err).Hint = hint
			return // other cells have the same mistake
		}
	}
}
