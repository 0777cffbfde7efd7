package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"benchbook/lab"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/machines"
	"benchbook/runner/sysinfo"
)

// Lock takes the machine for what is to be done, so that no two runs use it at the same time: a second one waits. That of somebody on another machine, to whom this one is a host, finds the first by its engine. The machines
// of a run over several are taken already. Whoever waits has nothing that comes later in the one order in which all
// take what they need: their own machine, and then engines as engine.LockHosts sorts them.
func Lock(ctx context.Context, a *lab.Session, host sysinfo.Host, at targets, doing string) (unlock func(),
	err error) {
	if slices.ContainsFunc(at.distinct(), func(one *target) bool { return one.machines != nil }) {
		return func() {}, nil
	}
	var held closers
	unlock = held.close
	defer func() {
		if err != nil {
			unlock()
			unlock, err = nil, lab.Interrupted(ctx, err)
		}
	}()
	leave, err := lockThis(ctx, a, host, doing)
	if err != nil {
		return unlock, err
	}
	held = append(held, leave)
	if a.Config.LockDir == "" || !a.Config.LockEngines {
		return unlock, nil
	}
	var engines []engine.Host
	for _, v := range at.distinct() {
		for _, own := range v.engines() {
			e, done, err := lockedEngine(ctx, a, own)
			if err != nil {
				return unlock, err
			}
			held, engines = append(held, done), append(engines, engine.Host{Engine: e})
		}
	}
	leave, err = lockHosts(ctx, a, engines, doing)
	if err != nil {
		return unlock, err
	}
	held = append(held, leave)
	return unlock, nil
}

// lockThis takes this machine, by the file by which all runs that are started on it find each other.
func lockThis(ctx context.Context, a *lab.Session, this sysinfo.Host, doing string) (unlock func(),
	err error) {
	if a.Config.LockDir == "" {
		return func() {}, nil
	}
	return machines.Lock(ctx, this, a.Config.LockDir, doing, func(busy *machines.BusyError) { a.NoteWaiting(busy) })
}

// lockHosts takes machines by their engines, by which runs find each other that are started on different ones.
func lockHosts(ctx context.Context, a *lab.Session, list []engine.Host, doing string) (unlock func(),
	err error) {
	return engine.LockHosts(ctx, list, doing, a.NoteWaiting)
}

// lockedEngine is the engine by whose lock runs from other machines are kept off what is measured here on an engine:
// itself, or, if it has no lock as local has none, the Docker engine of this machine, as they would come by that. Where
// there is none nobody comes. What was connected to for it is closed with done.
func lockedEngine(ctx context.Context, a *lab.Session, e engine.Engine) (guard engine.Engine, done func(), err error) {
	if _, ok := e.(engine.Locked); ok {
		return e, func() {}, nil
	}
	beside, err := a.Config.Engine(ctx, spec.DefaultEngine)
	if errors.Is(err, engine.ErrUnavailable) {
		return e, func() {}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	done = func() { _ = beside.Close() } // nothing but the lock was started there
	facts, err := beside.Facts(ctx)
	switch {
	case err != nil:
		done()
		return nil, nil, fmt.Errorf("making sure that no other run measures on this machine: %w", err)
	case facts["engine.local"] == "false": // DOCKER_HOST names one that is elsewhere
		done()
		return e, func() {}, nil
	}
	return beside, done, nil
}
