package plan

import (
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// A Revision of the repository is the source of build contexts. The article and the files that it copies into containers
// stay as they are on disk. With several revisions, each cell of every experiment is planned once for each, along the
// axis RevisionAxis; cells that are the same in all revisions are not planned.
type Revision struct {
	Name   string // as people call it
	Commit string // as git knows it
}

// RevisionAxis is the axis of the revisions that are compared.
const RevisionAxis = "revision"

// perRevision makes a combination for each revision that is compared: all of the first, then all of the next. A single
// revision takes the combinations as they are.
func (p *planner) perRevision(e *outline, combinations []combination) []combination {
	revisions := p.options.Revisions
	if len(revisions) == 0 {
		return combinations
	}
	var out []combination
	for _, revision := range revisions {
		for _, c := range combinations {
			if _, has := c.fields[RevisionAxis]; has && len(revisions) > 1 {
				p.problems.Add("duplicate-parameter", e.Pos, "experiment %q has an axis %s, so revisions cannot be compared by it",
					e.Name, RevisionAxis).Hint = "give the axis another name"
				return combinations
			}
			one := c.clone()
			if one.revision = revision.Commit; len(revisions) > 1 {
				one.set(RevisionAxis, source.Text{Value: revision.Name}, true)
				e.head.Calibrate.Off = false // a noise floor is needed to judge small changes
			}
			out = append(out, one)
		}
	}
	return out
}

// keepChanged removes the cells of an experiment that are the same in all revisions that are compared, and leaves the
// experiment out if all are.
func (p *planner) keepChanged(e *outline) {
	if len(p.options.Revisions) < 2 {
		return
	}
	keys := map[string]string{} // by the cell
	changed := map[string]bool{}
	for _, t := range e.Trials {
		cell := WithoutAxis(t.Parameters, RevisionAxis)
		changed[cell] = changed[cell] || keys[cell] != "" && keys[cell] != t.Key
		keys[cell] = t.Key
	}
	isSame := func(parameters []record.Parameter) bool { return !changed[WithoutAxis(parameters, RevisionAxis)] }
	e.Trials = slices.DeleteFunc(e.Trials, func(t *Trial) bool { return isSame(t.Parameters) })
	e.drafts = slices.DeleteFunc(e.drafts, func(d *draft) bool { return isSame(d.parameters) })
	if len(e.Trials) == 0 && p.problems.Empty() {
		names := slice.Map(p.options.Revisions, func(r Revision) string { return r.Name })
		*e.Experiment = Experiment{Name: e.Name, Pos: e.Pos, Engine: e.Engine,
			Skipped: "it is the same in " + strings.Join(names, " and ")}
	}
}

// ofBase are the trials of the first revision, whose A/A pair shows the noise floor; all where none are compared.
func (p *planner) ofBase(measured []*Trial) []*Trial {
	if len(p.options.Revisions) < 2 {
		return measured
	}
	base := record.Parameter{Name: RevisionAxis, Value: p.options.Revisions[0].Name}
	return slices.DeleteFunc(slices.Clone(measured), func(t *Trial) bool { return !slices.Contains(t.Parameters, base) })
}

// WithoutAxis returns the name of a cell without one of its parameters; empty for a cell without others.
func WithoutAxis(parameters []record.Parameter, axis string) string {
	return combination{parameters: slices.DeleteFunc(slices.Clone(parameters), func(p record.Parameter) bool {
		return p.Name == axis
	})}.name()
}
