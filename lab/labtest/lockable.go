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

// Lock takes the engine unless somebody has it.
func (l *Lockable) Lock(_ context.Context, doing string, _ func(*engine.BusyError)) (func(), error) {
	if l.Asked != nil {
		l.Asked()
	}
	if len(l.Doing) > 0 {
		return nil, &engine.BusyError{Doing: l.Doing[0]}
	}
	l.Doing = append(l.Doing, doing)
	return func() { l.Doing = nil }, nil
}
