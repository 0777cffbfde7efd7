package kubernetes

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"benchbook/runner/engine"
)

const (
	patience  = 20 * time.Second       // how long awaitPod tolerates an unreachable API server
	lookEvery = 200 * time.Millisecond // interval at which awaitPod polls
)

// podState is the last seen state of a pod. Pod is nil until it is first seen.
type podState struct {
	pod  *corev1.Pod
	gone bool
}

// look asks the API server for the container's pod. On an error it returns the last seen state.
func (c *container) look(ctx context.Context) (podState, error) {
	pod, err := c.space.engine.client.CoreV1().Pods(c.space.namespace).Get(ctx, c.pod, metav1.GetOptions{})
	c.looking.Lock()
	defer c.looking.Unlock()
	if err == nil {
		c.seen = podState{pod: pod}
	} else if apierrors.IsNotFound(err) {
		c.seen.gone, err = true, nil
	}
	return c.seen, err
}

// awaitPod polls the pod until done returns true or an error. It tolerates an unreachable API server for patience.
func (c *container) awaitPod(ctx context.Context, done func(podState) (bool, error)) (*corev1.Pod, error) {
	for answered := time.Now(); ; {
		state, err := c.look(ctx)
		if err == nil {
			answered = time.Now()
			if ok, err := done(state); ok || err != nil {
				return state.pod, err
			}
		} else if apierrors.IsUnauthorized(err) || time.Since(answered) > patience && ctx.Err() == nil {
			return state.pod, c.space.engine.fault(err)
		}
		if err := engine.Sleep(ctx, lookEvery); err != nil {
			return state.pod, err
		}
	}
}
