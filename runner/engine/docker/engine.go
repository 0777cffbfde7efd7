// Package docker runs trials in containers of a Docker engine.
//
// What always holds: a space is a bridge network without a route out of it; nothing is published on the host; containers get no privileges, no Docker socket, no
// periodic health checks, and no path of the host but those that were asked for as such; their local ports are 1024 to
// 65535 and their logs are bounded. Images we build carry a digest of everything that went into them in their tag, and
// base images that no registry could give have a substitute of our own name: nothing is ever tagged under somebody
// else's. Whatever we start carries the labels of package engine.
//
// The bridge of a space has an address on the host, by which readiness is probed, and by which a container could in
// turn reach what listens on all addresses of the host.
//
// Containers are driven by testcontainers-go; its reaper is not used, as it wants the Docker socket inside a container
// and Sweep does the same without.
package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
)

// How long a single request to the engine may take where nothing else bounds it. A request that changes something is
// not cancelled half-way, so that we always know what is there.
const requestTimeout = time.Minute

// daemon is the engine's API, with what takes more than one request.
type daemon struct{ *client.Client }

// Engine is a Docker engine.
type Engine struct {
	client   daemon
	images   *imageStore
	provider *testcontainers.DockerProvider
	endpoint string
	info     system.Info
	version  client.ServerVersionResult
	owner    string
	agent    agent.Program
}

var (
	_ engine.Engine     = (*Engine)(nil)
	_ engine.Carrier    = (*Engine)(nil)
	_ engine.Archiver   = (*Engine)(nil)
	_ engine.Inspected  = (*Engine)(nil)
	_ engine.ImageStore = (*Engine)(nil)
)

// New connects to the Docker engine of this machine: the one at DOCKER_HOST or, if that is not set, at the first of the
// usual sockets that is there. The error wraps engine.ErrUnavailable if none answers.
//
// Program probes services where this process cannot reach them, as from a container; without it they are not probed
// there.
func New(ctx context.Context, program agent.Program) (*Engine, error) {
	return newEngine(ctx, endpoint(), program)
}

// newEngine connects to the Docker engine at an endpoint.
func newEngine(ctx context.Context, host string, program agent.Program) (*Engine, error) {
	api, err := dial(host)
	if err != nil {
		return nil, unavailable(host, err)
	}
	pingContext, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	e := &Engine{client: daemon{api}, images: newImageStore(api, environment(host)), endpoint: host,
		owner: engine.Owner(), agent: program}
	info, err := api.Info(pingContext, client.InfoOptions{})
	if err == nil {
		e.info = info.Info
		e.version, err = api.ServerVersion(pingContext, client.ServerVersionOptions{})
	}
	if err == nil {
		if err = refused(e.version); isPodman(e.version) {
			err = &unfit{"Podman " + e.version.Version + ", whose Docker API does not describe networks as Docker's does"}
		}
	}
	if err == nil {
		e.provider, err = newProvider(host, api)
	}
	if err != nil {
		err = errors.Join(err, api.Close())
		if ctx.Err() != nil {
			return nil, fmt.Errorf("connecting to the Docker engine at %s: %w", host, err)
		}
		return nil, unavailable(host, err)
	}
	return e, nil
}

// oldestMinor is the number behind 1. of the oldest API that works, which is that of Docker 19.03.
const oldestMinor = 40

// unfit is why an engine that answers cannot be used.
type unfit struct{ reason string }

func (r *unfit) Error() string { return r.reason }

// isPodman says of what answers for Docker that it is Podman.
func isPodman(version client.ServerVersionResult) bool {
	return slices.ContainsFunc(version.Components, func(c system.ComponentVersion) bool {
		return c.Name == "Podman Engine"
	})
}

// refused is why an engine cannot run articles; nil if it can.
func refused(version client.ServerVersionResult) error {
	var major, minor int
	if n, _ := fmt.Sscanf(version.APIVersion, "%d.%d", &major, &minor); n == 2 && (major < 1 ||
		major == 1 && minor < oldestMinor) {
		return &unfit{fmt.Sprintf("Docker %s with API %s, and benchbook needs API 1.%d", version.Version, version.APIVersion,
			oldestMinor)}
	}
	return nil
}

// unavailable says in one sentence that no engine answers at a host, and what to do.
func unavailable(host string, err error) error {
	if unfit, ok := errors.AsType[*unfit](err); ok {
		return fmt.Errorf("%w can be used at %s (it is %s): set DOCKER_HOST to Docker 19.03 or newer, or measure without "+
			"containers with --engine local", engine.ErrUnavailable, host, unfit.reason)
	}
	switch {
	case errors.Is(err, errElsewhere):
		return fmt.Errorf("%w of this machine is at %s: set DOCKER_HOST to its socket, such as "+
			"unix:///var/run/docker.sock, or run benchbook where the engine is", engine.ErrUnavailable, host)
	case strings.Contains(err.Error(), "permission denied"): // the client does not wrap the cause
		return fmt.Errorf("%w may be used by this user at %s: join the group docker, or run as root",
			engine.ErrUnavailable, host)
	default:
		return fmt.Errorf("%w answers at %s: install and start Docker, set DOCKER_HOST, or measure without containers "+
			"with --engine local (%s)", engine.ErrUnavailable, host, firstLine(err.Error()))
	}
}

// library guards the settings of testcontainers-go, which it takes once from the environment of the process and
// offers no other way to make.
var library sync.Mutex

// quiet is the logger that the library gets.
var quiet = tclog.NewNoopLogger()

// newProvider makes the library use our connection, quietly and without its reaper.
func newProvider(host string, api *client.Client) (*testcontainers.DockerProvider, error) {
	library.Lock()
	defer library.Unlock()
	for name, value := range map[string]string{
		client.EnvOverrideHost:                 host,
		"TESTCONTAINERS_RYUK_DISABLED":         "true",
		"TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX": "", // would rename the images we just built
	} {
		before, was := os.LookupEnv(name)
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
		defer func() {
			if was {
				os.Setenv(name, before)
			} else {
				os.Unsetenv(name)
			}
		}()
	}
	if tclog.Default() != quiet {
		tclog.SetDefault(quiet)
	}
	provider, err := testcontainers.NewDockerProvider(
		testcontainers.WithLogger(quiet), testcontainers.WithDefaultBridgeNetwork(testcontainers.Bridge))
	if err != nil {
		return nil, err
	}
	// The library remembers the first endpoint that the process ever used.
	provider.SetClient(keptOpen{api})
	return provider, nil
}

// keptOpen is a client that is not the library's to close: it would end the idle connections of all, and now and then
// one that somebody has just begun to use, after each container that it starts.
type keptOpen struct{ client.APIClient }

func (keptOpen) Close() error { return nil }

func (e *Engine) Name() string { return "docker" }

// Facts implements engine.Engine. Memory is in bytes.
func (e *Engine) Facts(context.Context) (map[string]string, error) {
	facts := map[string]string{
		"engine.name":           e.Name(),
		"engine.version":        e.info.ServerVersion,
		"engine.api":            e.version.APIVersion,
		"engine.runtime":        e.info.DefaultRuntime,
		"engine.storage":        e.info.Driver,
		"engine.cgroup.version": e.info.CgroupVersion,
		"engine.cgroup.driver":  e.info.CgroupDriver,
		"engine.kernel":         e.info.KernelVersion,
		"engine.os":             e.info.OperatingSystem,
		"engine.architecture":   e.info.Architecture,
		"engine.cpus":           strconv.Itoa(e.info.NCPU),
		"engine.memory":         strconv.FormatInt(e.info.MemTotal, 10),
		"engine.local":          strconv.FormatBool(e.local()),
	}
	if slices.ContainsFunc(e.info.SecurityOptions,
		func(option string) bool { return strings.HasPrefix(option, "name=rootless") }) {
		facts["engine.rootless"] = "true"
	}
	return facts, nil
}

// local says whether containers run under the kernel of this machine, rather than in a virtual machine.
func (e *Engine) local() bool {
	if runtime.GOOS != "linux" {
		return false
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	return err == nil && string(bytes.TrimSpace(release)) == e.info.KernelVersion &&
		!strings.Contains(e.info.OperatingSystem, "Docker Desktop")
}

func (e *Engine) Close() error { return e.client.Close() }

// labels are those of something we start for a run.
func (e *Engine) labels(run string) map[string]string {
	return map[string]string{engine.LabelRun: run, engine.LabelOwner: e.owner}
}

// uncancelled bounds a request that must not be cancelled half-way.
func uncancelled(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
