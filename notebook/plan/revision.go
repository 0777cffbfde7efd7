package plan

import (
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
)

// A Revision of the repository provides build contexts, configs, env_files and volumes. The article, and files that a
// revision lacks, come from disk. Each cell of every experiment is planned once for each revision, along the axis
// RevisionAxis; cells that are the same in all revisions are left out.
type Revision struct {
	Name   string // as the user wrote it
	Commit string // as git resolves it
}

// RevisionAxis is the axis of the revisions that are compared.
const RevisionAxis = "revision"

// perRevision makes a combination for each revision that is compared: all of the first, then all of the next.
func (e *outline) perRevision(combinations []combination) (out []combination) {
	revisions := e.options.Revisions
	if len(revisions) == 0 {
		return combinations
	}
	e.head.Calibrate.Off = false // a noise floor is needed to judge small changes
	for _, revision := range revisions {
		for _, c := range combinations {
			if _, has := c.fields[RevisionAxis]; has {
				e.problems.Add("duplicate-parameter", e.Pos, "experiment %q has an axis %s, so revisions cannot be compared by it",
					e.Name, RevisionAxis).Hint = "give the axis another name"
				return combinations
			}
			one := c.clone()
			one.revision = revision.Commit
			one.set(RevisionAxis, revision.Name, true)
			out = append(out, one)
		}
	}
	return out
}

// keepChanged removes the cells that are the same in all compared revisions, and skips the experiment if none are left.
func (e *outline) keepChanged() {
	revisions := e.options.Revisions
	if len(revisions) == 0 {
		return
	}
	keys := map[string][]string{} // by the cell
	for _, t := range e.Trials {
		cell := WithoutAxis(t.Parameters, RevisionAxis)
		keys[cell] = slice.Add(keys[cell], t.Key)
	}
	e.Trials = slice.Filter(e.Trials, func(t *Trial) bool { return len(keys[WithoutAxis(t.Parameters, RevisionAxis)]) > 1 })
	if len(e.Trials) == 0 && e.problems.Empty() {
		names := slice.Map(revisions, func(r Revision) string { return r.Name })
		*e.Experiment = Experiment{Name: e.Name, Pos: e.Pos, Engine: e.Engine,
			Skipped: "it is the same in " + strings.Join(names, " and ")}
	}
}

// ofBase returns the trials of the first revision, which the A/A pair is picked from; all if no revisions are compared.
func (e *outline) ofBase(measured []*Trial) []*Trial {
	if len(e.options.Revisions) == 0 {
		return measured
	}
	base := record.Parameter{Name: RevisionAxis, Value: e.options.Revisions[0].Name}
	return slice.Filter(measured, func(t *Trial) bool { return slices.Contains(t.Parameters, base) })
}

// WithoutAxis returns the name of a cell without the value of one axis; empty if it has no others.
func WithoutAxis(parameters []record.Parameter, axis string) string {
	return combination{parameters: slice.Filter(parameters, func(p record.Parameter) bool { return p.Name != axis })}.name()
}
