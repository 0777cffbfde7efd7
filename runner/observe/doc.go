// Package observe reads what services and machines do while something is measured.
//
// A Sampler reads the usage of services and of this machine during a measurement, on a thread of its own. A Window of
// that time gets samples and facts of a record.
package observe

import (
	"cmp"
	"slices"
	"strings"

	"benchbook/runner/engine"
)

// LinkSuffix follows the name of a service in the name of the relay before it. No service has a dot in its name.
const LinkSuffix = ".link"

// ServiceOf returns the service that a container belongs to, from its name: replicas have numbers behind a dot. A link
// is a service of its own.
func ServiceOf(container string) string {
	if i := strings.LastIndexByte(container, '.'); i >= 0 && strings.Trim(container[i+1:], "0123456789") == "" {
		return container[:i]
	}
	return container
}

// Renamed is a container under the name that records and messages have for it.
type Renamed struct {
	engine.Container
	As string
}

// Name returns the name in records and messages, instead of the engine's.
func (r Renamed) Name() string { return r.As }

// PlaceWords returns the set of CPUs that all services have, or each service with its own; empty without services. An
// empty set means all CPUs.
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
