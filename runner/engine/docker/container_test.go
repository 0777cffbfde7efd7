package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"
	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest"
)

func TestEngine(t *testing.T) {
	e := thisEngine(t, nil)
	t.Cleanup(func() { removeImages(t, e) })
	enginetest.Run(t, func(t *testing.T) engine.Engine { return thisEngine(t, nil) })
}

// removeImages removes the images that tests have built.
func removeImages(t *testing.T, e *Engine) {
	ctx := context.WithoutCancel(t.Context())
	images := must.Get(e.client.ImageList(ctx, client.ImageListOptions{
		Filters: make(client.Filters).Add("label", engine.LabelImage+"="+enginetest.Made()),
	}))
	for _, image := range images.Items {
		must.Get(e.client.ImageRemove(ctx, image.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true}))
	}
}

// A container is only in the network of its space, and the engine publishes, mounts and probes nothing.
func TestContainerIsConfined(t *testing.T) {
	e := thisEngine(t, nil)
	image := must.Get(e.Prepare(t.Context(), imageOf("FROM debian:bookworm-slim", "EXPOSE 80", "HEALTHCHECK CMD true"),
		t.Output()))
	t.Cleanup(func() { removeImages(t, e) })
	s := openSpace(t, e)
	r := start(t, s, engine.Service{Image: image, Service: spec.Service{Name: "server", Command: []string{"sleep", "1h"},
		Expose: []int{8080}, Ready: spec.Ready{Command: []string{"true"}}, Tmpfs: []string{"/scratch:size=1m"}}})
	inspected := must.Get(e.client.ContainerInspect(t.Context(), r.id, client.ContainerInspectOptions{}))
	c := inspected.Container
	for port, bindings := range c.NetworkSettings.Ports {
		assert.Equal(t, len(bindings), 0, "port %v is published: %v", port, bindings)
	}
	for name, want := range map[string]string{
		engine.LabelRun: "dockertest", engine.LabelOwner: engine.Owner(), engine.LabelService: "server",
	} {
		assert.Equal(t, c.Config.Labels[name], want, "label %s", name)
	}
	bounded := c.HostConfig.LogConfig.Config["max-size"] != ""
	if c.HostConfig.Privileged || len(c.HostConfig.Binds)+len(c.HostConfig.PortBindings)+len(c.Mounts) > 0 || !bounded {
		t.Errorf("it is %+v, with mounts %v", c.HostConfig, c.Mounts)
	}
	if c.Config.Healthcheck == nil || !slices.Equal(c.Config.Healthcheck.Test, []string{"NONE"}) {
		t.Errorf("healthcheck is %+v", c.Config.Healthcheck)
	}
	if len(c.NetworkSettings.Networks) != 1 || c.NetworkSettings.Networks[s.name] == nil {
		t.Errorf("it is in networks %v, want %s alone", c.NetworkSettings.Networks, s.name)
	}
}

// A request that the engine rejects is a result of the article, without the engine's message prefixes.
func TestRejected(t *testing.T) {
	s := openSpace(t, thisEngine(t, nil))
	for _, tt := range []struct {
		name    string
		service spec.Service
		want    string
	}{
		{"no such program", spec.Service{Command: []string{"nosuchprogram"}},
			`exec: "nosuchprogram": executable file not found in $PATH`},
		{"no such user", spec.Service{User: "nosuchuser"}, "unable to find user nosuchuser: no matching entries in passwd file"},
		{"a folder that is a file", spec.Service{WorkingDir: "/etc/passwd"}, "Cannot mkdir: /etc/passwd is not a directory"},
		{"no such limit", spec.Service{Ulimits: map[string]spec.Ulimit{"nope": {Soft: 1, Hard: 1}}},
			"wrong rlimit value: RLIMIT_NOPE"},
		{"a file under a tmpfs", spec.Service{Tmpfs: []string{"/run:size=1m"}, Configs: []spec.File{{Path: "/run/a"}}},
			"file /run/a would be hidden by tmpfs /run"},
	} {
		if tt.service.Name = "server"; tt.service.Command == nil {
			tt.service.Command = []string{"true"}
		}
		_, err := s.Start(t.Context(), engine.Service{Service: tt.service, Image: debian(t, s.engine)})
		var refused *engine.RejectedError
		if want := `"server" could not be started: ` + tt.want; !errors.As(err, &refused) ||
			!strings.HasPrefix(refused.Error(), want) {
			t.Errorf("%s: got %v, want a RejectedError %q", tt.name, err, want)
		}
	}
	for _, text := range []string{
		"Error response from daemon: OCI runtime create failed: runc create failed: unable to start container process: " +
			"fork: resource temporarily unavailable: unknown",
		"Error response from daemon: mkdir /var/lib/docker/overlay2/x: no space left on device",
		"Cannot connect to the Docker daemon at unix:///var/run/docker.sock",
	} {
		if err := rejected("server", errors.New(text)); errors.As(err, new(*engine.RejectedError)) || err.Error() != text {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// fakeContainer returns a container of an engine whose requests a function answers.
func fakeContainer(answer http.HandlerFunc) *container {
	c := &container{space: &space{engine: answering(answer)}, id: "1"}
	provider, library := &testcontainers.DockerProvider{}, &testcontainers.DockerContainer{ID: c.id}
	provider.SetClient(c.client())
	library.SetProvider(provider)
	c.library = library
	return c
}

// The engine may notice that a container was killed before it notices the lack of memory, so State asks again, once.
func TestOutOfMemoryIsNoticedLate(t *testing.T) {
	for _, tt := range []struct {
		name         string
		memory       int
		code, lateBy int // lateBy counts looks
		want         bool
		looks        int
	}{
		{"with a limit", 1000000, 137, 2, true, 3},
		{"without one", 0, 137, 2, false, 1},
		{"ended by itself", 1000000, 1, 2, false, 1},
		{"killed for something else", 1000000, 137, 1000, false, memoryLooks},
	} {
		synctest.Test(t, func(t *testing.T) {
			looks := 0
			c := fakeContainer(func(w http.ResponseWriter, _ *http.Request) {
				looks++
				_, _ = fmt.Fprintf(w, `{"Id": "1", "HostConfig": {"Memory": %d}, "State": {"ExitCode": %d, "OOMKilled": %v}}`,
					tt.memory, tt.code, looks > tt.lateBy)
			})
			for range 2 {
				state, err := c.State(t.Context())
				if err != nil || !state.Ended || state.Exit.Code != tt.code || state.Exit.OutOfMemory != tt.want {
					t.Errorf("%s: %+v, %v", tt.name, state, err)
				}
			}
			assert.Equal(t, looks, tt.looks, "%s: how often the engine was asked", tt.name)
		})
	}
}

// A container that is being removed has no exit status of its own, because it was killed for that.
func TestStateOfARemovedContainer(t *testing.T) {
	for _, status := range []string{"removing", "dead"} {
		c := fakeContainer(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"Id": "1", "HostConfig": {}, "State": {"ExitCode": 137, "Status": %q}}`, status)
		})
		if state, err := c.State(t.Context()); err == nil || state.Ended {
			t.Errorf("%s: got %+v, %v, want an error", status, state, err)
		}
	}
}

// Waiting for the end of a container returns its status, the engine's error, or the cause of a cancelled context.
func TestWait(t *testing.T) {
	enough := errors.New("enough")
	for _, tt := range []struct {
		name, said string
		cancelled  bool
		status     int
		want       string
	}{
		{"the container has ended", `{"StatusCode": 3}`, false, 3, ""},
		{"the engine cannot wait", `{"Error": {"Message": "out of order"}, "StatusCode": -1}`, false, 0, "out of order"},
		{"cancelled", `{"Error": {"Message": "context canceled"}, "StatusCode": -1}`, true, 0, "enough"},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		c := fakeContainer(func(w http.ResponseWriter, _ *http.Request) {
			if tt.cancelled {
				cancel(enough)
			}
			_, _ = fmt.Fprint(w, tt.said)
		})
		status, err := c.Wait(ctx)
		cancel(nil)
		if status != tt.status || tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != tt.want) {
			t.Errorf("%s: got %d, %v, want %d, %q", tt.name, status, err, tt.status, tt.want)
		}
	}
}

// A service that ignores its stop signal gets its grace period, or less if the context ends.
func TestCloseKills(t *testing.T) {
	e := thisEngine(t, nil)
	s := openSpace(t, e)
	c := start(t, s, engine.Service{Service: spec.Service{Name: "stubborn", StopGrace: time.Minute,
		Command: []string{"bash", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"},
		Ready:   spec.Ready{Log: "up"}}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	began := time.Now()
	must.Do(s.Close(ctx))
	if took := time.Since(began); took < 900*time.Millisecond || took > 50*time.Second {
		t.Errorf("it took %v, want about a second", took)
	}
	if _, err := e.client.ContainerInspect(t.Context(), c.id, client.ContainerInspectOptions{}); !errdefs.IsNotFound(err) {
		t.Errorf("the container is still there: %v", err)
	}
}

// After a space's network was removed, nothing starts outside of it.
func TestNetworkRemovedByOthers(t *testing.T) {
	e := thisEngine(t, nil)
	s := openSpace(t, e)
	must.Get(e.client.NetworkRemove(t.Context(), s.name, client.NetworkRemoveOptions{}))
	_, err := s.Group(t.Context())
	assert.Error(t, err, "was removed by somebody else")
	service := idle("idle")
	service.Image = debian(t, e)
	_, err = s.Start(t.Context(), service)
	assert.Error(t, err, "network")
}

// A container that exposes nothing, such as a load's, has the containers that started before it in its hosts file,
// except for names that several may have. These include containers of outer spaces.
func TestKnownAddresses(t *testing.T) {
	outer := openSpace(t, thisEngine(t, nil))
	service := func(name string, scale int) engine.Service {
		s := idle(name)
		s.Scale, s.Aliases, s.Ready.Command = scale, []string{"pool"}, []string{"true"}
		return s
	}
	start(t, outer, service("shared", 0))
	inner := must.Get(outer.Group(t.Context()))
	start(t, inner, service("own", 1))
	start(t, inner, service("many", 2))
	const ask = `for name in shared own many pool; do echo $name $(grep -cw $name /etc/hosts) $(getent hosts $name | wc -l); done`
	for _, tt := range []struct {
		space engine.Space
		name  string
		want  string
	}{
		{inner, "load", "shared 1 1\nown 1 1\nmany 0 1\npool 0 3\n"},
		{outer, "later", "shared 1 1\nown 0 1\nmany 0 1\npool 0 3\n"},
	} {
		command := engine.Command{Args: []string{"bash", "-c", ask}}
		exit := must.Get(start(t, tt.space, idle(tt.name)).Exec(t.Context(), command))
		assert.Equal(t, string(exit.Stdout), tt.want, "%s; %s", tt.name, exit.Stderr)
	}
}

// If this process cannot connect to a service, our agent probes it from another container, which is replaced if it
// ends.
func TestProbedByTheAgent(t *testing.T) {
	e := thisEngine(t, enginetest.Agent(t))
	e.endpoint.elsewhere = true
	s := openSpace(t, e)
	server := engine.Service{Service: spec.Service{Name: "server", Expose: []int{8080}, Command: []string{"bash", "-c",
		"perl -MIO::Socket::INET -e 'sleep 1; $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 9, ReuseAddr => 1); " +
			"while ($c = $s->accept) { close $c }'"}}}
	began := time.Now()
	start(t, s, server)
	if took := time.Since(began); took < time.Second {
		t.Errorf("it was ready after %v, before it listened", took)
	}
	probe := s.tree.Find(probeName)
	must.Get(e.client.ContainerKill(t.Context(), probe.id, client.ContainerKillOptions{}))
	must.Get(probe.Wait(t.Context()))
	server.Name = "after the probe was killed"
	start(t, s, server)
	server.Name, server.Within, server.Image = "deaf", time.Second, debian(t, e)
	server.Command = []string{"sleep", "1h"}
	if _, err := s.Start(t.Context(), server); err == nil ||
		!strings.Contains(err.Error(), "nothing listens on port 8080") {
		t.Errorf("a service that does not listen: %v", err)
	}
}

// Keep does not list the container that probes.
func TestKeepWithoutProbe(t *testing.T) {
	s := &space{name: "x", tree: engine.NewTree("space x", remove)}
	for _, name := range []string{"server", probeName} {
		c := &container{space: s, service: engine.Service{Service: spec.Service{Name: name}}}
		must.Get(s.tree.Start(t.Context(), name, func() (*container, error) { return c, nil },
			func(*container) error { return nil }))
	}
	if kept, err := s.Keep(t.Context()); err != nil || len(kept) != 1 || kept[0].Service != "server" {
		t.Errorf("kept %v, %v, want the server alone", kept, err)
	}
}

// A hundred megabytes of log do not fill the disk, and their end is kept.
func TestLogIsBoundedOnDisk(t *testing.T) {
	e := thisEngine(t, nil)
	service := idle("talkative")
	service.Command = []string{"bash", "-c", "head -c 100000000 /dev/zero | tr '\\0' x; echo; echo the end; sleep 1h"}
	c := start(t, openSpace(t, e), service)
	inspected := must.Get(e.client.ContainerInspect(t.Context(), c.id, client.ContainerInspectOptions{}))
	if _, err := os.Stat(inspected.Container.LogPath); err != nil {
		t.Skipf("the engine's files cannot be seen: %v", err)
	}
	const end = "x\nthe end\n"
	var log []byte
	for deadline := time.Now().Add(10 * time.Minute); !bytes.HasSuffix(log, []byte(end)); time.Sleep(200 * time.Millisecond) {
		if log = must.Get(c.Logs(t.Context())); len(log) > 1<<20 {
			t.Fatalf("of the log %d bytes are kept, want a mebibyte at most", len(log))
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log ends with %q, want %q", log[max(0, len(log)-20):], end)
		}
	}
	var size int64
	err := filepath.WalkDir(filepath.Dir(inspected.Container.LogPath), func(_ string, f fs.DirEntry, err error) error {
		if err != nil || !f.Type().IsRegular() {
			return err
		}
		info, err := f.Info()
		size += info.Size()
		return err
	})
	if err != nil || size > 20<<20 {
		t.Errorf("the container's files take %d bytes, %v; want 20 MiB at most", size, err)
	}
}

// If the kernel's files cannot be read, the usage comes from the engine.
func TestUsageByEngine(t *testing.T) {
	c := start(t, openSpace(t, thisEngine(t, nil)), idle("idle"))
	first := must.Get(c.stats(t.Context()))
	local := must.Get(c.Usage(t.Context(), engine.Detail{Totals: true}))
	// An idle container uses the same by both.
	if difference := local.CPU - first.CPU; difference < 0 || difference > 10*time.Millisecond {
		t.Errorf("the engine counts %v, the kernel's files %v", first.CPU, local.CPU)
	}
	if difference := local.Memory - first.Memory; difference < -1<<20 || difference > 1<<20 {
		t.Errorf("the engine counts %d bytes, the kernel's files %d", first.Memory, local.Memory)
	}
}

func TestUsageOfStats(t *testing.T) {
	stats := api.StatsResponse{Read: time.Unix(1, 0)}
	stats.CPUStats.CPUUsage.TotalUsage = 1_500_000_000
	stats.CPUStats.ThrottlingData = api.ThrottlingData{Periods: 10, ThrottledPeriods: 4}
	for _, tt := range []struct {
		name   string
		memory map[string]uint64
		want   int64
	}{
		{"version 1", map[string]uint64{"total_rss": 3000, "total_shmem": 400}, 3400},
		{"version 1 without shared memory", map[string]uint64{"total_rss": 3000}, 3000},
		{"version 2", map[string]uint64{"anon": 3000, "shmem": 400}, 3400},
		{"unknown", nil, -1},
	} {
		stats.MemoryStats.Stats = tt.memory
		want := engine.Usage{At: time.Unix(1, 0), CPU: 1500 * time.Millisecond, Memory: tt.want, Periods: 10, Throttled: 4,
			ListenOverflows: -1, Retransmits: -1}
		assert.Deep(t, usageOf(stats), want, "%s", tt.name)
	}
}
