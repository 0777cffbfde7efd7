package plan

import (
	"cmp"
	"fmt"
	"slices"

	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// Placement says which logical CPUs services and load run on, in the words of cpuset.
type Placement struct {
	Services, Load string
	ServiceCores   int // logical CPUs
	LoadCores      int // logical CPUs
}

// Place gives the load the last physical core and the services the others; a single core is shared. Cores has the
// logical CPUs of each. A cpuset of the article takes precedence.
func Place(cores [][]int) Placement { return split(cores, len(cores)-1) }

// split gives services the first physical cores, and the load the others. If one of them would get none they share all.
func split(cores [][]int, services int) Placement {
	first, last := slices.Concat(cores...), slices.Concat(cores...)
	if services > 0 && services < len(cores) {
		first, last = slices.Concat(cores[:services]...), slices.Concat(cores[services:]...)
	}
	return Placement{Services: spec.CPUSet(first), Load: spec.CPUSet(last), ServiceCores: max(1, len(first)),
		LoadCores: max(1, len(last))}
}

// Place says where services and load run on a host, whose cores are given, and commands without a cpuset.
//
// A machine that has only services, only the load or only commands has all of its CPUs for them. A load gets the last
// physical core. A command that is measured with services gets half of the cores.
func (e *Experiment) Place(host string, cores [][]int) Placement {
	if !e.Engine.Can(spec.NamedCPUs) {
		// The cluster chooses the CPUs, and reserves them only for what asks for them.
		n := max(1, len(slices.Concat(cores...)))
		return Placement{ServiceCores: n, LoadCores: n}
	}
	services, load, command := e.uses(host)
	switch {
	case load && (services || len(e.Hosts) == 0):
		return Place(cores)
	case services && command:
		return split(cores, (len(cores)+1)/2)
	}
	return split(cores, len(cores))
}

// uses reports whether a host runs services, loads or commands on the CPUs of a load, and other commands without a
// cpuset.
func (e *Experiment) uses(host string) (services, load, command bool) {
	for _, t := range e.Trials {
		services = services || slices.ContainsFunc(t.Services, func(s *spec.Service) bool { return e.HostOf(s.Name) == host })
		if e.LoadHost(t) != host {
			continue
		}
		load = load || t.Load != nil
		if c := t.Command; c != nil {
			load = load || c.AsLoad
			command = command || c.Service == "" && c.CPUSet == "" && !c.AsLoad
		}
	}
	return services, load, command
}

// PlaceLoad returns the CPUs of its host, whose cores are given, for the load or command of a trial, and how many
// these are. In a cluster only their number is known.
func (e *Experiment) PlaceLoad(t *Trial, cores [][]int) (cpus string, n int) {
	at := e.Place(e.LoadHost(t), cores)
	cpus, n = at.Load, at.LoadCores
	switch c := t.Command; {
	case t.Load != nil:
		cpus = cmp.Or(t.Load.CPUSet, cpus)
	case c == nil:
	case c.Service != "":
		cpus, n = at.Services, at.ServiceCores
		if s := t.service(c.Service); s != nil {
			cpus = cmp.Or(s.CPUSet, cpus)
		}
	case c.AsLoad && cpus != "":
		at = Place(cores)
		cpus, n = at.Load, at.LoadCores
	default:
		cpus = cmp.Or(c.CPUSet, cpus)
	}
	if set, ok := spec.ParseCPUSet(cpus); ok {
		n = len(set)
	}
	return cpus, n
}

// The facts of records about placement: the CPUs of services, of the load or command, and of the host.
const (
	FactServicesPlace = "placement.services"
	FactLoadPlace     = "placement.load"
	FactCores         = "host.cores"
)

// A Machine returns the logical CPUs of each physical core of a host, or none; the name of this machine is empty.
type Machine func(host string) [][]int

// CheckCPUs reports every cpuset with a CPU that its machine does not have, with a substitute, and every limit above
// the number of its CPUs, which no engine takes.
func (e *Experiment) CheckCPUs(machine Machine, problems *source.Problems) {
	if !e.Engine.Can(spec.NamedCPUs) {
		return // the engine has no CPUs by their numbers
	}
	checkSet := func(t *Trial, host, set string, ofServices bool, keys ...string) {
		cores := machine(host)
		cpus, ok := spec.ParseCPUSet(set)
		all := slices.Concat(cores...)
		i := slices.IndexFunc(cpus, func(cpu int) bool { return !slices.Contains(all, cpu) })
		if !ok || i < 0 || len(cores) == 0 {
			return
		}
		at := e.Place(host, cores)
		substitute := at.Load
		if ofServices {
			substitute = at.Services
		}
		problems.Add("no-such-cpu", t.node.TextAt(append(keys, "cpuset")...).Pos, "%s has no CPU %d; its CPUs are %s",
			inWords(host), cpus[i], spec.CPUSet(all)).Hint = fmt.Sprintf("write %q, or remove cpuset", substitute)
	}
	for _, t := range e.Trials {
		for _, s := range t.Services {
			host := e.HostOf(s.Name)
			checkSet(t, host, s.CPUSet, true, "services", s.Name)
			all := len(slices.Concat(machine(host)...))
			if written := t.node.TextAt("services", s.Name, "cpus"); all > 0 && s.CPUs > float64(all) {
				problems.Add("no-such-cpu", written.Pos, "%s has %d CPUs, and service %q may use %s", inWords(host), all, s.Name,
					written.Value).Hint = fmt.Sprintf("write %d at most, or remove cpus", all)
			}
		}
		if t.Load != nil {
			checkSet(t, e.LoadHost(t), t.Load.CPUSet, false, "load")
		}
		if t.Command != nil {
			checkSet(t, e.LoadHost(t), t.Command.CPUSet, false, "command")
		}
	}
}

func inWords(host string) string {
	if host == "" {
		return "this machine"
	}
	return fmt.Sprintf("host %q", host)
}
