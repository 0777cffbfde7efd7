package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
	"benchbook/runner/engine/enginetest"
	"benchbook/runner/engine/hosts"
	"benchbook/runner/engine/hosts/hoststest"
)

// elsewhere is the name of the second machine.
const elsewhere = "elsewhere"

// agent builds our program for other machines.
func agent(t testing.TB) func() ([]byte, error) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a Docker engine and a minute: run without -short")
	}
	file := filepath.Join(t.TempDir(), "benchbook-agent")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "benchbook/runner/benchbook-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building benchbook-agent: %v\n%s", err, out)
	}
	return func() ([]byte, error) { return os.ReadFile(file) }
}

func connect(t testing.TB, o docker.Options) *docker.Engine {
	t.Helper()
	e, err := docker.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// both is the engine of this machine and that of a second one.
func both(t testing.TB, m *hoststest.Machine, there *docker.Engine) *hosts.Engine {
	t.Helper()
	e, err := hosts.New(engine.Host{Name: elsewhere, Engine: there, Address: m.Address},
		engine.Host{Engine: connect(t, docker.Options{}), Address: m.Here})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// away is an engine over two hosts for a suite that knows of no hosts: all of it is started on the second machine.
type away struct{ *hosts.Engine }

func (a away) Prepare(ctx context.Context, image engine.Image, log io.Writer) (engine.Prepared, error) {
	image.Hosts = []string{elsewhere}
	return a.Engine.Prepare(ctx, image, log)
}

func (a away) Open(ctx context.Context, run string) (engine.Space, error) {
	s, err := a.Engine.Open(ctx, run)
	return awaySpace{s}, err
}

type awaySpace struct{ engine.Space }

func (s awaySpace) Inner(ctx context.Context) (engine.Space, error) {
	inner, err := s.Space.Inner(ctx)
	return awaySpace{inner}, err
}

func (s awaySpace) Start(ctx context.Context, service engine.Service) (engine.Running, error) {
	service.Host = elsewhere
	return s.Space.Start(ctx, service)
}

func (s awaySpace) Run(ctx context.Context, program engine.Program, started func(engine.Running)) (engine.Exit, error) {
	program.Host = elsewhere
	return s.Space.Run(ctx, program, started)
}

// The machine of the suite outlives the process that is killed, which finds it by these.
const (
	tcpVariable = "BENCHBOOK_TEST_HOST_TCP"
	tlsVariable = "BENCHBOOK_TEST_HOST_TLS"
)

// What every engine promises is kept by the engine of a machine that is reached over TLS, whose ports are probed from
// inside.
func TestEngineElsewhere(t *testing.T) {
	program := agent(t)
	tcp, tls := os.Getenv(tcpVariable), os.Getenv(tlsVariable)
	if tcp == "" {
		m := hoststest.Start(t)
		tcp, tls = m.TCP, m.TLS
		t.Setenv(tcpVariable, tcp)
		t.Setenv(tlsVariable, tls)
	}
	enginetest.Run(t, func(t *testing.T) engine.Engine {
		there := connect(t, docker.Options{Host: tcp, TLS: tls, Agent: program})
		e, err := hosts.New(engine.Host{Engine: connect(t, docker.Options{})}, engine.Host{Name: elsewhere, Engine: there})
		if err != nil {
			t.Fatal(err)
		}
		return away{e}
	}, enginetest.Lacks(spec.Threads, spec.Listening, spec.Hosts), enginetest.Leaves("container", "network", "network",
		"volume"))
}

// server is a small program that answers over HTTP, and says who asks.
func server(t *testing.T, e engine.Engine) engine.Service {
	t.Helper()
	file := filepath.Join(t.TempDir(), "puppet")
	build := exec.Command("go", "build", "-trimpath", "-o", file, "benchbook/runner/engine/enginetest/puppet")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the puppet: %v\n%s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	image, err := e.Prepare(t.Context(), engine.Image{Executable: &engine.Executable{Name: "puppet", Data: data},
		Hosts: []string{"", elsewhere}}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	return engine.Service{Service: spec.Service{Name: "server",
		Command: []string{"listen=8080", "out=listening", "sleep=1h"}, Environment: []string{"NAME=server"},
		Expose: []int{8080}},
		Image: image}
}

func open(t *testing.T, e engine.Engine) engine.Space {
	t.Helper()
	s, err := e.Open(t.Context(), "hoststest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Containers on two machines find each other by name, in both directions, and what nobody asks for from another machine
// is not found there.
func TestCrossing(t *testing.T) {
	m := hoststest.Start(t)
	e := both(t, m, connect(t, docker.Options{Host: m.TCP, TLS: m.TLS, Agent: agent(t)}))
	t.Cleanup(func() {
		if left, err := hoststest.Leftovers(context.WithoutCancel(t.Context()), m); err != nil || len(left) > 0 {
			t.Errorf("left behind: %q, %v", left, err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	service := server(t, e)
	for _, way := range []struct{ name, server, client string }{{"from here to elsewhere", elsewhere, ""},
		{"from elsewhere to here", "", elsewhere}} {
		t.Run(way.name, func(t *testing.T) {
			space := open(t, e)
			there := service
			there.Host, there.Published = way.server, true
			if _, err := space.Start(t.Context(), there); err != nil {
				t.Fatal(err)
			}
			hidden := service
			hidden.Name, hidden.Host, hidden.Expose, hidden.Command = "hidden", way.server, []int{8081},
				[]string{"listen=8081", "out=listening", "sleep=1h"}
			if _, err := space.Start(t.Context(), hidden); err != nil {
				t.Fatal(err)
			}
			client := engine.Program{Name: "client", Image: service.Image, Location: engine.Location{Host: way.client,
				Peers: []engine.Peer{{Name: "server", Host: way.server}, {Name: "hidden", Host: way.server}}}}
			client.Command = []string{"get=http://server:8080/"}
			exit, err := space.Run(t.Context(), client, nil)
			if err != nil || exit.Code != 0 || !strings.Contains(string(exit.Stdout), "server") {
				t.Errorf("asking got %q %q, %v", exit.Stdout, exit.Stderr, err)
			}
			client.Command = []string{"dial=hidden:8081"}
			if exit, err = space.Run(t.Context(), client, nil); err != nil || exit.Code == 0 {
				t.Errorf("what is not published answered %q, %v", exit.Stdout, err)
			}
			beside := engine.Program{Name: "beside", Image: service.Image, Beside: "server",
				Command: []string{"get=http://server:8080/"}}
			beside.Host = way.client
			if _, err := space.Run(t.Context(), beside, nil); err == nil || !strings.Contains(err.Error(), "share the network") {
				t.Errorf("a program beside a service of another host: got %v", err)
			}
		})
	}
}

// The engine of another machine answers over ssh as it does over TLS, and neither without the right keys.
func TestTransports(t *testing.T) {
	m := hoststest.Start(t)
	t.Run("ssh", func(t *testing.T) {
		endpoint, path := m.SSH(t)
		t.Setenv("PATH", path+string(os.PathListSeparator)+os.Getenv("PATH"))
		there := connect(t, docker.Options{Host: endpoint, Agent: agent(t)})
		e := both(t, m, there)
		defer e.Close()
		service := server(t, e)
		service.Host = elsewhere
		running, err := open(t, e).Start(t.Context(), service)
		if err != nil {
			t.Fatal(err)
		}
		if exit, err := running.Exec(t.Context(), engine.Command{Args: []string{"/puppet", "out=inside"}}); err != nil ||
			!strings.HasPrefix(string(exit.Stdout), "inside") {
			t.Errorf("inside got %q, %v", exit.Stdout, err)
		}
	})
	other := t.TempDir()
	hoststest.Certificates(t, other, m.Address)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(m.TCP, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		docker.Options
		want string
	}{
		{"without TLS", docker.Options{Host: m.TCP}, "without TLS"},
		{"certificates of another authority", docker.Options{Host: m.TCP, TLS: other}, "can be trusted"},
		{"another name than the certificate's", docker.Options{Host: "tcp://localhost:" + port, TLS: m.TLS},
			"tcp://localhost"},
		{"no such folder", docker.Options{Host: m.TCP, TLS: filepath.Join(other, "none")}, "none"},
		{"nobody at ssh", docker.Options{Host: "ssh://nobody@127.0.0.1:1"}, "ssh gets there"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := docker.New(t.Context(), test.Options)
			if e != nil || !errors.Is(err, engine.ErrUnavailable) || !strings.Contains(fmt.Sprint(err), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// Two that want a machine get it one after the other, and whoever is gone does not hold it.
func TestLock(t *testing.T) {
	m := hoststest.Start(t)
	program := agent(t)
	first, second := connect(t, docker.Options{Host: m.TCP, TLS: m.TLS, Agent: program}),
		connect(t, docker.Options{Host: m.Socket, Agent: program})
	defer first.Close()
	defer second.Close()
	if _, err := hosts.New(engine.Host{Name: "a", Engine: first}, engine.Host{Name: "b", Engine: second}); err == nil {
		t.Error("one machine under two names was taken for two")
	}
	unlock, err := first.Lock(t.Context(), "measuring one", func(*engine.BusyError) { t.Error("nobody has it") })
	if err != nil {
		t.Fatal(err)
	}
	var busy *engine.BusyError
	if _, err := second.Lock(t.Context(), "measuring two", nil); !errors.As(err, &busy) || busy.Doing != "measuring one" ||
		time.Since(busy.Since).Abs() > time.Minute {
		t.Errorf("one that does not wait was told %v", err)
	}
	waits, got := make(chan *engine.BusyError, 1), make(chan error, 1)
	go func() {
		unlock, err := second.Lock(t.Context(), "measuring two", func(busy *engine.BusyError) { waits <- busy })
		if err == nil {
			unlock()
		}
		got <- err
	}()
	if busy := <-waits; busy.Doing != "measuring one" {
		t.Errorf("one that waits was told %v", busy)
	}
	select {
	case err := <-got:
		t.Errorf("the second got it beside the first, %v", err)
	case <-time.After(2 * time.Second):
	}
	unlock()
	if err := <-got; err != nil {
		t.Error(err)
	}
	left, err := first.Sweep(t.Context(), true)
	if err != nil || slices.ContainsFunc(left, func(l engine.Leftover) bool { return l.Kind == "container" }) {
		t.Errorf("left %v, %v", left, err)
	}
}
