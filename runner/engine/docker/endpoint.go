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

// usualHost returns DOCKER_HOST, or the first of the usual sockets that exists.
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

// Elsewhere returns the host of the usual engine, in the format of DOCKER_HOST, if that is another machine, or "".
func Elsewhere(ctx context.Context) string {
	if host := usualHost(); isElsewhere(ctx, host) {
		return host
	}
	return ""
}

// isElsewhere reports whether a host in the format of DOCKER_HOST is another machine. A connection of a machine to
// itself has the same address at both ends. Nothing is sent, so it does not matter whether an engine answers.
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
		return true // unknown name or network
	}
	defer conn.Close()
	there := conn.RemoteAddr().(*net.UDPAddr).IP
	return !there.IsLoopback() && !there.Equal(conn.LocalAddr().(*net.UDPAddr).IP)
}

type endpoint struct {
	host      string // in the format of DOCKER_HOST
	reached   string // host for the docker command; a local socket for ssh://
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

// forward forwards the socket of an engine at ssh://[USER@]HOST[:PORT][/SOCKET] to a local one with the ssh command. It
// needs one connection, where the docker command needs one per request. Ssh ends with this process, because the remote
// command reads standard input.
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
	// Ctrl-C in a terminal signals the process group, but ssh is still needed to remove containers.
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
		if err != nil && ctx.Err() == nil { // ssh prints its error before it removes the socket
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
