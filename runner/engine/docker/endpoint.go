package docker

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/moby/moby/client"

	"benchbook/runner/engine"
)

// usualHost returns where the engine is: at DOCKER_HOST, or at the first of the usual sockets that is there.
func usualHost() string {
	if host := os.Getenv(client.EnvOverrideHost); host != "" {
		return host
	}
	sockets := []string{strings.TrimPrefix(client.DefaultDockerHost, "unix://")}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		sockets = append(sockets, filepath.Join(dir, "docker.sock")) // rootless
	}
	if home, err := os.UserHomeDir(); err == nil {
		sockets = append(sockets, filepath.Join(home, ".docker", "run", "docker.sock")) // Docker Desktop
	}
	for _, socket := range sockets {
		if _, err := os.Stat(socket); err == nil {
			return "unix://" + socket
		}
	}
	return client.DefaultDockerHost
}

// Elsewhere returns where the usual engine is, as DOCKER_HOST has it, if that is another machine; else nothing.
func Elsewhere(ctx context.Context) string {
	if host := usualHost(); isElsewhere(ctx, host) {
		return host
	}
	return ""
}

// isElsewhere reports whether a host as DOCKER_HOST has it is another machine: to itself a machine connects from the same
// address. Nothing is sent, so it is the same if no engine answers there.
func isElsewhere(ctx context.Context, host string) bool {
	u, err := client.ParseHostURL(host)
	if err != nil || u.Scheme == "ssh" {
		return err == nil
	}
	if !slices.Contains([]string{"tcp", "http", "https"}, u.Scheme) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback() {
		return false
	}
	conn, err := new(net.Dialer).DialContext(ctx, "udp", net.JoinHostPort(u.Hostname(), "1"))
	if err != nil {
		return true // its name or its network is not known
	}
	defer conn.Close()
	there := conn.RemoteAddr().(*net.UDPAddr).IP
	return !there.IsLoopback() && !there.Equal(conn.LocalAddr().(*net.UDPAddr).IP)
}

type endpoint struct {
	host      string // as the user has it
	reached   string // as the docker command has it; another one for ssh://
	elsewhere bool
	client    []client.Opt // how the client connects
	close     func()
}

func open(ctx context.Context, host string) (*endpoint, error) {
	at := &endpoint{host: host, reached: host, elsewhere: isElsewhere(ctx, host), close: func() {},
		client: []client.Opt{client.WithTLSClientConfigFromEnv(), client.WithHost(host)}}
	if strings.HasPrefix(host, "ssh://") {
		return at, at.forward(ctx)
	}
	return at, nil
}

// forward makes the socket of an engine at ssh://[USER@]HOST[:PORT][/SOCKET] one of this machine, by the ssh command:
// one connection for everything, where the docker command needs one for each request. Ssh ends with this process, as its
// command ends with standard input.
func (a *endpoint) forward(ctx context.Context) error {
	u, err := url.Parse(a.host)
	if err != nil || u.Hostname() == "" {
		return fmt.Errorf("%s is not ssh://[USER@]HOST[:PORT][/SOCKET]", a.host)
	}
	socket := cmp.Or(u.Path, strings.TrimPrefix(client.DefaultDockerHost, "unix://"))
	folder, err := os.MkdirTemp("", "benchbook-ssh-")
	if err != nil {
		return err
	}
	local := filepath.Join(folder, "docker.sock")
	args := []string{"-T", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-o", "ConnectTimeout=10",
		"-o", "ServerAliveInterval=15", "-L", local + ":" + socket}
	if u.Port() != "" {
		args = append(args, "-p", u.Port())
	}
	if u.User.Username() != "" {
		args = append(args, "-l", u.User.Username())
	}
	ssh := exec.Command("ssh", append(args, "--", u.Hostname(), "echo ready; exec cat >/dev/null")...)
	// Ctrl-C of a terminal goes to a process group, and containers are removed after it.
	ssh.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said bytes.Buffer
	ssh.Stderr = &said
	stdin, inErr := ssh.StdinPipe()
	stdout, outErr := ssh.StdoutPipe()
	if err := errors.Join(inErr, outErr, ssh.Start()); err != nil {
		os.RemoveAll(folder)
		return fmt.Errorf("running ssh: %w", err)
	}
	end := sync.OnceFunc(func() {
		_ = ssh.Process.Kill()
		_ = ssh.Wait()
	})
	a.close = func() {
		stdin.Close()
		end()
		os.RemoveAll(folder)
	}
	stop := context.AfterFunc(ctx, func() { _ = ssh.Process.Kill() })
	defer stop()
	if _, err := io.ReadFull(stdout, make([]byte, len("ready"))); err != nil {
		end()
		cause := cmp.Or(context.Cause(ctx), errors.New(ssh.ProcessState.String()))
		return fmt.Errorf("ssh to %s failed: %s", u.Hostname(), cmp.Or(engine.LastLine(said.Bytes()), cause.Error()))
	}
	a.reached = "unix://" + local
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", local)
		if err != nil && ctx.Err() == nil { // ssh says why before it removes the socket
			end()
			err = fmt.Errorf("ssh to %s has ended: %s", u.Hostname(),
				cmp.Or(engine.LastLine(said.Bytes()), ssh.ProcessState.String()))
		}
		return conn, err
	}
	a.client = []client.Opt{client.WithHost("http://" + u.Host),
		client.WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: dial}})}
	return nil
}
