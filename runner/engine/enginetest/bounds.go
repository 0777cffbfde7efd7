package enginetest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

func (s *suite) cpuSet(ctx context.Context, t *testing.T) {
	space := s.open(ctx, t)
	service := s.server("server")
	service.CPUSet = "0"
	first := "cat=/proc/1/status"
	if s.without(spec.Containers) {
		first = "cat=/proc/thread-self/status"
	}
	exit := s.puppetIn(ctx, t, start(ctx, t, space, service), first, "cat=/proc/self/status")
	if n := strings.Count(string(exit.Stdout), "Cpus_allowed_list:\t0\n"); n != 2 {
		t.Errorf("of the service and a command in it, %d are bound to CPU 0: %s%s", n, exit.Stdout, exit.Stderr)
	}
	program := engine.Program{Name: "program", Image: s.puppet, CPUSet: "0", Command: []string{"cat=/proc/self/status"}}
	exit, err := space.Run(ctx, program, nil)
	if err != nil || !strings.Contains(string(exit.Stdout), "Cpus_allowed_list:\t0\n") {
		t.Errorf("a program is not bound to CPU 0: %v, %s", err, exit.Stdout)
	}
	service.Name, service.CPUSet = "elsewhere", "4000"
	if _, err := space.Start(ctx, service); !errors.As(err, new(*engine.RejectedError)) {
		t.Errorf("on a CPU that is not there: got %v, want a RejectedError", err)
	}
}

func (s *suite) first(ctx context.Context, t *testing.T) {
	space := s.open(ctx, t)
	for file, want := range map[string]string{
		"/sys/fs/cgroup/cpu/cpu.shares": "262144\n",
		"/sys/fs/cgroup/cpu.weight":     "10000\n",
	} {
		program := engine.Program{Name: "program", Image: s.puppet, First: true, Command: []string{"cat=" + file}}
		exit, err := space.Run(ctx, program, nil)
		switch {
		case err != nil:
			t.Fatal(err)
		case exit.Code != 0: // of the other version of control groups
		case string(exit.Stdout) != want:
			t.Errorf("%s has %q, want %q", file, exit.Stdout, want)
		default:
			return
		}
	}
	t.Error("no control group tells its weight")
}

func (s *suite) userAndMemory(ctx context.Context, t *testing.T) {
	service := s.server("server")
	service.User, service.ShmSize, service.Tmpfs = "65534:65533", 1<<20, []string{"/run/memory:size=64k,mode=1777"}
	exit := s.puppetIn(ctx, t, start(ctx, t, s.open(ctx, t), service), "cat=/proc/1/status", "cat=/proc/self/status",
		"cat=/proc/mounts")
	got := string(exit.Stdout)
	memory := " /run/memory tmpfs rw,nosuid,nodev,noexec"
	if s.without(spec.MountOptions) {
		memory = " /run/memory tmpfs rw,"
	}
	for want, times := range map[string]int{
		"Uid:\t65534\t65534\t65534\t65534\n": 2, "Gid:\t65533\t65533\t65533\t65533\n": 2, "CapEff:\t0000000000000000\n": 2,
		memory: 1,
	} {
		if strings.Count(got, want) != times {
			t.Errorf("%q stands %d times, want %d, in\n%s%s", want, strings.Count(got, want), times, got, exit.Stderr)
		}
	}
	for line := range strings.Lines(got) {
		fields := strings.Fields(line)
		if len(fields) > 3 && fields[1] == "/dev/shm" && !strings.Contains(","+fields[3]+",", ",size=1024k,") {
			t.Errorf("of shared memory there is %q, want size=1024k", line)
		}
	}
}

func (s *suite) memoryLimit(ctx context.Context, t *testing.T) {
	service := s.server("server")
	service.Memory = 32 << 20
	service.Command = []string{"listen=8080", "allocate=1000000", "asked", "allocate=200000000", "sleep=1h"}
	space := s.open(ctx, t)
	running := start(ctx, t, space, service)
	s.do(ctx, t, space, "get=http://server:8080/go")
	for {
		exit, ended, err := running.Ended(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if ended {
			if exit.Code != 137 || !exit.OutOfMemory {
				t.Errorf("it ended with %+v, want 137, out of memory", exit)
			}
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	log, err := running.Logs(ctx)
	if err != nil || !strings.Contains(string(log), "allocated 1000000\n") ||
		strings.Contains(string(log), "allocated 200000000") {
		t.Errorf("it had %q, %v; want the first memory and not the second", log, err)
	}
}

func (s *suite) init(ctx context.Context, t *testing.T) {
	space := s.open(ctx, t)
	service := s.server("server")
	service.Init = true
	exit := s.puppetIn(ctx, t, start(ctx, t, space, service), "cat=/proc/1/comm")
	if got := strings.TrimSpace(string(exit.Stdout)); got == "puppet" || got == "" {
		t.Errorf("the first process is %q, want one that reaps", got)
	}
	service.Name, service.Command = "short", []string{"exit=3"}
	var notReady *engine.NotReadyError
	if _, err := space.Start(ctx, service); !errors.As(err, &notReady) || !strings.Contains(err.Error(), "status 3") {
		t.Errorf("got %v, want a NotReadyError with status 3", err)
	}
	service.Name, service.Entrypoint = "none", []string{"/nothing"}
	if _, err := space.Start(ctx, service); !errors.As(err, &notReady) && !errors.As(err, new(*engine.RejectedError)) {
		t.Errorf("got %v, want an error about the program", err)
	}
}

// grace closes spaces around services that do what they are asked to, and that do not.
func (s *suite) grace(ctx context.Context, t *testing.T) {
	outer := s.open(ctx, t)
	data := []spec.Volume{{Target: "/data", Source: "data"}}
	watcher := s.server("watcher")
	watcher.Volumes = data
	seen := start(ctx, t, outer, watcher)
	tests := []struct {
		name, signal string
		steps        []string
		grace        time.Duration
		wrote        bool
		atLeast      time.Duration
	}{
		{"the usual signal", "", []string{"await=1", "sleep=100ms", "write=/data/usual:x"}, 2 * prompt, true,
			100 * time.Millisecond},
		{"its own signal", "SIGUSR1", []string{"await=1", "write=/data/own:x"}, 2 * prompt, true, 0},
		{"it takes no notice", "", []string{"await=3", "write=/data/late:x"}, time.Second, false, time.Second},
		{"it gets no time", "", []string{"await=1", "write=/data/none:x"}, 0, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			space := inner(ctx, t, outer)
			service := s.server("server")
			service.Volumes, service.Command, service.Ready = data, tt.steps, spec.Ready{Log: "waiting"}
			service.StopSignal, service.StopGrace = tt.signal, tt.grace
			start(ctx, t, space, service)
			began := time.Now()
			closeSpace(ctx, t, space)
			if took := time.Since(began); took < tt.atLeast || took > prompt {
				t.Errorf("closing took %v, want at least %v", took, tt.atLeast)
			}
			path, _, _ := strings.Cut(strings.TrimPrefix(tt.steps[len(tt.steps)-1], "write="), ":")
			if exit := s.puppetIn(ctx, t, seen, "cat="+path); (exit.Code == 0) != tt.wrote {
				t.Errorf("it wrote before it ended: %v, want %v", exit.Code == 0, tt.wrote)
			}
		})
	}
	bad := s.server("bad")
	bad.StopSignal = "NONSENSE"
	if _, err := outer.Start(ctx, bad); !errors.As(err, new(*engine.RejectedError)) {
		t.Errorf("with a signal that is none: got %v, want a RejectedError", err)
	}
}

func (s *suite) muchOutput(ctx context.Context, t *testing.T) {
	service := s.server("server")
	service.Command = []string{"fill=67108864", "out=.", "listen=8080", "out=the end", "sleep=1h"}
	running := start(ctx, t, s.open(ctx, t), service)
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		log, err := running.Logs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(log) > 1<<20 {
			t.Fatalf("%d bytes of the log are kept", len(log))
		}
		if strings.HasSuffix(string(log), "xx.\nthe end\n") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("of 64 MiB the last %d bytes are kept, and end with %q", len(log), log[max(0, len(log)-20):])
		}
	}
}

// programOutput ends a program when it has written more than is kept.
func (s *suite) programOutput(ctx context.Context, t *testing.T) {
	enough := errors.New("enough")
	ctx, end := context.WithCancelCause(ctx)
	_, err := s.open(ctx, t).Run(ctx, engine.Program{Name: "program", Image: s.puppet,
		Command: []string{"fill=67108864", "out=the end", "sleep=1h"}, Full: func() { end(enough) }}, nil)
	if err == nil || context.Cause(ctx) != enough {
		t.Errorf("it goes on: %v, %v", err, context.Cause(ctx))
	}
}

// readyBehindMuch waits for a text in more than any engine keeps, and faster than any can be read again: each of them
// counts.
func (s *suite) readyBehindMuch(ctx context.Context, t *testing.T) {
	const times = 8
	service := s.server("server")
	service.Command = []string{"out=the word"}
	for range times - 1 {
		service.Command = append(service.Command, "fill=33554432", "out=.", "out=the word")
	}
	service.Command = append(service.Command, "sleep=1h")
	service.Ready = spec.Ready{Log: "the word", Times: times, StartPeriod: 4 * time.Minute}
	running := start(ctx, t, s.open(ctx, t), service)
	if log, err := running.Logs(ctx); err != nil || len(log) > 1<<20 {
		t.Errorf("of its log %d bytes are kept, %v; want a mebibyte at most", len(log), err)
	}
}

func (s *suite) threads(ctx context.Context, t *testing.T) {
	running := start(ctx, t, s.open(ctx, t), s.server("server"))
	threaded, ok := running.(engine.Threaded)
	if !ok {
		t.Skip("this engine tells nothing of threads")
	}
	if _, err := running.Usage(ctx); err != nil {
		t.Fatal(err)
	}
	threads, err := threaded.Threads(ctx)
	if err != nil || len(threads) == 0 {
		t.Errorf("threads are %v, %v; want some", threads, err)
	}
	if queued, ok := running.(engine.Queued); ok {
		if waits, err := queued.Waits(ctx); err != nil || len(waits) == 0 {
			t.Errorf("threads waited for %v, %v; want some", waits, err)
		}
	}
}

// machine runs what every machine has, and looks whether it leaves traces.
func (s *suite) machine(ctx context.Context, t *testing.T) {
	image, err := s.engine.Prepare(ctx, engine.Image{Machine: true}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if image.Built || image.Reference == "" || image.ID == "" {
		t.Errorf("the machine was prepared as %+v", image)
	}
	shell := func(script string) engine.Exit {
		t.Helper()
		exit, err := s.open(ctx, t).Run(ctx, engine.Program{Name: "shell", Image: image, Entrypoint: []string{"sh", "-c",
			script}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return exit
	}
	// Whatever it writes where it is, is gone afterwards.
	wantOutput(t, shell("ls; echo x > benchbook-enginetest; cat benchbook-enginetest"), "x\n")
	wantOutput(t, shell("ls"), "")
	// Nothing of whoever runs us is passed on.
	t.Setenv("BENCHBOOK_ENGINETEST_SECRET", "secret")
	wantOutput(t, shell(`echo "$BENCHBOOK_ENGINETEST_SECRET"`), "\n")
	_, err = s.open(ctx, t).Run(ctx, engine.Program{Name: "nothing", Image: image}, nil)
	if !errors.As(err, new(*engine.RejectedError)) {
		t.Errorf("without a command: got %v, want a RejectedError", err)
	}
}

// refused asks for what an engine does not have. It is a table: a case for each capability.
//
//gocyclo:ignore
func (s *suite) refused(ctx context.Context, t *testing.T, lacked spec.Capability) {
	wantImageError := func(images ...engine.Image) {
		t.Helper()
		for _, image := range images {
			_, err := s.engine.Prepare(ctx, image, io.Discard)
			var refused *engine.ImageError
			if !errors.As(err, &refused) || refused.Reference == "" || refused.WayOut == "" || !strings.Contains(err.Error(),
				s.engine.Name()) {
				t.Errorf("Prepare(%+v): got %v, want an ImageError that names the engine and a way out", image, err)
			}
		}
	}
	switch lacked {
	case spec.Builds:
		wantImageError(engine.Image{Name: base}, dockerBuild("FROM "+base))
	case spec.Machine:
		wantImageError(engine.Image{Machine: true})
	case spec.OneName:
		space := s.open(ctx, t)
		one, two := s.server("one"), s.server("two")
		one.Aliases, two.Aliases = []string{"pool"}, []string{"pool"}
		start(ctx, t, space, one)
		if _, err := space.Start(ctx, two); !errors.As(err, new(*engine.RejectedError)) || !strings.Contains(err.Error(),
			`"pool"`) {
			t.Errorf(`got %v, want a RejectedError that names "pool"`, err)
		}
	case spec.Keeping:
		space := s.open(ctx, t)
		start(ctx, t, space, s.server("server"))
		if kept, err := space.Keep(ctx); err == nil || !strings.Contains(err.Error(), s.engine.Name()) {
			t.Errorf("kept %v, %v; want an error that names the engine", kept, err)
		}
		// It is there as before, and closed as ever.
		wantOutput(t, s.do(ctx, t, space, "get=http://server:8080/"), "hello from server\n")
	case spec.Containers:
		for _, asks := range []spec.Service{{User: "65534"}, {Memory: 1 << 30}, {CPUs: 0.5}, {ReadOnly: true},
			{Volumes: []spec.Volume{{Target: "/data"}}}, {Hostname: "other"}, {CapDrop: []string{"ALL"}}} {
			service := s.server("server")
			asks.Name, asks.Command = service.Name, service.Command
			service.Service = asks
			if _, err := s.open(ctx, t).Start(ctx, service); !errors.As(err, new(*engine.RejectedError)) {
				t.Errorf("%q: got %v, want a RejectedError", asks.NeedsContainer(), err)
			}
		}
	case spec.PIDLimit, spec.MountOptions, spec.SecurityProfiles, spec.KernelSettings:
		s.rejected(ctx, t, lacked)
	case spec.Priorities:
		t.Skip("what is asked of it is refused by plans")
	case spec.NamedCPUs:
		if _, ok := start(ctx, t, s.open(ctx, t), s.server("server")).(engine.Placed); !ok {
			t.Error("it chooses CPUs itself, and does not tell which")
		}
	case spec.Listening:
		t.Skip("it may tell where some services listen")
	default:
		t.Fatalf("there is no test of how %s is refused", lacked)
	}
}

// rejected tests that a service which asks for what the engine lacks is not started.
func (s *suite) rejected(ctx context.Context, t *testing.T, lacked spec.Capability) {
	service := s.server("server")
	switch lacked {
	case spec.PIDLimit:
		service.PIDs = 30
	case spec.MountOptions:
		service.Tmpfs = []string{"/run/memory:noexec"}
	case spec.SecurityProfiles:
		service.SecurityOpt = []string{"seccomp=unconfined"}
	case spec.KernelSettings:
		service.Sysctls = map[string]string{"kernel.shm_rmid_forced": "1"}
	}
	if _, err := s.open(ctx, t).Start(ctx, service); !errors.As(err, new(*engine.RejectedError)) {
		t.Errorf("got %v, want a RejectedError", err)
	}
}

func (s *suite) kernelSetting(ctx context.Context, t *testing.T) {
	service := s.server("server")
	service.Sysctls = map[string]string{"kernel.shm_rmid_forced": "1"}
	running := start(ctx, t, s.open(ctx, t), service)
	wantOutput(t, s.puppetIn(ctx, t, running, "cat=/proc/sys/kernel/shm_rmid_forced"), "1\n")
}

func (s *suite) securityProfile(ctx context.Context, t *testing.T) {
	service := s.server("server")
	service.SecurityOpt = []string{"seccomp=unconfined"}
	exit := s.puppetIn(ctx, t, start(ctx, t, s.open(ctx, t), service), "cat=/proc/1/status")
	if !strings.Contains(string(exit.Stdout), "Seccomp:\t0\n") {
		t.Errorf("it is confined by a profile: %s", exit.Stdout)
	}
}
