package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/proc"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

const (
	outputTimeout = 2 * time.Second // for reading output after a process has ended
	killTimeout   = 5 * time.Second // for killed processes to end
)

// starting is held while a process is started and added to its container's tree, and while processes are killed.
var starting sync.Mutex

type process struct {
	container *container
	isFirst   bool
	cmd       *exec.Cmd
	done      chan struct{} // closed when it has ended and its output was read
	code      int           // set once done: the status, or 128 plus the signal that killed it
}

// launch starts a process on the container's CPUs. The error is an *engine.RejectedError if the request is at fault.
func (c *container) launch(args, env []string, folder string, stdin []byte, stdout, stderr io.Writer) (*process, error) {
	program, err := lookPath(args[0], env, folder)
	if err != nil {
		return nil, engine.Refuse(c.Name(), "%w", err)
	}
	cmd := &exec.Cmd{Path: program, Args: args, Env: env, Dir: folder, Stdout: stdout, Stderr: stderr,
		WaitDelay: outputTimeout, SysProcAttr: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}}
	if len(stdin) > 0 {
		cmd.Stdin = bytes.NewReader(stdin)
	}
	p := &process{container: c, isFirst: c.first == nil, cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	return p, <-started
}

// lookPath finds a program as execvp(3) does: in the PATH of env, unless its name has a slash. Relative paths start at
// folder.
func lookPath(name string, env []string, folder string) (string, error) {
	in := func(place string) (string, error) {
		candidate := filepath.Join(place, name)
		if !filepath.IsAbs(candidate) {
			candidate = filepath.Join(folder, candidate)
		}
		return exec.LookPath(candidate)
	}
	if strings.Contains(name, "/") {
		return in("")
	}
	_, variables := engine.Variables(env)
	for _, place := range filepath.SplitList(variables["PATH"]) {
		if found, err := in(place); err == nil {
			return found, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}

// run starts the process and waits for it. It keeps one thread to itself: the process inherits the thread's CPU
// affinity, and the kernel kills the process when the thread ends.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	starting.Lock()
	err := p.start()
	if err == nil {
		p.container.Add(p.cmd.Process.Pid)
	}
	starting.Unlock()
	started <- err
	if err == nil {
		p.await()
	}
}

func (p *process) start() error {
	c := p.container
	if c.ended {
		return errors.New("it has ended")
	}
	if cpus, _ := spec.ParseCPUSet(c.service.CPUSet); len(cpus) > 0 { // newContainer checked it
		var set unix.CPUSet
		for _, cpu := range cpus {
			set.Set(cpu)
		}
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			return engine.Refuse(c.Name(), "binding it to CPUs %v: %w", cpus, err)
		}
	}
	err := p.cmd.Start()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ENOMEM) || errors.Is(err, unix.EMFILE):
		return fmt.Errorf("starting a process: %w", err)
	}
	return engine.Refuse(c.Name(), "%w", err)
}

// await waits for the end of the process. If it is the first of its container, await kills all others.
func (p *process) await() {
	pid := p.cmd.Process.Pid
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	if p.isFirst {
		for deadline := time.Now().Add(killTimeout); p.killOthers() && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
	}
	_ = p.cmd.Wait() // ProcessState has the result
	state := p.cmd.ProcessState
	p.code = proc.ExitCode(state)
	p.container.Ended(pid, state.UserTime()+state.SystemTime())
	close(p.done)
}

// killOthers kills the other processes of the container and reports whether there were any.
func (p *process) killOthers() bool {
	starting.Lock()
	defer starting.Unlock()
	p.container.ended = true
	others := slices.DeleteFunc(p.container.Processes(), func(pid int) bool { return pid == p.cmd.Process.Pid })
	for _, pid := range others {
		_ = unix.Kill(pid, unix.SIGKILL) // it may have ended
		if !p.container.IsRoot(pid) {
			_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil) // it may have another parent
		}
	}
	return len(others) > 0
}

// signal sends a signal, unless the process has ended.
func (p *process) signal(s os.Signal) {
	p.container.Processes() // so that the present descendants are recognized after it has ended
	_ = p.cmd.Process.Signal(s)
}
