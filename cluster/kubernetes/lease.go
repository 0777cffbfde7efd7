package kubernetes

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"

	"benchbook/runner/engine"
)

const (
	leaseName     = "benchbook"
	leaseDuration = time.Minute // without renewal, the lease is lost after this time
	leaseRenewal  = 10 * time.Second
)

// lease is this process's right to use the cluster, from its first space until its engine is closed.
type lease struct {
	mu   sync.Mutex
	stop func() // stops renewing; nil while not held
	lost error  // an *engine.BusyError once another run holds it
}

// holdLease takes the lease unless this process holds it already. The error is an *engine.BusyError if another run
// does.
func (e *Engine) holdLease(ctx context.Context, run string) error {
	e.lease.mu.Lock()
	defer e.lease.mu.Unlock()
	if e.lease.stop != nil {
		return e.lease.lost
	}
	changed := func(err error) bool { return apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err) }
	if err := retry.OnError(retry.DefaultRetry, changed, func() error { return e.takeLease(ctx, run) }); err != nil {
		return e.fault(err)
	}
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.lease.stop = stop
	go func() {
		_ = wait.PollUntilContextCancel(renewing, leaseRenewal, false, func(ctx context.Context) (done bool, err error) {
			e.renewLease(ctx, run)
			return false, nil
		})
	}()
	return nil
}

// renewLease renews the lease. It ignores errors except the loss of the lease, because it is called again.
func (e *Engine) renewLease(ctx context.Context, run string) {
	err := e.takeLease(ctx, run)
	if errors.As(err, new(*engine.BusyError)) {
		e.lease.mu.Lock()
		defer e.lease.mu.Unlock()
		e.lease.lost = err
	}
}

func (e *Engine) takeLease(ctx context.Context, run string) error {
	leases := e.client.CoordinationV1().Leases(e.namespace)
	held, err := leases.Get(ctx, leaseName, metav1.GetOptions{})
	fresh := apierrors.IsNotFound(err)
	if err != nil && !fresh {
		return err
	}
	if fresh {
		held = &coordination.Lease{ObjectMeta: metav1.ObjectMeta{Name: leaseName, Namespace: e.namespace}}
	}
	now, duration := metav1.NowMicro(), int32(leaseDuration/time.Second)
	owner := holderOf(held)
	if owner != e.owner {
		if e.isHeld(held, now.Time) {
			return &engine.BusyError{Doing: "measuring for run " + held.Annotations[engine.LabelRun],
				Since: held.Spec.AcquireTime.Time}
		}
		held.Annotations = map[string]string{engine.LabelRun: run}
		held.Spec.HolderIdentity, held.Spec.AcquireTime = &e.owner, &now
	}
	held.Spec.RenewTime, held.Spec.LeaseDurationSeconds = &now, &duration
	if fresh {
		_, err = leases.Create(ctx, held, metav1.CreateOptions{})
	} else {
		_, err = leases.Update(ctx, held, metav1.UpdateOptions{})
	}
	return err
}

func holderOf(held *coordination.Lease) string {
	if held.Spec.HolderIdentity == nil {
		return ""
	}
	return *held.Spec.HolderIdentity
}

// isHeld reports whether another run holds the lease. Runs of the same keeper, runs that have ended, and runs that have
// not renewed the lease in time do not count.
func (e *Engine) isHeld(held *coordination.Lease, now time.Time) bool {
	owner := holderOf(held)
	if owner == "" || held.Spec.RenewTime == nil || held.Spec.AcquireTime == nil ||
		now.Sub(held.Spec.RenewTime.Time) > leaseDuration {
		return false
	}
	_, keeper, kept := strings.Cut(e.owner, "@")
	if _, other, _ := strings.Cut(owner, "@"); kept && keeper == other {
		return false
	}
	alive, known := engine.OwnerAlive(owner)
	return alive || !known
}

func (e *Engine) releaseLease(ctx context.Context) error {
	e.lease.mu.Lock()
	defer e.lease.mu.Unlock()
	if e.lease.stop == nil {
		return nil
	}
	e.lease.stop()
	e.lease.stop, e.lease.lost = nil, nil
	leases := e.client.CoordinationV1().Leases(e.namespace)
	held, err := leases.Get(ctx, leaseName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && holderOf(held) != e.owner {
		return nil
	}
	if err == nil {
		held.Spec.HolderIdentity = nil
		_, err = leases.Update(ctx, held, metav1.UpdateOptions{})
	}
	if apierrors.IsConflict(err) {
		return nil
	}
	return err
}
