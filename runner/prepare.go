package runner

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"benchbook/notebook/plan"
	"benchbook/runner/images"
)

// Prepare makes available what the pending repetitions and searches of a plan need: images, our own programs, and what
// drivers of loads bring. Independent ones are made at once. Run makes what is not there yet.
//
// It returns the images that could not be had, with the place of what asks for them. Run leaves out the experiments that
// need them.
func (r *Runner) Prepare(ctx context.Context, p *plan.Plan, store RecordStore, o Options) ([]*images.NoImageError,
	error) {
	records, _, err := store.Read()
	if err != nil {
		return nil, err
	}
	if err := o.look(ctx, r, records); err != nil {
		return nil, err
	}
	scope, records := o.scope(p, records)
	s := &session{Runner: r, plan: p, options: o, scope: scope}
	return r.prepareAll(ctx, s.benches(s.missing(records), records))
}

// Builds reports whether measuring a plan may need the build of an image.
func Builds(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Experiments, func(e *plan.Experiment) bool {
		return e.Skipped == "" && slices.ContainsFunc(e.Trials, func(t *plan.Trial) bool {
			if t.Load != nil && t.Load.Tool != "" {
				return true
			}
			for _, i := range images.Of(p.Article, t) {
				if i.Build != nil {
					return true
				}
			}
			return false
		})
	})
}

// imageStore has what was made available since the Runner was made.
func (r *Runner) imageStore() *images.Store {
	if r.store == nil {
		on := r.Engine
		if r.Over != nil {
			on = r.Over(on)
		}
		r.store = &images.Store{Engine: on, Agent: r.Agent, Cache: r.Cache, Begin: r.Progress.Preparing}
	}
	return r.store
}

func (b *bench) images() images.Set {
	return images.Set{Store: b.imageStore(), Article: b.plan.Article, Experiment: b.experiment}
}

// prepareAll makes available what experiments need.
func (r *Runner) prepareAll(ctx context.Context, runs []*bench) ([]*images.NoImageError, error) {
	var needs []images.Need
	for _, own := range runs {
		if own.work.Len() == 0 {
			continue
		}
		if _, err := own.engineFacts(ctx); err != nil {
			return nil, err
		}
		if err := own.layout().checkConnected(); err != nil {
			return nil, err
		}
		if !own.foresee() {
			continue // it is left out, and says why when its turn comes
		}
		more, err := own.pendingNeeds()
		if err != nil {
			return nil, err
		}
		needs = append(needs, more...)
	}
	return images.Make(ctx, needs...)
}

// engineFacts are what records say of the engine, which has to be one of this machine.
func (r *Runner) engineFacts(ctx context.Context) (map[string]string, error) {
	facts, err := r.Engine.Facts(ctx)
	if err != nil {
		return nil, err
	}
	if facts["engine.local"] == "false" && r.Machines[""] == nil {
		return nil, fmt.Errorf("the %s engine runs containers elsewhere or in a virtual machine, and what is measured "+
			"there would be recorded as "+
			"of this machine: run benchbook on the engine's machine, or use an engine of this one", r.Engine.Name())
	}
	return facts, nil
}

// foresee fills in the values that searches have found, or else the first ones that they will try: what is needed may
// depend on them. It returns false if the experiment takes over a value that nothing chooses.
func (b *bench) foresee() bool {
	return b.recall() == nil || b.choices.TakeFirst(b.work.Trials()) == nil
}

// prepare makes available what the experiment needs and nothing else has needed before it, and gathers facts, before
// anything of it is timed.
func (b *bench) prepare(ctx context.Context) error {
	facts, err := b.engineFacts(ctx)
	if err != nil {
		return err
	}
	b.facts = maps.Clone(facts)
	maps.Copy(b.facts, b.Host.Facts)
	if err := b.layout().checkConnected(); err != nil {
		return err
	}
	return b.preparePending(ctx)
}

// preparePending makes available what pending trials need. The error is a *images.NoImageError if something could not
// be had.
func (b *bench) preparePending(ctx context.Context) error {
	needs, err := b.pendingNeeds()
	if err != nil {
		return err
	}
	return provide(ctx, needs)
}

// PrepareTrial makes available what a trial needs besides its driver.
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
func (b *bench) pendingNeeds() (needs []images.Need, err error) {
	pending := b.work.Trials()
	for _, t := range pending {
		n, err := b.driverNeed(t)
		if err != nil {
			return nil, err
		}
		needs = append(needs, n)
	}
	for _, t := range pending {
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
	return needs, nil
}

// driverNeed is the driver that measures a trial.
func (b *bench) driverNeed(t *plan.Trial) (images.Need, error) {
	what, driver := "load", b.driver(t)
	switch {
	case t.Load == nil:
		what = "command"
	case b.isCheck:
	case driver == nil:
		return images.Need{}, fmt.Errorf("there is no driver for %s", t.Load.Tool)
	case t.Load.Tool != "":
		what = "load by " + t.Load.Tool
	case t.Load.Driver != nil:
		what = "load by a driver"
	}
	return b.images().DriverNeed(what, driver), nil
}
