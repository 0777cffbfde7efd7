package docker

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/moby/client"
)

// errElsewhere refuses an endpoint that is not a socket of this machine.
var errElsewhere = errors.New("it is not a socket of this machine")

// dial makes a client of an endpoint, without asking it anything.
func dial(host string) (*client.Client, error) {
	if !strings.HasPrefix(host, "unix://") {
		return nil, errElsewhere
	}
	return client.New(client.WithHost(host), client.WithAPIVersionFromEnv())
}

// endpoint finds the engine's endpoint: the wish of the user, or the first of the usual sockets that is there.
func endpoint() string {
	if host := os.Getenv(client.EnvOverrideHost); host != "" {
		return host
	}
	var sockets []string
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		sockets = append(sockets, filepath.Join(dir, "docker.sock")) // rootless
	}
	if home, err := os.UserHomeDir(); err == nil {
		sockets = append(sockets, filepath.Join(home, ".docker", "run", "docker.sock")) // Docker Desktop
	}
	standard := strings.TrimPrefix(client.DefaultDockerHost, "unix://")
	for _, socket := range append([]string{standard}, sockets...) {
		if _, err := os.Stat(socket); err == nil {
			return "unix://" + socket
		}
	}
	return client.DefaultDockerHost
}

// environment makes the docker command use an endpoint.
func environment(host string) []string { return []string{client.EnvOverrideHost + "=" + host} }
