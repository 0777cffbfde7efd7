// Package local runs services as processes of this machine, without containers, images, or root.
//
// A service is a process that is bound to its CPUs and has its own folder, which is removed with it. It sees the files
// and the network of this machine, so no two services can use the same port. Our own programs find services by a
// variable that lists their names. When the first process of a service ends, all its descendants are killed, even
// daemons, and the first process ends with this process. Sweep finds leftovers of a killed run by a variable that all
// processes have.
package local

import "benchbook/runner/engine"

// Name is the name of the engine.
const Name = "local"

// unavailableError says in one sentence why the engine is not available, and what to do.
type unavailableError struct{ reason string }

func (e *unavailableError) Error() string { return "the engine local is not available: " + e.reason }

// Is makes the error an engine.ErrUnavailable.
func (e *unavailableError) Is(target error) bool { return target == engine.ErrUnavailable }

// Options configure an engine. The zero value has the usual settings.
type Options struct {
	// Folder holds the files of services while they exist; empty: TMPDIR, or /var/tmp.
	Folder string
	// Environment is the KEY=value environment of all processes; nil: PATH and HOME of this process.
	Environment []string
}
