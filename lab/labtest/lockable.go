package labtest

import (
	"context"

	"benchbook/runner/engine"
)

// A Lockable is an engine that one run at a time can have.
type Lockable struct {
	engine.Engine
	ID    string
	Doing []string // by whoever has it
	Asked func()   // is called by whoever wants it; nil for nothing
}

// Identity tells engines apart.
func (l *Lockable) Identity() string { return l.ID }

// Lock takes the engine. If it is taken it waits for ctx, after a call of waiting, or fails without one.
func (l *Lockable) Lock(ctx context.Context, doing string, waiting func(*engine.BusyError)) (func(), error) {
	if l.Asked != nil {
		l.Asked()
	}
	if len(l.Doing) > 0 {
		busy := &engine.BusyError{Doing: l.Doing[0]}
		if waiting == nil {
			return nil, busy
		}
		waiting(busy)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	l.Doing = append(l.Doing, doing)
	return func() { l.Doing = nil }, nil
}
