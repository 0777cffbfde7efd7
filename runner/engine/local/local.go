// Package local runs services as processes of this machine, without containers, images, or the rights of root.
//
// A service is a process that is bound to its CPUs, in a folder of its own that is removed with it. It sees the files and
// the network of this machine, so no two services have the same port; our own programs find the others by a file of
// names. All processes that it starts end with its first one, also those that let go of it, and the first one ends with
// this process. What a killed run leaves is found by a variable that all processes have.
package local

import "benchbook/runner/engine"

// Name is the word for the engine.
const Name = "local"

// unavailableError says in one sentence that processes cannot be had here, and what to do.
type unavailableError struct{ reason string }

func (e *unavailableError) Error() string { return "the engine local is not available: " + e.reason }

// Is makes the error an engine.ErrUnavailable.
func (e *unavailableError) Is(target error) bool { return target == engine.ErrUnavailable }

// Options are the folder and the environment of an engine. The zero value is usual.
type Options struct {
	// Folder is where files of services are kept until they are removed; empty: TMPDIR, or /var/tmp.
	Folder string
	// Environment is KEY=value for all processes; nil: PATH and HOME of this process.
	Environment []string
}
