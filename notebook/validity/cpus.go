package validity

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// A repetition is a record with its decoded definition, which is empty if it cannot be read.
type repetition struct {
	*record.Record
	definition spec.Definition
}

// repetitionsOf decodes the definitions of records, once for successive records with the same one.
func repetitionsOf(records []*record.Record) []repetition {
	out := make([]repetition, len(records))
	for i, r := range records {
		out[i].Record = r
		if i > 0 && bytes.Equal(r.Definition, records[i-1].Definition) {
			out[i].definition = out[i-1].definition
		} else if json.Unmarshal(r.Definition, &out[i].definition) != nil {
			out[i].definition = spec.Definition{}
		}
	}
	return out
}

// The facts of records about CPUs.
const (
	factServices = "placement.services" // CPUs of all services, or "NAME CPUS" for each, separated by "; "
	factLoad     = "placement.load"
	factSiblings = "host.siblings" // the CPUs of each physical core with several, separated by "; ", or "none"
	factCores    = "host.cores"    // "8 logical, 4 physical"
)

// A placedService is a service and the CPUs that it ran on.
type placedService struct {
	name  string
	host  string  // a node of a cluster; empty for the machine that started the run
	cpus  []int   // sorted; none if unknown
	limit float64 // how many of these cores it may use; 0 for all
}

// cores returns how many cores the service could keep busy; 0 if unknown.
func (s placedService) cores() float64 {
	if s.limit > 0 && (len(s.cpus) == 0 || s.limit < float64(len(s.cpus))) {
		return s.limit
	}
	return float64(len(s.cpus))
}

// services returns the services and the CPUs that they ran on: those in the fact, if the machine lacked the CPUs that
// the article asks for or the engine chose others.
func (r repetition) services() []placedService {
	all, each := r.Facts[factServices], map[string]string{}
	for part := range strings.SplitSeq(all, "; ") {
		if name, set, ok := strings.Cut(part, " "); ok {
			all, each[name] = "", set
		}
	}
	return slice.Map(r.definition.Services, func(s *spec.Service) placedService {
		cpus, _ := spec.ParseCPUSet(cmp.Or(each[s.Name], all, s.CPUSet))
		slices.Sort(cpus)
		return placedService{s.Name, r.definition.Hosts[s.Name], slices.Compact(cpus), s.CPUs}
	})
}

// loadHost returns the node that the load came from; empty for the machine that started the run.
func (r repetition) loadHost() string { return r.definition.Hosts["load"] }

// servicesNearLoad returns the services on the load's machine. CPUs of other machines have the same numbers.
func (r repetition) servicesNearLoad() []placedService {
	return slice.Filter(r.services(), func(s placedService) bool { return s.host == r.loadHost() })
}

// sharedCPUs says which logical CPUs the load generator shared with services; empty if none.
//
// Source: docs/method.md#quantities-checked.
func (r repetition) sharedCPUs() string {
	own, _ := spec.ParseCPUSet(r.Facts[factLoad])
	var cpus []int
	var names []string
	for _, s := range r.servicesNearLoad() {
		if shared := slice.Filter(s.cpus, func(cpu int) bool { return slices.Contains(own, cpu) }); len(shared) > 0 {
			cpus, names = slice.Add(cpus, shared...), append(names, s.name)
		}
	}
	if len(cpus) == 0 {
		return ""
	}
	slices.Sort(cpus)
	slices.Sort(names)
	numbers := strings.Join(slice.Map(cpus, func(cpu int) string { return fmt.Sprint(cpu) }), ", ")
	noun := "CPUs "
	if len(cpus) == 1 {
		noun = "CPU "
	}
	return "load generator shares " + noun + numbers + " with " + strings.Join(slices.Compact(names), ", ")
}

// SharedCores checks whether the load generator and a service ran on threads of one physical core. One result is for
// all records of an experiment, since it is the same in all repetitions. It is false without a load.
//
// Source: docs/method.md#quantities-checked.
func SharedCores(records []*record.Record) (worst CheckResult, ok bool) {
	worst = CheckResult{Name: "SMT siblings", Level: NotChecked, Words: notRecorded}
	for _, r := range repetitionsOf(records) {
		if !isLoad(r) {
			continue
		}
		ok = true
		words, known := r.siblingCPUs()
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

// siblingCPUs says which CPU of the load generator and which other CPU of a service are threads of one physical core;
// empty if none are. It is not known in older records.
func (r repetition) siblingCPUs() (words string, known bool) {
	prefix := ""
	if host := r.loadHost(); host != "" {
		prefix = "hosts." + host + "."
	}
	var logical, physical int
	siblings := r.Facts[prefix+factSiblings]
	if _, err := fmt.Sscanf(r.Facts[prefix+factCores], "%d logical, %d physical", &logical, &physical); err == nil &&
		logical == physical {
		siblings = "none"
	}
	own, ok := spec.ParseCPUSet(r.Facts[factLoad])
	if siblings == "" || !ok || len(r.definition.Services) == 0 {
		return "", false
	}
	if siblings == "none" {
		return "", true
	}
	for core := range strings.SplitSeq(siblings, "; ") {
		threads, _ := spec.ParseCPUSet(core)
		mine, ok := slice.Find(own, func(cpu int) bool { return slices.Contains(threads, cpu) })
		if !ok {
			continue
		}
		for _, s := range r.servicesNearLoad() {
			isSibling := func(cpu int) bool { return slices.Contains(threads, cpu) && !slices.Contains(own, cpu) }
			if cpu, ok := slice.Find(s.cpus, isSibling); ok {
				return fmt.Sprintf("CPU %d of the load generator and CPU %d of %s are threads of one physical core", mine, cpu,
					s.name), true
			}
		}
	}
	return "", true
}
