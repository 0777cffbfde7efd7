package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"benchbook/notebook/plan"
	"benchbook/runner/engine"
	"benchbook/slice"
)

// The facts about networks.
const (
	FactPath   = "network.path"   // how packets leave services
	FactListen = "network.listen" // the bounds of connections that wait to be accepted by them
	FactLoadIn = "network.load"   // the service whose network the load was in
)

// noteNetworks notes what the networks of services are like: once for all of them where they are alike. What could not
// be read is noted too, and why: a record without these facts would not say whether anybody had looked.
func (s *Sampler) noteNetworks(ctx context.Context) {
	paths, limits := map[string]string{}, map[string]string{}
	for _, w := range s.watched {
		c := w.containers[0] // the others of a service that is scaled have the same
		if c.networked == nil {
			paths[w.name], limits[w.name] = unreadByEngine, unreadByEngine
			continue
		}
		network, err := c.networked.Network(ctx)
		if err != nil {
			paths[w.name] = unread(err)
			limits[w.name] = paths[w.name]
			continue
		}
		paths[w.name] = pathWords(network)
		var words []string
		for _, name := range slices.Sorted(maps.Keys(network.Limits)) {
			words = append(words, name+" "+network.Limits[name])
		}
		limits[w.name] = strings.Join(words, ", ")
	}
	for fact, values := range map[string]map[string]string{FactPath: paths, FactListen: limits} {
		if words := sharedOrEach(values); words != "" {
			s.facts[fact] = words
		}
	}
}

// unreadByEngine stands for a fact that an engine has no way to tell.
const unreadByEngine = "not read: the engine does not report it"

// unread stands for a fact that could not be read. Of the error it has the cause alone: what was being done names
// processes.
func unread(err error) string {
	if errors.Is(err, os.ErrPermission) {
		return "not read: it takes root"
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return "not read: " + err.Error()
}

// pathWords is a network in words: "veth on a bridge, MTU 1500, gso tso".
func pathWords(n engine.Network) string {
	words := []string{n.Path}
	if n.MTU > 0 {
		words = append(words, fmt.Sprintf("MTU %d", n.MTU))
	}
	words = append(words, strings.Join(n.Offloads, " "))
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), ", ")
}

// noteCPUs notes on which CPUs services run, where their engine has chosen these, in the place of those that were asked
// for.
func (s *Sampler) noteCPUs(ctx context.Context) {
	var names, sets []string
	for _, w := range s.watched {
		if strings.HasSuffix(w.name, LinkSuffix) {
			continue // it is none of the services
		}
		var cpus []string
		for _, c := range w.containers {
			if c.placed == nil {
				return
			}
			set, err := c.placed.CPUs(ctx)
			if err != nil || set == "" {
				return // what was asked for is all that is known
			}
			cpus = append(cpus, set)
		}
		slices.Sort(cpus)
		names, sets = append(names, w.name), append(sets, strings.Join(slices.Compact(cpus), ","))
	}
	if len(names) > 0 {
		s.facts[plan.FactServicesPlace] = PlaceWords(names, sets)
	}
}

// PlaceWords is the set of CPUs that all services have, or each service with its own; empty if there is no service. All
// CPUs of a machine are an empty set.
func PlaceWords(names, sets []string) string {
	different := slices.Clone(sets)
	slices.Sort(different)
	if different = slices.Compact(different); len(different) <= 1 {
		return strings.Join(different, "")
	}
	var each []string
	for i, name := range names {
		each = append(each, name+" "+cmp.Or(sets[i], "all"))
	}
	return strings.Join(each, "; ")
}

// NoteLoadCPUs notes on which CPUs the load runs, likewise: those of all its generators.
func (s *Sampler) NoteLoadCPUs(ctx context.Context, r engine.Running) {
	placed, ok := r.(engine.Placed)
	if !ok {
		return
	}
	if set, err := placed.CPUs(ctx); err == nil && set != "" {
		s.mu.Lock()
		sets := slices.DeleteFunc(append(strings.Split(s.facts[plan.FactLoadPlace], ","), strings.Split(set, ",")...),
			func(s string) bool { return s == "" })
		slices.Sort(sets)
		s.facts[plan.FactLoadPlace] = strings.Join(slices.Compact(sets), ",")
		s.mu.Unlock()
	}
}

// sharedOrEach is a value that all names share, or each name with its own.
func sharedOrEach(values map[string]string) string {
	var each, different []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		each = append(each, name+": "+values[name])
		different = slice.Add(different, values[name])
	}
	if len(different) == 1 {
		return different[0]
	}
	return strings.Join(each, "; ")
}
