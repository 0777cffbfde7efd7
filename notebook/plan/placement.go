package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// Placement says which logical CPUs services and load run on, in the words of cpuset.
type Placement struct {
	Services, Load string
	ServiceCores   int // logical CPUs
	LoadCores      int // logical CPUs
}

// Place gives the load the last physical core and the services the others, of which cores has the logical CPUs in
// order. Where there is one core only, they share it. A cpuset of the article goes before it.
func Place(cores [][]int) Placement { return split(cores, len(cores)-1) }

// split gives services so many physical cores, and the load the others. Where that would leave nothing to one of them they share all.
func split(cores [][]int, services int) Placement {
	first, last := slices.Concat(cores...), slices.Concat(cores...)
	if services > 0 && services < len(cores) {
		first, last = slices.Concat(cores[:services]...), slices.Concat(cores[services:]...)
	}
	return Placement{Services: spec.CPUSet(first), Load: spec.CPUSet(last), ServiceCores: max(1, len(first)), LoadCores: max(1, len(last))}
}

// Place says where services and load run on one of the hosts, of whose cores it has the logical CPUs. Of commands it says where those run
// of which the article says nothing.
//
// A machine that has only services, only the load or only commands has all of its CPUs for them. A load gets the last physical core. A
// command beside services is what is measured, and gets half of the cores: as many as they have.
func (e *Experiment) Place(host string, cores [][]int) Placement {
	if !e.Engine.Can(spec.NamedCPUs) {
		// Whoever gives CPUs of their own on a node chooses them, and only gives them to what asks for them.
		n := max(1, len(slices.Concat(cores...)))
		return Placement{ServiceCores: n, LoadCores: n}
	}
	services, load, command := false, false, false
	for _, t := range e.Trials {
		services = services || slices.ContainsFunc(t.Services, func(s *spec.Service) bool { return e.HostOf(s.Name) == host })
		if e.LoadHost(t) == host {
			load = load || t.Load != nil || t.Command != nil && t.Command.AsLoad
			command = command || t.Command != nil && t.Command.Service == "" && t.Command.CPUSet == "" && !t.Command.AsLoad
		}
	}
	switch {
	case load && (services || len(e.Hosts) == 0):
		return Place(cores)
	case services && command:
		return split(cores, (len(cores)+1)/2)
	}
	return split(cores, len(cores))
}

// PlaceLoad says on which CPUs of their host, whose cores are given, the load or the command of a trial runs, and how many these are. They
// are not known where whoever gives them chooses.
func (e *Experiment) PlaceLoad(t *Trial, cores [][]int) (cpus string, n int) {
	at := e.Place(e.LoadHost(t), cores)
	cpus, n = at.Load, at.LoadCores
	switch c := t.Command; {
	case t.Load != nil:
		cpus = cmp.Or(t.Load.CPUSet, cpus)
	case c == nil:
	case c.Service != "":
		cpus, n = at.Services, at.ServiceCores
		for _, s := range t.Services {
			if s.Name == c.Service {
				cpus = cmp.Or(s.CPUSet, cpus)
			}
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

// PlacedOtherwise says that the command of a record had another number of CPUs than it gets now, as it had in older versions; it is empty if it
// had as many, or nobody knows.
func (p *Plan) PlacedOtherwise(r *record.Record) string {
	for _, e := range p.Experiments {
		if e.Name != r.Experiment {
			continue
		}
		for _, t := range e.Trials {
			if t.Name == r.Trial && t.Key == r.Key {
				return e.placedOtherwise(t, r.Facts)
			}
		}
	}
	return ""
}

func (e *Experiment) placedOtherwise(t *Trial, facts map[string]string) string {
	logical, physical := 0, 0
	_, err := fmt.Sscanf(facts[FactCores], "%d logical, %d physical", &logical, &physical)
	if t.Command == nil || !e.Engine.Can(spec.NamedCPUs) || len(e.Hosts) > 0 || facts[FactAdapted] != "" || err != nil ||
		physical < 1 || logical%physical != 0 || logical > spec.MaxCPU {
		return ""
	}
	fact := FactLoadPlace
	if t.Command.Service != "" {
		fact = FactServicesPlace
	}
	then, ok := spec.ParseCPUSet(facts[fact])
	if !ok {
		return "" // services of several sets
	}
	cores := make([][]int, physical) // which of them are siblings makes no difference to how many there are
	for cpu := range logical {
		cores[cpu%physical] = append(cores[cpu%physical], cpu)
	}
	_, now := e.PlaceLoad(t, cores)
	if now == len(then) {
		return ""
	}
	return fmt.Sprintf("the command had %s of %d, and has %d now", cpusInWords(len(then)), logical, now)
}

func cpusInWords(n int) string {
	if n == 1 {
		return "1 CPU"
	}
	return fmt.Sprintf("%d CPUs", n)
}

// The facts of records about placement: on which CPUs services and the load or command ran, how many CPUs there were, and what ran on others
// than the article says.
const (
	FactServicesPlace = "placement.services"
	FactLoadPlace     = "placement.load"
	FactAdapted       = "placement.adapted"
	FactCores         = "host.cores"
)

// checkCPUSet reports a cpuset that is none.
func (p *planner) checkCPUSet(t source.Text) {
	if t.IsZero() || strings.Contains(t.Value, "${{") {
		return
	}
	if _, ok := spec.ParseCPUSet(t.Value); !ok {
		p.problems.Add("wrong-value", t.Pos, "%q is no set of CPUs", t.Value).
			Hint = "write numbers and ranges, such as 0-2,5"
	}
}

// A Machine gives the logical CPUs of each physical core of a host by its name, which is empty for this machine; none if they are not
// known.
type Machine func(host string) [][]int

// hostWords names a host for people.
func hostWords(host string) string {
	if host == "" {
		return "this machine"
	}
	return fmt.Sprintf("host %q", host)
}

// CheckCPUs reports every cpuset of the experiment that has a CPU which its machine does not, with a substitute, and every limit that is
// more than all of its CPUs, which no engine takes.
func (e *Experiment) CheckCPUs(machine Machine, problems *source.Problems) {
	if !e.Engine.Can(spec.NamedCPUs) {
		return // which has no CPUs by their numbers
	}
	check := func(t source.Text, host string, substitute func(Placement) string) {
		cores := machine(host)
		all := slices.Concat(cores...)
		if cpu, ok := foreignCPU(t.Value, all); ok && len(all) > 0 {
			problems.Add("no-such-cpu", t.Pos, "%s has no CPU %d; its CPUs are %s", hostWords(host), cpu, spec.CPUSet(all)).
				Hint = fmt.Sprintf("write %q, or remove cpuset; --adapt takes it for this run", substitute(e.Place(host, cores)))
		}
	}
	for _, t := range e.Trials {
		for _, s := range t.Services {
			check(t.places.cpuset(&s.CPUSet), e.HostOf(s.Name), Placement.services)
			if all := len(slices.Concat(machine(e.HostOf(s.Name))...)); all > 0 && s.CPUs > float64(all) {
				problems.Add("no-such-cpu", t.places.cpus[s].Pos, "%s has %d CPUs, and service %q may use %s", hostWords(e.HostOf(s.Name)), all, s.Name, t.places.cpus[s].Value).
					Hint = fmt.Sprintf("write %d at most, or remove cpus", all)
			}
		}
		if t.Load != nil {
			check(t.places.cpuset(&t.Load.CPUSet), e.LoadHost(t), Placement.load)
		}
		if t.Command != nil {
			check(t.places.cpuset(&t.Command.CPUSet), e.LoadHost(t), Placement.load)
		}
	}
}

func (p Placement) services() string { return p.Services }
func (p Placement) load() string     { return p.Load }

// Adapt puts everything that asks for a CPU which its machine does not have on the substitute that CheckCPUs names, and notes it
// in the trials. Their definitions and keys stay those of the article.
func (e *Experiment) Adapt(machine Machine) {
	if !e.Engine.Can(spec.NamedCPUs) {
		return // see CheckCPUs
	}
	var adapt []func() // when all of it is noted: the A/A pair shares its services
	for _, t := range e.Trials {
		note := func(what, host string, set *string, substitute func(Placement) string) {
			cores, written := machine(host), t.places.cpuset(set).Value
			if _, ok := foreignCPU(written, slices.Concat(cores...)); ok && len(cores) > 0 {
				instead := substitute(e.Place(host, cores))
				t.Adapted = append(t.Adapted, fmt.Sprintf("%s on %s instead of %s", what, instead, written))
				adapt = append(adapt, func() { *set = instead; delete(t.places.cpusets, set) })
			}
		}
		for _, s := range t.Services {
			note(s.Name, e.HostOf(s.Name), &s.CPUSet, Placement.services)
		}
		if t.Load != nil {
			note(loadName, e.LoadHost(t), &t.Load.CPUSet, Placement.load)
		}
		if t.Command != nil {
			note("command", e.LoadHost(t), &t.Command.CPUSet, Placement.load)
		}
	}
	for _, do := range adapt {
		do()
	}
}

// foreignCPU finds a CPU of a set that is none of a machine's.
func foreignCPU(set string, machine []int) (int, bool) {
	cpus, ok := spec.ParseCPUSet(set)
	if !ok {
		return 0, false
	}
	i := slices.IndexFunc(cpus, func(cpu int) bool { return !slices.Contains(machine, cpu) })
	if i < 0 {
		return 0, false
	}
	return cpus[i], true
}
