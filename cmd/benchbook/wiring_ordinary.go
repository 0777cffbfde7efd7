//go:build !cluster

package main

import (
	"context"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/engine/docker"
)

// elsewhere says how to get what measures on other machines, which takes libraries that are larger than all the rest.
func elsewhere(agent.Program) (endpoint func(context.Context, docker.Options) (engine.Engine, error),
	cluster func(context.Context, engine.Cluster) (engine.Engine, error), together func(...engine.Host) (engine.Engine,
		error)) {
	return func(context.Context, docker.Options) (engine.Engine, error) { return nil, errNeedsCluster },
		func(context.Context, engine.Cluster) (engine.Engine, error) { return nil, errNeedsCluster },
		func(...engine.Host) (engine.Engine, error) { return nil, errNeedsCluster }
}

var errNeedsCluster error = needsCluster{}

// needsCluster is the error that a benchbook without Kubernetes and several hosts has in their place.
type needsCluster struct{}

func (needsCluster) Error() string {
	return "Kubernetes and the hosts of a project need benchbook-cluster: build it with make build-cluster"
}

// Is makes the error an engine.ErrUnavailable.
func (needsCluster) Is(target error) bool { return target == engine.ErrUnavailable }
