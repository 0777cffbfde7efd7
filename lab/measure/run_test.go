package measure

import (
	"context"
	"errors"
	"strings"
	"testing"

	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

// unswept is an engine that cannot remove leftovers.
type unswept struct{ engine.Engine }

func (unswept) Sweep(context.Context, bool) ([]engine.Leftover, error) {
	return nil, errors.New("no answer")
}

// Nothing is measured if leftovers of earlier runs cannot be looked for.
func TestSweepFails(t *testing.T) {
	dir := writeProject(t, map[string]string{"a": pullingArticle})
	err := runOn(t, dir, unswept{fake.New(fake.Script{})}, Options{})
	if err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("got %v, want no answer", err)
	}
}
