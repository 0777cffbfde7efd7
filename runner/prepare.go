package runner

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/machines"
)

// Work is what is to be measured of one article, and where its records are.
type Work struct {
	Plan  *plan.Plan
	Store RecordStore
}

// Prepare makes available whatever the pending repetitions and searches of all this work need: images, our own programs, and what drivers
// of loads bring. Independent ones are made at once, and nothing is measured meanwhile, so that a mistake in the last article is known before
// the first one is measured. Run, which needs them, makes only what is not there yet.
//
// The images that could not be had are returned with the place of what asks for them, in the order of the work; Run leaves their
// experiments out.
func (r *Runner) Prepare(ctx context.Context, o Options, work ...Work) ([]NoImageError, error) {
	var runs []*run
	for _, w := range work {
		records, _, err := w.Store.Read()
		if err != nil {
			return nil, err
		}
		if err := o.look(ctx, r.Engine, records); err != nil {
			return nil, err
		}
		o, records := o.current(w.Plan, records)
		for _, e := range o.experiments(w.Plan) {
			if t := o.todo(e, of(records, w.Plan, e, r.Host.ID)); t.len() > 0 {
				runs = append(runs, &run{Runner: r, plan: w.Plan, experiment: e, todo: t, records: records})
			}
		}
	}
	return r.prepareAll(ctx, runs)
}

// prepareAll makes available what experiments need.
func (r *Runner) prepareAll(ctx context.Context, runs []*run) ([]NoImageError, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	if _, err := r.engineFacts(ctx); err != nil {
		return nil, err
	}
	var all []need
	trials, needs := map[*run][]*plan.Trial{}, map[*run][]need{}
	for _, own := range runs {
		if err := own.layout().Check(); err != nil {
			return nil, err
		}
		if !own.foresee() {
			continue // it is left out, and says why when its turn comes
		}
		var err error
		if trials[own], needs[own], err = own.pendingNeeds(); err != nil {
			return nil, err
		}
		all = append(all, needs[own]...)
	}
	if err := r.meet(ctx, all); err != nil {
		return nil, err
	}
	var missing []NoImageError
	for _, own := range runs {
		for _, n := range needs[own] {
			e := own.missing(n)
			if e != nil && !slices.ContainsFunc(missing, func(o NoImageError) bool { return o.Pos == e.Pos && o.Error() == e.Error() }) {
				missing = append(missing, *e)
			}
		}
		for _, t := range trials[own] {
			if err := own.lookInto(ctx, t); err != nil {
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
		return nil, fmt.Errorf("the %s engine runs containers elsewhere or in a virtual machine, and what is measured there would be recorded as "+
			"of this machine: run benchbook on the engine's machine, or use an engine of this one", r.Engine.Name())
	}
	return facts, nil
}

// foresee fills in the values that searches have found, or else the first ones that they will try: what is needed may depend on them. It is
// false if the experiment takes over a value that nothing chooses.
func (r *run) foresee() bool {
	return r.verifier == nil && r.known(r.records) == nil || r.firstChoices() == nil
}

// prepare makes available what the experiment needs and nothing else has needed before it, and gathers facts, before anything of it is timed.
func (r *run) prepare(ctx context.Context) error {
	facts, err := r.engineFacts(ctx)
	if err != nil {
		return err
	}
	r.facts = maps.Clone(facts)
	maps.Copy(r.facts, r.Host.Facts)
	if err := r.layout().Check(); err != nil {
		return err
	}
	return r.preparePending(ctx)
}

// preparePending makes available what the trials need of which something is to be done, as far as it is not yet.
//
// The error is a *NoImageError for what could not be had, now or before.
func (r *run) preparePending(ctx context.Context) error {
	trials, needs, err := r.pendingNeeds()
	if err != nil {
		return err
	}
	return r.provide(ctx, needs, trials...)
}

// prepareTrial makes the images of a trial available, those that are not yet.
func (r *run) prepareTrial(ctx context.Context, t *plan.Trial) error {
	return r.provide(ctx, r.needsOf(t), t)
}

func (r *run) provide(ctx context.Context, needs []need, trials ...*plan.Trial) error {
	if err := r.meet(ctx, needs); err != nil {
		return err
	}
	for _, n := range needs {
		if e := r.missing(n); e != nil {
			return e
		}
	}
	for _, t := range trials {
		if err := r.lookInto(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// A need is something that has to be there before trials are measured.
type need struct {
	key   string   // tells it from others
	what  string   // it is for, in words
	hosts []string // that have to have it; none of an experiment that names no hosts
	// meet makes it available. The error is a *NoImageError, whose Pos may be unknown, if it is of those that need it.
	meet func(ctx context.Context, on engine.Engine, log io.Writer) error
}

// An outcome is what came of a need.
type outcome struct {
	hosts   []string
	missing *NoImageError // nil if it was met
}

// meet meets needs, as far as they are not yet, independent ones at once. What could not be had is noted, and not tried again.
func (r *Runner) meet(ctx context.Context, needs []need) error {
	var open []*need
	for _, n := range needs {
		if known, ok := r.outcomes[n.key]; ok && (known.missing != nil || covers(known.hosts, n.hosts)) {
			continue
		}
		if i := slices.IndexFunc(open, func(o *need) bool { return o.key == n.key }); i >= 0 {
			open[i].hosts = union(open[i].hosts, n.hosts)
			continue
		}
		n.hosts = union(r.outcomes[n.key].hosts, n.hosts)
		open = append(open, &n)
	}
	if r.outcomes == nil {
		r.outcomes = map[string]outcome{}
	}
	group, bounded := errgroup.WithContext(ctx)
	group.SetLimit(atOnce())
	for _, n := range open {
		group.Go(func() error {
			if bounded.Err() != nil {
				return bounded.Err()
			}
			on := r.Engine
			if len(n.hosts) > 0 {
				on = machines.EngineOn(r.Engine, n.hosts)
			}
			log := r.progressOf(n.what)
			err := n.meet(bounded, on, log)
			log.End(err == nil)
			var missing *NoImageError
			if err != nil && (bounded.Err() != nil || !errors.As(err, &missing)) {
				return err
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.outcomes[n.key] = outcome{n.hosts, missing}
			return nil
		})
	}
	err := group.Wait()
	return cmp.Or(ctx.Err(), err) // whatever builders say that were interrupted
}

// atOnce is how many needs are met at the same time: most wait for packages or for the engine, and some compile.
func atOnce() int { return max(2, runtime.NumCPU()) }

func covers(hosts, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(host string) bool { return !slices.Contains(hosts, host) })
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// progressOf begins to tell of a need, until that ends. Several needs tell at once, and Progress is told one thing at a time.
func (r *Runner) progressOf(what string) Preparation {
	r.telling.Lock()
	defer r.telling.Unlock()
	return &inTurn{r.Progress.Preparing(what), &r.telling}
}

// inTurn is a Preparation of which there are several, one of which is used at a time.
type inTurn struct {
	to Preparation
	mu *sync.Mutex
}

func (w *inTurn) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(text)
}

// End is part of Preparation.
func (w *inTurn) End(ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to.End(ok)
}

// missing says that a need could not be met, at the place of what asks for it; nil if it was.
func (r *run) missing(n need) *NoImageError {
	known := r.outcomes[n.key].missing
	if known == nil {
		return nil
	}
	e := *known
	if e.Pos.Source == nil {
		e.Pos = r.experiment.Pos
	}
	return &e
}

// pendingNeeds are what the trials need of which something is to be done, and these trials, with the values of searches as far as they are
// known: the images of later candidates are made when it is their turn.
func (r *run) pendingNeeds() (trials []*plan.Trial, needs []need, err error) {
	pending := r.todo.pending(r.experiment)
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
			values[s.Name] = cmp.Or(r.choices[t].values[s.Name], s.First())
		}
		first, err := t.Tuned(values)
		if err != nil {
			return nil, nil, err
		}
		trials, needs = append(trials, first), append(needs, r.needsOf(first)...)
	}
	return trials, needs, nil
}

// driverNeed is the driver that measures a trial.
func (r *run) driverNeed(t *plan.Trial) (need, error) {
	what, driver := "load", r.driver(t)
	switch {
	case t.Load == nil:
		what = "command"
	case r.verifier != nil:
		driver = r.Requests // whichever tool puts the load on
	case driver == nil:
		return need{}, fmt.Errorf("nothing here puts a load on with %s", t.Load.Tool)
	case t.Load.Tool != "":
		what = "load by " + t.Load.Tool
	}
	return need{key: "driver of " + what, what: what, hosts: r.layout().IfSpread(r.layout().LoadHosts()), meet: func(ctx context.Context, on engine.Engine, log io.Writer) error {
		err := driver.Prepare(ctx, on, log)
		if errors.As(err, new(*engine.ImageError)) || errors.As(err, new(*engine.BuildError)) {
			return &NoImageError{Err: err}
		}
		return err
	}}, nil
}

// needsOf are the images of a trial, and our programs beside them.
func (r *run) needsOf(t *plan.Trial) []need {
	var needs []need
	own := ownPrograms(t)
	for _, name := range slices.Sorted(maps.Keys(own)) {
		needs = append(needs, r.ownNeed(name, own[name]))
	}
	images := imagesOf(t)
	for _, name := range slices.Sorted(maps.Keys(images)) {
		needs = append(needs, r.imageNeed(t, name, images[name]))
	}
	return needs
}

// ownNeed is one of our programs, in an image of its own.
func (r *run) ownNeed(name string, semantics int) need {
	return need{key: "program " + name, what: name, hosts: r.layout().IfSpread(r.layout().ServiceHosts()), meet: func(ctx context.Context, on engine.Engine, log io.Writer) error {
		data, err := r.Programs(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		image, err := on.Prepare(ctx, engine.Image{Executable: &engine.Executable{Name: name, Data: data}}, log)
		if err != nil {
			return fmt.Errorf("preparing %s: %w", name, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.own == nil {
			r.own = map[string]ownProgram{}
		}
		r.own[name] = ownProgram{image, hex.EncodeToString(sum[:]), semantics}
		return nil
	}}
}

// imageNeed is an image of a trial. It is made once for all experiments of an article.
func (r *run) imageNeed(t *plan.Trial, name string, wanted spec.Image) need {
	key, what := r.articleImage(wanted), r.plan.Article+" "+name
	return need{key: "image " + key, what: what, hosts: r.layout().IfSpread(r.imageHosts(imageKey(wanted))), meet: func(ctx context.Context, on engine.Engine, to io.Writer) error {
		redact := record.NewRedactor(t.Definition)
		log := &redactedLog{to: to, redact: redact}
		prepared, err := on.Prepare(ctx, imageSpec(what, wanted), log)
		log.flush()
		if err != nil {
			return noImage(t, what, wanted, err, redact)
		}
		out := image{Prepared: prepared, looked: wanted.Machine} // of which there are more packages than a record should list
		for _, base := range prepared.Bases {
			text := base.Reference + " " + base.ID
			if base.Substitute != "" {
				text = base.Reference + replacedBy + base.Substitute + " " + base.ID
			}
			out.bases = strings.TrimPrefix(out.bases+"; "+text, "; ")
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.images == nil {
			r.images = map[string]image{}
		}
		r.images[key] = out
		return nil
	}}
}

// noImage says where the mistake is that an image could not be had for, without secrets, if it is one of the article.
func noImage(t *plan.Trial, what string, wanted spec.Image, err error, redact *record.Redactor) error {
	var failed *engine.BuildError
	isBuild := errors.As(err, &failed) && wanted.Build != nil
	switch {
	case errors.As(err, new(*engine.ImageError)) && isBuild:
		return &NoImageError{t.DockerfilePos(wanted.Build, failed.Line), err} // of FROM
	case errors.As(err, new(*engine.ImageError)):
		return &NoImageError{Err: err}
	case isBuild:
		return &NoImageError{t.DockerfilePos(wanted.Build, failed.Line), &engine.BuildError{For: failed.For, Line: failed.Line,
			Tail: redact.Text(failed.Tail), Err: errors.New(redact.Text(failed.Err.Error()))}}
	}
	return fmt.Errorf("preparing the image of %s: %w", what, err)
}

// articleImage tells the images of all articles apart: each has its own, by which its images are found again.
func (r *run) articleImage(i spec.Image) string { return r.plan.Article + "\n" + imageKey(i) }

// image is an image of the article that is there.
func (r *run) image(i spec.Image) (image, bool) {
	out, ok := r.images[r.articleImage(i)]
	return out, ok
}

// preparedImage is it for the engine.
func (r *run) preparedImage(i spec.Image) engine.Prepared {
	out, _ := r.image(i)
	return out.Prepared
}

// lookInto finds out what is in the images of a trial that are there, and which programs of the machine it runs.
func (r *run) lookInto(ctx context.Context, t *plan.Trial) error {
	images := imagesOf(t)
	for _, name := range slices.Sorted(maps.Keys(images)) {
		found, ok := r.image(images[name])
		if !ok {
			continue
		}
		if images[name].Machine {
			if err := r.identifyAll(ctx, t, name, found.Prepared); err != nil {
				return err
			}
		}
		if found.looked {
			continue
		}
		var err error
		if found.packages, err = r.packagesOf(ctx, found.Prepared); err != nil {
			return err
		}
		found.looked = true
		r.images[r.articleImage(images[name])] = found
	}
	return nil
}
