package lab

import (
	"cmp"
	"context"
	"fmt"

	"benchbook/internal/slice"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// Machine is the machine that doctor checks.
type Machine struct {
	Root  string                                     // root directory
	Noise func(context.Context) machine.Noise        // measures timers and computations
	Free  func(folder string) (free uint64, _ error) // free bytes of the disk of a folder
}

// Config is what the command is put together from: the one list of engines and drivers.
type Config struct {
	Engines []Engine
	// Processes is the engine local whose processes have our environment; nil for that of Engines.
	Processes func(ctx context.Context) (engine.Engine, error)
	// Cluster connects to a cluster of the engine kubernetes; nil for none.
	Cluster func(ctx context.Context, o engine.Cluster) (engine.Engine, error)
	// Elsewhere returns the address of an engine of another machine, empty for an engine of this one; nil for none.
	Elsewhere func(spec.Engine) string
	// LockDir is where runs on this machine find each other's lock; empty for none.
	LockDir string
	// Agent reads the program that goes into containers.
	Agent agent.Program
	// Machine is what doctor looks at.
	Machine Machine
	// Settler lets the machine come to rest between repetitions; nil for none.
	Settler *machine.Settler
	// Cache is a folder for what was found out about images; empty for none.
	Cache string
	// Scripted says that nothing is measured: numbers and times are those of a script, in a test. Records are then not
	// asked whether they agree with themselves.
	Scripted bool
	// Terminal is the width of the terminal that standard error is, in characters; 0 for none.
	Terminal func() int
	// Consent says what keeps projects within bounds; nil for nothing.
	Consent *Consent
	// Ask asks the person at the terminal a question with yes or no; not asked where there is none. Nil never asks.
	Ask func(question string) (yes, asked bool)
}

// Consent says what keeps projects within bounds.
type Consent struct {
	Policy  string // file with what projects may do at most; empty for none
	Named   bool   // the policy has to be there
	Trusted string // folder where answers of the user are remembered; empty for none
}

// Engine is an engine by the name that articles and flags have for it.
type Engine struct {
	Name    spec.Engine
	Connect func(ctx context.Context) (engine.Engine, error)
}

// EngineOf connects to the engine of a project.
func (w Config) EngineOf(ctx context.Context, project *article.Project) (engine.Engine, error) {
	if project.Engine.V.Can(spec.Nodes) {
		return w.InCluster(ctx, OptionsOf(project, project.Cluster))
	}
	return w.Engine(ctx, project.Engine.V)
}

// InCluster connects to a cluster.
func (w Config) InCluster(ctx context.Context, o engine.Cluster) (engine.Engine, error) {
	if w.Cluster == nil {
		return w.Engine(ctx, spec.Kubernetes) // which says what there is
	}
	return w.Cluster(ctx, o)
}

// Engine connects to the engine of a name, docker if it is empty.
func (w Config) Engine(ctx context.Context, name spec.Engine) (engine.Engine, error) {
	name = cmp.Or(name, spec.DefaultEngine)
	for _, e := range w.Engines {
		if e.Name == name {
			return e.Connect(ctx)
		}
	}
	return nil, fmt.Errorf("no engine %q: known are %s", name, terminal.InSentence(w.EngineNames()))
}

// EngineNames lists the engines that articles and flags can name.
func (w Config) EngineNames() []string {
	names := slice.Map(w.Engines, func(e Engine) string { return string(e.Name) })
	if w.Cluster != nil {
		names = append(names, string(spec.Kubernetes))
	}
	return names
}
