package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// Placement has the logical CPUs that services and load run on, in the syntax of cpuset.
type Placement struct {
	Services, Load string
	ServiceCPUs    int // number of logical CPUs
	LoadCPUs       int // number of logical CPUs
}

// Place gives the load the last physical core and the services the others; a single core is shared. Each item of cores
// has the logical CPUs of one core. A cpuset in the article takes precedence.
func Place(cores [][]int) Placement { return split(cores, len(cores)-1) }

// split gives services the first physical cores, and the load the others. If one of them would get none, both get all.
func split(cores [][]int, services int) Placement {
	first, last := slices.Concat(cores...), slices.Concat(cores...)
	if services > 0 && services < len(cores) {
		first, last = slices.Concat(cores[:services]...), slices.Concat(cores[services:]...)
	}
	return Placement{Services: spec.CPUSet(first), Load: spec.CPUSet(last), ServiceCPUs: max(1, len(first)),
		LoadCPUs: max(1, len(last))}
}

// Place returns where services, load, and commands without a cpuset run on a machine with these cores.
//
// A load gets the last core, and a command that is measured with services half of the cores. Services or commands alone
// get all CPUs. For an engine without named CPUs, only numbers are set.
func (e *Experiment) Place(cores [][]int) Placement {
	if !e.Engine.Can(spec.NamedCPUs) {
		n := max(1, len(slices.Concat(cores...)))
		return Placement{ServiceCPUs: n, LoadCPUs: n}
	}
	services, load, command := false, false, false
	for _, t := range e.Trials {
		services = services || len(t.Services) > 0
		load = load || t.Load != nil
		if c := t.Command; c != nil {
			load = load || c.AsLoad
			command = command || c.Service == "" && c.CPUSet == "" && !c.AsLoad
		}
	}
	switch {
	case load:
		return Place(cores)
	case services && command:
		return split(cores, (len(cores)+1)/2)
	}
	return split(cores, len(cores))
}

// PlaceLoad returns the CPUs that the load or command of a trial runs on, on a host with these cores, and their number.
// In a cluster only the number is known.
func (e *Experiment) PlaceLoad(t *Trial, cores [][]int) (cpus string, n int) {
	at := e.Place(cores)
	cpus, n = at.Load, at.LoadCPUs
	switch c := t.Command; {
	case t.Load != nil:
		cpus = cmp.Or(t.Load.CPUSet, cpus)
	case c == nil:
	case c.Service != "":
		cpus, n = at.Services, at.ServiceCPUs
		if s := t.service(c.Service); s != nil {
			cpus = cmp.Or(s.CPUSet, cpus)
		}
	default:
		cpus = cmp.Or(c.CPUSet, cpus)
	}
	if set, ok := spec.ParseCPUSet(cpus); ok {
		n = len(set)
	}
	return cpus, n
}

// Names of the facts in records about placement: the CPUs of services, and of the load or command.
const (
	FactServicesPlace = "placement.services"
	FactLoadPlace     = "placement.load"
)

// CheckCPUs reports each cpuset with a CPU that a machine with these cores lacks, and each cpus limit above the number
// of its CPUs, which no engine accepts.
func (e *Experiment) CheckCPUs(cores [][]int, problems *source.Problems) {
	if !e.Engine.Can(spec.NamedCPUs) || len(cores) == 0 {
		return
	}
	at, all := e.Place(cores), slices.Concat(cores...)
	checkSet := func(set, substitute string, written source.Text) {
		cpus, _ := spec.ParseCPUSet(set)
		if i := slices.IndexFunc(cpus, func(cpu int) bool { return !slices.Contains(all, cpu) }); i >= 0 {
			problems.Add("no-such-cpu", written.Pos, "this machine has no CPU %d; its CPUs are %s", cpus[i], spec.CPUSet(all)).
				Hint = fmt.Sprintf("write %q, or remove cpuset", substitute)
		}
	}
	for _, t := range e.Trials {
		n := t.draft.node
		for _, s := range t.Services {
			checkSet(s.CPUSet, at.Services, n.TextAt("services", s.Name, "cpuset"))
			if written := n.TextAt("services", s.Name, "cpus"); s.CPUs > float64(len(all)) {
				problems.Add("no-such-cpu", written.Pos, "this machine has %d CPUs, and service %q may use %s", len(all), s.Name,
					written.Value).Hint = fmt.Sprintf("write %d at most, or remove cpus", len(all))
			}
		}
		if t.Load != nil {
			checkSet(t.Load.CPUSet, at.Load, n.TextAt("load", "cpuset"))
		}
		if t.Command != nil {
			checkSet(t.Command.CPUSet, at.Load, n.TextAt("command", "cpuset"))
		}
	}
}

// The nodes that an experiment on the engine kubernetes uses.
const (
	ServiceNode = "services"
	LoadNode    = "load"
)

// HostOf returns the node that a service runs on; empty for this machine.
func (e *Experiment) HostOf(service string) string { return e.Hosts[service] }

// LoadHost returns the node that the load or command of a trial runs on; empty for this machine.
func (e *Experiment) LoadHost(t *Trial) string {
	if t.Command != nil && t.Command.Service != "" {
		return e.HostOf(t.Command.Service)
	}
	return e.Hosts[LoadName]
}

// HostNames returns the nodes that the experiment uses, sorted; this machine is the empty name.
func (e *Experiment) HostNames() []string {
	var names []string
	for _, t := range e.Trials {
		names = append(names, e.LoadHost(t))
		for _, s := range t.Services {
			names = append(names, e.HostOf(s.Name))
		}
	}
	return sortedSet(names)
}

// UsesHosts reports whether an experiment of the plan runs on nodes of a cluster.
func (p *Plan) UsesHosts() bool {
	return slices.ContainsFunc(p.All, func(e *Experiment) bool { return len(e.Hosts) > 0 })
}

// HostNames returns the nodes of all experiments of the article, sorted; this machine is the empty name. Experiments
// that a run leaves out count: their results are on the same page.
func (p *Plan) HostNames() []string {
	var names []string
	for _, e := range p.All {
		names = append(names, e.HostNames()...)
	}
	return sortedSet(names)
}

// placeOnNodes puts all services of an experiment in a cluster on one node, and the load on another.
func (e *outline) placeOnNodes() {
	if e.head == nil || !e.Engine.Can(spec.Nodes) {
		return
	}
	e.Hosts = map[string]string{LoadName: LoadNode}
	for _, name := range e.serviceNames() {
		e.Hosts[name] = ServiceNode
	}
}

// checkClusters reports an article with some experiments in a cluster and some outside: the results of a page come
// from one set of machines.
func (p *planner) checkClusters() {
	measured := slice.Filter(p.outlines, func(e *outline) bool { return len(e.Trials) > 0 })
	for _, e := range measured {
		if first := measured[0]; p.engine().Can(spec.Nodes) && e.Outside != first.Outside {
			p.problems.Add("across-hosts", e.Pos, "experiments %q and %q: one has a target that runs already and its load on "+
				"this machine, the other runs in a cluster", first.Name, e.Name).
				Hint = "make them two articles: the results of an article are those of one set of machines"
			return
		}
	}
}

// CheckEngine reports what the experiment needs and its engine cannot do, before anything is started.
func (e *Experiment) CheckEngine(problems *source.Problems) {
	engine := "the engine " + string(e.Engine)
	refuse := func(is bool, needs spec.Capability, message, hint string) {
		if is && !e.Engine.Can(needs) {
			problems.Add("needs-container", e.Pos, "%s", message).Hint = hint
		}
	}
	programs := " is built by run, and " + engine + " runs no programs of the machine"
	const useDockerfile = "write a Dockerfile instead of run, or use the engine local"
	const useProgram = "leave out image and build, so that its program is one of this machine, or use the engine docker"
	for _, t := range e.Trials {
		for _, s := range t.Services {
			what := "service " + strconv.Quote(s.Name)
			refuse(s.Image.OnMachine() && s.Image.Build != nil, spec.Machine, what+programs, useDockerfile)
			refuse(s.Image.Build != nil && !s.Image.OnMachine(), spec.Builds, what+" is built from a Dockerfile, and "+engine+" builds no images",
				useProgram)
			refuse(s.Image.Name != "", spec.Builds, what+" has the image "+s.Image.Name+", and "+engine+" has no images",
				useProgram)
			refuse(s.Scale > 1, spec.OneName, what+" is scaled, and "+engine+" finds one process by a name",
				"remove scale, or use the engine docker")
			keys := s.NeedsContainer()
			refuse(len(keys) > 0, spec.Containers, what+" has "+strings.Join(keys, ", ")+", and "+engine+" has no containers",
				"remove what only a container can have, or use the engine docker")
		}
		if c := t.Command; c != nil {
			refuse(c.Image.OnMachine() && c.Image.Build != nil, spec.Machine, "the command"+programs, useDockerfile)
			refuse(c.Service == "" && !c.Image.OnMachine(), spec.Builds, "the command has an image, and "+engine+" has none",
				useProgram)
		}
		if l := t.Load; l != nil {
			refuse(l.Tool != "", spec.Builds, "the load by "+l.Tool+" runs in an image of its own, and "+engine+" has none",
				"remove tool, or use the engine docker")
			refuse(l.Priority != "", spec.Priorities, "the load has a priority, and "+engine+" knows none",
				"remove priority, or use the engine docker")
			refuse(l.Driver != nil && !l.Driver.Image.OnMachine(), spec.Builds, "the driver has an image, and "+engine+" has none",
				useProgram)
		}
	}
}
