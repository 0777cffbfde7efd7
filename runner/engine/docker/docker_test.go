package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"benchbook/internal/slice"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest"
)

// open connects to the engine of this machine, or skips the test.
func open(t *testing.T) *Engine {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a Docker engine and most of a minute: run without -short")
	}
	e, err := New(t.Context(), nil)
	if errors.Is(err, engine.ErrUnavailable) && !strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "engine") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func TestEngine(t *testing.T) {
	e := open(t)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		images, err := e.client.ImageList(ctx, client.ImageListOptions{
			Filters: make(client.Filters).Add("label", engine.LabelImage+"="+enginetest.Made()),
		})
		if err != nil {
			t.Error(err)
		}
		for _, image := range images.Items {
			if _, err := e.client.ImageRemove(ctx, image.ID, client.ImageRemoveOptions{Force: true,
				PruneChildren: true}); err != nil {
				t.Error(err)
			}
		}
	})
	enginetest.Run(t, func(t *testing.T) engine.Engine { return open(t) })
}

func TestUnavailable(t *testing.T) {
	tests := []struct{ name, host, want string }{
		{"no socket", "unix://" + filepath.Join(t.TempDir(), "docker.sock"), "install and start Docker"},
		{"over TCP", "tcp://127.0.0.1:2375", "where the engine is"},
		{"over ssh", "ssh://bench-2.invalid", "where the engine is"},
		{"no address", "nonsense", "DOCKER_HOST"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := newEngine(t.Context(), tt.host, nil)
			if e != nil || !errors.Is(err, engine.ErrUnavailable) {
				t.Fatalf("got %v, %v, want ErrUnavailable", e, err)
			}
			text := err.Error()
			if strings.Contains(text, "\n") || !strings.Contains(text, tt.host) || !strings.Contains(text, tt.want) {
				t.Errorf("got %q, want one line with %q and %q", text, tt.host, tt.want)
			}
		})
	}
}

// An engine that cannot run articles is refused before anything is started, and doctor says why.
func TestRefused(t *testing.T) {
	tests := []struct{ name, api, version, want string }{
		// As Podman 4.3.1 of Debian answers.
		{"Podman", "1.41", `{"Platform": {"Name": "linux/amd64/debian-12"}, "Components": [{"Name": "Podman Engine", "Version": "4.3.1", "Details": {"APIVersion": "4.3.1"}}],
			"Version": "4.3.1", "ApiVersion": "1.41", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64"}`, "(it is Podman 4.3.1, whose Docker API does not describe networks as Docker's does)"},
		{"an old Docker", "1.39", `{"Components": [{"Name": "Engine", "Version": "18.09.9"}], "Version": "18.09.9", "ApiVersion": "1.39", "MinAPIVersion": "1.12"}`,
			"(it is Docker 18.09.9 with API 1.39, and benchbook needs API 1.40)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "docker.sock")
			listener, err := net.Listen("unix", socket)
			if err != nil {
				t.Fatal(err)
			}
			answers := &httptest.Server{Listener: listener,
				Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Api-Version", tt.api)
					w.Header().Set("Content-Type", "application/json")
					switch {
					case strings.HasSuffix(r.URL.Path, "/_ping"):
					case strings.HasSuffix(r.URL.Path, "/info"):
						fmt.Fprint(w, `{"ID": "x", "NCPU": 2, "OSType": "linux", "ServerVersion": "x"}`)
					case strings.HasSuffix(r.URL.Path, "/version"):
						fmt.Fprint(w, tt.version)
					default:
						http.NotFound(w, r)
					}
				})}}
			answers.Start()
			defer answers.Close()
			e, err := newEngine(t.Context(), "unix://"+socket, nil)
			if e != nil || !errors.Is(err, engine.ErrUnavailable) {
				t.Fatalf("got %v, %v, want ErrUnavailable", e, err)
			}
			if text := err.Error(); strings.Contains(text, "\n") || !strings.Contains(text, tt.want) ||
				!strings.Contains(text, "--engine local") {
				t.Errorf("got %q, want one line with %q", text, tt.want)
			}
		})
	}
}

func TestEndpoint(t *testing.T) {
	t.Setenv("DOCKER_HOST", "tcp://environment:1")
	if got := endpoint(); got != "tcp://environment:1" {
		t.Errorf("with DOCKER_HOST got %s", got)
	}
	t.Setenv("DOCKER_HOST", "")
	if got := endpoint(); !strings.HasPrefix(got, "unix://") {
		t.Errorf("without either got %s", got)
	}
}

// debian prepares the base that tests use.
func debian(t *testing.T, e *Engine) engine.Prepared {
	t.Helper()
	prepared, err := e.Prepare(t.Context(), engine.Image{Name: "debian:bookworm-slim"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	return prepared
}

// start starts a service in a space of its own.
func start(t *testing.T, e *Engine, service engine.Service) (*space, *running) {
	t.Helper()
	opened, err := e.Open(t.Context(), "dockertest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	started, err := opened.Start(t.Context(), service)
	if err != nil {
		t.Fatal(err)
	}
	return opened.(*space), started.(*running)
}

func TestContainerIsConfined(t *testing.T) {
	e := open(t)
	s, r := start(t, e, engine.Service{Service: spec.Service{Name: "server", Command: []string{"sleep", "1h"},
		Expose: []int{8080}, Ready: spec.Ready{Command: []string{"true"}}, Tmpfs: []string{"/scratch:size=1m"},
		Ulimits: map[string]spec.Ulimit{"nofile": {Soft: 1000, Hard: 2000}}, Memory: 64 << 20},
		Image: debian(t, e)})
	inspected, err := e.client.ContainerInspect(t.Context(), r.id, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c := inspected.Container
	for port, bindings := range c.NetworkSettings.Ports {
		if len(bindings) > 0 {
			t.Errorf("port %v is published: %v", port, bindings)
		}
	}
	for name, want := range map[string]string{
		engine.LabelRun: "dockertest", engine.LabelOwner: engine.Owner(), engine.LabelService: "server",
	} {
		if c.Config.Labels[name] != want {
			t.Errorf("label %s is %q, want %q", name, c.Config.Labels[name], want)
		}
	}
	bounded := c.HostConfig.LogConfig.Config["max-size"] != ""
	if c.HostConfig.Privileged || len(c.HostConfig.Binds) > 0 || len(c.Mounts) > 0 || !bounded {
		t.Errorf("it is %+v, with mounts %v", c.HostConfig, c.Mounts)
	}
	if c.Config.Healthcheck == nil || !slices.Equal(c.Config.Healthcheck.Test, []string{"NONE"}) {
		t.Errorf("healthcheck is %+v", c.Config.Healthcheck)
	}
	if len(c.NetworkSettings.Networks) != 1 || c.NetworkSettings.Networks[s.name] == nil {
		t.Errorf("it is in networks %v, want %s alone", c.NetworkSettings.Networks, s.name)
	}
	exit, err := r.Exec(t.Context(), engine.Command{Args: []string{"bash", "-c",
		"grep -o 'open files *[0-9]* *[0-9]*' /proc/1/limits | tr -s ' '; stat -fc %T /scratch"}})
	if want := "open files 1000 2000\ntmpfs\n"; err != nil || string(exit.Stdout) != want {
		t.Errorf("got %q, %v, want %q", exit.Stdout, err, want)
	}
}

func TestOutOfMemory(t *testing.T) {
	e := open(t)
	s, _ := start(t, e, engine.Service{Service: spec.Service{Name: "idle", Command: []string{"sleep", "1h"}},
		Image: debian(t, e)})
	_, err := s.Start(t.Context(), engine.Service{Service: spec.Service{Name: "hungry", Memory: 16 << 20,
		Ready: spec.Ready{Log: "never"}, Command: []string{"bash", "-c", "x=x; while :; do x=$x$x; done"}},
		Image: debian(t, e)})
	if !errors.As(err, new(*engine.NotReadyError)) || !strings.Contains(err.Error(), "status 137") {
		t.Errorf("got %v, want a NotReadyError with the status of what was killed", err)
	}
}

func TestFileUnderTmpfsIsRefused(t *testing.T) {
	e := open(t)
	s, _ := start(t, e, engine.Service{Service: spec.Service{Name: "idle", Command: []string{"sleep", "1h"}},
		Image: debian(t, e)})
	_, err := s.Start(t.Context(), engine.Service{Service: spec.Service{Name: "server", Tmpfs: []string{"/run:size=1m"},
		Configs: []spec.File{{Path: "/run/a"}}},
		Image: debian(t, e)})
	if err == nil || !strings.Contains(err.Error(), "hidden by tmpfs /run") {
		t.Errorf("got %v, want an error that says the file would be hidden", err)
	}
}

// Where the kernel's files cannot be read, the engine tells what a container used.
func TestUsageByEngine(t *testing.T) {
	e := open(t)
	_, r := start(t, e, engine.Service{Service: spec.Service{Name: "idle", Command: []string{"sleep", "1h"}},
		Image: debian(t, e)})

	first, err := e.usage(t.Context(), r.id)
	if err != nil {
		t.Fatal(err)
	}
	local, err := r.Usage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// An idle container uses the same by both.
	if difference := local.CPU - first.CPU; difference < 0 || difference > 10*time.Millisecond {
		t.Errorf("the engine tells %v, the kernel's files %v", first.CPU, local.CPU)
	}
	if difference := local.Memory - first.Memory; difference < -1<<20 || difference > 1<<20 {
		t.Errorf("the engine tells %d bytes, the kernel's files %d", first.Memory, local.Memory)
	}
}

func TestSubstituteKeepsTheName(t *testing.T) {
	e := open(t)
	base := debian(t, e).Bases[0]
	if base.Substitute == "" {
		t.Skip("a registry can be reached: nothing is substituted")
	}
	if _, err := e.client.ImageInspect(t.Context(), base.Reference); !errdefs.IsNotFound(err) {
		t.Errorf("%s is there, though only %s was made (%v)", base.Reference, base.Substitute, err)
	}
	if len(e.images.unreachable) == 0 {
		t.Error("the next image would wait for the registry again")
	}
}

func TestSweepLeavesOthersAlone(t *testing.T) {
	e := open(t)
	owner := strings.Split(engine.Owner(), ".")
	elsewhere := strings.Join(append([]string{"another"}, owner[1:]...), ".")
	dead := strings.Join([]string{owner[0], owner[1], owner[2], "1"}, ".")
	networks := map[string]map[string]string{
		"of another machine": {engine.LabelRun: "dockertest", engine.LabelOwner: elsewhere},
		"without an owner":   {engine.LabelRun: "dockertest"},
		"of somebody else":   {"their.run": "dockertest", engine.LabelOwner: dead},
		"left behind":        {engine.LabelRun: "dockertest", engine.LabelOwner: dead},
	}
	for name, labels := range networks {
		created, err := e.client.NetworkCreate(t.Context(), "benchbook-test-"+safeName(name),
			client.NetworkCreateOptions{Internal: true, Labels: labels})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_, err := e.client.NetworkRemove(context.WithoutCancel(t.Context()), created.ID, client.NetworkRemoveOptions{})
			if err != nil && !errdefs.IsNotFound(err) {
				t.Error(err)
			}
		})
	}
	found, err := e.Sweep(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	for name := range networks {
		leftover := engine.Leftover{Kind: "network", Name: "benchbook-test-" + safeName(name), Run: "dockertest"}
		if swept := slices.Contains(found, leftover); swept != (name == "left behind") {
			t.Errorf("the network %s: swept %v", name, swept)
		}
	}
}

// A network of a killed run that something else uses does no harm: it is named, and can be removed later.
func TestSweepBesideAUsedNetwork(t *testing.T) {
	e := open(t)
	image, ctx := debian(t, e), context.WithoutCancel(t.Context())
	dead := engine.Owner()
	dead = dead[:strings.LastIndex(dead, ".")] + ".1"
	const name = "benchbook-test-in-use"
	network, err := e.client.NetworkCreate(ctx, name, client.NetworkCreateOptions{Internal: true,
		Labels: map[string]string{engine.LabelRun: "dockertest", engine.LabelOwner: dead}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.client.removeNetwork(ctx, network.ID); err != nil {
			t.Error(err)
		}
	})
	other, err := e.client.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config:     &container.Config{Image: image.ID, Cmd: []string{"sleep", "1h"}},
		HostConfig: &container.HostConfig{NetworkMode: name},
	})
	if err != nil {
		t.Fatal(err)
	}
	remove := func() error { return e.client.removeContainer(ctx, other.ID) }
	t.Cleanup(func() { _ = remove() })
	if _, err := e.client.ContainerStart(ctx, other.ID, client.ContainerStartOptions{}); err != nil {
		t.Fatal(err)
	}
	find := func() (left engine.Leftover, found bool) {
		t.Helper()
		all, err := e.Sweep(ctx, false)
		if err != nil {
			t.Fatalf("a network in use is an error: %v", err)
		}
		return slice.Find(all, func(l engine.Leftover) bool { return l.Name == name })
	}
	if left, found := find(); !found || left.Kind != "network" || left.Run != "dockertest" ||
		!strings.Contains(left.Problem, "active endpoints") {
		t.Errorf("in use it is %+v, found: %v", left, found)
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	if left, found := find(); found && left.Problem != "" {
		t.Errorf("in use no more it is %+v", left)
	} else if !found { // tests of other packages run beside this one, and what they run sweeps the same engine
		if _, err := e.client.NetworkInspect(ctx, network.ID, client.NetworkInspectOptions{}); !errdefs.IsNotFound(err) {
			t.Errorf("in use no more it is not found, and there: %v", err)
		}
	}
}

// What the article asked for and the engine does not do is a result of that article, and said without the engine's
// stages.
func TestRejected(t *testing.T) {
	e := open(t)
	base := debian(t, e)
	opened, err := e.Open(t.Context(), "dockertest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	tests := []struct {
		name    string
		service engine.Service
		want    string
	}{
		{"no such program", engine.Service{Service: spec.Service{Command: []string{"nosuchprogram"}}},
			`"server" could not be started: exec: "nosuchprogram": executable file not found in $PATH`},
		{"no such user", engine.Service{Service: spec.Service{Command: []string{"true"}, User: "nosuchuser"}},
			`"server" could not be started: unable to find user nosuchuser: no matching entries in passwd file`},
		{"no such CPU", engine.Service{Service: spec.Service{Command: []string{"true"}, CPUSet: "4000"}},
			`"server" could not be started: Requested CPUs are not available`},
		{"no such signal", engine.Service{Service: spec.Service{Command: []string{"true"}, StopSignal: "FOO"}},
			`"server" could not be started: Invalid signal: FOO`},
		{"a folder that is a file", engine.Service{Service: spec.Service{Command: []string{"true"},
			WorkingDir: "/etc/passwd"}},
			`"server" could not be started: Cannot mkdir: /etc/passwd is not a directory`},
		{"no such limit", engine.Service{Service: spec.Service{Command: []string{"true"},
			Ulimits: map[string]spec.Ulimit{"nope": {Soft: 1, Hard: 1}}}},
			`"server" could not be started: wrong rlimit value: RLIMIT_NOPE`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.service.Name, tt.service.Image = "server", base
			_, err := opened.Start(t.Context(), tt.service)
			var refused *engine.RejectedError
			if !errors.As(err, &refused) || !strings.HasPrefix(refused.Error(), tt.want) {
				t.Errorf("got %v, want a RejectedError %q", err, tt.want)
			}
		})
	}
	_, err = opened.Run(t.Context(), engine.Program{Name: "command", Image: base, Entrypoint: []string{"/nosuchprogram"}},
		nil)
	if refused := (*engine.RejectedError)(nil); !errors.As(err, &refused) || refused.Name != "command" {
		t.Errorf("of a program got %v, want a RejectedError", err)
	}
}

func TestShortageIsNoRejection(t *testing.T) {
	for _, text := range []string{
		"Error response from daemon: OCI runtime create failed: runc create failed: unable to start container process: " +
			"fork: resource temporarily unavailable: unknown",
		"Error response from daemon: mkdir /var/lib/docker/overlay2/x: no space left on device",
		"Error response from daemon: could not find an available, non-overlapping IPv4 address pool: all predefined " +
			"address pools have been fully subnetted",
		"Cannot connect to the Docker daemon at unix:///var/run/docker.sock",
	} {
		if err := rejected("server", errors.New(text)); errors.As(err, new(*engine.RejectedError)) || err.Error() != text {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// A service that takes no notice of its stop signal gets its time, but not longer than the context lasts.
// Nothing is started outside of a space whose network somebody has removed while nothing was in it.
func TestNetworkRemovedByOthers(t *testing.T) {
	e := open(t)
	opened, err := e.Open(t.Context(), "removed")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.client.NetworkRemove(t.Context(), opened.(*space).network, client.NetworkRemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := opened.Group(t.Context()); err == nil || !strings.Contains(err.Error(), "was removed by somebody else") {
		t.Errorf("got %v, want that its network was removed", err)
	}
	if err := opened.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A service that takes no notice of its stop signal gets its time, but not longer than the context lasts.
func TestCloseKillsWhatDoesNotEnd(t *testing.T) {
	e := open(t)
	s, r := start(t, e, engine.Service{Service: spec.Service{Name: "stubborn", StopGrace: time.Minute,
		Command: []string{"bash", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"},
		Ready:   spec.Ready{Log: "up"}},
		Image: debian(t, e)})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	began := time.Now()
	if err := s.Close(ctx); err != nil {
		t.Errorf("closing: %v", err)
	}
	if took := time.Since(began); took < 900*time.Millisecond || took > 50*time.Second {
		t.Errorf("it took %v, want about a second", took)
	}
	if _, err := e.client.ContainerInspect(t.Context(), r.id, client.ContainerInspectOptions{}); !errdefs.IsNotFound(err) {
		t.Errorf("the container is still there: %v", err)
	}
}

// However much a healthcheck prints, a failure repeats its end only.
func TestTalkativeHealthcheck(t *testing.T) {
	e := open(t)
	s, _ := start(t, e, engine.Service{Service: spec.Service{Name: "idle", Command: []string{"sleep", "1h"}},
		Image: debian(t, e)})
	_, err := s.Start(t.Context(), engine.Service{Service: spec.Service{Name: "server",
		Command: []string{"sleep", "1h"},
		Ready:   spec.Ready{Command: []string{"bash", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo the end; exit 1"}}},
		Image:  debian(t, e),
		Within: 2 * time.Second})
	if err == nil || len(err.Error()) > 1000 || !strings.HasSuffix(err.Error(), "the end") {
		t.Errorf("got %d bytes, want the end of what it said", len(fmt.Sprint(err)))
	}
}

// The HEALTHCHECK of an image comes with it, whether it was built just now or was here already.
func TestHealthcheckOfAnImage(t *testing.T) {
	e := open(t)
	tests := []struct {
		name, lines string
		want        spec.Ready
	}{
		{"none", "", spec.Ready{}},
		{"disabled", "HEALTHCHECK CMD true\nHEALTHCHECK NONE\n", spec.Ready{}},
		{"a command", `HEALTHCHECK --interval=2s --timeout=3s --start-period=4s --retries=5 CMD ["test", "-e", "/up"]` + "\n",
			spec.Ready{Command: []string{"test", "-e", "/up"}, Interval: 2 * time.Second, Timeout: 3 * time.Second,
				StartPeriod: 4 * time.Second, Retries: 5}},
		{"words of a shell", "HEALTHCHECK CMD test -e /up || exit 1\n",
			spec.Ready{Command: []string{"/bin/sh", "-c", "test -e /up || exit 1"}}},
		{"words of its own shell", "SHELL [\"/bin/bash\", \"-ec\"]\nHEALTHCHECK CMD test -e /up\n",
			spec.Ready{Command: []string{"/bin/bash", "-ec", "test -e /up"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			build := engine.Build{For: enginetest.Made(), Build: spec.Build{Dockerfile: "Dockerfile",
				Files: []spec.File{{Path: "Dockerfile", Data: []byte("FROM debian:bookworm-slim\n" + tt.lines)}}}}
			for range 2 {
				prepared, err := e.Prepare(t.Context(), engine.Image{Build: &build}, t.Output())
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(prepared.Healthcheck, tt.want) {
					t.Errorf("got %+v, want %+v", prepared.Healthcheck, tt.want)
				}
				defer func() {
					_, _ = e.client.ImageRemove(context.WithoutCancel(t.Context()), prepared.ID,
						client.ImageRemoveOptions{Force: true})
				}()
			}
		})
	}
}

func TestImageThatIsNot(t *testing.T) {
	e := open(t)
	e.images.unreachable["docker.io"] = errNoAnswer // so that nobody waits
	_, err := e.Prepare(t.Context(), engine.Image{Name: "benchbook/nosuchimage:1"}, t.Output())
	if missing := (*engine.ImageError)(nil); !errors.As(err, &missing) || missing.Reference != "benchbook/nosuchimage:1" {
		t.Errorf("got %v, want an ImageError", err)
	}
	build := engine.Build{For: "test", Build: spec.Build{Dockerfile: "Dockerfile",
		Files: []spec.File{{Path: "Dockerfile", Data: []byte("# a base\nFROM benchbook/nosuchimage:1\n")}}}}
	_, err = e.Prepare(t.Context(), engine.Image{Build: &build}, t.Output())
	if failed := (*engine.BuildError)(nil); !errors.As(err, &failed) || failed.Line != 2 {
		t.Errorf("got %v, want a BuildError at line 2", err)
	}
}

// A program finds the names of services in its hosts file, those that several have excepted, and asks the daemon for
// none. It has those of the spaces around its own, too.
func TestProgramKnowsAddresses(t *testing.T) {
	e := open(t)
	image := debian(t, e)
	service := func(name string, aliases ...string) engine.Service {
		return engine.Service{Service: spec.Service{Name: name, Command: []string{"sleep", "1h"},
			Ready: spec.Ready{Command: []string{"true"}}}, Aliases: aliases, Image: image}
	}
	outer, _ := start(t, e, service("shared", "pool"))
	inner, err := outer.Group(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inner.Start(t.Context(), service("own", "pool", "also")); err != nil {
		t.Fatal(err)
	}
	exit, err := inner.Run(t.Context(), engine.Program{Name: "load", Image: image, Command: []string{"bash", "-c",
		`for name in shared own also pool; do echo $name $(grep -cw $name /etc/hosts) $(getent hosts $name | wc -l); done`}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "shared 1 1\nown 1 1\nalso 1 1\npool 0 2\n"; string(exit.Stdout) != want {
		t.Errorf("got %q, want %q; %s", exit.Stdout, want, exit.Stderr)
	}
	again, err := outer.Run(t.Context(), engine.Program{Name: "later", Image: image,
		Command: []string{"grep", "-cw", "own", "/etc/hosts"}}, nil)
	if err != nil || string(again.Stdout) != "0\n" {
		t.Errorf("a program of the outer space knows what is within: %q, %v", again.Stdout, err)
	}
}
