package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/docker/go-units"
	"golang.org/x/sys/unix"

	"benchbook/notebook/spec"
	"benchbook/runner/engine/kernel"
)

// becoming is the name under which this program is started to become another one.
const becoming = "benchbook-becoming"

// answerFile is a file that such a process finds open, beside the usual three. It says there what went wrong; it is
// closed, with nothing said, by becoming the program.
const answerFile = 3

// order is what a process prepares before it becomes its program.
type order struct {
	CPUs    []int
	Ulimits map[string]spec.Ulimit
}

// refusal is an error about what was asked for, which is no fault of the engine.
type refusal struct{ err error }

func (r *refusal) Error() string { return r.err.Error() }

func (r *refusal) Unwrap() error { return r.err }

func refusef(format string, args ...any) error { return &refusal{fmt.Errorf(format, args...)} }

// BecomeProgram turns a process that was started by an Engine into the program that it was started for, and does not
// return then. In any other process it does nothing. It has to be called first of all.
func BecomeProgram() {
	if os.Args[0] != becoming {
		return
	}
	runtime.LockOSThread() // the thread that is bound to CPUs becomes the program
	syscall.CloseOnExec(answerFile)
	err := become(os.Args[1], os.Args[2:])
	_, _ = os.NewFile(answerFile, "answer").WriteString(err.Error()) // if nobody listens, nobody misses it
	os.Exit(1)
}

// become returns only if something goes wrong.
func become(text string, args []string) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	// What its children leave behind comes to it, as in a container, and is found there.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("keeping its children: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Ulimits)) {
		u := o.Ulimits[name]
		limit, err := (&units.Ulimit{Name: name, Soft: int64(u.Soft), Hard: int64(u.Hard)}).GetRlimit()
		if err != nil {
			return fmt.Errorf("wrong rlimit value: RLIMIT_%s", strings.ToUpper(name))
		}
		if err := syscall.Setrlimit(limit.Type, &syscall.Rlimit{Cur: limit.Soft, Max: limit.Hard}); err != nil {
			return fmt.Errorf("setting limit %s to %d and %d: %w", name, u.Soft, u.Hard, err)
		}
	}
	if len(o.CPUs) > 0 {
		var set unix.CPUSet
		for _, cpu := range o.CPUs {
			set.Set(cpu)
		}
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			return fmt.Errorf("binding it to CPUs %v: %w", o.CPUs, err)
		}
	}
	program, err := exec.LookPath(args[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return err
	}
	return fmt.Errorf("exec: %q: %w", args[0], syscall.Exec(program, args, os.Environ()))
}

// A launch is how a process is started.
type launch struct {
	order          order
	args, env      []string
	folder         string
	tree           *kernel.Tree
	stdin          io.Reader
	stdout, stderr io.Writer // the same one for both keeps their order
}

// A process is one that was started.
type process struct {
	pid  int
	tree *kernel.Tree
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended, with all that it started, and its output has been read
	code int           // of a process that is done: its status, or 128 plus the signal that killed it
}

// Times that processes have: for output to be read after they have ended, and to end after they were killed.
const (
	outputTimeout = 2 * time.Second
	ending        = 5 * time.Second
)

// start starts a process and returns when it has become its program. The error is a *refusal where what was asked for
// cannot be had.
func (l *launch) start() (*process, error) {
	text, err := json.Marshal(l.order)
	if err != nil {
		return nil, err
	}
	answerRead, answerWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer answerRead.Close()
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: append([]string{becoming, string(text)}, l.args...), Env: l.env,
		Dir: l.folder, ExtraFiles: []*os.File{answerWrite}, Stdout: l.stdout, Stderr: l.stderr, WaitDelay: outputTimeout,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}}
	var input io.WriteCloser
	if l.stdin != nil {
		if input, err = cmd.StdinPipe(); err != nil {
			return nil, errors.Join(err, answerWrite.Close())
		}
	}
	p := &process{tree: l.tree, cmd: cmd, done: make(chan struct{})}
	if err := p.run(answerWrite); err != nil {
		return nil, err
	}
	if input != nil {
		// A process need not read what it is given, so that errors here mean nothing; nor is more of that waited for once it
		// has ended.
		go func() {
			_, _ = io.Copy(input, l.stdin)
			_ = input.Close()
		}()
	}
	if said, err := io.ReadAll(answerRead); err != nil || len(said) > 0 {
		<-p.done
		return nil, errors.Join(err, &refusal{errors.New(string(said))})
	}
	return p, nil
}

// starting is held from the start of a process until its tree knows it, so that nobody takes it for one that was left.
var starting sync.Mutex

// run starts the process and waits for it in the background, from one thread: the kernel takes the end of the thread
// that has started a process for that of its parent.
func (p *process) run(answer *os.File) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		starting.Lock()
		err := p.cmd.Start()
		if err == nil {
			p.pid = p.cmd.Process.Pid
			p.tree.Add(p.pid)
		}
		starting.Unlock()
		_ = answer.Close() // it is the process's now
		if err != nil {
			started <- fmt.Errorf("starting a process: %w", err)
			return
		}
		started <- nil
		p.await()
	}()
	return <-started
}

// await waits for the end of the process, ends what it has left, and says that it is done.
func (p *process) await() {
	for unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	p.endOthers()
	_ = p.cmd.Wait() // its status tells all
	took := time.Duration(0)
	p.code = -1 // if somebody else has waited for it
	if state := p.cmd.ProcessState; state != nil {
		took, p.code = state.UserTime()+state.SystemTime(), state.ExitCode()
		if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			p.code = 128 + int(status.Signal())
		}
	}
	p.tree.Ended(p.pid, took)
	close(p.done)
}

// endOthers kills what a process has left that has ended. It has come to us, and is told from other children of ours by
// its session, by having been seen below the process, or by the variable that it has.
func (p *process) endOthers() {
	known := slices.Clone(p.tree.Known())
	mark := p.mark()
	for deadline := time.Now().Add(ending); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		found := p.killLeft(known, mark)
		if len(found) == 0 {
			return
		}
		known = append(known, found...) // of one that has ended nothing but its number is told
	}
}

// killLeft kills once what the process has left, and gives what that was.
func (p *process) killLeft(known []int, mark string) (found []int) {
	starting.Lock()
	defer starting.Unlock()
	for _, pid := range kernel.Children()[os.Getpid()] {
		session, _ := unix.Getsid(pid)
		if pid == p.pid || p.tree.IsRoot(pid) ||
			session != p.pid && !slices.Contains(known, pid) && !slices.Contains(environment(pid), mark) {
			continue
		}
		found = append(found, pid)
		_ = unix.Kill(pid, unix.SIGKILL)
		_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
	}
	return found
}

// mark is the variable that a process and what it starts have, and nothing else.
func (p *process) mark() string {
	i := slices.IndexFunc(p.cmd.Env, func(v string) bool { return strings.HasPrefix(v, serviceVariable+"=") })
	return p.cmd.Env[i]
}

// environment is what a process was started with, as KEY=value; nil where that cannot be told.
func environment(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return nil
	}
	return strings.Split(string(text), "\x00")
}

// signal sends a signal. The process may have ended, which is no error, and nobody else gets it then.
func (p *process) signal(s syscall.Signal) {
	p.tree.Processes() // so that what it has started now is known when it has ended
	_ = p.cmd.Process.Signal(s)
}

// wait waits for the end of the process, or of the context. Only then has the process a code.
func (p *process) wait(ctx context.Context) (code int, err error) {
	select {
	case <-p.done:
		return p.code, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}
