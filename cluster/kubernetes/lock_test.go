package kubernetes

import (
	"errors"
	"strings"
	"testing"
	"time"

	"benchbook/runner/engine"
)

// One run at a time has the namespace, and that of a process that has ended keeps nobody out.
func TestLock(t *testing.T) {
	ctx := bounded(t)
	first, second := connected(t, nil), connected(t, nil)
	unlock, err := first.Lock(ctx, "measuring this", nil)
	if err != nil {
		t.Fatal(err)
	}
	var busy *engine.BusyError
	if _, err := second.Lock(ctx, "measuring that", nil); !errors.As(err, &busy) || busy.Doing != "measuring this" ||
		busy.Since.IsZero() {
		t.Errorf("got %v, want that the first one measures this", err)
	}
	waited := make(chan *engine.BusyError, 1)
	got := make(chan error, 1)
	go func() {
		unlock, err := second.Lock(ctx, "measuring that", func(b *engine.BusyError) { waited <- b })
		if err == nil {
			unlock()
		}
		got <- err
	}()
	if b := <-waited; b.Doing != "measuring this" {
		t.Errorf("it waits for what %s", b.Doing)
	}
	unlock()
	select {
	case err := <-got:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it still waits for what has ended")
	}

	dead := connected(t, nil)
	dead.owner = endedOwner(dead.owner)
	if _, err := dead.Lock(ctx, "was killed", nil); err != nil {
		t.Fatal(err)
	}
	unlock, err = second.Lock(ctx, "measuring that", nil)
	if err != nil {
		t.Fatalf("after its holder was killed: %v", err)
	}
	unlock()
}

// What is started on one host is on one node, services and load on different ones, and the facts say which.
func TestHosts(t *testing.T) {
	ctx := bounded(t)
	e := connected(t, func(o *Options) { o.LoadNodes, o.ServiceNodes = nil, nil })
	nodes := map[string]string{}
	for _, at := range []struct{ name, host string }{{"a", LoadHost}, {"b", ServiceHost}, {"c", ServiceHost},
		{"d", LoadHost}} {
		s := steady(ctx, t, e)
		s.Name, s.Host = at.name, at.host
		r, err := opened(ctx, t, e).Start(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		state, err := e.pods.get(r.(*running).place.pod)
		if err != nil {
			t.Fatal(err)
		}
		node := state.pod.Spec.NodeName
		if nodes[at.host] == "" {
			nodes[at.host] = node
		}
		if nodes[at.host] != node {
			t.Errorf("%s is on %s, and not on %s with what else is on host %s", at.name, node, nodes[at.host], at.host)
		}
		if ahead, uncertain, err := r.(engine.Clocked).Clock(ctx); err != nil || ahead.Abs() > uncertain+time.Second ||
			uncertain <= 0 {
			t.Errorf("its clock is ahead by %v, give or take %v: %v", ahead, uncertain, err)
		}
	}
	if nodes[LoadHost] == nodes[ServiceHost] {
		t.Errorf("services and load are both on %s", nodes[LoadHost])
	}
	facts, err := e.Facts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for host, node := range nodes {
		// The user of the manual cannot see nodes, and that is said.
		if facts["engine.node."+host] != node || !strings.Contains(facts["engine.node."+host+".status"], "no right") {
			t.Errorf("of host %s the facts say %q: %v", host, node, facts)
		}
	}
	s := steady(ctx, t, e)
	s.Host = "elsewhere"
	var refused *engine.RejectedError
	if _, err := opened(ctx, t, e).Start(ctx, s); !errors.As(err, &refused) {
		t.Errorf("on a host that is none: %v", err)
	}

	same := connected(t, func(o *Options) { o.LoadNodes = o.ServiceNodes })
	for _, host := range []string{LoadHost, ServiceHost} {
		s := steady(ctx, t, same)
		s.Host = host
		_, err = opened(ctx, t, same).Start(ctx, s)
	}
	wantFault(t, err, "both be on node", "second node")
}
