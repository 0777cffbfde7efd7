package spec

import "slices"

// Engine is the name of an engine, in articles, records and messages.
type Engine string

// The engines.
const (
	Docker     Engine = "docker"
	Local      Engine = "local" // processes of this machine
	Kubernetes Engine = "kubernetes"

	// DefaultEngine is used where nothing is written, and builds what other engines cannot.
	DefaultEngine = Docker
)

// Capability is something that an engine can do by its nature, and others cannot.
type Capability string

// The capabilities that engines differ in. Plans and runs ask for these, and never for an engine by its name.
const (
	Builds           Capability = "builds"            // images are built from Dockerfiles
	Containers       Capability = "containers"        // a service has files, network, user and limits of its own
	Machine          Capability = "machine"           // programs of the machine are run as they are
	OneName          Capability = "one name"          // several services are found under one name
	Keeping          Capability = "keeping"           // services outlive the process that started them
	KernelSettings   Capability = "kernel settings"   // a service has kernel settings of its own, not only of its network
	SecurityProfiles Capability = "security profiles" // a service can do without those that it has by default
	Threads          Capability = "threads"           // the processor time of single threads is known
	PIDLimit         Capability = "PID limit"         // the processes and threads of a service can be limited
	Listening        Capability = "listening"         // the ports on which a service listens are known
	NamedCPUs        Capability = "named CPUs"        // a service is bound to CPUs by their numbers
	MountOptions     Capability = "mount options"     // a folder in memory holds neither programs nor devices
	Priorities       Capability = "priorities"        // a program goes before others on the CPUs that it shares with them
	Nodes            Capability = "nodes"             // it chooses a machine for the services, and others for the load
)

// engines is the one list of what engines can do. The tests of engines check it.
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

// Can reports whether an engine has a capability. Without a name it is the default engine.
func (e Engine) Can(c Capability) bool {
	for _, known := range engines {
		if known.name == e || e == "" && known.name == DefaultEngine {
			return slices.Contains(known.can, c)
		}
	}
	return false
}

// Engines are the names of all engines.
func Engines() (names []string) {
	for _, e := range engines {
		names = append(names, string(e.name))
	}
	return names
}
