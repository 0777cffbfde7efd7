package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Host is one machine with its engine.
type Host struct {
	Name   string // empty: our own machine
	Engine Engine
}

// String names the host for people.
func (h Host) String() string {
	if h.Name == "" {
		return "this machine"
	}
	return "host " + h.Name
}

// LockHosts takes hosts for what is to be done, as Locked.Lock has it, so that no other run measures on any of them,
// from wherever it was started. While one of them is taken it waits, after a call of waiting, until the context is
// done; where waiting is nil it does not, and the error is a *BusyError. Whoever wants several takes them with one
// call: all take them in one order, which avoids deadlock. Hosts may be the same engine.
func LockHosts(ctx context.Context, list []Host, doing string, waiting func(error)) (unlock func(), err error) {
	type lockable struct {
		Locked
		host Host
	}
	var all []lockable
	for _, h := range list {
		if locked, ok := h.Engine.(Locked); ok {
			all = append(all, lockable{locked, h})
		}
	}
	byIdentity := func(a, b lockable) int { return cmp.Compare(a.Identity(), b.Identity()) }
	slices.SortStableFunc(all, byIdentity)
	all = slices.CompactFunc(all, func(a, b lockable) bool { return byIdentity(a, b) == 0 })
	var taken []func()
	unlock = func() {
		for _, one := range taken {
			one()
		}
	}
	for _, l := range all {
		var wait func(*BusyError)
		if waiting != nil {
			wait = func(busy *BusyError) { waiting(fmt.Errorf("%v: %w", l.host, busy)) }
		}
		one, err := l.Lock(ctx, doing, wait)
		if err != nil {
			unlock()
			if errors.As(err, new(*BusyError)) {
				return nil, fmt.Errorf("%v: %w", l.host, err)
			}
			return nil, fmt.Errorf("making sure that no other run measures on %v: %w", l.host, err)
		}
		taken = append(taken, one)
	}
	return unlock, nil
}
