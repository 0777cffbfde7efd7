// Package local runs trials as processes of this machine, without containers and without images.
//
// What always holds: a service sees the files of this machine under a private layer, in which everything that it
// writes, and everything that is put there for it, is thrown away with it; /tmp, /var/tmp and /run are its own and
// empty. It has namespaces of its own for mounts, processes, names of the machine, and network. A space is a bridge in
// a network namespace of its own, without a way out; services find each other by a hosts file. What they use is read,
// and bounded, by a control group of each. Ending the first process of a service ends all of its processes, by the
// kernel, and the end of ours ends all that we have started.
//
// All of this is the kernel's, so that package local needs Linux, root, and nothing that would have to be installed.
// Less of it would be of little use: without a network of its own, every service of an experiment would have to be told
// by its author which address to take, and without a private layer what one repetition wrote would be there for the
// next.
//
// A process becomes what it was started for in two steps: this program is started again in the new namespaces, reads an
// order, makes the surroundings, and becomes the program that was asked for. So main has to call BecomeProgram before
// anything else.
package local

import "benchbook/runner/engine"

// Name is the word for the engine.
const Name = "local"

// unavailableError says in one sentence that processes cannot be had here, and what to do.
type unavailableError struct{ reason string }

func (e *unavailableError) Error() string { return "the engine local is not available: " + e.reason }

// Is makes the error an engine.ErrUnavailable.
func (e *unavailableError) Is(target error) bool { return target == engine.ErrUnavailable }

// Options say where an engine has its files. The zero value takes the usual place.
type Options struct {
	// Folder is where what processes write is kept until they are removed, on a file system of a disk or of memory. Empty
	// means TMPDIR, or /var/tmp if that is not set.
	Folder string
}
