package measure

import (
	"context"
	"slices"

	"benchbook/lab"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// Lock takes this machine for what is to be done, so that no two runs use it at the same time: a second one waits. A run
// that is connected to machines elsewhere has taken its locks already.
func Lock(ctx context.Context, a *lab.Session, host machine.Host, at targets, doing string) (unlock func(),
	err error) {
	if slices.ContainsFunc(at.distinct(), func(one *target) bool { return one.machines != nil }) {
		return func() {}, nil
	}
	if unlock, err = lockHost(ctx, a, host, doing); err != nil {
		return nil, lab.Interrupted(ctx, err)
	}
	return unlock, nil
}

// lockHost takes a machine, by a file of this one by which its runs find each other.
func lockHost(ctx context.Context, a *lab.Session, host machine.Host, doing string) (unlock func(), err error) {
	if a.Config.LockDir == "" {
		return func() {}, nil
	}
	return machine.Lock(ctx, host, a.Config.LockDir, doing, func(busy *engine.BusyError) { a.NoteWaiting(busy) })
}
