package images

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"

	"benchbook/notebook/plan"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/load"
)

// Used finds the images that plans need, as far as they are here: their ids, and those of what they are built from.
// Nothing is built.
func Used(ctx context.Context, store engine.ImageStore, own agent.Program, driverOf func(*plan.Trial) load.Driver,
	plans []*plan.Plan) (map[string]bool, error) {
	f := &finder{store: store, used: map[string]bool{}}
	asked, drivers := map[string]bool{}, map[load.Driver]bool{}
	for _, p := range plans {
		for _, e := range p.Experiments {
			for _, t := range e.Trials {
				if t.Unavailable != "" {
					continue
				}
				images := imagesOf(t)
				for _, name := range slices.Sorted(maps.Keys(images)) {
					if images[name].Machine {
						continue // a program of this machine is in none
					}
					what := p.Article + " " + name
					if key := what + "\n" + imageKey(images[name]); !asked[key] {
						asked[key] = true
						_, _ = f.Prepare(ctx, imageSpec(what, images[name]), io.Discard) // errors are kept in f
					}
				}
				if driver := driverOf(t); driver != nil && !drivers[driver] {
					drivers[driver] = true
					_ = driver.Prepare(ctx, f, io.Discard) // it cannot go on once it was told which image it has
				}
			}
		}
	}
	if len(plans) > 0 { // a run may probe services with our program
		if data, err := own(); err == nil { // without it nothing was built from it
			_, _ = f.Prepare(ctx, ownImage(data), io.Discard)
		}
	}
	return f.used, errors.Join(f.err, ctx.Err())
}

// A finder stands in the place of an engine where images are only looked for.
type finder struct {
	engine.Engine // nil: whoever prepares images needs nothing else of it but Open
	store         engine.ImageStore
	used          map[string]bool
	err           error
}

var errOnlyLooking = errors.New("images are only looked for")

func (f *finder) Prepare(ctx context.Context, image engine.Image, _ io.Writer) (engine.Prepared, error) {
	prepared, ok, err := f.store.Find(ctx, image)
	if err != nil {
		f.err = err
		return engine.Prepared{}, err
	}
	if !ok {
		return engine.Prepared{}, errOnlyLooking
	}
	f.used[prepared.ID] = true
	for _, base := range prepared.Bases {
		f.used[base.ID] = true
	}
	return prepared, nil
}

func (f *finder) Open(context.Context, string) (engine.Space, error) { return nil, errOnlyLooking }
