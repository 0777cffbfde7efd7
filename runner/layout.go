package runner

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/machine"
	"benchbook/runner/observe"
)

// factHosts names the fact that says which host each service and the load ran on.
const factHosts = "placement.hosts"

// layout says which machines and CPUs the services and the load of an experiment run on.
type layout struct {
	experiment *plan.Experiment
	host       machine.Host // all machines together
	// machines are the connected machines by their names in the project; "" is the machine of a remote engine.
	machines map[string]*machine.Machine
}

// placement returns how the CPUs of a host are divided between services and load.
func (l layout) placement(host string) plan.Placement {
	return l.experiment.Place(l.host.CoresOf(host))
}

// serviceCores returns how many logical CPUs the services of a trial have together, at least 1.
func (l layout) serviceCores(t *plan.Trial) int {
	most, used := 1, map[int]bool{}
	for _, s := range t.Services {
		at := l.placement(l.experiment.HostOf(s.Name))
		if s.CPUSet == "" && at.Services == "" {
			most = max(most, at.ServiceCPUs) // all of a node
		}
		cpus, _ := spec.ParseCPUSet(cmp.Or(s.CPUSet, at.Services))
		for _, cpu := range cpus {
			used[cpu] = true
		}
	}
	return max(most, len(used))
}

// addFacts adds the placement of services and load, and the clock offsets of other machines.
func (l layout) addFacts(t *plan.Trial, facts map[string]string) {
	loadCPUs, _ := l.loadCPUs(t)
	for fact, words := range map[string]string{plan.FactServicesPlace: l.serviceCPUs(t), plan.FactLoadPlace: loadCPUs} {
		if words != "" { // empty: all CPUs of the node
			facts[fact] = words
		}
	}
	for _, m := range l.machinesOf() {
		prefix := "engine"
		if m.Name != "" {
			prefix = "hosts." + m.Name
		}
		if !m.IsHere() {
			facts[prefix+".clock.ahead"] = m.Ahead().Round(10 * time.Microsecond).String()
		}
	}
	if len(l.experiment.Hosts) == 0 {
		return
	}
	var where []string
	for _, s := range t.Services {
		where = append(where, s.Name+" on "+l.experiment.HostOf(s.Name))
	}
	what := "load"
	if t.Command != nil {
		what = "command"
	}
	facts[factHosts] = strings.Join(append(where, what+" on "+l.experiment.LoadHost(t)), "; ")
}

// machine returns the connected machine of a host, or this machine if there is none.
func (l layout) machine(host string) *machine.Machine {
	if m := l.machines[host]; m != nil {
		return m
	}
	return &machine.Machine{}
}

func (l layout) machinesOf() (out []*machine.Machine) {
	for _, host := range l.experiment.HostNames() {
		out = append(out, l.machine(host))
	}
	return out
}

// checkConnected returns an error if a host is not connected, because layout.machine would fall back to this machine.
func (l layout) checkConnected() error {
	for _, host := range l.experiment.HostNames() {
		if host != "" && l.machines[host] == nil {
			return fmt.Errorf("experiment %s runs on host %q, which is not connected", l.experiment.Name, host)
		}
	}
	return nil
}

// loadCPUs returns the CPU set of a trial's load or command, empty for all CPUs of its node, and the number of CPUs.
func (l layout) loadCPUs(t *plan.Trial) (cpus string, cores int) {
	return l.experiment.PlaceLoad(t, l.host.CoresOf(l.experiment.LoadHost(t)))
}

// serviceCPUs describes the CPUs of a trial's services: one set, or one for each service. It is empty without services.
func (l layout) serviceCPUs(t *plan.Trial) string {
	var names, sets []string
	for _, s := range t.Services {
		names, sets = append(names, s.Name), append(sets, l.cpusOf(s))
	}
	return observe.PlaceWords(names, sets)
}

func (l layout) cpusOf(s *spec.Service) string {
	return cmp.Or(s.CPUSet, l.placement(l.experiment.HostOf(s.Name)).Services)
}

// onMachines returns what runs on each machine. Remote machines come with their readings in the window, in our clock.
func (l layout) onMachines(ctx context.Context, t *plan.Trial, begin time.Time, length time.Duration) (
	out []observe.OnMachine, err error) {
	for _, host := range l.experiment.HostNames() {
		m := l.machine(host)
		on := observe.OnMachine{Here: m.IsHere(), Load: l.experiment.LoadHost(t) == host}
		for _, s := range t.Services {
			if l.experiment.HostOf(s.Name) == host {
				on.Services = append(on.Services, s.Name, s.Name+observe.LinkSuffix)
			}
		}
		if !on.Here && length > 0 {
			if on.Readings, err = m.Readings(ctx, begin, begin.Add(length)); err != nil {
				return nil, err
			}
		}
		out = append(out, on)
	}
	return out, nil
}
