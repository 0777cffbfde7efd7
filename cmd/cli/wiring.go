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

// locksVariable is the environment variable that names another folder for lock files, for tests that run while others
// measure.
const locksVariable = "BENCHBOOK_LOCKS"

// policyVariable is the environment variable that names the policy file of this machine.
const policyVariable = "BENCHBOOK_POLICY"

// Clusters returns a function that connects to clusters. The engine that docker connects to builds their images.
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
	// Looked up only once: each article asks, and resolving the name of a host may be slow.
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

		// With another folder, only runs with the same folder are locked out.
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

// ask asks a question on standard error and reads the answer from standard input, if both are terminals.
func ask(question string) (yes, asked bool) {
	if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stderr.Fd())) {
		return false, false
	}
	fmt.Fprintf(os.Stderr, "%s [y/N] ", question)
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n') // an error counts as a no
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", true
}

// dockerWith returns a function that connects to the Docker engine, which runs program in containers.
func dockerWith(program agent.Program) func(context.Context) (engine.Engine, error) {
	return func(ctx context.Context) (engine.Engine, error) {
		e, err := docker.New(ctx, program)
		if err != nil {
			return nil, err // not e: a nil *docker.Engine is not a nil engine.Engine
		}
		return e, nil
	}
}
