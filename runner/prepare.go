package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/images"
)

// Builds reports whether measuring a plan may have to build an image.
func Builds(p *plan.Plan) bool {
	isBuilt := func(i engine.Image) bool { return i.Build != nil }
	return slices.ContainsFunc(p.Experiments, func(e *plan.Experiment) bool {
		return e.Skipped == "" && slices.ContainsFunc(e.Trials, func(t *plan.Trial) bool {
			return t.Load != nil && t.Load.Tool != "" || slices.ContainsFunc(
				slices.Collect(maps.Values(images.Of(p.Article, t))), isBuilt)
		})
	})
}

func (b *bench) images() images.Set {
	r := b.Runner
	if r.imageStore == nil {
		on := r.Engine
		if r.Over != nil {
			on = r.Over(on)
		}
		r.imageStore = &images.Store{Engine: on, Agent: r.Agent, Cache: r.Cache, Begin: r.Progress.Preparing}
	}
	return images.Set{Store: r.imageStore, Article: b.plan.Article, Experiment: b.experiment}
}

// prepareAll pulls and builds what all groups need, and returns the images that it could not get. Where needs depend on
// the result of a search, it prepares the search's first candidate.
func (s *session) prepareAll(ctx context.Context, groups []Group, records []*record.Record) ([]*images.NoImageError, error) {
	var needs []images.Need
	for _, g := range groups {
		b := s.newBench(g, records)
		if g.Len() == 0 {
			continue
		}
		if _, err := b.environment(ctx); err != nil {
			return nil, err
		}
		if b.recall() != nil && b.choices.TakeFirst(g.Trials()) != nil {
			continue // it takes a value that no search chooses, and reports that when its turn comes
		}
		more, err := b.pendingNeeds()
		if err != nil {
			return nil, err
		}
		needs = append(needs, more...)
	}
	return images.Make(ctx, needs...)
}

// environment returns the facts of the engine and the host. It fails if the engine runs on a machine that we cannot
// observe, or if a host is not connected.
func (b *bench) environment(ctx context.Context) (map[string]string, error) {
	known, err := b.Engine.Facts(ctx)
	if err != nil {
		return nil, err
	}
	if known["engine.local"] == "false" && b.Machines[""] == nil {
		return nil, fmt.Errorf("the %s engine runs containers in a virtual machine, and what is measured there would be "+
			"recorded as of this machine: run benchbook in that machine, or use an engine of this one",
			b.Engine.Name())
	}
	facts := map[string]string{}
	maps.Copy(facts, known)
	maps.Copy(facts, b.Host.Facts)
	return facts, b.layout().checkConnected()
}

// PrepareTrial provides the images of a trial, without its driver's.
func (b *bench) PrepareTrial(ctx context.Context, t *plan.Trial) error {
	return provide(ctx, b.images().Needs(t))
}

// provide pulls and builds images. The error is a *images.NoImageError if one is not available.
func provide(ctx context.Context, needs []images.Need) error {
	missing, err := images.Make(ctx, needs...)
	if err == nil && len(missing) > 0 {
		return missing[0]
	}
	return err
}

// pendingNeeds returns the needs of the pending trials, drivers first. Values not yet found by a search are its first
// candidates; images for later candidates are made when the search tries them.
func (b *bench) pendingNeeds() (drivers []images.Need, err error) {
	var needs []images.Need
	for _, t := range b.work.Trials() {
		what, driver := "load", b.driver(t)
		switch {
		case t.Load == nil:
			what = "command"
		case driver == nil:
			return nil, fmt.Errorf("there is no driver for %s", t.Load.Tool)
		case b.isCheck:
		case t.Load.Tool != "":
			what = "load by " + t.Load.Tool
		case t.Load.Driver != nil:
			what = "load by a driver"
		}
		drivers = append(drivers, b.images().DriverNeed(what, driver))
		values := map[string]int{}
		for _, s := range t.Tune {
			values[s.Name] = cmp.Or(b.choices.Of(t).Values[s.Name], s.First())
		}
		first, err := t.Tuned(values)
		if err != nil {
			return nil, err
		}
		needs = append(needs, b.images().Needs(first)...)
	}
	return append(drivers, needs...), nil
}

// SameBuilds reports whether the builds of all compared revisions gave the same images in every cell of an experiment,
// although their files differ. Call Prepare first.
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

// withImages returns the definition of a trial with image IDs in place of builds, or false if a build has no ID.
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
