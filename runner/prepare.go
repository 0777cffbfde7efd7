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
func (r *Runner) Prepare(ctx context.Context, p *plan.Plan, store RecordStore, o Options) ([]images.NoImageError,
	error) {
	records, _, err := store.Read()
	if err != nil {
		return nil, err
	}
	if err := o.look(ctx, r.Engine, records); err != nil {
		return nil, err
	}
	o, records = o.current(p, records)
	return r.prepareAll(ctx, r.runs(p, o, records))
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

func (r *run) images() images.Set {
	return images.Set{Store: r.imageStore(), Article: r.plan.Article, Experiment: r.experiment}
}

// prepareAll makes available what experiments need.
func (r *Runner) prepareAll(ctx context.Context, runs []*run) ([]images.NoImageError, error) {
	runs = slices.DeleteFunc(slices.Clone(runs), func(r *run) bool { return r.work.len() == 0 })
	all := map[*Runner][]images.Need{}
	trials, needs := map[*run][]*plan.Trial{}, map[*run][]images.Need{}
	for _, own := range runs {
		if _, err := own.engineFacts(ctx); err != nil {
			return nil, err
		}
		if err := own.layout().CheckConnected(); err != nil {
			return nil, err
		}
		if !own.foresee() {
			continue // it is left out, and says why when its turn comes
		}
		var err error
		if trials[own], needs[own], err = own.pendingNeeds(); err != nil {
			return nil, err
		}
		all[own.Runner] = append(all[own.Runner], needs[own]...)
	}
	for of, needs := range all {
		if err := of.imageStore().Meet(ctx, needs); err != nil {
			return nil, err
		}
	}
	var missing []images.NoImageError
	for _, own := range runs {
		for _, n := range needs[own] {
			e := own.images().Missing(n)
			if e != nil && !slices.ContainsFunc(missing, func(o images.NoImageError) bool {
				return o.Pos == e.Pos && o.Error() == e.Error()
			}) {
				missing = append(missing, *e)
			}
		}
		for _, t := range trials[own] {
			if err := own.images().Examine(ctx, t); err != nil {
				return nil, err
			}
		}
	}
	return missing, nil
}

// engineFacts are what records say of the engine, which has to be one of this machine.
func (r *Runner) engineFacts(ctx context.Context) (map[string]string, error) {
	facts, err := r.Engine.Facts(ctx)
	if err != nil {
		return nil, err
	}
	if facts["engine.local"] == "false" {
		return nil, fmt.Errorf("the %s engine runs containers elsewhere or in a virtual machine, and what is measured "+
			"there would be recorded as "+
			"of this machine: run benchbook on the engine's machine, or use an engine of this one", r.Engine.Name())
	}
	return facts, nil
}

// foresee fills in the values that searches have found, or else the first ones that they will try: what is needed may
// depend on them. It is false if the experiment takes over a value that nothing chooses.
func (r *run) foresee() bool {
	return r.verifier == nil && r.recall(r.records) == nil || r.takeFirst() == nil
}

// prepare makes available what the experiment needs and nothing else has needed before it, and gathers facts, before
// anything of it is timed.
func (r *run) prepare(ctx context.Context) error {
	facts, err := r.engineFacts(ctx)
	if err != nil {
		return err
	}
	r.facts = maps.Clone(facts)
	maps.Copy(r.facts, r.Host.Facts)
	if err := r.layout().CheckConnected(); err != nil {
		return err
	}
	return r.preparePending(ctx)
}

// preparePending makes available what the trials need of which something is to be done, as far as it is not yet.
//
// The error is a *images.NoImageError for what could not be had, now or before.
func (r *run) preparePending(ctx context.Context) error {
	trials, needs, err := r.pendingNeeds()
	if err != nil {
		return err
	}
	return r.images().Provide(ctx, needs, trials...)
}

// PrepareTrial makes the images of a trial available, those that are not yet.
func (r *run) PrepareTrial(ctx context.Context, t *plan.Trial) error {
	return r.images().Provide(ctx, r.images().Needs(t), t)
}

// pendingNeeds are what the trials need of which something is to be done, and these trials, with the values of searches
// as far as they are known: the images of later candidates are made when it is their turn.
func (r *run) pendingNeeds() (trials []*plan.Trial, needs []images.Need, err error) {
	pending := r.work.trials(r.experiment)
	for _, t := range pending {
		n, err := r.driverNeed(t)
		if err != nil {
			return nil, nil, err
		}
		needs = append(needs, n)
	}
	for _, t := range pending {
		values := map[string]int{}
		for _, s := range t.Tune {
			values[s.Name] = cmp.Or(r.choices.Of(t).Values[s.Name], s.First())
		}
		first, err := t.Tuned(values)
		if err != nil {
			return nil, nil, err
		}
		trials, needs = append(trials, first), append(needs, r.images().Needs(first)...)
	}
	return trials, needs, nil
}

// driverNeed is the driver that measures a trial.
func (r *run) driverNeed(t *plan.Trial) (images.Need, error) {
	what, driver := "load", r.driver(t)
	switch {
	case t.Load == nil:
		what = "command"
	case r.verifier != nil:
		driver = r.Requests // whichever tool puts the load on
	case driver == nil:
		return images.Need{}, fmt.Errorf("there is no driver for %s", t.Load.Tool)
	case t.Load.Tool != "":
		what = "load by " + t.Load.Tool
	case t.Load.Driver != nil:
		what = "load by a driver"
	}
	return r.images().DriverNeed(what, driver), nil
}
