//go:build !linux

package local

import (
	"context"
	"runtime"

	"benchbook/runner/engine"
)

// New returns an error that wraps engine.ErrUnavailable: the engine needs Linux.
func New(context.Context, Options) (engine.Engine, error) {
	return nil, &unavailableError{"it needs Linux, and this is " + runtime.GOOS + "; use the engine docker"}
}
