package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"benchbook/notebook/article"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/engine/docker"
	"benchbook/runner/engine/local"
	"benchbook/runner/machines"
	"benchbook/runner/observe"
	"benchbook/runner/programs"
)

// wiring is what the command is put together from: the one list of engines and drivers.
type wiring struct {
	engines []wiredEngine
	// endpoint connects to the Docker engine of a host of the project.
	endpoint func(ctx context.Context, o docker.Options) (engine.Engine, error)
	// cluster connects to a cluster of the engine kubernetes; nil for none.
	cluster func(ctx context.Context, o engine.Cluster) (engine.Engine, error)
	// together makes one engine of those of several hosts.
	together func(list ...engine.Host) (engine.Engine, error)
	// lockDir is where runs on this machine find each other's lock; empty for none.
	lockDir string
	// lockEngines says that runs take the engine of this machine too, where those find them that were started on another machine.
	lockEngines bool
	// agent reads the program that goes into containers.
	agent agent.Program
	// machine is what doctor looks at.
	machine machine
	// settler lets the machine come to rest between repetitions; nil for none.
	settler *observe.Settler
	// cache is a folder for what was found out about images; empty for none.
	cache string
	// terminal is the width of the terminal that standard error is, in characters; 0 for none.
	terminal func() int
}

// wiredEngine is an engine by the name that articles and flags have for it.
type wiredEngine struct {
	name    article.EngineName
	connect func(ctx context.Context) (engine.Engine, error)
}

// locksVariable is an environment variable that names another folder for the locks of runs, for tests of runs beside which others measure.
const locksVariable = "BENCHBOOK_LOCKS"

func wired() wiring {
	cache, err := os.UserCacheDir()
	if err == nil {
		cache = filepath.Join(cache, "benchbook")
	}
	program := programs.Here(cache).Agent
	endpoint, cluster, together := elsewhere(program)
	return wiring{
		engines: []wiredEngine{
			{article.Docker, func(ctx context.Context) (engine.Engine, error) {
				return dockerAt(program)(ctx, docker.Options{})
			}},
			{article.Local, func(ctx context.Context) (engine.Engine, error) { return local.New(ctx, local.Options{}) }},
		},
		endpoint: endpoint,
		cluster:  cluster,
		together: together,

		// Whoever chooses a folder keeps out only those that chose the same one, which nobody on another machine can do.
		lockDir:     cmp.Or(os.Getenv(locksVariable), machines.LockFolder),
		lockEngines: os.Getenv(locksVariable) == "",
		agent:       program,
		machine:     thisMachine(),
		settler:     &observe.Settler{},
		cache:       cache,
		terminal: func() int {
			width, _, err := term.GetSize(int(os.Stderr.Fd()))
			if err != nil || os.Getenv("TERM") == "dumb" {
				return 0
			}
			return width
		},
	}
}

// dockerAt connects to Docker engines, with the program that acts for us on other machines.
func dockerAt(program agent.Program) func(context.Context, docker.Options) (engine.Engine, error) {
	return func(ctx context.Context, o docker.Options) (engine.Engine, error) {
		o.Agent = program
		e, err := docker.New(ctx, o)
		if err != nil {
			return nil, err // not e: a nil *docker.Engine would be an engine
		}
		return e, nil
	}
}

// engineOf connects to the engine of a project.
func (w wiring) engineOf(ctx context.Context, project *article.Project) (engine.Engine, error) {
	if project.Engine.V == article.Kubernetes {
		return w.inCluster(ctx, optionsOf(project, project.Cluster))
	}
	return w.engine(ctx, project.Engine.V)
}

// inCluster connects to a cluster.
func (w wiring) inCluster(ctx context.Context, o engine.Cluster) (engine.Engine, error) {
	if w.cluster == nil {
		return w.engine(ctx, article.Kubernetes) // which says what there is
	}
	return w.cluster(ctx, o)
}

// engine connects to the engine of a name, docker if it is empty.
func (w wiring) engine(ctx context.Context, name article.EngineName) (engine.Engine, error) {
	name = cmp.Or(name, article.Docker)
	for _, e := range w.engines {
		if e.name == name {
			return e.connect(ctx)
		}
	}
	return nil, fmt.Errorf("no engine %q: known are %s", name, inSentence(w.engineNames()))
}

func (w wiring) engineNames() []string {
	var names []string
	for _, e := range w.engines {
		names = append(names, string(e.name))
	}
	if w.cluster != nil {
		names = append(names, string(article.Kubernetes))
	}
	return names
}
