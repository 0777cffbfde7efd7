// Package inpod implements benchbook-pod, the program that every pod has in a volume. Running it inside a container
// does what the API server cannot.
package inpod

import (
	"time"

	"github.com/docker/go-units"

	"benchbook/runner/engine"
)

// Name is the name of the program.
const Name = "benchbook-pod"

// Subcommands of the program. Arguments are JSON, except for Signal.
const (
	Fill    = "fill"    // fill volumes as a Filling says
	Do      = "do"      // exec the command of a Deed
	Signal  = "signal"  // send the named signal to the first process of the container
	Meter   = "meter"   // answer each Question, a line of standard input, with a Reading
	Probe   = "probe"   // check once whether a Port is ready
	Resolve = "resolve" // wait until names resolve as a list of Resolution says
)

// Deed is a command to exec.
type Deed struct {
	Args        []string       // the program is looked up in PATH
	Environment []string       // KEY=value, in addition to the container's
	WorkingDir  string         // empty: the container's
	Ulimits     []units.Ulimit // -1: no limit
	Stdin       bool           // read all of standard input first, else a node that cannot pass it on may hang
}

// Filling is the initial content of volumes.
type Filling struct {
	Copies []Copy
	Modes  []Mode
}

// Copy copies a file or the contents of a folder, with owners and modes. It does nothing if From does not exist, or is
// a folder and To is not empty.
type Copy struct{ From, To string }

// Mode sets the permissions and owner of a folder; -1 keeps the owner.
type Mode struct {
	Path     string
	Mode     uint32 // as in chmod, with the sticky bit
	UID, GID int
}

// Resolution is a name with an address that it must resolve to, and addresses that it no longer may.
type Resolution struct {
	Name, Address string
	Gone          []string
}

// Port is a port of a service to probe, over HTTP if it has a Path.
type Port struct {
	Address, Service string
	Port             int
	Path             string
}

// Question selects the contents of a Reading.
type Question struct {
	engine.Detail
	CPUs bool
	OOM  bool
}

// Reading is an answer of the meter. Usage excludes the meter itself, and At is in the node's clock.
type Reading struct {
	engine.Usage
	Error         string `json:",omitempty"`
	CPUs, AllCPUs string `json:",omitempty"` // of the container and of the node, in the kernel's format
	OOMKills      int64  `json:",omitempty"` // number of processes killed for lack of memory
}

// resolveEvery is the interval between lookups of Resolve.
const resolveEvery = 20 * time.Millisecond
