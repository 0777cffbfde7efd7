package images

import (
	"context"
	"errors"
	"testing"

	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// namedOnly finds images by their names, as a Docker engine does.
type namedOnly struct{ engine.ImageStore }

func (namedOnly) Find(_ context.Context, image engine.Image) (engine.Prepared, bool, error) {
	if image.Name == "" {
		return engine.Prepared{}, false, errors.New("an image needs a name")
	}
	return engine.Prepared{ID: "id of " + image.Name}, true, nil
}

// Articles whose programs are of this machine need no image for them, and do not keep gc from knowing what others need.
func TestUsedBesideProgramsOfTheMachine(t *testing.T) {
	p := &plan.Plan{Article: "a", Experiments: []*plan.Experiment{{Trials: []*plan.Trial{
		{Command: &spec.Command{Image: spec.Image{Machine: true}}},
		{Command: &spec.Command{Image: spec.Image{Name: "debian"}}},
	}}}}
	used, err := Used(t.Context(), namedOnly{}, func() ([]byte, error) { return nil, errors.New("none") },
		func(*plan.Trial) load.Driver { return nil }, []*plan.Plan{p})
	if err != nil || len(used) != 1 || !used["id of debian"] {
		t.Errorf("%v, %v", used, err)
	}
}
