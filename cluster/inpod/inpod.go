// Package inpod is benchbook-pod, the program that every pod has in a volume of its own: what an API server has no
// request for is done by running it inside a container.
package inpod

import (
	"time"

	"github.com/docker/go-units"

	"benchbook/runner/engine"
)

// Name is the name of the program.
const Name = "benchbook-pod"

// Words that the program is called with. Words with an argument take it as JSON.
const (
	Fill    = "fill"    // fill volumes, by a Filling
	Do      = "do"      // become the command of a Deed
	Signal  = "signal"  // send the first process of the container a signal, given by its name
	Meter   = "meter"   // answer each Question, a line of standard input, with a Reading
	Probe   = "probe"   // try whether a Port is ready
	Resolve = "resolve" // wait until names resolve as a Resolution says
)

// Deed is a command to become.
type Deed struct {
	Args        []string       // looked up by PATH
	Environment []string       // KEY=value, in addition to the container's
	WorkingDir  string         // empty: the container's
	Ulimits     []units.Ulimit // -1 is no limit
	Stdin       bool           // standard input is read whole before: a node that cannot pass it on never reports the end
}

// Filling is what volumes begin with.
type Filling struct {
	Copies []Copy
	Modes  []Mode
}

// Copy copies a file, or the content of a folder, with owners and modes. A folder that does not exist is not copied, and
// none is copied into one that has something in it.
type Copy struct{ From, To string }

// Mode sets the permissions and the owner of a folder; -1 keeps the owner.
type Mode struct {
	Path     string
	Mode     uint32 // with the sticky bit as chmod writes it
	UID, GID int
}

// Resolution is a name with an address that it resolves to, and others that it no longer does.
type Resolution struct {
	Name, Address string
	Gone          []string
}

// Port is a port of a service, and a path there if it is to answer over HTTP.
type Port struct {
	Address, Service string
	Port             int
	Path             string
}

// Question is what a Reading is to have.
type Question struct {
	engine.Detail
	CPUs bool
	OOM  bool
}

// Reading is an answer of the meter. Its Usage excludes the meter itself, and At is by the clock of the node.
type Reading struct {
	engine.Usage
	Error         string `json:",omitempty"`
	CPUs, AllCPUs string `json:",omitempty"` // that the container may use, and of the node, as the kernel writes them
	OOMKills      int64  `json:",omitempty"` // processes of the container that were killed for lack of memory
}

// resolveEvery is how long Resolve waits between two questions.
const resolveEvery = 20 * time.Millisecond
