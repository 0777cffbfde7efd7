package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest"
)

// thisEngine connects to the engine of this machine, or skips the test.
func thisEngine(t *testing.T, program agent.Program) *Engine {
	t.Helper()
	slowtest.SkipSequential(t)
	e, err := New(t.Context(), program)
	enginetest.Need(t, "engine", err)
	t.Cleanup(func() { e.Close() })
	return e
}

// debian prepares the base that tests use.
func debian(t *testing.T, e *Engine) engine.Prepared {
	t.Helper()
	return must.Get(e.Prepare(t.Context(), engine.Image{Name: "debian:bookworm-slim"}, t.Output()))
}

// openSpace opens a space until the end of the test.
func openSpace(t *testing.T, e *Engine) *space {
	t.Helper()
	opened := must.Get(e.Open(t.Context(), "dockertest"))
	t.Cleanup(func() { must.Do(opened.Close(context.WithoutCancel(t.Context()))) })
	return opened.(*space)
}

// start starts a service from Debian in a space.
func start(t *testing.T, s engine.Space, service engine.Service) *container {
	t.Helper()
	if service.Image.ID == "" {
		service.Image = debian(t, s.(*space).engine)
	}
	started := must.Get(s.Start(t.Context(), service))
	return started.(*container)
}

// idle is a service that does nothing.
func idle(name string) engine.Service {
	return engine.Service{Service: spec.Service{Name: name, Command: []string{"sleep", "1h"}}}
}

// answering returns an engine whose requests a function answers, without a network.
func answering(answer http.HandlerFunc) *Engine {
	api := must.Get(client.New(client.WithHost("tcp://engine.invalid"), client.WithAPIVersion("1.44"),
		client.WithHTTPClient(&http.Client{Transport: handled(answer)})))
	return &Engine{client: api, endpoint: &endpoint{}}
}

// handled is a transport that calls a handler.
type handled http.HandlerFunc

func (h handled) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	answer.Header().Set("Content-Type", "application/json")
	h(answer, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return answer.Result(), nil
}

// socket serves an engine with an answer to /version.
func socket(t *testing.T, version string) string {
	file := filepath.Join(t.TempDir(), "docker.sock")
	listener := must.Get(net.Listen("unix", file))
	server := &httptest.Server{Listener: listener,
		Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Api-Version", "1.41")
			w.Header().Set("Content-Type", "application/json")
			switch {
			case strings.HasSuffix(r.URL.Path, "/info"):
				fmt.Fprint(w, `{"ID": "x", "NCPU": 2, "OSType": "linux", "ServerVersion": "x"}`)
			case strings.HasSuffix(r.URL.Path, "/version"):
				fmt.Fprint(w, version)
			}
		})}}
	server.Start()
	t.Cleanup(server.Close)
	return "unix://" + file
}

// An error about an unusable engine is one line with a way out.
func TestUnavailable(t *testing.T) {
	folder := t.TempDir()
	ssh := "#!/bin/sh\necho \"$*\" | grep -q ' -p 2222 -l bench -- host ' || exit 9\necho 'bench@host: Permission denied (publickey).' >&2\nexit 255\n"
	must.Do(os.WriteFile(filepath.Join(folder, "ssh"), []byte(ssh), 0o755))
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	for _, tt := range []struct{ name, host, want string }{
		{"no socket", "unix://" + filepath.Join(t.TempDir(), "docker.sock"), "install and start Docker"},
		{"over TCP", "tcp://127.0.0.1:1", "install and start Docker"},
		{"over ssh", "ssh://bench@host:2222", "(ssh to host failed: bench@host: Permission denied (publickey).)"},
		{"over ssh, without a word", "ssh://other", "(ssh to other failed: exit status 9)"},
		{"no host", "ssh:///run/docker.sock", "is not ssh://[USER@]HOST[:PORT][/SOCKET]"},
		{"no address", "nonsense", "DOCKER_HOST"},
		{"Podman", socket(t, `{"Components": [{"Name": "Podman Engine", "Version": "4.3.1"}], "Version": "4.3.1",
			"ApiVersion": "1.41"}`), "(it is Podman 4.3.1, whose Docker API does not describe networks as Docker's does)"},
		{"an old Docker", socket(t, `{"Version": "18.09.9", "ApiVersion": "1.39"}`),
			"(it is Docker 18.09.9 with API 1.39, and benchbook needs API 1.40)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := connect(t.Context(), tt.host, nil)
			if e != nil || !errors.Is(err, engine.ErrUnavailable) {
				t.Fatalf("got %v, %v, want ErrUnavailable", e, err)
			}
			text := err.Error()
			if strings.Contains(text, "\n") || !strings.Contains(text, tt.host) || !strings.Contains(text, tt.want) ||
				!strings.Contains(text, "--engine local") {
				t.Errorf("got %q, want one line with %q and %q", text, tt.host, tt.want)
			}
		})
	}
}

// An engine at a socket or an address of this machine is not elsewhere.
func TestElsewhere(t *testing.T) {
	listener := must.Get(net.Listen("tcp", ":0"))
	defer listener.Close()
	port := fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
	for host, want := range map[string]bool{"unix:///var/run/docker.sock": false, "tcp://127.0.0.1:" + port: false,
		"tcp://localhost:" + port: false, "ssh://host": true, "nonsense": false,
		"tcp://127.0.0.2:" + port: false, "tcp://192.0.2.1:2375": true} { // the last is nobody's, and answers nothing
		t.Setenv("DOCKER_HOST", host)
		if got := Elsewhere(t.Context()); (got == host) != want || !want && got != "" {
			t.Errorf("%s: got %q, want elsewhere %v", host, got, want)
		}
	}
}

// Facts that depend on the kind of the engine.
func TestFacts(t *testing.T) {
	for _, tt := range []struct {
		options   []string
		elsewhere bool
		want      string
	}{
		{[]string{"name=seccomp,profile=default"}, false, " "},
		{[]string{"name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"}, false, "true "},
		{nil, true, " true"},
	} {
		e := &Engine{info: system.Info{SecurityOptions: tt.options}, endpoint: &endpoint{elsewhere: tt.elsewhere}}
		facts, err := e.Facts(t.Context())
		if got := facts["engine.rootless"] + " " + facts["engine.remote"]; err != nil || got != tt.want {
			t.Errorf("%+v: got %q, %v", tt, got, err)
		}
	}
}

// Ctrl-C does not end the ssh command, through which containers are removed afterwards.
func TestForwardOutlivesCtrlC(t *testing.T) {
	folder := t.TempDir()
	fake := "#!/bin/sh\necho $$ >\"$0.pid\"\necho ready\nexec cat >/dev/null\n"
	must.Do(os.WriteFile(filepath.Join(folder, "ssh"), []byte(fake), 0o755))
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	at := must.Get(open(t.Context(), "ssh://host"))
	defer at.close()
	pid := must.Get(strconv.Atoi(strings.TrimSpace(must.Read(filepath.Join(folder, "ssh.pid")))))
	if group := must.Get(syscall.Getpgid(pid)); group == syscall.Getpgrp() {
		t.Errorf("ssh is in our process group, %d", group)
	}
}

// An engine behind ssh is used through one connection, which ends with it.
func TestForward(t *testing.T) {
	e := thisEngine(t, nil)
	local := strings.TrimPrefix(e.endpoint.reached, "unix://")
	// As ssh would: it forwards the socket until the connection drops.
	folder := t.TempDir()
	fake := "#!/bin/sh\nfor word; do case $word in *docker.sock:*) forward=$word;; esac; done\n" +
		"ln -s \"${forward##*:}\" \"${forward%%:*}\"\necho ready\n" +
		"while [ ! -e \"$0.drop\" ]; do sleep 0.1; done\n" +
		"echo 'Timeout, server not responding.' >&2\nrm \"${forward%%:*}\"\nexit 255\n"
	must.Do(os.WriteFile(filepath.Join(folder, "ssh"), []byte(fake), 0o755))
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	host := "ssh://bench@elsewhere.invalid" + local
	t.Setenv("DOCKER_HOST", host)
	remote := must.Get(New(t.Context(), nil))
	forwarded := strings.TrimPrefix(remote.endpoint.reached, "unix://")
	t.Cleanup(func() {
		remote.Close()
		if _, err := os.Stat(filepath.Dir(forwarded)); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", forwarded, err)
		}
	})
	if !remote.Elsewhere() || remote.local() || remote.Endpoint() != host || os.Getenv("DOCKER_HOST") != host {
		t.Errorf("elsewhere %v, local %v, at %s; DOCKER_HOST is %s", remote.Elsewhere(), remote.local(), remote.Endpoint(),
			os.Getenv("DOCKER_HOST"))
	}
	space := openSpace(t, remote)
	c := start(t, space, idle("idle"))
	if state, err := c.State(t.Context()); err != nil || state.ID != c.id || state.CPUs != "" {
		t.Errorf("its state is %+v, %v", state, err)
	}
	usage, err := c.Usage(t.Context(), engine.Detail{Totals: true, Listeners: true})
	if err != nil || usage.CPU <= 0 || usage.Memory <= 0 || usage.ListenOverflows != -1 || len(usage.Listeners) > 0 {
		t.Errorf("it used %+v, %v", usage, err)
	}
	must.Do(space.Close(t.Context()))
	must.Write(filepath.Join(folder, "ssh.drop"), "")
	const want = "ssh to elsewhere.invalid has ended: Timeout, server not responding."
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		remote.client.Close() // its idle connections, which are not of the false ssh
		_, err := remote.Find(t.Context(), "debian")
		if err != nil && strings.HasSuffix(err.Error(), want) && !strings.Contains(err.Error(), filepath.Dir(forwarded)) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("without a connection: got %v, want %s", err, want)
		}
	}
	if _, err := remote.docker(t.Context(), []string{"version"}, nil, io.Discard); err == nil ||
		!strings.Contains(err.Error(), "the Docker daemon at "+host) {
		t.Errorf("the docker command: got %v, want %s", err, host)
	}
}
