package enginetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// inner opens a space within another one. It is closed by the test, or with the outer one.
func inner(ctx context.Context, t *testing.T, outer engine.Space) engine.Space {
	t.Helper()
	space, err := outer.Group(ctx)
	if err != nil {
		t.Fatalf("Inner: %v", err)
	}
	return space
}

func closeSpace(ctx context.Context, t *testing.T, space engine.Space) {
	t.Helper()
	if err := space.Close(ctx); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

// Names are used once in a space and those around it, and are free again when what had them is gone.
func (s *suite) within(ctx context.Context, t *testing.T) {
	outer := s.open(ctx, t)
	start(ctx, t, outer, s.server("shared"))
	for range 2 {
		repetition := inner(ctx, t, outer)
		start(ctx, t, repetition, s.server("fresh"))
		if _, err := repetition.Start(ctx, s.server("shared")); err == nil || !strings.Contains(err.Error(), `"shared"`) {
			t.Errorf(`got %v, want an error that names "shared"`, err)
		}
		closeSpace(ctx, t, repetition)
		closeSpace(ctx, t, repetition) // it may be closed twice
		if _, err := repetition.Start(ctx, s.server("late")); err == nil {
			t.Error("a service was started in a space that is closed")
		}
	}
	closeSpace(ctx, t, outer)
	if _, err := outer.Group(ctx); err == nil {
		t.Error("a space was opened within one that is closed")
	}
}

// What runs in a space and in one within reaches each other, and only the inner one ends when that is closed.
func (s *suite) withinReach(ctx context.Context, t *testing.T) {
	outer := s.open(ctx, t)
	shared := start(ctx, t, outer, s.server("shared"))
	repetition := inner(ctx, t, outer)
	start(ctx, t, repetition, s.server("fresh"))
	wantOutput(t, s.do(ctx, t, repetition, "get=http://shared:8080/", "get=http://fresh:8080/"),
		"hello from shared\nhello from fresh\n")
	wantOutput(t, s.puppetIn(ctx, t, shared, "get=http://fresh:8080/"), "hello from fresh\n")
	beside := engine.Program{Name: "program", Image: s.puppet, Beside: "shared",
		Command: []string{"get=http://127.0.0.1:8080/"}}
	exit, err := repetition.Run(ctx, beside, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantOutput(t, exit, "hello from shared\n")

	closeSpace(ctx, t, repetition)
	if exit := s.puppetIn(ctx, t, shared, "get=http://fresh:8080/"); exit.Code == 0 {
		t.Error("a service of a space that is closed was reached")
	}
	next := inner(ctx, t, outer)
	start(ctx, t, next, s.server("fresh"))
	wantOutput(t, s.puppetIn(ctx, t, shared, "get=http://shared:8080/", "get=http://fresh:8080/"),
		"hello from shared\nhello from fresh\n")

	// The outer one takes with it what is still open.
	closeSpace(ctx, t, outer)
	if _, err := next.Start(ctx, s.server("late")); err == nil {
		t.Error("a service was started within a space that is closed")
	}
}

func (s *suite) oneName(ctx context.Context, t *testing.T) {
	space := s.open(ctx, t)
	for _, name := range []string{"one", "two", "three"} {
		service := s.server(name)
		service.Aliases = []string{"pool"}
		start(ctx, t, space, service)
	}
	wantOutput(t, s.do(ctx, t, space, "count=pool", "count=two"), "3\n1\n")
	// Whoever asks again and again comes to each of them.
	var asks []string
	for range 60 {
		asks = append(asks, "get=http://pool:8080/")
	}
	exit := s.do(ctx, t, space, asks...)
	for _, name := range []string{"one", "two", "three"} {
		if !strings.Contains(string(exit.Stdout), "hello from "+name+"\n") {
			t.Errorf("%s was never reached: status %d, %s%s", name, exit.Code, exit.Stdout, exit.Stderr)
		}
	}
}

// puppet runs steps inside a service.
func (s *suite) puppetIn(ctx context.Context, t *testing.T, running engine.Container, steps ...string) engine.Exit {
	t.Helper()
	exit, err := running.Exec(ctx, engine.Command{Args: append([]string{"/puppet"}, steps...)})
	if err != nil {
		t.Fatal(err)
	}
	return exit
}

func (s *suite) volumes(ctx context.Context, t *testing.T) {
	files := []spec.File{{Path: "a.txt", Data: []byte("a\n")}, {Path: "below/run", Exec: true, Data: []byte("b\n")}}
	service := func(name string) engine.Service {
		out := s.server(name)
		out.Volumes = []spec.Volume{
			{Target: "/data", Source: "data"}, {Target: "/own"},
			{Type: spec.BindVolume, Target: "/files", Files: files, ReadOnly: true},
			{Type: spec.BindVolume, Target: "/empty", ReadOnly: true},
		}
		out.Tmpfs = []string{"/run/memory:size=64k"}
		return out
	}
	space := s.open(ctx, t)
	one := start(ctx, t, space, service("one"))
	wantOutput(t, s.puppetIn(ctx, t, one, "cat=/files/a.txt", "cat=/files/below/run", "mode=/files/below/run",
		"mode=/files/a.txt"),
		"a\nb\n-rwxr-xr-x\n-rw-r--r--\n")
	wantOutput(t, s.puppetIn(ctx, t, one, "write=/data/x:of one", "write=/own/x:of one", "write=/run/memory/x:of one"), "")
	for _, step := range []string{"write=/files/a.txt:changed", "write=/files/new:x", "write=/empty/new:x"} {
		if exit := s.puppetIn(ctx, t, one, step); exit.Code == 0 {
			t.Errorf("%s: what is read-only was written to", step)
		}
	}
	large := "write=/run/memory/large:" + strings.Repeat("x", 80<<10)
	if exit := s.puppetIn(ctx, t, one, large); exit.Code == 0 {
		t.Error("80 KiB went into a tmpfs of 64k")
	}
	two := start(ctx, t, space, service("two"))
	wantOutput(t, s.puppetIn(ctx, t, two, "cat=/data/x", "cat=/files/a.txt"), "of one\na\n")
	if exit := s.puppetIn(ctx, t, two, "cat=/own/x"); exit.Code == 0 {
		t.Error("a volume without a name was shared")
	}
	readOnly := s.server("reader")
	readOnly.Volumes = []spec.Volume{{Target: "/data", Source: "data", ReadOnly: true}}
	reader := start(ctx, t, space, readOnly)
	wantOutput(t, s.puppetIn(ctx, t, reader, "cat=/data/x"), "of one\n")
	if exit := s.puppetIn(ctx, t, reader, "write=/data/x:changed"); exit.Code == 0 {
		t.Error("a volume that is read-only was written to")
	}

	// Of another space, or of one after it, a volume of the same name is another one.
	closeSpace(ctx, t, space)
	again := start(ctx, t, s.open(ctx, t), service("one"))
	if exit := s.puppetIn(ctx, t, again, "cat=/data/x"); exit.Code == 0 {
		t.Errorf("a volume was there after its space was closed: %s", exit.Stdout)
	}
}

func (s *suite) sharedVolumes(ctx context.Context, t *testing.T) {
	service := func(name string, volumes ...string) engine.Service {
		out := s.server(name)
		for _, v := range volumes {
			out.Volumes = append(out.Volumes, spec.Volume{Target: "/" + v, Source: v})
		}
		return out
	}
	outer := s.open(ctx, t)
	shared := start(ctx, t, outer, service("shared", "data"))
	for range 2 {
		repetition := inner(ctx, t, outer)
		fresh := start(ctx, t, repetition, service("fresh", "data", "scratch"))
		if exit := s.puppetIn(ctx, t, fresh, "cat=/scratch/x"); exit.Code == 0 {
			t.Error("a volume outlived the space that it was made in")
		}
		wantOutput(t, s.puppetIn(ctx, t, fresh, "write=/data/x:of fresh", "write=/scratch/x:of fresh"), "")
		wantOutput(t, s.puppetIn(ctx, t, shared, "cat=/data/x"), "of fresh\n")
		closeSpace(ctx, t, repetition)
		wantOutput(t, s.puppetIn(ctx, t, shared, "cat=/data/x"), "of fresh\n")
	}
}

func (s *suite) ended(ctx context.Context, t *testing.T) {
	service := s.server("server")
	service.Command = []string{"listen=8080", "asked", "exit=3"}
	service.Ready = spec.Ready{Port: 8080}
	space := s.open(ctx, t)
	running := start(ctx, t, space, service)
	if exit, ended, err := running.Ended(ctx); ended || err != nil {
		t.Fatalf("it ended with %+v, %v before it was told to", exit, err)
	}
	s.do(ctx, t, space, "get=http://server:8080/go")
	for {
		exit, ended, err := running.Ended(ctx)
		switch {
		case err != nil:
			t.Fatal(err)
		case !ended:
			time.Sleep(10 * time.Millisecond)
			continue
		case exit.Code != 3 || exit.OutOfMemory:
			t.Errorf("it ended with %+v, want status 3", exit)
		}
		break
	}
}
