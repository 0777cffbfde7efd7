package kubernetes

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"benchbook/runner/engine"
)

// lockName is the one name of the object that a run has while it has the namespace for itself: the cluster makes it
// once.
const lockName = "benchbook-lock"

// lockEvery is how often a run that waits for another one looks whether it has ended.
const lockEvery = time.Second

var _ engine.Locked = (*Engine)(nil)

// Lock implements engine.Locked. What a process of this machine has left that was killed is removed. Of a process of
// another machine nobody here knows whether it lives: there clean removes it.
func (e *Engine) Lock(ctx context.Context, doing string, waiting func(*engine.BusyError)) (unlock func(), err error) {
	lock := &corev1.ConfigMap{ObjectMeta: e.meta(lockName, "", "")}
	lock.Annotations[engine.LabelDoing] = doing
	unlock = func() {
		// What cannot be removed now is by the next run of this machine.
		_ = e.cluster.remove(context.WithoutCancel(ctx), fileResource, lockName, 0)
	}
	said := false
	for {
		err := e.cluster.core.Post().Namespace(e.cluster.namespace).Resource(fileResource).Body(lock).Do(ctx).Error()
		if err == nil {
			return unlock, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !apierrors.IsAlreadyExists(err) {
			return nil, e.cluster.fault(err)
		}
		held, err := e.lock(ctx)
		switch {
		case err != nil:
			return nil, err
		case held == nil:
			continue
		case held.Labels[labelEngine] == e.id:
			return unlock, nil // the cluster took it, and its answer was lost
		}
		busy := &engine.BusyError{Doing: held.Annotations[engine.LabelDoing], Since: held.CreationTimestamp.Time}
		if waiting == nil {
			return nil, busy
		}
		if !said {
			said = true
			waiting(busy)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(lockEvery):
		}
	}
}

// lock is the lock that somebody has; nil if nobody does, or whoever had it has ended: then it is removed, and no other
// one in its place.
func (e *Engine) lock(ctx context.Context) (*metav1.ObjectMeta, error) {
	var found *metav1.ObjectMeta
	err := e.cluster.list(ctx, fileResource, func(meta *metav1.ObjectMeta) {
		if meta.Name == lockName {
			found = meta
		}
	})
	if err != nil || found == nil {
		return nil, e.cluster.fault(err)
	}
	if alive, known := engine.OwnerAlive(found.Annotations[engine.LabelOwner]); alive || !known {
		return found, nil
	}
	options := &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &found.UID}}
	err = e.cluster.core.Delete().Namespace(
		e.cluster.namespace).Resource(fileResource).Name(lockName).Body(options).Do(ctx).Error()
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return nil, fmt.Errorf("removing the lock of a run that has ended: %w", e.cluster.fault(err))
	}
	return nil, nil
}
