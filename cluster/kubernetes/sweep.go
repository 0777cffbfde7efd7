package kubernetes

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"benchbook/runner/engine"
)

// Sweep implements engine.Engine. What it finds are namespaces.
func (e *Engine) Sweep(ctx context.Context, dryRun bool) ([]engine.Leftover, error) {
	namespaces := e.client.CoreV1().Namespaces()
	all, err := namespaces.List(ctx, metav1.ListOptions{LabelSelector: engine.LabelOwner})
	if err != nil {
		return nil, fmt.Errorf("looking for namespaces that were left behind: %w", e.fault(err))
	}
	var found []engine.Leftover
	var failures []error
	for _, namespace := range all.Items {
		alive, known := engine.OwnerAlive(namespace.Annotations[engine.LabelOwner])
		if alive || !known || namespace.DeletionTimestamp != nil {
			continue
		}
		found = append(found, engine.Leftover{Kind: "namespace", Name: namespace.Name,
			Run: namespace.Annotations[engine.LabelRun]})
		if dryRun {
			continue
		}
		if err := namespaces.Delete(ctx, namespace.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			failures = append(failures, fmt.Errorf("removing namespace %s: %w", namespace.Name, e.fault(err)))
		}
	}
	return found, errors.Join(failures...)
}
