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
	Hog   func() string                                // which process to end, as observe.Hog says; nil: unknown
	Disk  func(folder string) (*disk.UsageStat, error) // of a folder
}

// Config has the engines and everything else that tests replace.
type Config struct {
	Engines []Engine
	// Processes connects to the engine local with our environment; nil selects it from Engines.
	Processes func(ctx context.Context) (engine.Engine, error)
	// Cluster connects to a cluster of the engine kubernetes; nil for none.
	Cluster func(ctx context.Context, o engine.Cluster) (engine.Engine, error)
	// Elsewhere returns the address of an engine of another machine, empty for an engine of this one; nil for none.
	Elsewhere func(spec.Engine) string
	// LockDir is the folder of the locks of machines; empty for none.
	LockDir string
	// Agent returns the program for containers.
	Agent agent.Program
	// Host is this machine; nil to examine it.
	Host *machine.Host
	// Machine is what doctor looks at.
	Machine Machine
	// Settler waits until the machine is quiet between repetitions; nil for none.
	Settler *machine.Settler
	// Cache is a folder for facts about images and machines; empty for none.
	Cache string
	// Scripted says that a test makes up numbers and times. Records are then not checked for contradictions.
	Scripted bool
	// Terminal returns the width of standard error in characters; 0 if it is not a terminal.
	Terminal func() int
	// Consent limits what projects may do; nil for no limit.
	Consent *Consent
	// Ask asks a yes-or-no question; asked is false without a terminal. Nil never asks.
	Ask func(question string) (yes, asked bool)
}

// Consent limits what projects may do.
type Consent struct {
	Policy  string // file with the permissions of projects; empty for none
	Named   bool   // the policy must exist
	Trusted string // folder of remembered answers; empty for none
}

// Engine is an engine by its name in articles and flags.
type Engine struct {
	Name    spec.Engine
	Connect func(ctx context.Context) (engine.Engine, error)
}

// EngineOf connects to the engine of a project. Of a cluster it prefers nodes, by the names of machines in plans.
func (w Config) EngineOf(ctx context.Context, project *article.Project, prefer map[string][]string) (engine.Engine,
	error) {
	if w.Cluster == nil || !project.EngineName().Can(spec.Nodes) {
		return w.Engine(ctx, project.EngineName()) // without clusters its error lists the engines
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
