package runner

import (
	"encoding/json"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/images"
)

// SameBuilds reports whether each cell of an experiment runs the same in all revisions that are compared, though it is
// built from other files: the builds have the same results. Prepare has to have built them.
func (r *Runner) SameBuilds(article string, e *plan.Experiment) bool {
	if r.imageStore == nil || len(e.Trials) == 0 {
		return false
	}
	set := images.Set{Store: r.imageStore, Article: article, Experiment: e}
	runs := map[string]string{} // by the cell
	for _, t := range e.Trials {
		if t.Calibration {
			continue
		}
		definition, ok := withImages(t, set.Facts(t))
		cell := plan.WithoutAxis(t.Parameters, plan.RevisionAxis)
		if other, seen := runs[cell]; !ok || seen && other != definition {
			return false
		}
		runs[cell] = definition
	}
	return true
}

// withImages returns the definition of a trial with the ids of the images instead of what they are built from. It is
// false if a build has no id.
func withImages(t *plan.Trial, facts map[string]string) (string, bool) {
	var d spec.Definition
	if err := json.Unmarshal(t.Definition, &d); err != nil {
		return "", false
	}
	ok := true
	replace := func(name string, image *spec.Image) {
		if image.Build != nil {
			*image = spec.Image{Name: facts[record.FactImage+name]}
			ok = ok && image.Name != ""
		}
	}
	for _, s := range d.Services {
		replace(s.Name, &s.Image)
	}
	if d.Command != nil {
		replace("command", &d.Command.Image)
	}
	if d.Load != nil && d.Load.Driver != nil {
		replace(plan.LoadName, &d.Load.Driver.Image)
	}
	out, err := json.Marshal(d)
	return string(out), ok && err == nil
}
