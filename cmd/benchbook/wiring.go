package main

import (
	"context"
	"os"

	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
	"benchbook/runner/load"
)

// wiring is what the command is put together from: the one list of engines and drivers.
type wiring struct {
	// engine connects to the engine.
	engine func(ctx context.Context) (engine.Engine, error)
	// lockDir is where runs on this machine find each other's lock; empty for none.
	lockDir string
	// tool finds the programs that go into containers.
	tool load.Tool
}

func wired() wiring {
	return wiring{
		engine: func(ctx context.Context) (engine.Engine, error) {
			e, err := docker.New(ctx, docker.Options{})
			if err != nil {
				return nil, err // not e: a nil *docker.Engine would be an engine
			}
			return e, nil
		},
		lockDir: os.TempDir(),
		tool:    load.Beside(),
	}
}
