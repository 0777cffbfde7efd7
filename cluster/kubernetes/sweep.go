package kubernetes

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"benchbook/runner/engine"
)

// ownerSelector finds all that we made, of any process.
const ownerSelector = engine.LabelOwner

func (e *Engine) Sweep(ctx context.Context, dryRun bool) ([]engine.Leftover, error) {
	var found []engine.Leftover
	for _, resource := range resources {
		var names []string
		err := e.cluster.list(ctx, resource.name, func(meta *metav1.ObjectMeta) {
			if alive, known := engine.OwnerAlive(meta.Annotations[engine.LabelOwner]); known && !alive {
				found = append(found, engine.Leftover{Kind: resource.kind, Name: meta.Name, Run: meta.Annotations[engine.LabelRun]})
				names = append(names, meta.Name)
			}
		})
		if err != nil {
			return found, fmt.Errorf("looking for %s that were left behind: %w", resource.name, e.cluster.fault(err))
		}
		if dryRun {
			continue
		}
		var failures []error
		for _, name := range names {
			if err := e.cluster.remove(ctx, resource.name, name, 0); err != nil {
				failures = append(failures, fmt.Errorf("removing %s: %w", name, e.cluster.fault(err)))
			}
		}
		if err := errors.Join(failures...); err != nil {
			return found, err
		}
	}
	return found, nil
}
