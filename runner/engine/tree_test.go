package engine

import (
	"context"
	"errors"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// A service that is not ready yet when its space is closed is removed once.
func TestCloseWhileAwaited(t *testing.T) {
	removed := 0
	tree := NewTree("space", func(_ context.Context, count *int, _ bool) error {
		*count++
		return nil
	})
	_, err := tree.Start(t.Context(), "server", func() (*int, error) { return &removed, nil }, func(*int) error {
		must.Do(tree.Close(t.Context(), func() error { return nil }))
		return errors.New("it has ended")
	})
	assert.Error(t, err, `starting service "server": it has ended`)
	assert.Equal(t, removed, 1, "removals")
}
