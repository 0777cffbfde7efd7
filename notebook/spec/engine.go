package spec

import "slices"

// Engine is the name of an engine, in articles, records and messages.
type Engine string

// The engines.
const (
	Docker     Engine = "docker"
	Local      Engine = "local" // processes on this machine
	Kubernetes Engine = "kubernetes"

	// DefaultEngine is the engine of projects that name none. It also builds what other engines cannot.
	DefaultEngine = Docker
)

// Capability is something that only some engines can do.
type Capability string

// The capabilities that engines differ in. Plans and runs check these, never the name of an engine.
const (
	Builds           Capability = "builds"            // builds images from Dockerfiles
	Containers       Capability = "containers"        // gives a service its own files, network, user and limits
	Machine          Capability = "machine"           // runs programs of the machine as they are
	OneName          Capability = "one name"          // finds several instances of a service under one name
	Keeping          Capability = "keeping"           // keeps services after the process that started them
	KernelSettings   Capability = "kernel settings"   // gives a service its own kernel settings, beyond its network
	SecurityProfiles Capability = "security profiles" // can turn off the default security profiles of a service
	Threads          Capability = "threads"           // knows the processor time of single threads
	PIDLimit         Capability = "PID limit"         // can limit the processes and threads of a service
	Listening        Capability = "listening"         // knows the ports that a service listens on
	NamedCPUs        Capability = "named CPUs"        // binds services to CPUs by number
	MountOptions     Capability = "mount options"     // mounts folders in memory without programs and devices
	Priorities       Capability = "priorities"        // can prefer a program over others on the same CPUs
	Nodes            Capability = "nodes"             // chooses machines for services, and others for the load
)

// engines is the only list of what engines can do. The tests of engines check it.
var engines = []struct {
	name Engine
	can  []Capability
}{
	{Docker, []Capability{Builds, Containers, OneName, Keeping, KernelSettings, SecurityProfiles, Threads, PIDLimit,
		Listening, NamedCPUs, MountOptions, Priorities}},
	{Local, []Capability{Machine, Threads, Listening, NamedCPUs}},
	{Kubernetes, []Capability{Builds, Containers, OneName, Keeping, KernelSettings, SecurityProfiles, Threads, Listening,
		Nodes}},
}

// Can reports whether an engine has a capability. An empty name means the default engine.
func (e Engine) Can(c Capability) bool {
	for _, known := range engines {
		if known.name == e || e == "" && known.name == DefaultEngine {
			return slices.Contains(known.can, c)
		}
	}
	return false
}

// Engines returns the names of all engines.
func Engines() (names []string) {
	for _, e := range engines {
		names = append(names, string(e.name))
	}
	return names
}
