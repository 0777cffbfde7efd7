package docker

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
)

// agentOf builds our agent.
func agentOf(t *testing.T) agent.Program {
	t.Helper()
	file := filepath.Join(t.TempDir(), agent.Name)
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "benchbook/runner/benchbook-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", agent.Name, err, output)
	}
	return func() ([]byte, error) { return os.ReadFile(file) }
}

// rights are those that the engine was asked for, and those that the first process of a container has.
type rights struct {
	user, sysctls                 string
	capAdd, capDrop, securityOpts []string
	readOnly                      bool
	pids, memory                  int64
	process                       string // user, capabilities and no-new-privileges
}

// rightsOf reads the rights of a container that is running.
func rightsOf(t *testing.T, e *Engine, id string) rights {
	t.Helper()
	inspected, err := e.client.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config, host := inspected.Container.Config, inspected.Container.HostConfig
	got := rights{user: config.User, capAdd: host.CapAdd, capDrop: host.CapDrop, securityOpts: host.SecurityOpt,
		readOnly: host.ReadonlyRootfs, memory: host.Memory, sysctls: host.Sysctls[firstPrivilegedPort]}
	if host.PidsLimit != nil {
		got.pids = *host.PidsLimit
	}
	if host.Privileged {
		t.Error("it is privileged")
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", inspected.Container.State.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		if slices.Contains([]string{"Uid", "CapBnd", "NoNewPrivs"}, name) {
			words = append(words, strings.Fields(value)[0])
		}
	}
	got.process = strings.Join(words, " ")
	return got
}

// Each kind of container gets no more rights than it needs.
func TestRights(t *testing.T) {
	e := open(t)
	if !e.local() {
		t.Skip("the processes of the engine are not those of this machine")
	}
	e.agent = agentOf(t)
	ours, err := e.agentImage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	opened, err := e.Open(t.Context(), "dockertest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	memory := defaultMemory(e.info.MemTotal)
	const byDefault, noRights = "0 00000000a80425fb 1", "65532 0000000000000000 1"
	guarded := []string{"no-new-privileges:true"}
	own := rights{user: confinedUser, sysctls: "0", capDrop: []string{"ALL"}, securityOpts: guarded, readOnly: true,
		pids: engine.DefaultPIDs, memory: memory, process: noRights}
	beside := own
	beside.sysctls = ""
	service := func(of spec.Service) func(t *testing.T) string {
		return func(t *testing.T) string {
			of.Command, of.Ready = []string{"sleep", "1h"}, spec.Ready{Command: []string{"true"}}
			return started(t, opened, engine.Service{Service: of, Image: debian(t, e)})
		}
	}
	tests := []struct {
		name  string
		start func(t *testing.T) (id string)
		want  rights
	}{
		{"an origin", func(t *testing.T) string {
			return started(t, opened, engine.Service{Image: ours, Confined: true, Service: spec.Service{Name: "origin",
				Command: []string{agent.Origin}, Environment: []string{`BENCHBOOK_ORIGIN={"semantics":1,"status":200}`},
				Expose: []int{80}}})
		}, own},
		{"a link", func(t *testing.T) string {
			return started(t, opened, engine.Service{Image: ours, Confined: true, Service: spec.Service{Name: "link",
				Command: []string{agent.Link}, Expose: []int{80}, Environment: []string{`BENCHBOOK_LINK={"semantics":1,` +
					`"routes":[{"listen":":80","target":"origin:80"}]}`}}})
		}, own},
		{"a load", func(t *testing.T) string {
			return runAgent(t, opened, engine.Program{Name: "load", Image: ours, Confined: true})
		}, own},
		{"a load in the network of a service", func(t *testing.T) string {
			return runAgent(t, opened, engine.Program{Name: "shared", Image: ours, Confined: true, Beside: "origin"})
		}, beside},
		{"a probe", func(t *testing.T) string {
			id, detach, err := e.startAgent(t.Context(), opened.(*space).name+"-probe", "none", e.labels("dockertest"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(detach)
			return id
		}, beside},
		{"a service", service(spec.Service{Name: "plain"}), rights{securityOpts: guarded, pids: engine.DefaultPIDs,
			memory: memory, process: byDefault}},
		{"a service with other rights", service(spec.Service{Name: "other", CapAdd: []string{"NET_ADMIN"},
			CapDrop: []string{"ALL"}, PIDs: 100, Memory: 64 << 20, ReadOnly: true, User: "7",
			SecurityOpt: []string{"seccomp=unconfined"}}), rights{user: "7", capAdd: []string{"CAP_NET_ADMIN"},
			capDrop: []string{"ALL"}, securityOpts: []string{"seccomp=unconfined", "no-new-privileges:true"}, readOnly: true,
			pids: 100, memory: 64 << 20, process: "7 0000000000001000 1"}},
		{"a service that may get privileges", service(spec.Service{Name: "sudo", PIDs: -1,
			SecurityOpt: []string{"no-new-privileges:false"}}), rights{securityOpts: []string{"no-new-privileges:false"},
			memory: memory, process: strings.TrimSuffix(byDefault, "1") + "0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := rightsOf(t, e, tt.start(t))
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// started starts a service and returns its id.
func started(t *testing.T, space engine.Space, service engine.Service) string {
	t.Helper()
	r, err := space.Start(t.Context(), service)
	if err != nil {
		t.Fatal(err)
	}
	return r.(*running).id
}

// runAgent runs our agent until the end of the test, and returns the id of its container.
func runAgent(t *testing.T, space engine.Space, program engine.Program) string {
	t.Helper()
	stdin, hold := io.Pipe()
	program.Command, program.Stdin = []string{agent.Host, agent.Hold}, stdin
	begun, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		_, err := space.Run(context.WithoutCancel(t.Context()), program,
			func(r engine.Running) { begun <- r.(*running).id })
		ended <- err
	}()
	select {
	case id := <-begun:
		t.Cleanup(func() {
			hold.Close()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		return id
	case err := <-ended:
		t.Fatal(err)
		return ""
	}
}

func TestDefaultMemory(t *testing.T) {
	const gib = 1 << 30
	for _, tt := range []struct{ total, want int64 }{
		{0, 0}, {256 << 20, 128 << 20}, {gib, gib - 256<<20}, {16 * gib, 15 * gib},
	} {
		if got := defaultMemory(tt.total); got != tt.want {
			t.Errorf("of %d bytes: got %d, want %d", tt.total, got, tt.want)
		}
	}
}
