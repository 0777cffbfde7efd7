package runner

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/images"
)

// Builds reports whether measuring a plan may need the build of an image.
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

// prepareAll makes available what all groups need, and returns the images that could not be had. What is needed may
// depend on values that searches find: what they would try first counts until then.
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
			continue // it takes over a value that nothing chooses, and says so when its turn comes
		}
		more, err := b.pendingNeeds()
		if err != nil {
			return nil, err
		}
		needs = append(needs, more...)
	}
	return images.Make(ctx, needs...)
}

// environment returns the facts of the engine, which has to be on a machine that is known, and of the host.
func (b *bench) environment(ctx context.Context) (map[string]string, error) {
	known, err := b.Engine.Facts(ctx)
	if err != nil {
		return nil, err
	}
	if known["engine.local"] == "false" && b.Machines[""] == nil {
		return nil, fmt.Errorf("the %s engine runs containers elsewhere or in a virtual machine, and what is measured "+
			"there would be recorded as of this machine: run benchbook on the engine's machine, or use an engine of this one",
			b.Engine.Name())
	}
	facts := map[string]string{}
	maps.Copy(facts, known)
	maps.Copy(facts, b.Host.Facts)
	return facts, b.layout().checkConnected()
}

// PrepareTrial provides the needs of a trial, without its driver.
func (b *bench) PrepareTrial(ctx context.Context, t *plan.Trial) error {
	return provide(ctx, b.images().Needs(t))
}

// provide makes available what is needed. The error is a *images.NoImageError if something could not be had.
func provide(ctx context.Context, needs []images.Need) error {
	missing, err := images.Make(ctx, needs...)
	if err == nil && len(missing) > 0 {
		return missing[0]
	}
	return err
}

// pendingNeeds returns what pending trials need, with the values of searches if they are known, else the first ones:
// the images of later candidates are made when it is their turn.
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
