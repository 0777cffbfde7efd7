package observe

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"benchbook/notebook/plan"
	"benchbook/runner/engine"
)

// FactLoadIn is the fact that names the service whose network the load was in.
const FactLoadIn = "network.load"

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

// NoteLoadCPUs notes on which CPUs the load runs, likewise.
func (s *Sampler) NoteLoadCPUs(ctx context.Context, r engine.Container) {
	placed, ok := r.(engine.Placed)
	if !ok {
		return
	}
	if set, err := placed.CPUs(ctx); err == nil && set != "" {
		s.mu.Lock()
		s.facts[plan.FactLoadPlace] = set
		s.mu.Unlock()
	}
}
