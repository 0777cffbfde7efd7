//go:build !linux

package local

import (
	"context"
	"runtime"

	"benchbook/runner/engine"
)

// New says that there is no such engine on this system.
func New(context.Context, Options) (engine.Engine, error) {
	return nil, &unavailableError{"it needs Linux, and this is " + runtime.GOOS +
		"; use the engine docker"}
}

// BecomeProgram does nothing on this system.
func BecomeProgram() {}
