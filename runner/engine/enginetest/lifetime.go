package enginetest

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

func (s *suite) isolation(ctx context.Context, t *testing.T) {
	space := s.open(ctx, t)
	// Whoever asks a name server that does not answer waits for ten seconds, every time; a machine that is busy takes long
	// at times.
	for tries := 1; ; tries++ {
		began := time.Now()
		if exit := s.do(ctx, t, space, "resolve=example.com"); exit.Code == 0 {
			t.Error("a name of outside was resolved")
		}
		took := time.Since(began)
		if took <= 5*time.Second {
			break
		}
		if tries == 3 {
			t.Errorf("it took %v to find that a name is not known, and no less the times before", took)
			break
		}
	}
	// Only what can be reached from here can show that it cannot be reached from there.
	outside := nameServer(t)
	conn, err := net.DialTimeout("tcp", outside, time.Second)
	if err != nil {
		t.Skipf("the name server of this machine is not reached either: %v", err)
	}
	conn.Close()
	if exit := s.do(ctx, t, space, "dial="+outside); exit.Code == 0 {
		t.Errorf("%s was reached", outside)
	}
}

// nameServer returns the address of the name server that this machine uses: another machine that is always there.
func nameServer(t *testing.T) string {
	t.Helper()
	config, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(config)) {
		fields := strings.Fields(line)
		if len(fields) == 2 && fields[0] == "nameserver" && !net.ParseIP(fields[1]).IsLoopback() {
			return net.JoinHostPort(fields[1], "53")
		}
	}
	t.Skip("this machine has no name server but itself")
	return ""
}

func (s *suite) twoSpaces(ctx context.Context, t *testing.T) {
	first, second := s.open(ctx, t), s.open(ctx, t)
	server := start(ctx, t, first, s.server("server"))
	start(ctx, t, first, s.server("only"))
	other := s.server("server")
	other.Environment = []string{"NAME=the other server"}
	start(ctx, t, second, other)
	wantOutput(t, s.do(ctx, t, first, "get=http://server:8080/", "get=http://only:8080"),
		"hello from server\nhello from only\n")
	wantOutput(t, s.do(ctx, t, second, "get=http://server:8080/"), "hello from the other server\n")
	if exit := s.do(ctx, t, second, "resolve=only"); exit.Code == 0 {
		t.Error("the service of another space was found")
	}

	exit, err := server.Exec(ctx, engine.Command{Args: []string{"/puppet", "addresses="}})
	if err != nil {
		t.Fatal(err)
	}
	addresses := strings.Fields(string(exit.Stdout))
	if len(addresses) == 0 {
		t.Fatalf("the server has no address: %+v", exit)
	}
	for _, ip := range addresses {
		address := net.JoinHostPort(ip, "8080")
		wantOutput(t, s.do(ctx, t, first, "dial="+address), "")
		if exit := s.do(ctx, t, second, "dial="+address); exit.Code == 0 {
			t.Errorf("%s was reached from another space", address)
		}
	}
}

func (s *suite) cancelRun(ctx context.Context, t *testing.T) {
	space := s.open(ctx, t)
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(ctx)
	began := time.Now()
	program := engine.Program{Name: "program", Image: s.puppet, Command: []string{"out=hello", "sleep=1h"}}
	_, err := space.Run(ctx, program, func(engine.Container) {
		time.AfterFunc(100*time.Millisecond, func() { cancel(reason) })
	})
	if !errors.Is(err, reason) && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the reason of the cancelling", err)
	}
	if took := time.Since(began); took > prompt {
		t.Errorf("that took %v", took)
	}
	if _, err := space.Run(ctx, program, nil); err == nil {
		t.Error("a program was run after the context was cancelled")
	}
}

func (s *suite) cancelStart(ctx context.Context, t *testing.T) {
	space := s.open(ctx, t)
	service := s.server("server")
	service.Ready = spec.Ready{Log: "never"}
	// Early, in the middle, and while it waits.
	for _, after := range []time.Duration{time.Millisecond, 50 * time.Millisecond, 400 * time.Millisecond} {
		cancelled, cancel := context.WithTimeout(ctx, after)
		_, err := space.Start(cancelled, service)
		cancel()
		if err == nil || errors.As(err, new(*engine.NotReadyError)) {
			t.Errorf("cancelled after %v: got %v, want the error of the context", after, err)
		}
	}
	start(ctx, t, space, s.server("server")) // the others are gone: the name is free
}

func (s *suite) sameName(ctx context.Context, t *testing.T) {
	space := s.open(ctx, t)
	start(ctx, t, space, s.server("server"))
	if _, err := space.Start(ctx, s.server("server")); err == nil || !strings.Contains(err.Error(), `"server"`) {
		t.Errorf(`got %v, want an error that names "server"`, err)
	}
}

func (s *suite) closeTwice(ctx context.Context, t *testing.T) {
	space, err := s.engine.Open(ctx, "enginetest")
	if err != nil {
		t.Fatal(err)
	}
	start(ctx, t, space, s.server("server"))
	for range 2 {
		if err := space.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := space.Start(ctx, s.server("server")); err == nil {
		t.Error("a service was started in a space that is closed")
	}
	if _, err := space.Run(ctx, engine.Program{Name: "program", Image: s.puppet}, nil); err == nil {
		t.Error("a program was run in a space that is closed")
	}
}

// orphanVariable, set in the environment, makes Run leave a running service behind: one that waits to be killed, or one
// that is kept.
const orphanVariable = "BENCHBOOK_ENGINETEST_ORPHAN"

const (
	orphanRun = "enginetest-orphan"
	keptRun   = "enginetest-kept"
)

// orphan is what is left behind.
func (s *suite) orphan() engine.Service {
	service := s.server("server")
	if s.without(spec.Containers) { // another one has that port meanwhile
		service.Command, service.Expose = []string{"listen=8081", "sleep=1h"}, []int{8081}
	}
	if !s.without(Volumes) && !s.without(spec.Containers) {
		service.Volumes = []spec.Volume{{Target: "/data", Source: "data"}, {Target: "/own"}}
	}
	return service
}

// leftBehind are the kinds of what an orphan leaves.
func (s *suite) leftBehind() []string {
	switch {
	case len(s.leaves) > 0:
		return s.leaves
	case s.without(Volumes):
		return []string{"container", "network"}
	}
	return []string{"container", "network", "volume"}
}

// becomeOrphan starts a service and waits to be killed, or keeps it.
func (s *suite) becomeOrphan(t *testing.T) {
	run := os.Getenv(orphanVariable)
	outer, err := s.engine.Open(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	space := inner(t.Context(), t, outer)
	start(t.Context(), t, space, s.orphan())
	os.Stdout.WriteString("\n" + run + " is ready\n")
	if run == orphanRun {
		time.Sleep(timeout)
	}
	for _, keep := range []engine.Space{space, outer} {
		kept, err := keep.Keep(t.Context())
		if err != nil {
			t.Fatalf("Keep: %v", err)
		}
		if keep == space && (len(kept) != 1 || kept[0].Service != "server" || len(kept[0].Enter) == 0) ||
			keep == outer && len(kept) > 0 {
			t.Errorf("kept %v", kept)
		}
		if err := keep.Close(t.Context()); err != nil {
			t.Errorf("Close of what is kept: %v", err)
		}
		if _, err := keep.Start(t.Context(), s.server("late")); err == nil {
			t.Error("a service was started in a space that was kept")
		}
	}
}

// abandon runs this test in a process of its own, until it has started what it is to leave behind.
func (s *suite) abandon(ctx context.Context, t *testing.T, run string) *exec.Cmd {
	t.Helper()
	name, _, _ := strings.Cut(t.Name(), "/")
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+regexp.QuoteMeta(name)+"$", "-test.v")
	child.Env = append(os.Environ(), orphanVariable+"="+run)
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		said = append(said, lines.Text())
		if lines.Text() == run+" is ready" {
			go func() {
				for lines.Scan() { // else it might wait to be read
				}
			}()
			return child
		}
	}
	t.Fatalf("the process that was to leave something behind said:\n%s", strings.Join(said, "\n"))
	return nil
}

// leftovers are those of one run.
func (s *suite) leftovers(ctx context.Context, t *testing.T, run string, dryRun bool) (kinds []string) {
	t.Helper()
	all, err := s.engine.Sweep(ctx, dryRun)
	if err != nil {
		t.Fatalf("Sweep: %v", err)
	}
	for _, l := range all {
		if l.Run == run {
			kinds = append(kinds, l.Kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// sweep kills a process that has started something, and looks for what is left.
func (s *suite) sweep(ctx context.Context, t *testing.T) {
	live := s.open(ctx, t)
	start(ctx, t, live, s.server("server"))
	child := s.abandon(ctx, t, orphanRun)
	if found := s.leftovers(ctx, t, orphanRun, true); len(found) > 0 {
		t.Errorf("found %v while their owner was alive", found)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	s.wantSwept(ctx, t, orphanRun)
	// What is alive was left alone.
	wantOutput(t, s.do(ctx, t, live, "get=http://server:8080/"), "hello from server\n")
}

// kept looks for what a process was told to keep and that has ended by itself.
func (s *suite) kept(ctx context.Context, t *testing.T) {
	if err := s.abandon(ctx, t, keptRun).Wait(); err != nil {
		t.Errorf("the process that keeps something: %v", err)
	}
	s.wantSwept(ctx, t, keptRun)
}

// wantSwept fails the test unless everything that a run left behind is found, removed, and not found again.
func (s *suite) wantSwept(ctx context.Context, t *testing.T, run string) {
	t.Helper()
	// Processes that end with the one that was killed need a moment.
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) &&
		!slices.Equal(s.leftovers(ctx, t, run, true), s.leftBehind()); {
		time.Sleep(10 * time.Millisecond)
	}
	for _, dryRun := range []bool{true, false} {
		if kinds := s.leftovers(ctx, t, run, dryRun); !slices.Equal(kinds, s.leftBehind()) {
			t.Errorf("dry run %v found %v, want %v", dryRun, kinds, s.leftBehind())
		}
	}
	if found := s.leftovers(ctx, t, run, false); len(found) > 0 {
		t.Errorf("found %v after they were swept", found)
	}
}
