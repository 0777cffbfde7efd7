package machines

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/kernel"
	"benchbook/runner/load"
	"benchbook/runner/observe"
	"benchbook/runner/sysinfo"
)

// factHosts says what runs on which host, where that is not all on this machine, and factCrossing how the hosts are
// connected.
const (
	factHosts    = "placement.hosts"
	factCrossing = "network.crossing"
)

// betweenPods is how pods on two nodes of a cluster meet, in words.
const betweenPods = "from pod to pod of two nodes, as the network of the cluster connects them"

// Layout says where what an experiment consists of runs: on which machines, and on which of their CPUs.
type Layout struct {
	Experiment *plan.Experiment
	Host       sysinfo.Host        // all machines together
	Machines   map[string]*Machine // the others, by their names in the project
}

// Placement says on which CPUs of a host services and load run.
func (l Layout) Placement(host string) plan.Placement {
	return l.Experiment.Place(host, l.Host.CoresOf(host))
}

// ServiceCores are the most logical CPUs that the services of a trial have together on any of the hosts.
func (l Layout) ServiceCores(t *plan.Trial) int {
	most, used := 1, map[string]map[int]bool{}
	for _, s := range t.Services {
		host := l.Experiment.HostOf(s.Name)
		if used[host] == nil {
			used[host] = map[int]bool{}
		}
		at := l.Placement(host)
		if s.CPUSet == "" && at.Services == "" {
			most = max(most, at.ServiceCores) // those of a node, all of them
		}
		cpus, _ := spec.ParseCPUSet(cmp.Or(s.CPUSet, at.Services))
		for _, cpu := range cpus {
			used[host][cpu] = true
		}
		most = max(most, len(used[host]))
	}
	return most
}

// Location says where a service runs, and how it and what is on other hosts find each other; of the load or the
// command, whose name is empty, likewise.
func (l Layout) Location(t *plan.Trial, service string) engine.Location {
	e := l.Experiment
	at := engine.Location{Host: e.HostOf(service)}
	if service == "" {
		at.Host = e.LoadHost(t)
	}
	return at
}

// AddFacts say what ran where, and how packets went between hosts.
func (l Layout) AddFacts(t *plan.Trial, facts map[string]string) {
	if len(l.Experiment.Hosts) == 0 {
		return
	}
	var where []string
	crosses := false
	for _, s := range t.Services {
		where = append(where, s.Name+" on "+l.Experiment.HostOf(s.Name))
		crosses = crosses || l.Experiment.HostOf(s.Name) != l.Experiment.LoadHost(t)
	}
	what := "load"
	if t.Command != nil {
		what = "command"
	}
	facts[factHosts] = strings.Join(append(where, what+" on "+l.Experiment.LoadHost(t)), "; ")
	if crosses {
		facts[factCrossing] = betweenPods
	}
	for _, m := range l.Remotes() {
		facts["hosts."+m.Name+".clock.ahead"] = m.ahead.Round(10 * time.Microsecond).String()
	}
}

// Remotes are the other machines that the experiment runs on.
func (l Layout) Remotes() []*Machine {
	var out []*Machine
	for _, name := range l.Experiment.HostNames() {
		if m := l.Machines[name]; m != nil {
			out = append(out, m)
		}
	}
	return out
}

// RunsHere says that the experiment runs something on this machine.
func (l Layout) RunsHere() bool { return slices.Contains(l.Experiment.HostNames(), "") }

// CheckConnected says which hosts of the experiment nobody has met: it would be measured somewhere else.
func (l Layout) CheckConnected() error {
	for _, name := range l.Experiment.HostNames() {
		if name != "" && l.Machines[name] == nil {
			return fmt.Errorf("experiment %s runs on host %q, which is not connected", l.Experiment.Name, name)
		}
	}
	return nil
}

// LoadPlace is the place that a trial is driven from, but for its services, which need not run yet.
func (l Layout) LoadPlace(space engine.Space, t *plan.Trial) load.Place {
	_, cores := l.placeLoad(t)
	at := load.Place{Space: loadSpace{space, l.Location(t, "")}, CPUSet: l.LoadCPUs(t), Cores: cores}
	if cpus, err := kernel.ParseCPUs(at.CPUSet); err == nil {
		at.Cores = len(cpus)
	}
	if machine := l.Machines[l.Experiment.LoadHost(t)]; machine != nil {
		at.Ahead = machine.ahead
	}
	return at
}

func (l Layout) placeLoad(t *plan.Trial) (cpus string, cores int) {
	return l.Experiment.PlaceLoad(t, l.Host.CoresOf(l.Experiment.LoadHost(t)))
}

// LoadCPUs says on which CPUs the load or the command of a trial runs.
func (l Layout) LoadCPUs(t *plan.Trial) string {
	cpus, _ := l.placeLoad(t)
	return cpus
}

// ServiceCPUs says on which CPUs the services of a trial run: one set, or each service with its own; empty without
// services.
func (l Layout) ServiceCPUs(t *plan.Trial) string {
	var names, sets []string
	for _, s := range t.Services {
		names, sets = append(names, s.Name), append(sets, l.CPUsOf(s))
	}
	return observe.PlaceWords(names, sets)
}

// CPUsOf says on which CPUs a service runs.
func (l Layout) CPUsOf(s *spec.Service) string {
	return cmp.Or(s.CPUSet, l.Placement(l.Experiment.HostOf(s.Name)).Services)
}

// Settle lets all machines of the experiment come to rest before a repetition, more if one of them disturbed the one
// before that. The error is that of the context, or that another machine cannot be asked.
func (l Layout) Settle(ctx context.Context, here *sysinfo.Settler, disturbed bool) (*record.Before, error) {
	var all []func(context.Context) (*record.Before, error)
	if l.RunsHere() {
		all = append(all, func(ctx context.Context) (*record.Before, error) { return here.Settle(ctx, disturbed) })
	}
	for _, m := range l.Remotes() {
		if err := m.setClock(ctx); err != nil {
			return nil, err
		}
		all = append(all, func(ctx context.Context) (*record.Before, error) { return m.settle(ctx, disturbed, here.Longest) })
	}
	return sysinfo.SettleAll(ctx, all...)
}

// loadSpace is a space in which programs run where the load of a trial does.
type loadSpace struct {
	engine.Space
	at engine.Location
}

func (s loadSpace) Run(ctx context.Context, program engine.Program, started func(engine.Container)) (engine.Exit, error) {
	program.Location = s.at
	return s.Space.Run(ctx, program, started)
}

// ToOurClock puts a measurement that was timed on another machine into times of ours.
func (l Layout) ToOurClock(t *plan.Trial, m *load.Measurement) {
	machine := l.Machines[l.Experiment.LoadHost(t)]
	if machine == nil || m.Start.IsZero() {
		return
	}
	m.Start = m.Start.Add(-machine.ahead)
	if m.Load != nil {
		m.Load.WindowStart = m.Start
	}
}

// AddReadings completes what a sampler knows with what the other machines did in the window of a measurement.
func (l Layout) AddReadings(ctx context.Context, s *observe.Sampler, t *plan.Trial, m *load.Measurement) error {
	if len(l.Experiment.Hosts) == 0 {
		return nil
	}
	loadHost := l.Experiment.LoadHost(t)
	s.Elsewhere = observe.Elsewhere{All: true} // a cluster has a node for everything
	on := map[string][]string{}
	for _, service := range t.Services {
		host := l.Experiment.HostOf(service.Name)
		on[host] = append(on[host], service.Name, service.Name+observe.LinkSuffix)
	}
	if m.Length <= 0 {
		return nil
	}
	begin, end := m.Start, m.Start.Add(m.Length)
	if err := observe.AwaitReadings(ctx, end); err != nil {
		return err
	}
	for _, machine := range l.Remotes() {
		readings, err := machine.readings(ctx, begin.Add(-time.Second))
		if err != nil {
			return err
		}
		var load time.Duration
		if machine.Name == loadHost {
			load = max(0, m.GeneratorCPU)
		}
		s.AddMachine(readings, on[machine.Name], load, begin, end)
	}
	return nil
}
