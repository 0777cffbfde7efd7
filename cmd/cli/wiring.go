package cli

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/term"

	"benchbook/lab"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
	"benchbook/runner/engine/local"
	"benchbook/runner/images"
	"benchbook/runner/machine"
)

// locksVariable is an environment variable that names another folder for the locks of runs, for tests of runs next to
// which others measure.
const locksVariable = "BENCHBOOK_LOCKS"

// policyVariable is an environment variable that names the policy of this machine.
const policyVariable = "BENCHBOOK_POLICY"

// Clusters returns a function that connects to clusters. Their images are built by the engine that docker connects to.
type Clusters func(program agent.Program, docker func(context.Context) (engine.Engine, error)) func(context.Context,
	engine.Cluster) (engine.Engine, error)

func wired(clusters Clusters) lab.Config {
	cache, err := os.UserCacheDir()
	if err == nil {
		cache = filepath.Join(cache, "benchbook")
	}
	policy, trusted := os.Getenv(policyVariable), ""
	if config, err := os.UserConfigDir(); err == nil && policy == "" {
		policy = filepath.Join(config, "benchbook", "policy.yaml")
	}
	if home, err := os.UserHomeDir(); err == nil {
		trusted = filepath.Join(cmp.Or(os.Getenv("XDG_STATE_HOME"), filepath.Join(home, ".local", "state")), "benchbook",
			"trusted")
	}
	program := images.FinderHere(cache).Agent
	atDocker := dockerWith(program)
	atCluster := func(context.Context, engine.Cluster) (engine.Engine, error) {
		return nil, fmt.Errorf("%w: Kubernetes needs benchbook-cluster: build it with make build-cluster",
			engine.ErrUnavailable)
	}
	if clusters != nil {
		atCluster = clusters(program, atDocker)
	}
	// The name of a host may take long to look up, and each article asks.
	dockerElsewhere := sync.OnceValue(func() string { return docker.Elsewhere(context.Background()) })
	return lab.Config{
		Engines: []lab.Engine{
			{Name: spec.Docker, Connect: atDocker},
			{Name: spec.Local, Connect: func(ctx context.Context) (engine.Engine, error) {
				return local.New(ctx, local.Options{})
			}},
		},
		Processes: func(ctx context.Context) (engine.Engine, error) {
			return local.New(ctx, local.Options{Environment: os.Environ()})
		},
		Cluster: atCluster,
		Elsewhere: func(name spec.Engine) string {
			if name != spec.Docker {
				return ""
			}
			return dockerElsewhere()
		},

		// A folder of one's own keeps out only the runs with the same folder.
		LockDir: cmp.Or(os.Getenv(locksVariable), machine.LockFolder),
		Agent:   program,
		Machine: lab.ThisMachine(),
		Settler: &machine.Settler{},
		Cache:   cache,
		Consent: &lab.Consent{Policy: policy, Named: os.Getenv(policyVariable) != "", Trusted: trusted},
		Ask:     ask,
		Terminal: func() int {
			width, _, err := term.GetSize(int(os.Stderr.Fd()))
			if err != nil || os.Getenv("TERM") == "dumb" {
				return 0
			}
			return width
		},
	}
}

// ask asks on standard error and reads the answer from standard input, if both are a terminal.
func ask(question string) (yes, asked bool) {
	if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stderr.Fd())) {
		return false, false
	}
	fmt.Fprintf(os.Stderr, "%s [y/N] ", question)
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n') // without an answer it is no
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", true
}

// dockerWith connects to the Docker engine, which gets our program.
func dockerWith(program agent.Program) func(context.Context) (engine.Engine, error) {
	return func(ctx context.Context) (engine.Engine, error) {
		e, err := docker.New(ctx, program)
		if err != nil {
			return nil, err // not e: a nil *docker.Engine would be an engine
		}
		return e, nil
	}
}
