// Package enginetest tests the contract of engines with a real program, puppet.
//
// An engine declares its capabilities in package spec. Tests of other capabilities are skipped, and the engine must
// refuse these, so that it does exactly what it declares.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
)

// Capabilities of every real engine, which only a fake may lack.
const (
	Execution spec.Capability = "execution" // programs really run
	Leftovers spec.Capability = "leftovers" // leftovers and kept containers can be found
)

// Option changes the expectations of an engine.
type Option func(*suite)

// Lacks skips the tests that need these capabilities.
func Lacks(c ...spec.Capability) Option { return func(s *suite) { s.lacks = append(s.lacks, c...) } }

// Leaves sets the kinds of leftovers of a killed process; by default "container", "network" and "volume".
func Leaves(kinds ...string) Option { return func(s *suite) { s.leaves = kinds } }

// AsksFirst expects that even a service without a grace period gets its stop signal before it is killed.
func AsksFirst() Option { return func(s *suite) { s.asksFirst = true } }

const (
	timeout = 5 * time.Minute  // limit of each test
	prompt  = 45 * time.Second // limit for not waiting on something that takes a minute or more
)

// declared lists all capabilities that engines may declare.
var declared = []spec.Capability{spec.Builds, spec.Containers, spec.Machine, spec.OneName, spec.Keeping,
	spec.KernelSettings, spec.SecurityProfiles, spec.Threads, spec.PIDLimit, spec.Listening, spec.NamedCPUs,
	spec.MountOptions, spec.Priorities}

// suite is one engine under test.
type suite struct {
	lacks   []spec.Capability // capabilities whose tests are skipped, including refuses
	refuses []spec.Capability // capabilities that the engine does not declare
	leaves  []string
	engine  engine.Engine
	puppet  engine.Prepared

	asksFirst bool

	mu    sync.Mutex
	boxes map[engine.Space]engine.Container // idle containers for commands
	count int
}

// promise is a test of all engines with some capabilities.
type promise struct {
	name  string
	needs []spec.Capability
	test  func(*test)
}

// promises returns all promises.
func promises() []promise {
	needs := func(c ...spec.Capability) []spec.Capability { return c }
	runs, contained := needs(Execution), needs(Execution, spec.Containers)
	return slices.Concat([]promise{
		{"facts are dotted lower-case words", nil, facts},
		{"an image is built once, and comes from exactly one place", nil, builtOnce},
		{"a Dockerfile is built", needs(spec.Builds), dockerfile},
		{"a failed build tells its last lines", needs(spec.Builds), failedBuild},
		{"an image that does not exist is named", needs(spec.Builds), unknownImage},
		{"a program of the machine", needs(Execution, spec.Machine), machine},

		{"each kind of readiness, and its error", runs, readiness},
		{"a long log, and each text in it", runs, muchLog},
		{"a service that completes", runs, completes},
		{"where a service listens", needs(Execution, spec.Listening), listening},
		{"a service that cannot be started is rejected", runs, rejected},
		{"a start that is cancelled leaves nothing", runs, cancelledStart},

		{"a command's input, output and status", runs, commands},
		{"a command has what its container has", runs, commandInside},
		{"the bounds of a command's output", runs, bounds},
		{"a command that is cancelled returns the cause", nil, cancelledCommand},
		{"a command ends with its container", runs, commandEnds},

		{"usage and threads of a command", runs, usage},
		{"a CPU limit holds a service back", contained, cpuLimit},
		{"a limit of processes", needs(Execution, spec.PIDLimit), pidLimit},
		{"a service that ends has a state", runs, ended},
		{"a command and a service that run out of memory", contained, outOfMemory},
		{"volumes, of spaces and groups", contained, volumes},

		{"services reach each other by name, several by one", contained, names},
		{"a name is used once, a space or group closed twice", nil, groups},
		{"services in groups reach each other", contained, groupReach},
		{"nothing outside is reached, nor another space", contained, isolation},
		{"a service gets its time to end", contained, grace},
		{"what a killed process left is swept", needs(Execution, Leftovers), swept},
		{"what was kept stays until it is swept", needs(Execution, Leftovers, spec.Keeping), kept},
	}, settings())
}

// Made returns the purpose of images that this run of the suite builds, by which they can be removed.
func Made() string { return fmt.Sprintf("enginetest-%d", os.Getpid()) }

// Run tests the engine that open returns. It calls open once here, and once in each child process that it kills to
// check its leftovers. Open should skip the test if no engine is available.
func Run(t *testing.T, open func(t *testing.T) engine.Engine, opts ...Option) {
	s := &suite{leaves: []string{"container", "network", "volume"}, boxes: make(map[engine.Space]engine.Container)}
	for _, opt := range opts {
		opt(s)
	}
	if os.Getenv(orphanVariable) == "" {
		// Tests of other packages may sweep the same engine now, and must leave our leftovers alone.
		t.Setenv(engine.KeeperVariable, engine.Owner())
	}
	s.engine = open(t)
	t.Cleanup(func() {
		if err := s.engine.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	name := spec.Engine(s.engine.Name())
	for _, c := range declared {
		if slices.Contains(spec.Engines(), string(name)) && !name.Can(c) && !slices.Contains(s.lacks, c) {
			s.refuses = append(s.refuses, c)
		}
	}
	s.lacks = append(s.lacks, s.refuses...)
	s.puppet = s.preparePuppet(t)
	if os.Getenv(orphanVariable) != "" {
		becomeOrphan(&test{T: t, suite: s, ctx: t.Context()})
		return
	}
	for _, p := range promises() {
		s.run(t, p.name, func(t *test) {
			for _, c := range p.needs {
				if t.lacks(c) {
					t.Skipf("this engine lacks %s", c)
				}
			}
			p.test(t)
		})
	}
	for _, c := range s.refuses {
		s.run(t, "has no "+string(c), func(t *test) { refused(t, c) })
	}
}

// Need skips a test if err wraps engine.ErrUnavailable, see slowtest.Missing. Other errors fail it.
func Need(t testing.TB, name string, err error) {
	t.Helper()
	if errors.Is(err, engine.ErrUnavailable) {
		slowtest.Missing(t, name, "start it", err)
	}
	must.Do(err)
}

// preparePuppet builds the program puppet and its image.
func (s *suite) preparePuppet(t *testing.T) engine.Prepared {
	t.Helper()
	data := []byte("not executed")
	if !slices.Contains(s.lacks, Execution) {
		data = Built(t, "benchbook/runner/engine/enginetest/puppet")
	}
	image := engine.Image{Executable: &engine.Executable{Name: "puppet", Data: data}}
	return must.Get(s.engine.Prepare(t.Context(), image, t.Output()))
}

// Built builds one of our programs for containers and returns the executable.
func Built(t *testing.T, path string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file, path)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	must.Run(build)
	return must.Get(os.ReadFile(file))
}

// Agent builds our agent.
func Agent(t *testing.T) agent.Program {
	t.Helper()
	data := Built(t, "benchbook/runner/"+agent.Name)
	return func() ([]byte, error) { return data, nil }
}

// test is a test of one promise.
type test struct {
	*testing.T
	*suite
	ctx context.Context
}

// run runs a test within another one.
func (s *suite) run(t *testing.T, name string, run func(*test)) {
	t.Run(name, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		t.Cleanup(cancel) // after parallel tests within it
		run(&test{T: t, suite: s, ctx: ctx})
	})
}

func (t *test) lacks(c spec.Capability) bool { return slices.Contains(t.suite.lacks, c) }

// open opens a space that is closed at the end of the test.
func (t *test) open() engine.Space {
	t.Helper()
	space, err := t.engine.Open(t.ctx, "enginetest")
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := space.Close(context.WithoutCancel(t.ctx)); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return space
}

// group opens a group, which is closed by the test or with its space.
func (t *test) group(space engine.Space) engine.Space {
	t.Helper()
	group, err := space.Group(t.ctx)
	if err != nil {
		t.Fatalf("Group: %v", err)
	}
	return group
}

func (t *test) close(space engine.Space) {
	t.Helper()
	if err := space.Close(t.ctx); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

// server returns a service that answers HTTP on port 8080.
func (s *suite) server(name string) engine.Service {
	return engine.Service{Service: spec.Service{Name: name,
		Command: []string{"listen=8080", "out=listening", "sleep=1h"}, Environment: []string{"NAME=" + name},
		Expose: []int{8080}},
		Image: s.puppet}
}

// idle returns an idle container for commands.
func (s *suite) idle(name string) engine.Service {
	return engine.Service{Service: spec.Service{Name: name, Command: []string{agent.Idle}}, Image: s.puppet}
}

func (t *test) start(space engine.Space, service engine.Service) engine.Container {
	t.Helper()
	container, err := space.Start(t.ctx, service)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	return container
}

// exec runs steps of the puppet inside a container.
func (t *test) exec(container engine.Container, steps ...string) engine.Exit {
	t.Helper()
	exit, err := container.Exec(t.ctx, engine.Command{Args: append([]string{"/puppet"}, steps...)})
	if err != nil {
		t.Fatalf("Exec: %v", err)
	}
	return exit
}

// do runs steps of the puppet in an idle container of the space.
func (t *test) do(space engine.Space, steps ...string) engine.Exit {
	t.Helper()
	t.mu.Lock()
	box, ok := t.boxes[space]
	t.count++
	name := fmt.Sprintf("box-%d", t.count)
	t.mu.Unlock()
	if !ok {
		box = t.start(space, t.idle(name))
		t.mu.Lock()
		t.boxes[space] = box
		t.mu.Unlock()
	}
	return t.exec(box, steps...)
}

// want fails the test unless a command exited with status 0 and this output.
func (t *test) want(exit engine.Exit, output string) {
	t.Helper()
	if exit.Code != 0 || string(exit.Stdout) != output {
		t.Errorf("status %d, output %q, errors %q; want status 0, output %q", exit.Code, exit.Stdout, exit.Stderr, output)
	}
}

// fails fails the test unless a command failed. Why describes the mistake.
func (t *test) fails(exit engine.Exit, why string) {
	t.Helper()
	if exit.Code == 0 {
		t.Errorf("%s: it ended well with output %q", why, exit.Stdout)
	}
}

// wantError fails the test unless err is an E whose text contains all words.
func wantError[E error](t *test, err error, words ...string) (found E) {
	t.Helper()
	ok := errors.As(err, &found)
	for _, word := range words {
		ok = ok && strings.Contains(err.Error(), word)
	}
	if !ok {
		t.Errorf("got %v, want a %T that says %q", err, found, words)
	}
	return found
}

// wantLog fails the test unless a container's whole log equals want.
func (t *test) wantLog(container engine.Container, want string) {
	t.Helper()
	assert.Equal(t, string(must.Get(container.Logs(t.ctx))), want, "what %s wrote", container.Name())
}

// untilEnded waits for the end of a container.
func (t *test) untilEnded(container engine.Container) engine.Exit {
	t.Helper()
	for {
		state, err := container.State(t.ctx)
		if err != nil {
			t.Fatalf("State: %v", err)
		}
		if state.Ended {
			return state.Exit
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func facts(t *test) {
	facts := must.Get(t.engine.Facts(t.ctx))
	assert.Equal(t, facts["engine.name"], t.engine.Name(), "fact engine.name")
	word := regexp.MustCompile(`^[a-z]+(\.[a-z]+)+$`)
	for key := range facts {
		assert.Equal(t, word.MatchString(key), true, "fact %q is made of dotted lower-case words", key)
	}
}
