package plan

import (
	"cmp"
	"slices"

	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// referenceCheck looks at what experiments take from each other: choices of searches, and shares of what they bear.
type referenceCheck struct {
	outlines []*outline
	known    []string // names of all experiments of the article
	problems *source.Problems
}

// checkReferences looks at what experiments take from each other, and reports those that wait for each other.
func checkReferences(outlines []*outline, definitions []*Definition, problems *source.Problems) {
	c := referenceCheck{outlines: outlines, problems: problems}
	for _, d := range definitions {
		c.known = append(c.known, d.Block.Name.Value)
	}
	refs, needs := map[*outline][]source.Text{}, map[string][]string{}
	for _, e := range outlines {
		if e.head == nil {
			continue
		}
		refs[e] = c.needs(e)
		needs[e.Name] = nil
		for _, ref := range refs[e] {
			needs[e.Name] = append(needs[e.Name], ref.Value)
		}
	}
	for _, e := range outlines {
		for _, ref := range refs[e] {
			if reaches(ref.Value, e.Name, needs, map[string]bool{}) {
				problems.Add("circle", ref.Pos, "experiment %q waits for %q, which waits for it", e.Name, ref.Value).
					Hint = "remove one of the references (rate.of or tune.of)"
			}
		}
	}
}

// needs are the experiments that have to be measured before one.
func (c referenceCheck) needs(e *outline) []source.Text {
	var refs []source.Text
	for _, s := range e.head.Tune {
		if of := s.Value.Of; of.Value != "" && c.isExperiment(of) {
			refs = append(refs, of)
			c.tuned(of, s.Name.Value)
			c.sameCells(e, of, "nothing is chosen", "give both experiments the same axes, or tune here as well")
		}
	}
	if l := e.head.Load; l != nil && l.Rate.Of.Value != "" && c.isExperiment(l.Rate.Of) {
		refs = append(refs, l.Rate.Of)
		if other := c.find(l.Rate.Of); other != nil && other.head.Command != nil {
			c.problems.Add("contradiction", l.Rate.Of.Pos,
				"experiment %q times a command, so it has no throughput to take a share of", other.Name).
				Hint = "name an experiment with a load"
		}
		if l.Rate.Own.V {
			c.sameCells(e, l.Rate.Of, "no throughput is known", "give both experiments the same axes, or remove own")
		}
	}
	return refs
}

// isExperiment reports a name that is no experiment. It is false then.
func (c referenceCheck) isExperiment(t source.Text) bool {
	if slices.Contains(c.known, t.Value) {
		return true
	}
	c.problems.Add("unknown-experiment", t.Pos, "no experiment %q in this article", t.Value).
		Hint = source.Suggest(t.Value, c.known)
	return false
}

// find finds an experiment that could be read, and that the profile does not leave out; nil if there is none.
func (c referenceCheck) find(name source.Text) *outline {
	i := slices.IndexFunc(c.outlines, func(e *outline) bool { return e.Name == name.Value && e.head != nil })
	if i < 0 {
		return nil
	}
	return c.outlines[i]
}

// tuned reports an experiment that does not tune what another one takes from it.
func (c referenceCheck) tuned(of source.Text, name string) {
	e := c.find(of)
	if e == nil {
		return
	}
	if tuned := Names(e.head.Tune); !slices.Contains(tuned, name) {
		hint := source.Suggest(name, tuned)
		if len(tuned) == 0 {
			hint = "add tune: to it"
		}
		c.problems.Add("unknown-search", of.Pos, "experiment %q does not tune %q", of.Value, name).Hint = hint
	}
}

// sameCells reports cells that take over something which no cell of the other experiment has for them, or several have.
func (c referenceCheck) sameCells(e *outline, of source.Text, missing, hint string) {
	other := c.find(of)
	if other == nil {
		return
	}
	var cells [][]record.Parameter
	for _, d := range other.drafts {
		if d.unavailable == "" {
			cells = append(cells, d.parameters)
		}
	}
	for _, d := range e.drafts {
		if d.unavailable != "" {
			continue
		}
		if _, err := sameParameters(d.parameters, cells, of.Value); err != nil {
			c.problems.Add("no-cell", of.Pos, "for cell %q %s: %v", cmp.Or(d.name(), e.Name), missing, err).Hint = hint
			return // others have the same mistake
		}
	}
}
