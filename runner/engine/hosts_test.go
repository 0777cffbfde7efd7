package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

// lockable is an engine in memory that one run at a time can have.
type lockable struct {
	engine.Engine
	identity, doing string
	order           *[]string
}

func (l *lockable) Identity() string { return l.identity }

func (l *lockable) Lock(_ context.Context, doing string, waiting func(*engine.BusyError)) (func(), error) {
	if l.doing != "" {
		busy := &engine.BusyError{Doing: l.doing}
		if waiting == nil {
			return nil, busy
		}
		waiting(busy)
	}
	l.doing = doing
	*l.order = append(*l.order, l.identity)
	return func() { l.doing = "" }, nil
}

// Hosts are taken in one order, whatever they are called, and one that has two names once. Where one is taken the
// others are let go.
func TestLockOfSeveral(t *testing.T) {
	var order []string
	a, b := &lockable{fake.New(fake.Script{}), "1", "", &order}, &lockable{fake.New(fake.Script{}), "2", "", &order}
	list := []engine.Host{{Name: "x", Engine: b}, {Name: "y", Engine: a}, {Name: "z", Engine: b},
		{Engine: fake.New(fake.Script{})}}
	unlock, err := engine.LockHosts(t.Context(), list, "measuring one", nil)
	if err != nil || !slices.Equal(order, []string{"1", "2"}) || a.doing != "measuring one" || b.doing != "measuring one" {
		t.Fatalf("taken were %v, %v", order, err)
	}
	if unlock(); a.doing != "" || b.doing != "" {
		t.Error("they are not let go")
	}
	b.doing = "measuring two"
	if _, err := engine.LockHosts(t.Context(), list, "measuring one", nil); !errors.As(err, new(*engine.BusyError)) ||
		!strings.Contains(err.Error(), "host x: another benchbook") ||
		!strings.Contains(err.Error(), "measuring two") {
		t.Errorf("one that is taken is %v", err)
	}
	if a.doing != "" {
		t.Error("the other one is not let go")
	}
	var told error
	if _, err := engine.LockHosts(t.Context(), list, "measuring one", func(busy error) { told = busy }); err != nil ||
		!errors.As(told, new(*engine.BusyError)) {
		t.Errorf("one that waits was told %v, %v", told, err)
	}
}
