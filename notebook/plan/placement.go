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

// CheckCPUs reports every cpuset of the experiment that has a CPU which this machine does not, with a substitute. Cores are the
// logical CPUs of each physical core.
func (e *Experiment) CheckCPUs(cores [][]int, problems *article.Problems) {
	all, place := slices.Concat(cores...), Place(cores)
	check := func(t article.Text, substitute string) {
		cpus, ok := ParseCPUSet(t.Value)
		if t.IsZero() || !ok {
			return
		}
		for _, cpu := range cpus {
			if !slices.Contains(all, cpu) {
				problems.Add("no-such-cpu", t.Pos, "this machine has no CPU %d; its CPUs are %s", cpu, cpuset(all)).
					Hint = fmt.Sprintf("write %q, or remove cpuset", substitute)
				return
			}
		}
	}
	for _, t := range e.Trials {
		for _, s := range t.Services {
			check(s.cpuset, place.Services)
		}
		if t.Load != nil {
			check(t.Load.cpuset, place.Load)
		}
	}
}
