package validity

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
)

// full is the share above which something limits a cell.
const full = 0.85

// Resource is something that a cell can use up, and how much of it the cell used.
type Resource struct {
	Name  string  // "CPU of server", "busiest thread of server", "load generator", "connections"
	Share float64 // 1 is all of it; the median of the valid repetitions
}

// Limit is what a cell ran up against.
type Limit struct {
	By        string     // the name of a resource; empty if none was used by more than 85 %
	Resources []Resource // all that were sampled, the fullest first, connections last; none if nothing was
}

// connections is the name of a resource that every closed loop is to fill.
const connections = "connections"

// LimitedBy says which resource the cell used up. A closed loop always keeps its connections waiting, unless its
// clients think, so they are named only where no processor is full: then more of them would have had more answers.
//
// A service of one thread on several cores is full when that thread is. Records of older versions do not tell of
// threads, and of commands nothing is known.
//
// Source: docs/method.md#limiting-resource.
func (r *Report) LimitedBy() Limit {
	l := r.limit()
	return Limit{l.By, slices.Clone(l.Resources)}
}

func (r *Report) limitedBy() Limit { return limitOf(r.ValidFor("")) }

// LimitOf says which resource one repetition used up, by the rule of Report.LimitedBy and whether it is valid or not.
func LimitOf(r *record.Record) Limit { return limitOf([]*record.Record{r}) }

func limitOf(records []*record.Record) Limit {
	var in definitions
	shares := map[string][]float64{}
	for _, r := range records {
		if r.Load == nil {
			continue
		}
		for name, share := range in.resources(r) {
			shares[name] = append(shares[name], share)
		}
	}
	var l Limit
	for name, values := range shares {
		l.Resources = append(l.Resources, Resource{name, stats.Median(values)})
	}
	slices.SortFunc(l.Resources, func(a, b Resource) int {
		if last := a.Name == connections; last != (b.Name == connections) {
			if last {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Name, b.Name))
	})
	for _, r := range l.Resources {
		if r.Share > full {
			l.By = r.Name
			break
		}
	}
	return l
}

// resources are what was sampled of one repetition with a load: each service's share of the CPUs that it may use, its
// busiest thread, the share of services that have CPUs together, with that of a generator that has the same ones, the
// load generator, and the connections.
func (in *definitions) resources(r *record.Record) map[string]float64 {
	out := map[string]float64{}
	if r.Load.Busy >= 0 {
		out["load generator"] = r.Load.Busy
	}
	if l := r.Load; isClosedLoop(r) {
		if shares, _ := inFlight(r); len(shares) > 0 {
			thinking := float64(l.Attempted) / l.Window * l.Think / float64(l.Connections)
			out[connections] = min(1, max(0, shares[0]-thinking))
		}
	}
	together, used := map[string][]string{}, map[string]float64{} // by CPUs
	services := in.services(r)
	for _, s := range services {
		if r.Machine != nil {
			if share, ok := r.Machine.Threads[s.name]; ok && s.cores() > 1 { // on one CPU it is the service
				out["busiest thread of "+s.name] = share
			}
		}
		sample, ok := r.Sample("cpu." + s.name)
		if !ok || s.cores() <= 0 {
			continue
		}
		out["CPU of "+s.name] = sample.Value / s.cores()
		if len(s.cpus) > 0 {
			key := fmt.Sprint(s.host, s.cpus)
			together[key], used[key] = append(together[key], s.name), used[key]+sample.Value/float64(len(s.cpus))
		}
	}
	// A generator that has the same CPUs takes what it needs of them.
	loads, _ := spec.ParseCPUSet(r.Facts[factLoad])
	slices.Sort(loads)
	if key := fmt.Sprint(in.loadHost(r), loads); len(together[key]) > 0 && r.Load.Busy > 0 {
		used[key] += r.Load.Busy / float64(len(loads))
	}
	for cpus, names := range together {
		if len(names) > 1 {
			out["CPU of "+strings.Join(names, " and ")+" together"] = used[cpus]
		}
	}
	return out
}

// A placedService is a service and the CPUs that it ran on.
type placedService struct {
	name  string
	host  string  // of the project; empty: the machine that the run was started on
	cpus  []int   // sorted; none if the record does not tell
	limit float64 // cores that it may use of them; 0 for all
}

// cores are how many the service could have kept busy; 0 if that is not known.
func (s placedService) cores() float64 {
	if s.limit > 0 && (len(s.cpus) == 0 || s.limit < float64(len(s.cpus))) {
		return s.limit
	}
	return float64(len(s.cpus))
}

// The facts of records about CPUs.
const (
	factServices = "placement.services" // of all services, or for each "NAME CPUS", divided by "; "
	factLoad     = "placement.load"
	factSiblings = "host.siblings" // the CPUs of each physical core that has several, divided by "; ", or "none"
	factCores    = "host.cores"    // "8 logical, 4 physical"
)

// definitions reads the definitions of records. It remembers the last, which all repetitions of a cell have in
// common. The zero value has read none.
type definitions struct {
	last json.RawMessage
	read spec.Definition
}

// definition is that of a record, which must not be changed.
func (in *definitions) definition(r *record.Record) spec.Definition {
	if in.last == nil || !bytes.Equal(in.last, r.Definition) {
		in.last, in.read = r.Definition, spec.Definition{}
		if len(r.Definition) > 0 && json.Unmarshal(r.Definition, &in.read) != nil {
			in.read = spec.Definition{} // from before it had this form
		}
	}
	return in.read
}

// services are those of a repetition, with where they ran.
func (in *definitions) services(r *record.Record) []placedService {
	definition := in.definition(r)
	all, each := r.Facts[factServices], map[string]string{}
	for part := range strings.SplitSeq(all, "; ") {
		if name, set, ok := strings.Cut(part, " "); ok {
			all, each[name] = "", set
		}
	}
	var out []placedService
	for _, s := range definition.Services {
		p := placedService{name: s.Name, host: definition.Hosts[s.Name], limit: s.CPUs}
		// Where the machine had no such CPUs, or its engine has chosen others, the fact says so.
		p.cpus, _ = spec.ParseCPUSet(cmp.Or(each[s.Name], all, s.CPUSet))
		slices.Sort(p.cpus)
		p.cpus = slices.Compact(p.cpus)
		out = append(out, p)
	}
	return out
}

// loadHost is the host that the load was put on from; empty: the machine that the run was started on.
func (in *definitions) loadHost(r *record.Record) string { return in.definition(r).Hosts["load"] }

// besideLoad are the services that ran on the machine of the load: CPUs of others have the same numbers, and nothing
// to do with it.
func (in *definitions) besideLoad(r *record.Record) []placedService {
	host := in.loadHost(r)
	return slices.DeleteFunc(in.services(r), func(s placedService) bool { return s.host != host })
}

// factOfLoad is a fact about the machine of the load.
func (in *definitions) factOfLoad(r *record.Record, fact string) string {
	if host := in.loadHost(r); host != "" {
		fact = "hosts." + host + "." + fact
	}
	return r.Facts[fact]
}

// sharedCPUs says which logical CPUs the load generator had to share with services; empty if none.
//
// Source: docs/method.md#quantities-checked.
func (in *definitions) sharedCPUs(r *record.Record) string {
	own, _ := spec.ParseCPUSet(r.Facts[factLoad])
	shared := map[int][]string{}
	for _, s := range in.besideLoad(r) {
		for _, cpu := range s.cpus {
			if slices.Contains(own, cpu) {
				shared[cpu] = append(shared[cpu], s.name)
			}
		}
	}
	if len(shared) == 0 {
		return ""
	}
	var names []string
	for _, list := range shared {
		names = append(names, list...)
	}
	slices.Sort(names)
	return fmt.Sprintf("load generator shares %s with %s", cpuNames(slices.Collect(maps.Keys(shared))),
		strings.Join(slices.Compact(names), ", "))
}

func cpuNames(cpus []int) string {
	slices.Sort(cpus)
	if len(cpus) == 1 {
		return fmt.Sprintf("CPU %d", cpus[0])
	}
	words := slice.Map(cpus, func(cpu int) string { return fmt.Sprint(cpu) })
	return "CPUs " + strings.Join(words, ", ")
}

// SharedCores is what is checked once for all records of an experiment, since it is the same in all of its
// repetitions: whether the load generator and a service were threads of one physical core. It is false without a
// load.
//
// Source: docs/method.md#quantities-checked.
func SharedCores(records []*record.Record) (worst CheckResult, ok bool) {
	worst = CheckResult{Name: "SMT siblings", Level: NotChecked, Words: untold}
	var in definitions
	for _, r := range records {
		if r.Load == nil {
			continue
		}
		ok = true
		words, known := in.siblingCPUs(r)
		switch {
		case known && words != "":
			worst.Level, worst.Words = Warn, words
			return worst, true
		case known:
			worst.Level, worst.Words = OK, "load generator and services share no physical core"
		}
	}
	return worst, ok
}

// siblingCPUs says which CPUs of the load generator are threads of a physical core on which services run as well,
// beside those that are the same; it is not known of older records.
func (in *definitions) siblingCPUs(r *record.Record) (words string, known bool) {
	var logical, physical int
	siblings := in.factOfLoad(r, factSiblings)
	if _, err := fmt.Sscanf(in.factOfLoad(r, factCores), "%d logical, %d physical", &logical, &physical); err == nil &&
		logical == physical {
		siblings = "none"
	}
	own, ok := spec.ParseCPUSet(r.Facts[factLoad])
	services := in.besideLoad(r)
	if siblings == "" || !ok || len(in.services(r)) == 0 {
		return "", false
	}
	if siblings == "none" || len(services) == 0 {
		return "", true
	}
	for core := range strings.SplitSeq(siblings, "; ") {
		threads, _ := spec.ParseCPUSet(core)
		for _, s := range services {
			for _, cpu := range s.cpus {
				i := slices.IndexFunc(own, func(mine int) bool { return slices.Contains(threads, mine) })
				if i >= 0 && slices.Contains(threads, cpu) && !slices.Contains(own, cpu) {
					return fmt.Sprintf("CPU %d of the load generator and CPU %d of %s are threads of one physical core", own[i], cpu,
						s.name), true
				}
			}
		}
	}
	return "", true
}
