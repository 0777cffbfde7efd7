package machines

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/load"
	"benchbook/runner/observe"
	"benchbook/runner/sysinfo"
)

// spreadLayout is an experiment of one trial whose load is on three nodes of two CPUs, if it has as many generators.
func spreadLayout(generators int) (Layout, *plan.Trial) {
	node := func(name, kernel string, ahead time.Duration) *Machine {
		return &Machine{Name: name, ahead: ahead, Host: sysinfo.Host{ID: "c2-aaaaaa", Cores: [][]int{{0}, {1}},
			Facts: map[string]string{"host.cpu": "one kind", "host.cores": "2 logical, 2 physical", "host.kernel": kernel,
				"host.swap": "none"}}}
	}
	first := node(plan.LoadNode, "6.1", 7*time.Second).Beside([]*Machine{node("load-2", "6.2", -time.Second),
		node("load-3", "6.1", 0)})
	services := &Machine{Name: plan.ServiceNode, Host: sysinfo.Host{ID: "c4-bbbbbb", Cores: [][]int{{0}, {1}, {2}, {3}}}}
	trial := &plan.Trial{Services: []*spec.Service{{Name: "s"}}, Load: &spec.Load{Target: "http://s/",
		Generators: generators}}
	return Layout{Host: Together(sysinfo.Host{}, []*Machine{first, services}, false),
		Machines: map[string]*Machine{first.Name: first, services.Name: services},
		Experiment: &plan.Experiment{Engine: spec.Kubernetes, Trials: []*plan.Trial{trial},
			Hosts: map[string]string{"s": plan.ServiceNode, "load": plan.LoadNode}},
	}, trial
}

// Nodes that a load is on together have another ID than one of them, or fewer.
func TestBeside(t *testing.T) {
	node := func() *Machine { return &Machine{Name: plan.LoadNode, Host: sysinfo.Host{ID: "c2-aaaaaa"}} }
	one, two, three := node(), node().Beside([]*Machine{node()}), node().Beside([]*Machine{node(), node()})
	if one.Beside(nil).Host.ID != "c2-aaaaaa" || !strings.HasPrefix(two.Host.ID, "c2+c2-") ||
		!strings.HasPrefix(three.Host.ID, "c2+c2+c2-") {
		t.Errorf("IDs are %s, %s and %s", one.Beside(nil).Host.ID, two.Host.ID, three.Host.ID)
	}
	services := &Machine{Name: plan.ServiceNode, Host: sysinfo.Host{ID: "c4-bbbbbb"}}
	all := Together(sysinfo.Host{}, []*Machine{two, services}, false)
	cache := HostCache(t.TempDir())
	cache.Write("two", two.Host)
	cache.Write("services", services.Host)
	known, ok := Known(sysinfo.Host{}, cache, map[string]string{plan.LoadNode: "two", plan.ServiceNode: "services"}, false)
	if !strings.HasPrefix(all.ID, "c2+c2+c4-") || !ok || known.ID != all.ID {
		t.Errorf("with services it is %s, and known as %s", all.ID, known.ID)
	}
}

// Generators are on as many nodes as there are, in turn, and records say so; one alone is on the first.
func TestGeneratorsOnSeveralNodes(t *testing.T) {
	tests := []struct {
		name       string
		generators int
		cpuset     string
		hosts      []string
		cores      int
	}{
		{"one", 0, "", []string{"load"}, 2},
		{"fewer than nodes", 2, "", []string{"load", "load-2"}, 4},
		{"more than nodes", 7, "", []string{"load", "load-2", "load-3"}, 6},
		{"with CPUs of their own", 4, "1", []string{"load", "load-2", "load-3"}, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, trial := spreadLayout(tt.generators)
			trial.Load.CPUSet = tt.cpuset
			at := r.LoadPlace(nil, trial)
			if !slices.Equal(at.Hosts, tt.hosts) || at.Cores != tt.cores || at.Ahead != 7*time.Second {
				t.Errorf("generators are on %q with %d CPUs, by a clock that is %v ahead", at.Hosts, at.Cores, at.Ahead)
			}
			var machines []string
			for _, m := range r.Remotes(trial) {
				machines = append(machines, m.Name)
			}
			if want := append(slices.Clone(tt.hosts), plan.ServiceNode); !slices.Equal(machines, want) {
				t.Errorf("it runs on %q, want %q", machines, want)
			}
			facts := maps.Clone(r.Host.Facts)
			r.AddFacts(trial, facts)
			if want := "s on services; load on " + strings.Join(tt.hosts, ", "); facts[factHosts] != want {
				t.Errorf("where: %q, want %q", facts[factHosts], want)
			}
			want := map[string]string{"hosts.load.clock.ahead": "7s", "hosts.load.host.kernel": "6.1",
				"hosts.load.host.swap": "none"}
			if len(tt.hosts) > 1 {
				maps.Copy(want, map[string]string{"hosts.load-2.clock.ahead": "-1s", "hosts.load-2.host.kernel": "6.2",
					"hosts.load-2.host.cpu": "one kind"})
			}
			for fact, value := range want {
				if facts[fact] != value {
					t.Errorf("fact %s is %q, want %q", fact, facts[fact], value)
				}
			}
			for fact := range facts {
				isUsed := slices.ContainsFunc(tt.hosts,
					func(host string) bool { return strings.HasPrefix(fact, "hosts."+host+".") })
				if strings.HasPrefix(fact, "hosts.load") && !isUsed || fact == "hosts.load-2.host.swap" {
					t.Errorf("there is a fact %s, which is %q", fact, facts[fact])
				}
			}
		})
	}
}

// A program that names its host is there, and another one where the load is.
func TestLocatedProgram(t *testing.T) {
	var on []string
	e := fake.New(fake.Script{Run: func(_ context.Context, p engine.Program) (engine.Exit, error) {
		on = append(on, p.Host)
		return engine.Exit{}, nil
	}})
	space, err := e.Open(t.Context(), "run")
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"", "load-2"} {
		if _, err := (loadSpace{space, engine.Location{Host: "load"}}).Run(t.Context(),
			engine.Program{Name: "load", Location: engine.Location{Host: host}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(on, []string{"load", "load-2"}) {
		t.Errorf("they were on %q", on)
	}
}

// What others do on any node of the load counts, against what the generators of that node used, and so does its unrest
// before.
func TestNoiseOfSeveralNodes(t *testing.T) {
	begin := time.Now().Add(-time.Minute)
	// on meets a node whose CPUs were busy for so many seconds, of two for each second, from half a second before the
	// window to as long after it.
	on := func(name string, busy, steal, jitter float64) *Machine {
		e := fake.New(fake.Script{Exec: func(_ context.Context, _ string, c engine.Command) (engine.Exit, error) {
			var out bytes.Buffer
			answer := json.NewEncoder(&out)
			var err error
			switch c.Args[2] {
			case sysinfo.TellDescription:
				err = answer.Encode(sysinfo.Host{ID: "c2-aaaaaa", Facts: map[string]string{"host.cpu": "one kind"}})
			case sysinfo.TellRest:
				err = answer.Encode(record.Before{Settled: true, Jitter: jitter})
			case sysinfo.TellReadings:
				for i, at := range []time.Time{begin.Add(-500 * time.Millisecond), begin.Add(1500 * time.Millisecond)} {
					if err == nil {
						err = answer.Encode(sysinfo.HostUsage{At: at, Busy: float64(i) * busy, Total: float64(i) * 4,
							Steal: float64(i) * steal})
					}
				}
			}
			return engine.Exit{Stdout: out.Bytes()}, err
		}})
		m, err := Connect(t.Context(), name, e, engine.Location{Host: name}, []byte("program"))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	trial := &plan.Trial{Load: &spec.Load{Target: "http://s/", Generators: 3}}
	first := on("load", 1.6, 0, 0.001).Beside([]*Machine{on("load-2", 1.6, 0.8, 0.005)})
	r := Layout{Machines: map[string]*Machine{"load": first},
		Experiment: &plan.Experiment{Engine: spec.Kubernetes, Trials: []*plan.Trial{trial},
			Hosts: map[string]string{"load": plan.LoadNode}}}
	m := &load.Measurement{Start: begin, Length: time.Second, GeneratorCPU: time.Second,
		HostCPU: map[string]time.Duration{"load": 800 * time.Millisecond, "load-2": 200 * time.Millisecond}}
	s := &observe.Sampler{}
	if err := r.AddReadings(t.Context(), s, trial, m); err != nil {
		t.Fatal(err)
	}
	near := func(a, b float64) bool { return math.Abs(a-b) < 1e-6 }
	others := s.Elsewhere.Machines
	if len(others) != 2 || !near(others[0].Foreign, 0) || !near(others[1].Foreign, 0.3) || !near(others[0].Steal, 0) ||
		!near(others[1].Steal, 0.2) {
		t.Errorf("others used %+v", others)
	}
	before, err := r.Settle(t.Context(), &sysinfo.Settler{}, false)
	if err != nil || before == nil || before.Jitter != 0.005 {
		t.Errorf("before: %+v, %v", before, err)
	}
	// A load of one generator has nothing to do with the second node.
	trial.Load.Generators, m.HostCPU = 0, nil
	if err := r.AddReadings(t.Context(), s, trial, m); err != nil || len(s.Elsewhere.Machines) != 1 {
		t.Errorf("beside one generator others used %+v, %v", s.Elsewhere.Machines, err)
	}
}
