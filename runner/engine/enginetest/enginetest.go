// Package enginetest is the suite of tests that every engine passes.
//
// What an engine promises is tested with real programs, all of them the one of folder puppet, which is built for the
// purpose. What an engine can do by its nature is declared in the list of engines of package spec: what rests on
// anything else is skipped by name, and tested to be refused, so that what an engine declares is what it does.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// Promises that every engine keeps, and that only what stands in for one may lack.
const (
	Execution spec.Capability = "execution" // programs really run
	Isolation spec.Capability = "isolation" // nothing outside its space can be reached, nor another space
	CPULimit  spec.Capability = "CPU limit" // a service gets no more than its share of the processors
	Leftovers spec.Capability = "leftovers" // what a killed process left behind, or was told to keep, can be found
	Volumes   spec.Capability = "volumes"   // services have places that outlive their containers, or that are read-only
)

// Option changes what is expected of an engine.
type Option func(*suite)

// Lacks skips what rests on these capabilities, of an engine that stands in for others or is made of them.
func Lacks(capabilities ...spec.Capability) Option {
	return func(s *suite) { s.lacks = append(s.lacks, capabilities...) }
}

// Leaves says of which kinds the things are that a killed process leaves behind: "container", "network" and "volume" if
// nothing is said.
func Leaves(kinds ...string) Option {
	return func(s *suite) { s.leaves = kinds }
}

// timeout bounds each test of the suite, and prompt what must not wait for the end of the time that something else has:
// a minute or more, if nothing is said. Both are far beyond what a slow machine takes, as neither says how fast an
// engine is.
const (
	timeout = 5 * time.Minute
	prompt  = 45 * time.Second
)

// declared are the capabilities that engines declare.
var declared = []spec.Capability{spec.Builds, spec.Containers, spec.Machine, spec.OneName, spec.Keeping,
	spec.KernelSettings, spec.SecurityProfiles, spec.Threads, spec.PIDLimit, spec.Listening, spec.NamedCPUs,
	spec.MountOptions, spec.Priorities}

// suite is one engine under test.
type suite struct {
	lacks   []spec.Capability
	refuses []spec.Capability // what the engine does not declare
	leaves  []string
	engine  engine.Engine
	puppet  engine.Prepared
}

// Made is what the images are for that the suite makes anew whenever it runs, in this process: whoever keeps images
// removes them.
func Made() string { return fmt.Sprintf("enginetest-%d", os.Getpid()) }

// Run tests the engine that open makes. It calls open once, or in a process of its own to see what that leaves behind
// when it is killed; open should skip the test where no engine can be had.
func Run(t *testing.T, open func(t *testing.T) engine.Engine, opts ...Option) {
	s := &suite{}
	for _, opt := range opts {
		opt(s)
	}
	if os.Getenv(orphanVariable) == "" {
		// Other packages are tested at the same time, and sweep the same engine: what is left behind here is for us to find.
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
		if slices.Contains(name.Words(), string(name)) && !name.Can(c) && !slices.Contains(s.lacks, c) {
			s.refuses = append(s.refuses, c)
		}
	}
	s.puppet = s.preparePuppet(t)
	if os.Getenv(orphanVariable) != "" {
		s.becomeOrphan(t)
		return
	}
	tests := []struct {
		name  string
		needs []spec.Capability
		run   func(context.Context, *testing.T)
	}{
		{"facts are dotted lower-case words", nil, s.facts},
		{"an image is built once", nil, s.prepareTwice},
		{"an image comes from exactly one place", nil, s.prepareNothing},
		{"a Dockerfile is built", []spec.Capability{spec.Builds}, s.prepareBuild},
		{"a failed build tells its last lines", []spec.Capability{spec.Builds}, s.prepareFailure},
		{"an image that does not exist", []spec.Capability{spec.Builds}, s.prepareUnknown},
		{"services reach each other by name", []spec.Capability{Execution, spec.Containers}, s.names},
		{"kinds of readiness", []spec.Capability{Execution}, s.readiness},
		{"a service that is not ready tells its log", []spec.Capability{Execution}, s.notReady},
		{"a service that completes", []spec.Capability{Execution}, s.completes},
		{"where a service listens", []spec.Capability{Execution, spec.Listening}, s.listening},
		{"settings of a service", []spec.Capability{Execution, spec.Containers}, s.settings},
		{"limits and privileges of a service", []spec.Capability{Execution, spec.Containers}, s.privileges},
		{"files keep what is around them", []spec.Capability{Execution, spec.Containers}, s.files},
		{"a program's input, output and status", []spec.Capability{Execution}, s.programs},
		{"a program can be watched", []spec.Capability{Execution}, s.watched},
		{"a command inside a service", []spec.Capability{Execution}, s.exec},
		{"a program beside a service", []spec.Capability{Execution}, s.beside},
		{"usage grows with what is used", []spec.Capability{Execution}, s.usage},
		{"a CPU limit holds a service back", []spec.Capability{Execution, spec.Containers, CPULimit}, s.cpuLimit},
		{"no more processes than it may have", []spec.Capability{Execution, spec.PIDLimit}, s.pidLimit},
		{"there is no way out", []spec.Capability{Execution, spec.Containers, Isolation}, s.isolation},
		{"two spaces do not see each other", []spec.Capability{Execution, spec.Containers, Isolation}, s.twoSpaces},
		{"spaces within a space", []spec.Capability{spec.Containers}, s.within},
		{"services of spaces within each other", []spec.Capability{Execution, spec.Containers}, s.withinReach},
		{"several services behind one name", []spec.Capability{Execution, spec.OneName}, s.oneName},
		{"volumes", []spec.Capability{Execution, spec.Containers, Volumes}, s.volumes},
		{"volumes of spaces within each other", []spec.Capability{Execution, spec.Containers, Volumes}, s.sharedVolumes},
		{"a service that ends is found to have", []spec.Capability{Execution}, s.ended},
		{"cancelling ends a program", nil, s.cancelRun},
		{"cancelling a start leaves nothing behind", []spec.Capability{Execution}, s.cancelStart},
		{"a name is used once", nil, s.sameName},
		{"a space is closed twice", nil, s.closeTwice},
		{"what a killed process left behind is swept", []spec.Capability{Execution, Leftovers}, s.sweep},
		{"what was kept stays until it is swept", []spec.Capability{Execution, Leftovers, spec.Keeping}, s.kept},
		{"CPUs that a service is bound to", []spec.Capability{Execution, spec.NamedCPUs}, s.cpuSet},
		{"a program that goes before others", []spec.Capability{Execution, spec.Priorities}, s.first},
		{"a service's user and memory to share", []spec.Capability{Execution, spec.Containers}, s.userAndMemory},
		{"a service that needs more memory than it may have", []spec.Capability{Execution, spec.Containers}, s.memoryLimit},
		{"a process that reaps", []spec.Capability{Execution, spec.Containers}, s.init},
		{"a service gets its time to end", []spec.Capability{Execution, spec.Containers, Volumes}, s.grace},
		{"however much is written, its end is kept", []spec.Capability{Execution}, s.muchOutput},
		{"a program that writes too much is told of", []spec.Capability{Execution}, s.programOutput},
		{"ready by a text behind which much is written", []spec.Capability{Execution}, s.readyBehindMuch},
		{"threads tell what they used", []spec.Capability{Execution, spec.Threads}, s.threads},
		{"a program of the machine", []spec.Capability{Execution, spec.Machine}, s.machine},
		{"a kernel setting of its own", []spec.Capability{Execution, spec.KernelSettings}, s.kernelSetting},
		{"a service without a security profile", []spec.Capability{Execution, spec.SecurityProfiles}, s.securityProfile},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, feature := range tt.needs {
				if s.without(feature) {
					t.Skipf("this engine lacks %s", feature)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			t.Cleanup(cancel) // when tests within it that run side by side have ended as well
			tt.run(ctx, t)
		})
	}
	for _, lacked := range s.refuses {
		t.Run("has no "+string(lacked), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			s.refused(ctx, t, lacked)
		})
	}
}

// parallel lets a test that mostly waits run beside others, if they do not share their ports.
func (s *suite) parallel(t *testing.T) {
	if !s.without(spec.Containers) {
		t.Parallel()
	}
}

// without says that an engine does not have a feature.
func (s *suite) without(feature spec.Capability) bool {
	return slices.Contains(s.lacks, feature) || slices.Contains(s.refuses, feature)
}

// preparePuppet builds the program that all tests run, and its image.
func (s *suite) preparePuppet(t *testing.T) engine.Prepared {
	t.Helper()
	data := []byte("not executed")
	if !s.without(Execution) {
		file := filepath.Join(t.TempDir(), "puppet")
		build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file,
			"benchbook/runner/engine/enginetest/puppet")
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
		if output, err := build.CombinedOutput(); err != nil {
			t.Fatalf("building the puppet: %v\n%s", err, output)
		}
		var err error
		if data, err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	image := engine.Image{Executable: &engine.Executable{Name: "puppet", Data: data}}
	prepared, err := s.engine.Prepare(t.Context(), image, t.Output())
	if err != nil {
		t.Fatalf("Prepare: %v", err)
	}
	return prepared
}

// open opens a space that is closed at the end of the test.
func (s *suite) open(ctx context.Context, t *testing.T) engine.Space {
	t.Helper()
	space, err := s.engine.Open(ctx, "enginetest")
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := space.Close(context.WithoutCancel(ctx)); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return space
}

// server is a service that answers over HTTP at port 8080.
func (s *suite) server(name string) engine.Service {
	return engine.Service{Service: spec.Service{Name: name,
		Command: []string{"listen=8080", "out=listening", "sleep=1h"}, Environment: []string{"NAME=" + name},
		Expose: []int{8080}},
		Image: s.puppet}
}

// start starts a service.
func start(ctx context.Context, t *testing.T, space engine.Space, service engine.Service) engine.Container {
	t.Helper()
	running, err := space.Start(ctx, service)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	return running
}

// do runs the puppet to its end.
func (s *suite) do(ctx context.Context, t *testing.T, space engine.Space, steps ...string) engine.Exit {
	t.Helper()
	exit, err := space.Run(ctx, engine.Program{Name: "program", Image: s.puppet, Command: steps}, nil)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	return exit
}

// wantOutput fails the test unless a program ended well with this output.
func wantOutput(t *testing.T, exit engine.Exit, want string) {
	t.Helper()
	if exit.Code != 0 || string(exit.Stdout) != want {
		t.Errorf("status %d, output %q, errors %q; want status 0, output %q", exit.Code, exit.Stdout, exit.Stderr, want)
	}
}

func (s *suite) facts(ctx context.Context, t *testing.T) {
	facts, err := s.engine.Facts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if facts["engine.name"] != s.engine.Name() {
		t.Errorf("fact engine.name is %q, want %q", facts["engine.name"], s.engine.Name())
	}
	for key := range facts {
		if !regexp.MustCompile(`^[a-z]+(\.[a-z]+)+$`).MatchString(key) {
			t.Errorf("fact %q is not made of dotted lower-case words", key)
		}
	}
}

func (s *suite) prepareTwice(ctx context.Context, t *testing.T) {
	image := func(data string) engine.Image {
		return engine.Image{Executable: &engine.Executable{Name: Made(), Data: []byte(data)}}
	}
	unique := fmt.Sprint(time.Now().UnixNano())
	first, err := s.engine.Prepare(ctx, image(unique), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.engine.Prepare(ctx, image(unique), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.engine.Prepare(ctx, image(unique+" changed"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if !first.Built || second.Built || !other.Built {
		t.Errorf("built %v, again %v, changed %v; want true, false, true", first.Built, second.Built, other.Built)
	}
	if first.ID == "" || first.Reference == "" || first.ID != second.ID || first.Reference != second.Reference {
		t.Errorf("the same image is %+v, then %+v", first, second)
	}
	if other.ID == first.ID || other.Reference == first.Reference {
		t.Errorf("a changed image is %+v like the first", other)
	}
}

func (s *suite) prepareNothing(ctx context.Context, t *testing.T) {
	both := engine.Image{Name: "debian", Executable: &engine.Executable{Name: "x"}}
	for _, image := range []engine.Image{{}, both} {
		if p, err := s.engine.Prepare(ctx, image, io.Discard); err == nil {
			t.Errorf("Prepare(%+v) = %+v, want an error", image, p)
		}
	}
}

const base = "debian:bookworm-slim"

// dockerBuild is a build with a Dockerfile of these lines, which may copy file.txt.
func dockerBuild(lines ...string) engine.Image {
	return engine.Image{Build: &engine.Build{For: "enginetest build", Build: spec.Build{Files: []spec.File{
		{Path: "Dockerfile", Data: []byte(strings.Join(lines, "\n") + "\n")},
		{Path: "file.txt", Data: []byte("from the context\n")},
	}, Dockerfile: "Dockerfile", Args: map[string]string{"BASE": base, "WORD": "given"}}}}
}

func (s *suite) prepareBuild(ctx context.Context, t *testing.T) {
	image := dockerBuild("ARG BASE", "FROM ${BASE} AS first", "ARG WORD=default", "COPY file.txt /srv/",
		"RUN echo $WORD $(. /etc/os-release && echo $VERSION_CODENAME) >> /srv/file.txt",
		"FROM first", `CMD ["cat", "/srv/file.txt"]`)
	prepared, err := s.engine.Prepare(ctx, image, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if len(prepared.Bases) != 1 || prepared.Bases[0].Reference != base || prepared.Bases[0].ID == "" {
		t.Errorf("bases are %+v, want %s with its digest", prepared.Bases, base)
	}
	if s.without(Execution) {
		return
	}
	exit, err := s.open(ctx, t).Run(ctx, engine.Program{Name: "cat", Image: prepared}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantOutput(t, exit, "from the context\ngiven bookworm\n")
}

func (s *suite) prepareFailure(ctx context.Context, t *testing.T) {
	tests := []struct {
		name     string
		image    engine.Image
		want     string // in the error
		wantTail string
		line     int
	}{
		{"a command fails", dockerBuild("FROM "+base, "", "# comment", "RUN echo before && exit 7"), "code: 7", "before", 4},
		{"an unknown instruction", dockerBuild("FROM "+base, "FLY away"), "FLY", "", 2},
		{"no base", dockerBuild("RUN true"), "FROM", "", 1},
		{"a base without a value", dockerBuild("ARG NOTHING", "FROM $NOTHING"), "$NOTHING", "", 2},
		{"no Dockerfile", engine.Image{Build: &engine.Build{For: "x", Build: spec.Build{Dockerfile: "Dockerfile"}}},
			"Dockerfile", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.engine.Prepare(ctx, tt.image, io.Discard)
			var failure *engine.BuildError
			if !errors.As(err, &failure) {
				t.Fatalf("got %v, want a BuildError", err)
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(failure.Tail, tt.wantTail) {
				t.Errorf("got %q with tail %q, want %q with tail %q", err, failure.Tail, tt.want, tt.wantTail)
			}
			if failure.Line != tt.line {
				t.Errorf("%q is said to be at line %d, want %d", err, failure.Line, tt.line)
			}
		})
	}
}

func (s *suite) prepareUnknown(ctx context.Context, t *testing.T) {
	const unknown = "registry.invalid/nobody/nothing:1"
	for _, image := range []engine.Image{{Name: unknown}, dockerBuild("FROM " + unknown)} {
		_, err := s.engine.Prepare(ctx, image, io.Discard)
		if err == nil || !strings.Contains(err.Error(), unknown) {
			t.Errorf("got %v, want an error that names %s", err, unknown)
		}
	}
}

func (s *suite) names(ctx context.Context, t *testing.T) {
	space := s.open(ctx, t)
	one, two := s.server("one"), s.server("two")
	two.Aliases = []string{"zwei"}
	if running := start(ctx, t, space, one); running.Name() != "one" {
		t.Errorf("Name() = %q, want %q", running.Name(), "one")
	}
	start(ctx, t, space, two)
	wantOutput(t, s.do(ctx, t, space, "get=http://one:8080/", "get=http://two:8080/", "get=http://zwei:8080/"),
		"hello from one\nhello from two\nhello from two\n")
}

func (s *suite) readiness(ctx context.Context, t *testing.T) {
	// Each is ready only after a while: 200 ms after it started, and not before.
	const while = 200 * time.Millisecond
	late := []string{"out=twice", "sleep=200ms", "listen=8080", "out=tw", "out=twice", "sleep=1h"}
	tests := []struct {
		name   string
		ready  spec.Ready
		atOnce bool
	}{
		{"the exposed port accepts", spec.Ready{}, false},
		{"a port accepts", spec.Ready{Port: 8080}, false},
		{"a path is answered", spec.Ready{HTTP: "/204"}, false},
		{"a path is redirected", spec.Ready{HTTP: "/302"}, false},
		{"a text is in the log", spec.Ready{Log: "twice"}, true},
		{"a text is in the log again", spec.Ready{Log: "twice", Times: 2}, false},
		{"a command succeeds", spec.Ready{Command: []string{"/puppet", "dial=127.0.0.1:8080"}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.parallel(t)
			service := s.server("server")
			service.Command, service.Ready = late, tt.ready
			began := time.Now()
			space := s.open(ctx, t)
			running := start(ctx, t, space, service)
			if took := time.Since(began); !tt.atOnce && took < while || took > prompt {
				t.Errorf("ready after %v", took)
			}
			// Ready means that the next one who asks is answered.
			if !tt.atOnce {
				wantOutput(t, s.do(ctx, t, space, "get=http://server:8080/"), "hello from server\n")
			}
			log, err := running.Logs(ctx)
			if err != nil || !strings.HasPrefix(string(log), "twice\n") {
				t.Errorf("Logs() = %q, %v", log, err)
			}
		})
	}
}

func (s *suite) notReady(ctx context.Context, t *testing.T) {
	alive := []string{"out=last words", "listen=8080", "sleep=1h"}
	const soon = time.Second // and longer where the machine was too busy for a single probe in that
	tests := []struct {
		name    string
		command []string
		ready   spec.Ready
		want    string
	}{
		{"it ends", []string{"out=last words", "exit=3"}, spec.Ready{}, "status 3"},
		{"it ends, waited for by its log", []string{"out=last words", "exit=3"}, spec.Ready{Log: "never"}, "status 3"},
		{"it ends after a while", []string{"sleep=200ms", "out=last words", "exit=4"}, spec.Ready{Port: 1}, "status 4"},
		{"its port does not accept", alive, spec.Ready{Port: 9}, "port 9"},
		{"its path fails", alive, spec.Ready{HTTP: "/503"}, "503"},
		{"its log lacks the text", alive, spec.Ready{Log: "words", Times: 2}, "1 of 2"},
		{"its command fails", alive, spec.Ready{Command: []string{"/puppet", "err=oh", "exit=5"}}, "oh"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.parallel(t)
			service := s.server("server")
			service.Command, service.Ready = tt.command, tt.ready
			if slices.Equal(tt.command, alive) {
				service.Within = soon
			}
			space := s.open(ctx, t)
			began := time.Now()
			_, err := space.Start(ctx, service)
			var notReady *engine.NotReadyError
			for errors.As(err, &notReady) && service.Within > 0 && service.Within < 20*soon &&
				!(strings.Contains(err.Error(), tt.want) && strings.Contains(string(notReady.Log), "last words")) {
				service.Within *= 4
				t.Logf("got %q with log %q, and waits for %v", err, notReady.Log, service.Within)
				_, err = space.Start(ctx, service)
			}
			if !errors.As(err, &notReady) {
				t.Fatalf("got %v, want a NotReadyError", err)
			}
			if !strings.Contains(string(notReady.Log), "last words") {
				t.Errorf("the log is %q", notReady.Log)
			}
			for _, want := range []string{`"server"`, tt.want} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
			if took := time.Since(began); took > prompt {
				t.Errorf("that took %v", took)
			}
			start(ctx, t, space, s.server("server")) // the first is gone: its name is free
		})
	}
}

// A service that is to complete is ready when it has, and its log and status can still be had.
func (s *suite) completes(ctx context.Context, t *testing.T) {
	space := s.open(ctx, t)
	service := s.server("migration")
	service.Command, service.Completes = []string{"sleep=300ms", "out=done", "exit=0"}, true
	begun := make(chan time.Time, 1)
	service.Begun = func() { begun <- time.Now() }
	running := start(ctx, t, space, service)
	if took := time.Since(<-begun); took < 250*time.Millisecond { // it may have run for a moment before we were told
		t.Errorf("it was ready %v after it had begun, and takes 300 ms to complete", took)
	}
	if exit, ended, err := running.Ended(ctx); err != nil || !ended || exit.Code != 0 {
		t.Errorf("Ended() = %+v, %v, %v", exit, ended, err)
	}
	if log, err := running.Logs(ctx); err != nil || string(log) != "done\n" {
		t.Errorf("Logs() = %q, %v", log, err)
	}
	service.Name, service.Command = "broken", []string{"out=last words", "exit=3"}
	_, err := space.Start(ctx, service)
	var notReady *engine.NotReadyError
	if !errors.As(err, &notReady) || !strings.Contains(err.Error(), "status 3") || !strings.Contains(string(notReady.Log),
		"last words") {
		t.Errorf("got %v, want a NotReadyError with the status and the log", err)
	}
}

// A service and a program have a limit of processes, which a service can have changed.
func (s *suite) pidLimit(ctx context.Context, t *testing.T) {
	const tooMany = "failed to create new OS thread" // as Go says it
	space := s.open(ctx, t)
	for _, tt := range []struct {
		name    string
		limit   int64
		threads string
		want    string // empty: it has room
	}{
		{"small", 30, "threads=200", tooMany},
		{"usual", 0, "threads=1500", ""},
		{"none", -1, "threads=1500", ""},
	} {
		service := s.server(tt.name)
		service.PIDs, service.Command, service.Expose, service.Ready = tt.limit, []string{tt.threads, "out=enough",
			"sleep=1h"}, nil, spec.Ready{Log: "enough"}
		service.Within = time.Minute
		_, err := space.Start(ctx, service)
		var notReady *engine.NotReadyError
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && !(errors.As(err, &notReady) && strings.Contains(string(notReady.Log), tt.want)):
			t.Errorf("%s: got %v, want an end that says %q", tt.name, err, tt.want)
		}
	}
	exit := s.do(ctx, t, space, fmt.Sprintf("threads=%d", engine.DefaultPIDs+500))
	if exit.Code == 0 { // what it says first is far from the end, which is kept
		t.Errorf("a program may have more than %d threads", engine.DefaultPIDs)
	}
}

// Where a service listens can be told, and why it cannot be reached.
func (s *suite) listening(ctx context.Context, t *testing.T) {
	space := s.open(ctx, t)
	service := s.server("server")
	service.Command, service.Expose = []string{"listen=8080", "listen=127.0.0.1:9000", "out=up", "sleep=1h"}, []int{8080}
	service.Ready = spec.Ready{Log: "up"}
	told, ok := start(ctx, t, space, service).(engine.Listening)
	if !ok {
		t.Fatal("it does not say where it listens")
	}
	open, err := told.Listeners(ctx)
	var words []string
	for _, o := range open {
		words = append(words, strings.Replace(o.String(), "[::]", "0.0.0.0", 1)) // with IPv6, one socket is for both
	}
	if want := []string{"0.0.0.0:8080", "127.0.0.1:9000"}; err != nil || !slices.Equal(slices.Sorted(slices.Values(words)),
		want) {
		t.Errorf("Listeners() = %q, %v; want %q", words, err, want)
	}
	if s.without(spec.Containers) {
		return // the loopback is where it is reached
	}
	service.Name, service.Command, service.Ready = "loop", []string{"listen=127.0.0.1:8080", "sleep=1h"}, spec.Ready{}
	began := time.Now()
	_, err = space.Start(ctx, service)
	const want = "nothing listens on port 8080 (it listens on 127.0.0.1:8080 only: bind to 0.0.0.0)"
	if err == nil || !strings.HasSuffix(err.Error(), want) || time.Since(began) > prompt {
		t.Errorf("got %v after %v, want %s", err, time.Since(began), want)
	}
}

func (s *suite) settings(ctx context.Context, t *testing.T) {
	exit, err := s.open(ctx, t).Run(ctx, engine.Program{
		Name:        "program",
		Image:       s.puppet,
		Entrypoint:  []string{"/puppet", "out=entry"},
		Command:     []string{"env=WORD", "env=EMPTY", "pwd=", "cat=/proc/sys/net/ipv4/ip_local_port_range"},
		Environment: []string{"WORD=a=b c", "EMPTY="},
		WorkingDir:  "/srv/work",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantOutput(t, exit, "entry\na=b c\n\n/srv/work\n1024\t65535\n")
}

func (s *suite) privileges(ctx context.Context, t *testing.T) {
	service := s.server("server")
	service.Hostname = "other"
	service.Ulimits = map[string]spec.Ulimit{"nofile": {Soft: 2000, Hard: 2000}, "core": {Soft: 0, Hard: -1}}
	service.Sysctls = map[string]string{"net.core.somaxconn": "77"}
	service.CapDrop, service.CapAdd = []string{"ALL"}, []string{"NET_ADMIN"}
	service.SecurityOpt = []string{"no-new-privileges:true"}
	exit, err := start(ctx, t, s.open(ctx, t), service).Exec(ctx, engine.Command{Args: []string{"/puppet",
		"cat=/proc/sys/kernel/hostname", "cat=/proc/sys/net/core/somaxconn", "cat=/proc/1/status", "cat=/proc/1/limits"}})
	if err != nil || exit.Code != 0 {
		t.Fatalf("got %+v, %v", exit, err)
	}
	got := strings.Join(strings.Fields(string(exit.Stdout)), " ")
	const netAdmin = "CapEff: 0000000000001000" // bit 12
	for _, want := range []string{"other 77 ", netAdmin, "NoNewPrivs: 1", "Max open files 2000 2000",
		"Max core file size 0 unlimited"} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in %s", want, got)
		}
	}
}

func (s *suite) files(ctx context.Context, t *testing.T) {
	service := s.server("server")
	service.Configs = []spec.File{
		{Path: "/new/folder/a.txt", Data: []byte("a\n")},
		{Path: "/tmp/b.txt", Exec: true, Data: []byte("b\n")},
	}
	want := "a\nb\n-rw-r--r--\n-rwxr-xr-x\n"
	check := []string{"/puppet", "cat=/new/folder/a.txt", "cat=/tmp/b.txt", "mode=/new/folder/a.txt", "mode=/tmp/b.txt"}
	for _, readOnly := range []bool{false, true} {
		service.ReadOnly = readOnly
		exit, err := start(ctx, t, s.open(ctx, t), service).Exec(ctx, engine.Command{Args: check})
		if err != nil {
			t.Fatalf("read-only %v: %v", readOnly, err)
		}
		wantOutput(t, exit, want)
	}

	service.Configs = []spec.File{{Path: "relative.txt"}}
	if _, err := s.open(ctx, t).Start(ctx, service); err == nil || !strings.Contains(err.Error(), "relative.txt") {
		t.Errorf("got %v, want an error about relative.txt", err)
	}
}

func (s *suite) programs(ctx context.Context, t *testing.T) {
	space := s.open(ctx, t)
	large := strings.Repeat("0123456789abcde\n", 1<<16) // a mebibyte
	tests := []struct {
		name   string
		steps  []string
		stdin  string
		code   int
		stdout string
		stderr string
	}{
		{"standard output and error", []string{"out=o", "err=e", "out=p"}, "", 0, "o\np\n", "e\n"},
		{"a status", []string{"out=o", "exit=3"}, "", 3, "o\n", ""},
		{"standard input", []string{"copy="}, "in\nput", 0, "in\nput", ""},
		{"no standard input", []string{"copy=", "out=end"}, "", 0, "end\n", ""},
		{"much input and output", []string{"copy="}, large, 0, large, ""},
		{"input that is not read", []string{"out=o"}, large, 0, "o\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			program := engine.Program{Name: "program", Image: s.puppet, Command: tt.steps}
			if tt.stdin != "" {
				program.Stdin = strings.NewReader(tt.stdin)
			}
			exit, err := space.Run(ctx, program, nil)
			if err != nil {
				t.Fatal(err)
			}
			if exit.Code != tt.code || string(exit.Stdout) != tt.stdout || string(exit.Stderr) != tt.stderr {
				t.Errorf("got %d, %.100q (%d bytes), %.100q (%d bytes); want %d, %.100q (%d bytes), %.100q (%d bytes)",
					exit.Code, exit.Stdout, len(exit.Stdout), exit.Stderr, len(exit.Stderr), tt.code, tt.stdout, len(tt.stdout),
					tt.stderr, len(tt.stderr))
			}
		})
	}
	t.Run("standard input that comes when it runs", func(t *testing.T) {
		read, write := io.Pipe()
		defer read.Close()
		program := engine.Program{Name: "program", Image: s.puppet, Command: []string{"out=o", "copy=", "out=p"}, Stdin: read}
		exit, err := space.Run(ctx, program, func(engine.Container) {
			go func() {
				_, _ = io.WriteString(write, "late\n")
				_ = write.Close()
			}()
		})
		if err != nil {
			t.Fatal(err)
		}
		wantOutput(t, exit, "o\nlate\np\n")
	})
	t.Run("a program that ends before its standard input does", func(t *testing.T) {
		read, write := io.Pipe()
		defer write.Close()
		exit, err := space.Run(ctx, engine.Program{Name: "program", Image: s.puppet, Command: []string{"out=o"}, Stdin: read},
			nil)
		if err != nil {
			t.Fatal(err)
		}
		wantOutput(t, exit, "o\n")
	})
	t.Run("a program that is not there", func(t *testing.T) {
		program := engine.Program{Name: "program", Image: s.puppet, Entrypoint: []string{"/nothing"}}
		if exit, err := space.Run(ctx, program, nil); err == nil || !strings.Contains(err.Error(), "/nothing") {
			t.Errorf("got %+v, %v, want an error that names /nothing", exit, err)
		}
	})
}

func (s *suite) watched(ctx context.Context, t *testing.T) {
	// It ends when it is told to, and so not before it was looked at.
	program := engine.Program{Name: "program", Image: s.puppet, Command: []string{"out=hello", "listen=8080", "asked"}}
	called := false
	_, err := s.open(ctx, t).Run(ctx, program, func(running engine.Container) {
		called = true
		if running.Name() != "program" {
			t.Errorf("Name() = %q, want %q", running.Name(), "program")
		}
		if _, err := running.Usage(ctx); err != nil {
			t.Errorf("Usage: %v", err)
		}
		if log, err := running.Logs(ctx); err != nil || string(log) != "" && string(log) != "hello\n" {
			t.Errorf("Logs() = %q, %v", log, err)
		}
		inside := func(step string) (engine.Exit, error) {
			return running.Exec(ctx, engine.Command{Args: []string{"/puppet", step}})
		}
		for {
			exit, err := inside("dial=127.0.0.1:8080")
			if err != nil {
				t.Errorf("Exec: %v", err)
			}
			if err != nil || exit.Code == 0 {
				break
			}
		}
		_, _ = inside("get=http://127.0.0.1:8080/go") // it may be ended together with the program
	})
	if err != nil || !called {
		t.Errorf("got %v, called %v; want no error, called", err, called)
	}
}

func (s *suite) exec(ctx context.Context, t *testing.T) {
	service := s.server("server")
	service.Environment = []string{"NAME=server", "OTHER=other"}
	running := start(ctx, t, s.open(ctx, t), service)
	exit, err := running.Exec(ctx, engine.Command{
		Args:        []string{"/puppet", "copy=", "env=NAME", "env=OTHER", "pwd=", "err=e", "exit=4"},
		Environment: []string{"NAME=own"},
		WorkingDir:  "/proc",
		Stdin:       []byte("in\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if exit.Code != 4 || string(exit.Stdout) != "in\nown\nother\n/proc\n" || string(exit.Stderr) != "e\n" {
		t.Errorf("got %d, %q, %q", exit.Code, exit.Stdout, exit.Stderr)
	}
	cancelled, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	_, err = running.Exec(cancelled, engine.Command{Args: []string{"/puppet", "sleep=1h"}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the error of the context", err)
	}
}

func (s *suite) beside(ctx context.Context, t *testing.T) {
	space := s.open(ctx, t)
	start(ctx, t, space, s.server("server"))
	program := engine.Program{
		Name: "program", Image: s.puppet, Beside: "server", Command: []string{"get=http://127.0.0.1:8080/"},
	}
	exit, err := space.Run(ctx, program, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantOutput(t, exit, "hello from server\n")
	program.Beside = "nobody"
	if _, err := space.Run(ctx, program, nil); err == nil || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf(`got %v, want an error that names "nobody"`, err)
	}
}

func (s *suite) usage(ctx context.Context, t *testing.T) {
	running := start(ctx, t, s.open(ctx, t), s.server("server"))
	before, err := running.Usage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if exit, err := running.Exec(ctx, engine.Command{Args: []string{"/puppet", "burn=300ms"}}); err != nil ||
		exit.Code != 0 {
		t.Fatalf("got %+v, %v", exit, err)
	}
	after, err := running.Usage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if used := after.CPU - before.CPU; used < 250*time.Millisecond || used > 5*time.Second {
		t.Errorf("300 ms were burnt, usage grew by %v", used)
	}
	if !after.At.After(before.At) || after.Memory < 100<<10 || after.Memory > 1<<30 {
		t.Errorf("usage was %+v, then %+v", before, after)
	}
}

func (s *suite) cpuLimit(ctx context.Context, t *testing.T) {
	service := s.server("server")
	service.CPUs = 0.2
	running := start(ctx, t, s.open(ctx, t), service)
	began := time.Now()
	if exit, err := running.Exec(ctx, engine.Command{Args: []string{"/puppet", "burn=200ms"}}); err != nil ||
		exit.Code != 0 {
		t.Fatalf("got %+v, %v", exit, err)
	}
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("200 ms were burnt in %v with a limit of 0.2", took)
	}
	usage, err := running.Usage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if usage.Periods < usage.Throttled || usage.Throttled < 1 {
		t.Errorf("%d of %d periods were throttled, want some", usage.Throttled, usage.Periods)
	}
}
