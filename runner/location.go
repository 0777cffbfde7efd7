package runner

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// factHosts says what runs on which host, where that is not all on this machine, and factCrossing how the hosts are connected.
const (
	factHosts    = "placement.hosts"
	factCrossing = "network.crossing"
)

// betweenPods is how pods on two nodes of a cluster meet, in words.
const betweenPods = "from pod to pod of two nodes, as the network of the cluster connects them"

// crossing is how something on one host meets what runs on another, in words.
const crossing = "published ports: from veth and bridge of one host, behind its address, to the address of the other, and there by NAT through bridge and veth"

// placementOn says on which CPUs of a host services and load run.
func (r *run) placementOn(host string) plan.Placement {
	return r.experiment.Place(host, r.Host.CoresOf(host))
}

// serviceCores are the most logical CPUs that the services of a trial have together on any of the hosts.
func (r *run) serviceCores(t *plan.Trial) int {
	most, used := 1, map[string]map[int]bool{}
	for _, s := range t.Services {
		host := r.experiment.HostOf(s.Name)
		if used[host] == nil {
			used[host] = map[int]bool{}
		}
		at := r.placementOn(host)
		if s.CPUSet == "" && at.Services == "" {
			most = max(most, at.ServiceCores) // those of a node, all of them
		}
		cpus, _ := plan.ParseCPUSet(cmp.Or(s.CPUSet, at.Services))
		for _, cpu := range cpus {
			used[host][cpu] = true
		}
		most = max(most, len(used[host]))
	}
	return most
}

// serviceHosts are the hosts that have services.
func (r *run) serviceHosts() []string {
	var hosts []string
	for _, t := range r.experiment.Trials {
		for _, s := range t.Services {
			hosts = append(hosts, r.experiment.HostOf(s.Name))
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// location says where a service runs, and how it and what is on other hosts find each other; of the load or the command, whose name is
// empty, likewise.
func (r *run) location(t *plan.Trial, service string) engine.Location {
	e := r.experiment
	at := engine.Location{Host: e.HostOf(service)}
	if service == "" {
		at.Host = e.LoadHost(t)
	} else {
		at.Published = e.IsPeer(service)
	}
	for _, peer := range e.Peers(t, service) {
		at.Peers = append(at.Peers, engine.Peer{Name: peer, Host: e.HostOf(peer)})
	}
	return at
}

// locationFacts say what ran where, and how packets went between hosts.
func (r *run) locationFacts(t *plan.Trial, facts map[string]string) {
	if len(r.experiment.Hosts) == 0 {
		return
	}
	words := func(what, host string) string {
		if host == "" {
			return what + " on this machine"
		}
		return what + " on " + host
	}
	var where []string
	crosses := len(r.experiment.Peers(t, "")) > 0
	for _, s := range t.Services {
		where = append(where, words(s.Name, r.experiment.HostOf(s.Name)))
		crosses = crosses || len(r.experiment.Peers(t, s.Name)) > 0
	}
	what := "load"
	if t.Command != nil {
		what = "command"
	}
	on := r.experiment.LoadHost(t)
	if hosts := r.generatorHosts(t); len(hosts) > 1 {
		on = strings.Join(hosts, ", ")
	}
	facts[factHosts] = strings.Join(append(where, words(what, on)), "; ")
	if crosses {
		facts[factCrossing] = crossing
		if r.experiment.Engine == article.Kubernetes {
			facts[factCrossing] = betweenPods
		}
	}
	for _, m := range r.machinesOf(t) {
		facts["hosts."+m.Name+".clock.ahead"] = m.ahead.Round(10 * time.Microsecond).String()
		if first := r.Machines[r.experiment.LoadHost(t)]; r.Machines[m.Name] == nil && first != nil {
			for fact, value := range m.unlikeFirst(first) {
				facts["hosts."+m.Name+"."+fact] = value
			}
		}
	}
}

// machinesOf are the other machines that the experiment runs on. Of those of one host it is as many as the load of one of the trials has
// generators.
func (r *run) machinesOf(trials ...*plan.Trial) []*Machine {
	generators := map[string]int{}
	for _, t := range trials {
		if host := r.experiment.LoadHost(t); t.Load != nil {
			generators[host] = max(generators[host], t.Load.Generators)
		}
	}
	var out []*Machine
	for _, name := range r.experiment.HostNames() {
		if m := r.Machines[name]; m != nil {
			out = append(out, m.machines(generators[name])...)
		}
	}
	return out
}

// generatorHosts are the hosts that the generators of a load are on in turn; fewer than two where all are on that of the load.
func (r *run) generatorHosts(t *plan.Trial) []string {
	first := r.Machines[r.experiment.LoadHost(t)]
	if first == nil || t.Load == nil {
		return nil
	}
	var hosts []string
	for _, m := range first.machines(t.Load.Generators) {
		hosts = append(hosts, m.Name)
	}
	return hosts
}

// here says that the experiment runs something on this machine.
func (r *run) here() bool { return slices.Contains(r.experiment.HostNames(), "") }

// checkHosts says which hosts of the experiment nobody has met: it would be measured somewhere else.
func (r *run) checkHosts() error {
	for _, name := range r.experiment.HostNames() {
		if name != "" && r.Machines[name] == nil {
			return fmt.Errorf("experiment %s runs on host %q, which is not connected", r.experiment.Name, name)
		}
	}
	return nil
}

// located is a space in which programs run where the load of a trial does.
type located struct {
	engine.Space
	at engine.Location
}

// Run is part of engine.Space.
func (l located) Run(ctx context.Context, program engine.Program, started func(engine.Running)) (engine.Exit, error) {
	at := l.at
	at.Host = cmp.Or(program.Host, at.Host) // one of several generators may be beside the first
	program.Location = at
	return l.Space.Run(ctx, program, started)
}

// preparing is an engine that makes images available on some of its hosts.
type preparing struct {
	engine.Engine
	hosts []string
}

// Prepare is part of engine.Engine.
func (p preparing) Prepare(ctx context.Context, image engine.Image, log io.Writer) (engine.Prepared, error) {
	image.Hosts = p.hosts
	return p.Engine.Prepare(ctx, image, log)
}

// ifSpread gives hosts that have to have an image, if the experiment names any: engines of one machine know no other.
func (r *run) ifSpread(hosts []string) []string {
	if len(r.experiment.Hosts) == 0 {
		return nil
	}
	return hosts
}

// imageHosts are the hosts that need an image: those of all services that have it, in any trial, and of commands.
func (r *run) imageHosts(key string) []string {
	hosts := map[string]bool{}
	for _, t := range r.experiment.Trials {
		for name, image := range imagesOf(t) {
			if imageKey(image) != key {
				continue
			}
			if name == "command" {
				hosts[r.experiment.LoadHost(t)] = true
			} else {
				hosts[r.experiment.HostOf(name)] = true
			}
		}
	}
	if len(hosts) == 0 { // of a candidate of a search
		return r.experiment.HostNames()
	}
	return slices.Sorted(maps.Keys(hosts))
}

// loadHosts are the hosts that loads are put on from.
func (r *run) loadHosts() []string {
	var hosts []string
	for _, t := range r.experiment.Trials {
		if host := r.experiment.LoadHost(t); !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// toOurClock puts a measurement that was timed on another machine into times of ours.
func (r *run) toOurClock(t *plan.Trial, m *load.Measurement) {
	machine := r.Machines[r.experiment.LoadHost(t)]
	if machine == nil || m.Start.IsZero() {
		return
	}
	m.Start = m.Start.Add(-machine.ahead)
	if m.Load != nil {
		m.Load.WindowStart = m.Start
	}
}
