//go:build cluster

package main

import (
	"context"
	"errors"
	"fmt"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/engine/docker"
	"benchbook/runner/engine/kubernetes"
)

// elsewhere connects to clusters.
func elsewhere(program agent.Program) func(context.Context, engine.Cluster) (engine.Engine, error) {
	return clusterAt(program)
}

// builtElsewhere is a cluster with the engine that builds its images.
type builtElsewhere struct {
	*kubernetes.Engine
	builder engine.Engine
}

func (e builtElsewhere) Close() error { return errors.Join(e.Engine.Close(), e.builder.Close()) }

// clusterAt connects to clusters, whose images are built by the Docker engine of this machine.
func clusterAt(program agent.Program) func(context.Context, engine.Cluster) (engine.Engine, error) {
	return func(ctx context.Context, c engine.Cluster) (engine.Engine, error) {
		builder, err := dockerAt(program)(ctx, docker.Options{})
		if err != nil {
			return nil, fmt.Errorf("images for Kubernetes are built by Docker: %w", err)
		}
		e, err := kubernetes.New(ctx, kubernetes.Options{Cluster: c, Builder: builder, Agent: program})
		if err != nil {
			return nil, errors.Join(err, builder.Close())
		}
		return builtElsewhere{e, builder}, nil
	}
}
