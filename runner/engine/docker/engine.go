// Package docker runs trials in containers of a Docker engine.
//
// The library testcontainers-go creates containers and networks, and starts and stops containers. Its reaper is not
// used: it needs the Docker socket inside a container, and Sweep does the same without. The client of the engine's API
// does what the library cannot: standard input and limited output of commands, logs from the beginning, usage, images,
// and sweeping. The docker command builds and pulls images.
//
// A space is a bridge network without a route out of it. Nothing is published on the host. Containers have no
// privileges, no Docker socket, no periodic health checks, and no host paths except requested ones. The tag of an image
// that we build is a digest of all its inputs. Nothing is tagged under a name of others.
//
// The bridge of a space has an address on the host. We probe readiness through it, and containers can reach services
// through it that listen on all addresses of the host.
package docker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"

	"benchbook/runner/agent"
	"benchbook/runner/engine"
)

// requestTimeout limits a request that changes something. Such requests are not cancelled, so that we always know what
// exists.
const requestTimeout = time.Minute

// Engine is a Docker engine.
type Engine struct {
	client   *client.Client
	provider *testcontainers.DockerProvider
	endpoint *endpoint
	info     system.Info
	version  client.ServerVersionResult
	owner    string
	agent    agent.Program
	classic  atomic.Bool // the docker command lacks BuildKit

	unreachable sync.Map // errors of registries that did not answer, by name
	making      sync.Map // locks for making images and probes by name, as chan struct{} of capacity 1
}

var _ engine.Engine = (*Engine)(nil)

// New connects to the Docker engine at DOCKER_HOST or, if that is not set, at the first of the usual sockets. The error
// wraps engine.ErrUnavailable if none answers.
//
// Program probes services that this process cannot reach, for example because it is in a container itself. If it is
// nil, such services cannot be probed.
func New(ctx context.Context, program agent.Program) (*Engine, error) {
	return connect(ctx, usualHost(), program)
}

// connect connects to the engine at a host in the format of DOCKER_HOST.
func connect(ctx context.Context, host string, program agent.Program) (e *Engine, err error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	e = &Engine{owner: engine.Owner(), agent: program}
	defer func() {
		if err != nil {
			e.Close()
			e, err = nil, unavailable(host, err)
		}
	}()
	if e.endpoint, err = open(ctx, host); err != nil {
		return e, err
	}
	if e.client, err = client.New(append(e.endpoint.client, client.WithAPIVersionFromEnv())...); err != nil {
		return e, err
	}
	info, err := e.client.Info(ctx, client.InfoOptions{})
	if err != nil {
		return e, err
	}
	e.info = info.Info
	if e.version, err = e.client.ServerVersion(ctx, client.ServerVersionOptions{}); err != nil {
		return e, err
	}
	if err = unfit(host, e.version); err != nil {
		return e, err
	}
	e.provider, err = newProvider(e.endpoint, e.client)
	return e, err
}

// newProvider makes the library use our connection, without log output or its reaper. The library has no options for
// that, only environment variables, and a provider that NewDockerProvider did not make starts the reaper.
func newProvider(at *endpoint, api *client.Client) (*testcontainers.DockerProvider, error) {
	os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
	os.Unsetenv("TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX") // would rename the images that we built
	if at.reached != at.host {
		// The library does not know ssh://.
		os.Setenv(client.EnvOverrideHost, at.reached)
		defer os.Setenv(client.EnvOverrideHost, at.host)
	}
	quiet := tclog.NewNoopLogger()
	tclog.SetDefault(quiet) // suppress its banner
	provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(quiet),
		testcontainers.WithDefaultBridgeNetwork(testcontainers.Bridge))
	if err == nil {
		provider.SetClient(api) // the library remembers the first endpoint of the process
	}
	return provider, err
}

// oldestAPI is the API of Docker 19.03.
const oldestAPI = "1.40"

// unfit returns why an engine that answers cannot run articles, or nil if it can.
func unfit(host string, version client.ServerVersionResult) error {
	reason := ""
	switch {
	case slices.ContainsFunc(version.Components, func(c system.ComponentVersion) bool { return c.Name == "Podman Engine" }):
		reason = "Podman " + version.Version + ", whose Docker API does not describe networks as Docker's does"
	case version.APIVersion != "" && versions.LessThan(version.APIVersion, oldestAPI):
		reason = fmt.Sprintf("Docker %s with API %s, and benchbook needs API %s", version.Version, version.APIVersion, oldestAPI)
	default:
		return nil
	}
	return fmt.Errorf("%w can be used at %s (it is %s): set DOCKER_HOST to Docker 19.03 or newer, or measure without "+
		"containers with --engine local", engine.ErrUnavailable, host, reason)
}

// unavailable turns a connection error into one sentence that says what to do.
func unavailable(host string, err error) error {
	switch {
	case errors.Is(err, engine.ErrUnavailable):
		return err
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("connecting to the Docker engine at %s: %w", host, err)
	case strings.Contains(err.Error(), "permission denied") && !strings.HasPrefix(host, "ssh:"):
		return fmt.Errorf("%w may be used by this user at %s: join the group docker, or run as root",
			engine.ErrUnavailable, host)
	}
	return fmt.Errorf("%w answers at %s: install and start Docker, set DOCKER_HOST, or measure without containers "+
		"with --engine local (%s)", engine.ErrUnavailable, host, firstLine(err.Error()))
}

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
		"engine.id":             fmt.Sprintf("%x", sha256.Sum256([]byte("benchbook "+e.info.ID)))[:8],
	}
	if e.Elsewhere() {
		facts["engine.remote"] = "true"
	}
	if slices.ContainsFunc(e.info.SecurityOptions,
		func(option string) bool { return strings.HasPrefix(option, "name=rootless") }) {
		facts["engine.rootless"] = "true"
	}
	return facts, nil
}

// Elsewhere reports whether the engine runs on another machine.
func (e *Engine) Elsewhere() bool { return e.endpoint.elsewhere }

// local reports whether containers run on this machine's kernel, rather than elsewhere or in a virtual machine.
func (e *Engine) local() bool {
	if e.Elsewhere() || runtime.GOOS != "linux" {
		return false
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	return err == nil && string(bytes.TrimSpace(release)) == e.info.KernelVersion &&
		!strings.Contains(e.info.OperatingSystem, "Docker Desktop")
}

// Endpoint returns the host of the engine, in the format of DOCKER_HOST.
func (e *Engine) Endpoint() string { return e.endpoint.host }

// Storage returns the folder with the engine's images, empty if it is not on this machine.
func (e *Engine) Storage() string {
	if !e.local() {
		return ""
	}
	return e.info.DockerRootDir
}

func (e *Engine) Close() error {
	var err error
	if e.client != nil {
		err = e.client.Close()
	}
	if e.endpoint != nil {
		e.endpoint.close()
	}
	return err
}

// labels returns the labels of everything that is started for a run.
func (e *Engine) labels(run string) map[string]string {
	return map[string]string{engine.LabelRun: run, engine.LabelOwner: e.owner}
}

// uncancelled returns a context for a request that must not be cancelled halfway.
func uncancelled(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
