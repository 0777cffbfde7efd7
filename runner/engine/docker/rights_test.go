package docker

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest"
)

// rights are the privileges requested from the engine, and those of a container's first process.
type rights struct {
	user, sysctls                 string
	capAdd, capDrop, securityOpts []string
	readOnly                      bool
	pids, memory                  int64
	process                       string // user, capabilities and no-new-privileges
}

// rightsOf reads the rights of a running container.
func rightsOf(t *testing.T, c *container) rights {
	t.Helper()
	inspected := must.Get(c.client().ContainerInspect(t.Context(), c.id, client.ContainerInspectOptions{}))
	config, host := inspected.Container.Config, inspected.Container.HostConfig
	got := rights{user: config.User, capAdd: host.CapAdd, capDrop: host.CapDrop, securityOpts: host.SecurityOpt,
		readOnly: host.ReadonlyRootfs, memory: host.Memory, sysctls: host.Sysctls[unprivilegedPortStart]}
	if host.PidsLimit != nil {
		got.pids = *host.PidsLimit
	}
	assert.Equal(t, host.Privileged, false, "it is privileged")
	status := must.Get(os.ReadFile(fmt.Sprintf("/proc/%d/status", inspected.Container.State.Pid)))
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
	e := thisEngine(t, nil)
	if !e.local() {
		t.Skip("the processes of the engine are not those of this machine")
	}
	program := must.Get(enginetest.Agent(t)())
	image := must.Get(e.Prepare(t.Context(), engine.Image{Executable: &engine.Executable{Name: agent.Name, Data: program}},
		io.Discard))
	s := openSpace(t, e)
	guarded, memory := []string{"no-new-privileges:true"}, defaultMemory(e.info.MemTotal)
	own := rights{user: ownUser, sysctls: "0", capDrop: []string{"ALL"}, securityOpts: guarded, readOnly: true,
		pids: engine.DefaultPIDs, process: "65532 0000000000000000 1"}
	ours := func(of spec.Service) engine.Service {
		return engine.Service{Service: of, Image: image, Ours: true}
	}
	theirs := func(of spec.Service) engine.Service {
		of.Command, of.Ready.Command = []string{"sleep", "1h"}, []string{"true"}
		return engine.Service{Service: of}
	}
	for _, tt := range []struct {
		name    string
		service engine.Service
		want    rights
	}{
		{"an origin", ours(spec.Service{Name: "origin", Command: []string{agent.Origin}, Expose: []int{80},
			Environment: []string{`BENCHBOOK_ORIGIN={"semantics":1,"status":200}`}}), own},
		{"a link", ours(spec.Service{Name: "link", Command: []string{agent.Link}, Expose: []int{80}, Environment: []string{
			`BENCHBOOK_LINK={"semantics":1,"routes":[{"listen":":80","target":"origin:80"}]}`}}), own},
		{"a load", ours(spec.Service{Name: "load", Command: []string{agent.Idle}}), own},
		{"a service", theirs(spec.Service{Name: "plain"}), rights{securityOpts: guarded,
			pids: engine.DefaultPIDs, memory: memory, process: "0 00000000a80425fb 1"}},
		{"a service with other rights", theirs(spec.Service{Name: "other", CapAdd: []string{"NET_ADMIN"},
			CapDrop: []string{"ALL"}, PIDs: 100, Memory: 64 << 20, ReadOnly: true, User: "7",
			SecurityOpt: []string{"seccomp=unconfined"}}), rights{user: "7", capAdd: []string{"CAP_NET_ADMIN"},
			capDrop: []string{"ALL"}, securityOpts: []string{"seccomp=unconfined", "no-new-privileges:true"},
			readOnly: true, pids: 100, memory: 64 << 20, process: "7 0000000000001000 1"}},
		{"a service that may get privileges", theirs(spec.Service{Name: "sudo", PIDs: -1,
			SecurityOpt: []string{"no-new-privileges:false"}}), rights{securityOpts: []string{"no-new-privileges:false"},
			memory: memory, process: "0 00000000a80425fb 0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := rightsOf(t, start(t, s, tt.service))
			assert.Equal(t, fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", tt.want))
		})
	}
}

func TestDefaultMemory(t *testing.T) {
	const gib = 1 << 30
	for _, tt := range []struct{ total, want int64 }{
		{0, 0}, {256 << 20, 128 << 20}, {gib, gib - 256<<20}, {16 * gib, 15 * gib},
	} {
		assert.Equal(t, defaultMemory(tt.total), tt.want, "of %d bytes", tt.total)
	}
}
