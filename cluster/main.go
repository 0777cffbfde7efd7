// Command benchbook-cluster is benchbook with the engine kubernetes. It is a separate program because the libraries of
// Kubernetes are larger than everything else.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"benchbook/cluster/kubernetes"
	"benchbook/cmd/cli"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
)

func main() { os.Exit(cli.Main(clusters)) }

// cluster is an engine whose Close also closes its builder.
type cluster struct {
	*kubernetes.Engine
	builder engine.Engine
}

func (c cluster) Close() error { return errors.Join(c.Engine.Close(), c.builder.Close()) }

func clusters(_ agent.Program, docker func(context.Context) (engine.Engine, error)) func(context.Context,
	engine.Cluster) (engine.Engine, error) {
	return func(ctx context.Context, options engine.Cluster) (engine.Engine, error) {
		builder, err := docker(ctx)
		if err != nil {
			return nil, fmt.Errorf("images for Kubernetes are built by Docker: %w", err)
		}
		e, err := kubernetes.New(ctx, kubernetes.Options{Cluster: options, Builder: builder.(kubernetes.Builder)})
		if err != nil {
			return nil, errors.Join(err, builder.Close())
		}
		return cluster{e, builder}, nil
	}
}
