package kubernetes

import (
	"bufio"
	"encoding/json"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
)

// A clock that has drifted is found out, also if no answer comes as fast as one did before.
func TestClockThatDrifts(t *testing.T) {
	asked, questions := io.Pipe()
	answers, answer := io.Pipe()
	var drift atomic.Int64
	go func() {
		for lines := bufio.NewScanner(asked); lines.Scan(); {
			if json.NewEncoder(answer).Encode(agent.Reading{At: time.Now().Add(time.Duration(drift.Load()))}) != nil {
				return
			}
		}
	}()
	r := &running{name: "host", meter: &meter{questions: questions, answers: bufio.NewReader(answers), cancel: func() {}}}
	defer r.release()
	for _, want := range []time.Duration{0, time.Hour, -time.Hour} {
		drift.Store(int64(want))
		ahead, uncertain, err := r.Clock(bounded(t))
		if err != nil || (ahead-want).Abs() > time.Minute || uncertain <= 0 || uncertain > time.Minute {
			t.Errorf("the clock is %v ahead, give or take %v, %v; want %v", ahead, uncertain, err, want)
		}
		r.meter.fastest = 1 // as if one had come in no time
	}
}

// What decides on the node of a host prefers those of the run before; what follows is bound to that node.
func TestNodesOfTheRunBefore(t *testing.T) {
	e := engineOn(t, newAPI(t))
	e.nodes.prefer = map[string][]string{LoadHost: {"n1", "n3"}, ServiceHost: {"s1"}}
	preferred := func(host string) (names []string) {
		pod := e.pod(&container{program: true, service: engine.Service{Service: spec.Service{Name: "p"},
			Location: engine.Location{Host: host}}}, "run", "space", "10.0.0.9")
		if a := pod.Spec.Affinity.NodeAffinity; a != nil {
			for _, term := range a.PreferredDuringSchedulingIgnoredDuringExecution {
				names = append(names, term.Preference.MatchFields[0].Values...)
			}
		}
		return names
	}
	for host, want := range map[string][]string{LoadHost: {"n1", "n3"}, ServiceHost: {"s1"},
		"": nil} {
		if got := preferred(host); !slices.Equal(got, want) {
			t.Errorf("on host %q it prefers the nodes %q, want %q", host, got, want)
		}
	}
}
