// Package local runs trials as processes of this machine, without containers, images, or the rights of root.
//
// What always holds: a service is a process that is bound to its CPUs, in a folder of its own that is removed with it.
// It sees the files and the network of this machine, so no two services have the same port; our own programs find the
// others by a file of names. The processes that it starts stay below its first one, even if they let go of it, and end
// with it; and that one ends with us. What a killed run leaves is found by a variable that all processes have.
//
// A process becomes what it was started for in two steps: this program is started again, prepares itself, and becomes
// the program that was asked for. So main has to call BecomeProgram before anything else.
package local

import "benchbook/runner/engine"

// Name is the word for the engine.
const Name = "local"

// unavailableError says in one sentence that processes cannot be had here, and what to do.
type unavailableError struct{ reason string }

func (e *unavailableError) Error() string { return "the engine local is not available: " + e.reason }

// Is makes the error an engine.ErrUnavailable.
func (e *unavailableError) Is(target error) bool { return target == engine.ErrUnavailable }

// Options say where an engine has its files, and what its processes are given. The zero value is usual.
type Options struct {
	// Folder is where files of services are kept until they are removed. Empty means TMPDIR, or /var/tmp if that is not
	// set.
	Folder string
	// Environment is KEY=value of what all processes get; nil: PATH and HOME of this process.
	Environment []string
}
