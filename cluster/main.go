// Benchbook-cluster is benchbook with the engine kubernetes, whose libraries are larger than everything else.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"benchbook/cluster/kubernetes"
	"benchbook/cmd/cli"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
)

func main() { os.Exit(cli.Main(clusters)) }

// built is a cluster with the engine that builds its images.
type built struct {
	*kubernetes.Engine
	builder engine.Engine
}

func (e built) Close() error { return errors.Join(e.Engine.Close(), e.builder.Close()) }

func clusters(program agent.Program, docker func(context.Context) (engine.Engine, error)) func(context.Context,
	engine.Cluster) (engine.Engine, error) {
	return func(ctx context.Context, c engine.Cluster) (engine.Engine, error) {
		builder, err := docker(ctx)
		if err != nil {
			return nil, fmt.Errorf("images for Kubernetes are built by Docker: %w", err)
		}
		e, err := kubernetes.New(ctx, kubernetes.Options{Cluster: c, Builder: builder, Agent: program})
		if err != nil {
			return nil, errors.Join(err, builder.Close())
		}
		return built{e, builder}, nil
	}
}
