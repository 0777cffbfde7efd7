//go:build !cluster

package main

import (
	"context"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
)

// elsewhere says how to get the engine kubernetes, whose libraries are larger than everything else.
func elsewhere(agent.Program) func(context.Context, engine.Cluster) (engine.Engine, error) {
	return func(context.Context, engine.Cluster) (engine.Engine, error) { return nil, errNeedsCluster }
}

var errNeedsCluster error = needsCluster{}

// needsCluster is the error of a benchbook without Kubernetes.
type needsCluster struct{}

func (needsCluster) Error() string {
	return "Kubernetes needs benchbook-cluster: build it with make build-cluster"
}

// Is makes the error an engine.ErrUnavailable.
func (needsCluster) Is(target error) bool { return target == engine.ErrUnavailable }
