package kubernetes

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"benchbook/runner/engine"
)

// Fault is a failure of the cluster, with a way out. It is not the fault of a service.
type Fault struct {
	What   string // what happened, and where
	WayOut string
	Err    error // the cluster's error; may be nil
}

func (f *Fault) Error() string {
	if f.Err == nil {
		return f.What + ": " + f.WayOut
	}
	return fmt.Sprintf("%s: %s (%v)", f.What, f.WayOut, f.Err)
}

func (f *Fault) Unwrap() error { return f.Err }

// fault turns an error of the API into a *Fault if it knows a way out, and returns other errors unchanged.
func (e *Engine) fault(err error) error {
	of := fmt.Sprintf("of context %q", e.context)
	var failed net.Error
	switch {
	case err == nil || errors.As(err, new(*Fault)):
		return err
	case apierrors.IsUnauthorized(err):
		return &Fault{"the cluster " + of + " does not know who we are",
			"its credentials have expired or were withdrawn: log in again, until kubectl get pods works there", err}
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota"):
		return &Fault{"the quota of a namespace " + of + " is full",
			"remove what is not needed there, benchbook clean what was left behind, or have it raised", err}
	case apierrors.IsForbidden(err):
		return &Fault{"the user " + of + " lacks a right", "have the rights given that the manual lists for Kubernetes", err}
	case apierrors.IsNotFound(err) && strings.Contains(err.Error(), fmt.Sprintf("namespaces %q", e.namespace)):
		return &Fault{fmt.Sprintf("namespace %q %s is not there", e.namespace, of), "make it, or name another one", err}
	case errors.As(err, &failed), utilnet.IsConnectionRefused(err), utilnet.IsConnectionReset(err),
		utilnet.IsProbableEOF(err),
		apierrors.IsServiceUnavailable(err), apierrors.IsInternalError(err), apierrors.IsServerTimeout(err),
		apierrors.IsTimeout(err), apierrors.IsTooManyRequests(err):
		return &Fault{"the API server " + of + " at " + e.config.Host + " does not answer",
			"see that it runs and is reached from here, and run again: what is measured is kept", err}
	}
	return err
}

// unlessGone returns the error of removing an object, or nil if the object no longer existed.
func unlessGone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// creationError returns the error of an object that could not be created: an *engine.RejectedError if the request is at
// fault.
func (e *Engine) creationError(name string, err error) error {
	forbidden := apierrors.IsForbidden(err) && (strings.Contains(err.Error(), "violates PodSecurity") ||
		strings.Contains(err.Error(), "is forbidden: maximum") ||
		strings.Contains(err.Error(), "is forbidden: minimum"))
	if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || forbidden {
		return &engine.RejectedError{Name: name, Err: err}
	}
	return e.fault(err)
}

// unschedulable is how long a pod may wait for a node, because pods of the previous space may still be ending.
const unschedulable = 20 * time.Second

// pullFailing is how long pulling the images of a pod may fail before that counts as a Fault.
const pullFailing = 10 * time.Second

// trouble returns why a pod cannot start or was taken away, or nil. It ignores how its programs exited.
func trouble(name string, s podState) error {
	pod := s.pod
	if pod == nil {
		return nil
	}
	at := fmt.Sprintf("pod %s of %q", pod.Name, name)
	if pod.Spec.NodeName != "" {
		at += " on node " + pod.Spec.NodeName
	}
	if err := disrupted(at, pod); err != nil {
		return err
	}
	if pod.Status.Phase == corev1.PodFailed && pod.Status.Reason != "" {
		return failed(name, at, pod.Status)
	}
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if err := waiting(name, at, pod, c); err != nil {
			return err
		}
	}
	if s.gone || pod.DeletionTimestamp != nil {
		return &Fault{at + " was removed by somebody else",
			"see who removes pods there, and run again: what is measured is kept", nil}
	}
	return nil
}

// disrupted returns why a pod lost its node or gets none, according to its conditions, or nil.
func disrupted(at string, pod *corev1.Pod) error {
	for _, c := range pod.Status.Conditions {
		switch {
		case lostNode(c):
			return &Fault{"the node of " + at + " was lost", "see kubectl describe node " + pod.Spec.NodeName +
				", and run again: what is measured is kept", errors.New(c.Message)}
		case c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue:
			return evicted(at, c.Reason, c.Message)
		case c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse &&
			time.Since(pod.CreationTimestamp.Time) > unschedulable:
			return &Fault{"no node takes " + at, "free CPUs or memory, or choose other nodes: services and load need two, so " +
				"give the cluster a second node", errors.New(c.Message)}
		}
	}
	return nil
}

// failed returns the error of a pod that failed with a reason in its status.
func failed(name, at string, status corev1.PodStatus) error {
	switch err := fmt.Errorf("%s: %s", status.Reason, status.Message); status.Reason {
	case "SysctlForbidden":
		return engine.Refuse(name, "%w: have it allowed by allowedUnsafeSysctls of the kubelet", err)
	case "Evicted": // by its node, without a condition
		return evicted(at, status.Reason, status.Message)
	case "UnexpectedAdmissionError", "OutOfcpu", "OutOfmemory":
		return &Fault{"the node refused " + at, "free CPUs or memory there, or choose other nodes", err}
	default:
		return &Fault{at + " was taken away", "see kubectl describe pod and node, and run again: what is measured is kept",
			err}
	}
}

func evicted(at, reason, message string) error {
	return &Fault{at + " was evicted", "keep others off the nodes that are measured on, and run again: what is measured " +
		"is kept", fmt.Errorf("%s: %s", reason, message)}
}

// lostNode reports whether a condition means that the pod's node was lost.
func lostNode(c corev1.PodCondition) bool {
	return c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue && c.Reason == "DeletionByTaintManager"
}

// waiting returns why a container cannot start, or nil.
func waiting(name, at string, pod *corev1.Pod, c corev1.ContainerStatus) error {
	if ended := c.State.Terminated; ended != nil && ended.Reason == "StartError" {
		return engine.Refuse(name, "%s", ended.Message)
	}
	if c.State.Waiting == nil {
		return nil
	}
	reason, err := c.State.Waiting.Reason, errors.New(c.State.Waiting.Message)
	switch reason {
	case "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ImageInspectError", "RegistryUnavailable":
		if reason == "ErrImagePull" && time.Since(pod.CreationTimestamp.Time) < pullFailing {
			return nil // the kubelet retries
		}
		return &Fault{fmt.Sprintf("the image of %s, %s, could not be pulled", at, c.Image),
			"see that the node reaches the registry, and that it may pull there", err}
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		return engine.Refuse(name, "%s: %w", reason, err)
	}
	return nil
}

// stateOf returns the state of a pod's main container, or the zero state if unknown.
func stateOf(pod *corev1.Pod) (state corev1.ContainerState) {
	if pod == nil {
		return state
	}
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == mainContainer {
			return c.State
		}
	}
	return state
}

// hasEnded reports whether the main container of a pod has ended, or was lost with its node.
func hasEnded(s podState) bool {
	if s.gone || s.pod == nil {
		return true
	}
	return stateOf(s.pod).Terminated != nil || slices.ContainsFunc(s.pod.Status.Conditions, lostNode)
}
