// Package observe tells what the machine and the services do while something is measured.
//
// A Sampler reads the usage of services and of the machine beside a measurement, on a thread of its own, and turns the
// readings into samples and facts of a record. Nothing here knows how a plan is carried
// out.
package observe

import (
	"strings"

	"benchbook/runner/engine"
)

// LinkSuffix follows the name of a service in that of the relay before it. No service has a dot in its name.
const LinkSuffix = ".link"

// ServiceOf is the service that a container belongs to: replicas have numbers behind a dot, a link is one of its own.
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

// Name is the name of records and messages, not that of the engine.
func (r Renamed) Name() string { return r.As }

// EngineRunning is the container as its engine gave it, which may tell more about it than engine.Running has.
func EngineRunning(r engine.Container) engine.Container {
	if renamed, ok := r.(Renamed); ok {
		return renamed.Running
	}
	return r
}
