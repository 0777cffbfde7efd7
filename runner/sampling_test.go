package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"benchbook/notebook/plan"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/observe"
	"benchbook/slowtest"
)

func newFake(t *testing.T) *fake.Engine { return fake.New(script(t)) }

// What engines tell of threads, ports and networks is in the record.
func TestRecordTellsWhatServicesUsed(t *testing.T) {
	slowtest.Skip(t)
	s := script(t)
	run, seen, longest := s.Run, make(chan struct{}, 1), time.Minute
	s.Run = func(ctx context.Context, p engine.Program) (engine.Exit, error) {
		if p.Name == observe.LoadName {
			select {
			case <-seen:
			case <-time.After(longest):
			}
		}
		return run(ctx, p)
	}
	s.Ports = func(name string) (float64, error) {
		if name == observe.LoadName {
			select {
			case seen <- struct{}{}:
			default:
			}
		}
		return map[string]float64{"server": 0.25, observe.LoadName: 0.5}[name], nil
	}
	s.Network = func(string) (engine.Network, error) {
		return engine.Network{Path: "veth on a bridge", MTU: 1500, Offloads: []string{"gso", "tso"},
			Limits: map[string]string{"somaxconn": "4096", "tcp_max_syn_backlog": "512"}}, nil
	}
	s.CPUs = func(name string) (string, error) {
		return map[string]string{"server": "2-3", observe.LoadName: "5"}[name], nil
	}
	r := runOnce(t, s)
	if r.Machine == nil || r.Machine.Ports["server"] != 0.25 || r.Machine.Ports[observe.LoadName] != 0.5 ||
		r.Machine.Sampling == nil {
		t.Errorf("machine %+v", r.Machine)
	}
	for fact, want := range map[string]string{observe.FactPath: "veth on a bridge, MTU 1500, gso tso",
		observe.FactListen:     "somaxconn 4096, tcp_max_syn_backlog 512",
		plan.FactServicesPlace: "2-3", plan.FactLoadPlace: "5"} {
		if r.Facts[fact] != want {
			t.Errorf("fact %s is %q, want %q", fact, r.Facts[fact], want)
		}
	}

	// A load beside its service has no ports of its own.
	longest = 160 * time.Millisecond // eight readings, in which they would be seen
	r = runOnce(t, s, "requests: 100", "requests: 100, network: shared")
	if _, own := r.Machine.Ports[observe.LoadName]; own || r.Facts[observe.FactLoadIn] != "that of server" {
		t.Errorf("ports %v, fact %q", r.Machine.Ports, r.Facts[observe.FactLoadIn])
	}
}

// Where a network could not be looked into, a record says so, and why.
func TestRecordTellsWhatWasNotRead(t *testing.T) {
	denied := &os.PathError{Op: "open", Path: "/proc/4711/ns/net", Err: syscall.EACCES}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"without root", fmt.Errorf("measuring server: %w", denied), "not read: it takes root"},
		{"elsewhere", fmt.Errorf("measuring server: %w", errors.New("its kernel is that of another machine")),
			"not read: its kernel is that of another machine"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := script(t)
			s.Network = func(string) (engine.Network, error) { return engine.Network{}, tt.err }
			r := runOnce(t, s)
			for _, fact := range []string{observe.FactPath, observe.FactListen} {
				if r.Facts[fact] != tt.want {
					t.Errorf("fact %s is %q, want %q", fact, r.Facts[fact], tt.want)
				}
			}
		})
	}
}
