package validity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
)

// full is the share above which a resource limits a cell.
const full = 0.85

// Resource is something that a cell can use up.
type Resource struct {
	Name  string  // "CPU of server", "busiest thread of server", "load generator", "connections"
	Share float64 // in use, 1 for all of it; the median over repetitions
}

// Limit is the resource that limited a cell.
type Limit struct {
	By        string     // its name; empty if no resource was in use by more than 85 %
	Resources []Resource // all sampled ones, the fullest first, connections last
}

// connections is the name of a resource that every closed loop fills.
const connections = "connections"

// LimitedBy returns the resource that the cell used up. A closed loop always fills its connections unless its clients
// think, so they are named only if no processor is full: then more connections would have had more answers. A service
// of one thread on several cores is full if that thread is. Commands have no resources.
//
// Source: docs/method.md#limiting-resource.
func (r *Report) LimitedBy() Limit { return LimitOf(r.ValidFor("")...) }

// LimitOf returns the resource that repetitions used up, valid or not.
func LimitOf(records ...*record.Record) Limit {
	shares := map[string][]float64{}
	for _, r := range repetitionsOf(records) {
		if !isLoad(r) {
			continue
		}
		for name, share := range r.resources() {
			shares[name] = append(shares[name], share)
		}
	}
	var l Limit
	for name, values := range shares {
		l.Resources = append(l.Resources, Resource{name, stats.Median(values)})
	}
	slices.SortFunc(l.Resources, func(a, b Resource) int {
		switch connections {
		case a.Name:
			return 1
		case b.Name:
			return -1
		}
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Name, b.Name))
	})
	if i := slices.IndexFunc(l.Resources, func(r Resource) bool { return r.Share > full }); i >= 0 {
		l.By = l.Resources[i].Name
	}
	return l
}

// resources returns which share of each resource a repetition with a load used: the CPUs that each service may use, its
// busiest thread, CPUs that services share (with a load generator on the same ones), the load generator, and the
// connections.
func (r repetition) resources() map[string]float64 {
	out := map[string]float64{}
	if r.Load.Busy >= 0 {
		out["load generator"] = r.Load.Busy
	}
	if isClosedLoop(r) {
		if shares, _ := inFlight(r.Record); len(shares) > 0 {
			thinking := float64(r.Load.Attempted) / r.Load.Window * r.Load.Think / float64(r.Load.Connections)
			out[connections] = min(1, max(0, shares[0]-thinking))
		}
	}
	together, used := map[string][]string{}, map[string]float64{} // by CPUs
	for _, s := range r.services() {
		if r.Machine != nil && s.cores() > 1 { // with one core, this is the CPU of the service
			if share, ok := r.Machine.Threads[s.name]; ok {
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
	loads, _ := spec.ParseCPUSet(r.Facts[factLoad])
	slices.Sort(loads)
	if key := fmt.Sprint(r.loadHost(), loads); len(together[key]) > 0 && r.Load.Busy > 0 {
		used[key] += r.Load.Busy / float64(len(loads))
	}
	for cpus, names := range together {
		if len(names) > 1 {
			out["CPU of "+strings.Join(names, " and ")+" together"] = used[cpus]
		}
	}
	return out
}
