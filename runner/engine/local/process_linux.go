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
	outputTimeout = 2 * time.Second // for output to be read after a process has ended
	killTimeout   = 5 * time.Second // for processes to end that were killed
)

// starting is held until the tree of a container knows a process that was started, and while others are killed.
var starting sync.Mutex

type process struct {
	container *container
	isFirst   bool
	cmd       *exec.Cmd
	done      chan struct{} // closed when it has ended and its output has been read
	code      int           // once done: the status, or 128 plus the signal that killed it
}

// launch starts a process with the CPUs, files and variables of the container, in a folder. The error is an
// *engine.RejectedError if the request is at fault.
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

// lookPath finds a program as execvp(3) does: by PATH of the environment, unless its name has a slash.
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

// run starts the process and waits for it. All of it is on one thread, which is not used again: it is bound to the CPUs,
// which the process inherits, and the kernel kills the process when the thread ends.
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
	if cpus, _ := spec.ParseCPUSet(c.service.CPUSet); len(cpus) > 0 { // it was checked
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

// await waits for the end of the process, and if it is the first of its container, ends all others.
func (p *process) await() {
	pid := p.cmd.Process.Pid
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	if p.isFirst {
		for deadline := time.Now().Add(killTimeout); p.killOthers() && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
	}
	_ = p.cmd.Wait() // the state says it
	state := p.cmd.ProcessState
	p.code = proc.ExitCode(state)
	p.container.Ended(pid, state.UserTime()+state.SystemTime())
	close(p.done)
}

// killOthers kills the other processes of the container, and reports whether there were any.
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

// signal sends a signal. If the process has ended, nothing gets it.
func (p *process) signal(s os.Signal) {
	p.container.Processes() // so that the descendants of now are recognized when the process has ended
	_ = p.cmd.Process.Signal(s)
}
