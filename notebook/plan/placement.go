package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/article"
)

// Placement says which logical CPUs services and load run on, in the words of cpuset.
type Placement struct {
	Services, Load string
	ServiceCores   int // logical CPUs
	LoadCores      int // logical CPUs
}

// Place gives the load the last physical core and the services the others, of which cores has the logical CPUs in
// order. Where there is one core only, they share it. A cpuset of the article goes before it.
func Place(cores [][]int) Placement {
	if len(cores) < 2 {
		all := slices.Concat(cores...)
		n := max(1, len(all))
		return Placement{Services: cpuset(all), Load: cpuset(all), ServiceCores: n, LoadCores: n}
	}
	last, others := cores[len(cores)-1], slices.Concat(cores[:len(cores)-1]...)
	return Placement{Services: cpuset(others), Load: cpuset(last), ServiceCores: len(others), LoadCores: len(last)}
}

// cpuset writes CPUs as ranges: "0-2,5".
func cpuset(cpus []int) string {
	cpus = slices.Clone(cpus)
	slices.Sort(cpus)
	var out []string
	for i := 0; i < len(cpus); {
		j := i
		for j+1 < len(cpus) && cpus[j+1] == cpus[j]+1 {
			j++
		}
		if i == j {
			out = append(out, fmt.Sprint(cpus[i]))
		} else {
			out = append(out, fmt.Sprintf("%d-%d", cpus[i], cpus[j]))
		}
		i = j + 1
	}
	return strings.Join(out, ",")
}

// maxCPU is more than any machine has.
const maxCPU = 4096

// ParseCPUSet reads numbers and ranges of CPUs, such as "0-2,5", in the order in which they are written; false if they are none.
func ParseCPUSet(s string) ([]int, bool) {
	var out []int
	for part := range strings.SplitSeq(s, ",") {
		first, last, ranged := strings.Cut(strings.TrimSpace(part), "-")
		from, err := strconv.Atoi(first)
		to := from
		if err == nil && ranged {
			to, err = strconv.Atoi(last)
		}
		if err != nil || from < 0 || to < from || to > maxCPU {
			return nil, false
		}
		for i := from; i <= to; i++ {
			out = append(out, i)
		}
	}
	return out, true
}

// checkCPUSet reports a cpuset that is none.
func (p *planner) checkCPUSet(t article.Text) {
	if t.IsZero() || strings.Contains(t.Value, "${{") {
		return
	}
	if _, ok := ParseCPUSet(t.Value); !ok {
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

// CheckCPUs reports every cpuset of the experiment that has a CPU which its machine does not, with a substitute.
func (e *Experiment) CheckCPUs(machine Machine, problems *article.Problems) {
	if e.Engine == article.Kubernetes {
		return // which has no CPUs by their numbers
	}
	check := func(t article.Text, host string, substitute func(Placement) string) {
		cores := machine(host)
		all := slices.Concat(cores...)
		if cpu, ok := foreignCPU(t.Value, all); ok && len(all) > 0 {
			problems.Add("no-such-cpu", t.Pos, "%s has no CPU %d; its CPUs are %s", hostWords(host), cpu, cpuset(all)).
				Hint = fmt.Sprintf("write %q, or remove cpuset; --adapt takes it for this run", substitute(e.Place(host, cores)))
		}
	}
	for _, t := range e.Trials {
		for _, s := range t.Services {
			check(s.cpuset, e.HostOf(s.Name), Placement.services)
		}
		if t.Load != nil {
			check(t.Load.cpuset, e.LoadHost(t), Placement.load)
		}
	}
}

func (p Placement) services() string { return p.Services }
func (p Placement) load() string     { return p.Load }

// Adapt puts everything that asks for a CPU which its machine does not have on the substitute that CheckCPUs names, and notes it
// in the trials. Their definitions and keys stay those of the article.
func (e *Experiment) Adapt(machine Machine) {
	if e.Engine == article.Kubernetes {
		return // see CheckCPUs
	}
	var adapt []func() // when all of it is noted: the A/A pair shares its services
	for _, t := range e.Trials {
		note := func(what, host string, at *article.Text, set *string, substitute func(Placement) string) {
			cores := machine(host)
			if _, ok := foreignCPU(at.Value, slices.Concat(cores...)); ok && len(cores) > 0 {
				instead := substitute(e.Place(host, cores))
				t.Adapted = append(t.Adapted, fmt.Sprintf("%s on %s instead of %s", what, instead, at.Value))
				adapt = append(adapt, func() { *at, *set = article.Text{}, instead })
			}
		}
		for _, s := range t.Services {
			note(s.Name, e.HostOf(s.Name), &s.cpuset, &s.CPUSet, Placement.services)
		}
		if t.Load != nil {
			note(loadName, e.LoadHost(t), &t.Load.cpuset, &t.Load.CPUSet, Placement.load)
		}
	}
	for _, do := range adapt {
		do()
	}
}

// foreignCPU finds a CPU of a set that is none of a machine's.
func foreignCPU(set string, machine []int) (int, bool) {
	cpus, ok := ParseCPUSet(set)
	if !ok {
		return 0, false
	}
	i := slices.IndexFunc(cpus, func(cpu int) bool { return !slices.Contains(machine, cpu) })
	if i < 0 {
		return 0, false
	}
	return cpus[i], true
}
