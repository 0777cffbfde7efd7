package lab

import (
	"cmp"
	"context"
	"fmt"

	"github.com/shirou/gopsutil/v4/disk"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// Machine is the machine that doctor checks.
type Machine struct {
	Root  string                                       // root directory
	Noise func(context.Context) machine.Noise          // measures timers and computations
	Hog   func() string                                // names the process to end, like observe.Hog; may be nil
	Disk  func(folder string) (*disk.UsageStat, error) // usage of the disk that holds folder
}

// Config holds the engines and everything else that tests replace.
type Config struct {
	Engines []Engine
	// Processes connects to the local engine with benchbook's environment. If nil, the one in Engines is used.
	Processes func(ctx context.Context) (engine.Engine, error)
	// Cluster connects to a Kubernetes cluster. If nil, the engine kubernetes is not available.
	Cluster func(ctx context.Context, o engine.Cluster) (engine.Engine, error)
	// Elsewhere returns the address of an engine on another machine; empty for this machine. If nil, all engines are here.
	Elsewhere func(spec.Engine) string
	// LockDir is the folder of the lock files. If empty, nothing is locked.
	LockDir string
	// Agent returns the program that benchbook runs in containers.
	Agent agent.Program
	// Host describes this machine. If nil, the machine is examined.
	Host *machine.Host
	// Machine is the machine that doctor checks.
	Machine Machine
	// Settler waits between repetitions until the machine is quiet. If nil, repetitions follow at once.
	Settler *machine.Settler
	// Cache is the folder with facts about images and machines. If empty, nothing is cached.
	Cache string
	// Scripted is set by tests that make up numbers and times: records are not checked for contradictions.
	Scripted bool
	// Terminal returns the width of standard error in characters, or 0 if it is not a terminal.
	Terminal func() int
	// Consent limits what projects may do. If nil, they may do everything.
	Consent *Consent
	// Ask asks a yes-or-no question; asked is false without a terminal. If nil, nobody is asked.
	Ask func(question string) (yes, asked bool)
}

// Consent limits what projects may do.
type Consent struct {
	Policy  string // file that lists what projects may do; may be empty
	Named   bool   // the user named the policy, so it must exist
	Trusted string // folder of remembered answers; if empty, none are remembered
}

// Engine connects to an engine, by its name in articles and flags.
type Engine struct {
	Name    spec.Engine
	Connect func(ctx context.Context) (engine.Engine, error)
}

// EngineOf connects to the engine of a project. In a cluster it prefers these nodes, listed by machine name.
func (w Config) EngineOf(ctx context.Context, project *article.Project, prefer map[string][]string) (engine.Engine,
	error) {
	if w.Cluster == nil || !project.EngineName().Can(spec.Nodes) {
		return w.Engine(ctx, project.EngineName()) // without Cluster, the error lists the known engines
	}
	o := OptionsOf(project)
	o.Prefer = prefer
	return w.Cluster(ctx, o)
}

// Engine connects to the named engine, or to docker for an empty name.
func (w Config) Engine(ctx context.Context, name spec.Engine) (engine.Engine, error) {
	name = cmp.Or(name, spec.DefaultEngine)
	for _, e := range w.Engines {
		if e.Name == name {
			return e.Connect(ctx)
		}
	}
	return nil, fmt.Errorf("no engine %q: known are %s", name, phrase.List(w.EngineNames()))
}

// EngineNames returns the names of all engines.
func (w Config) EngineNames() []string {
	names := slice.Map(w.Engines, func(e Engine) string { return string(e.Name) })
	if w.Cluster != nil {
		names = append(names, string(spec.Kubernetes))
	}
	return names
}
