//go:build linux

package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// here is a container in which the load generator is a process of this machine.
type here struct {
	engine.Container
	asked <-chan struct{}   // closed by the first request
	begun func(*os.Process) // is called then
}

// Exec implements engine.Container.
func (h here) Exec(_ context.Context, c engine.Command) (engine.Exit, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(agent.Name, c.Args[1:]...)
	cmd.Env, cmd.Stdin = append(os.Environ(), c.Environment...), bytes.NewReader(c.Stdin)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return engine.Exit{}, err
	}
	<-h.asked
	h.begun(cmd.Process)
	_ = cmd.Wait() // the status tells
	return engine.Exit{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}, nil
}

// measured puts a load on a server of this process, and returns the health of the generator.
func measured(t *testing.T, l spec.Load, begun func(*os.Process)) *record.Health {
	t.Helper()
	asked, first := make(chan struct{}), sync.Once{}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		first.Do(func() { close(asked) })
	}))
	defer server.Close()
	l.Target, l.Method, l.Timeout, l.Keepalive = server.URL, "GET", 10*time.Second, true
	driver := &load.Requests{}
	m, err := driver.Measure(t.Context(), load.Place{Load: here{asked: asked, begun: begun}, Cores: 1},
		&plan.Trial{Name: "trial", Load: &l})
	if err != nil || m.Failure != "" {
		t.Fatalf("%v, failure %q, %s", err, m.Failure, m.Log)
	}
	return m.Load.Health
}

// loops are loads of some seconds: a closed and an open loop.
func loops() map[string]spec.Load {
	return map[string]spec.Load{
		"closed": {Connections: 8, Threads: 1, Duration: 3 * time.Second},
		"open":   {Connections: 100, Threads: 1, Duration: 3 * time.Second, Pace: spec.Pace{Rate: 200}, Arrivals: "constant"},
	}
}

// stopForASecond returns a function that stops a process for a second.
func stopForASecond(t *testing.T) func(*os.Process) {
	return func(p *os.Process) {
		must.Do(p.Signal(syscall.SIGSTOP))
		time.Sleep(time.Second)
		must.Do(p.Signal(syscall.SIGCONT))
	}
}

// A generator that is stopped for a second in its window reports it. notebook/validity makes that repetition invalid.
func TestStopped(t *testing.T) {
	slowtest.Skip(t)
	for name, l := range loops() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			health := measured(t, l, stopForASecond(t))
			// It counts from when the thread wanted to wake up, up to 0.1 s after it had nothing to do.
			if s := health.Standstill; s < 0.9 || s > time.Since(begin).Seconds() {
				t.Errorf("it stood still for %v s, want a second", s)
			}
		})
	}
}

// A generator that shares its core with a busy process reports how long it waited for it.
func TestStarved(t *testing.T) {
	slowtest.Skip(t)
	runtime.LockOSThread() // a process may run where the thread may that has started it
	var all, one unix.CPUSet
	must.Do(unix.SchedGetaffinity(0, &all))
	cpu := 0
	for !all.IsSet(cpu) {
		cpu++
	}
	one.Set(cpu)
	must.Do(unix.SchedSetaffinity(0, &one))
	defer runtime.UnlockOSThread()
	defer func() {
		must.Do(unix.SchedSetaffinity(0, &all))
	}()
	busy := exec.Command("sh", "-c", "while :; do :; done")
	busy.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must.Do(busy.Start())
	defer func() {
		_ = busy.Process.Kill() // it cannot have ended
		_ = busy.Wait()         // by the signal
	}()
	if h := measured(t, loops()["closed"], func(*os.Process) {}); h.Waiting <= 0.15 || h.Waiting > 1 {
		t.Errorf("it waited for %v of the window, want more than 0.15, up to which it would be valid", h.Waiting)
	}
}
