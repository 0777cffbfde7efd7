package local

import (
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/runner/engine/netns"
)

// namespaces are those of a process, by what the kernel calls them in /proc/PID/ns, in the order in which they are
// entered.
var namespaces = []struct {
	name string
	flag int
}{
	{"ipc", unix.CLONE_NEWIPC}, {"uts", unix.CLONE_NEWUTS}, {"net", unix.CLONE_NEWNET}, {"pid", unix.CLONE_NEWPID},
	{"mnt", unix.CLONE_NEWNS},
}

// newNamespaces are those that a service has of its own, beside that of the network.
const newNamespaces = syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC

// A launch is how a process is started.
type launch struct {
	order          order
	join           map[string]*os.File // namespaces to start it in, by name
	clone          uintptr             // those that are to be its own
	prepare        func(pid int) error // is called while the process waits for its order
	stdin          io.Reader
	stdout, stderr io.Writer // the same one for both keeps their order
}

// A process is one that was started.
type process struct {
	pid    int
	handle *os.Process
	done   chan struct{} // closed when it has ended and its output has been read
	code   int           // of a process that is done: its status, or 128 plus the signal that killed it
}

// outputTimeout is how long output is waited for after a process has ended. What it started in turn may hold it open.
const outputTimeout = 2 * time.Second

// start starts a process and returns when it has become its program. The error is a *refusal where what was asked for
// cannot be had.
func (l *launch) start() (*process, error) {
	orderRead, orderWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer orderWrite.Close()
	answerRead, answerWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, orderRead.Close())
	}
	defer answerRead.Close()
	// files that we have no use for once the process has them
	theirs := map[string]*os.File{"order": orderRead, "answer": answerWrite}
	closeTheirs := sync.OnceFunc(func() { closeAll(theirs) })
	defer closeTheirs()

	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{becoming}, Env: []string{}, Dir: "/",
		ExtraFiles: []*os.File{orderRead, answerWrite}, Stdout: l.stdout, Stderr: l.stderr, WaitDelay: outputTimeout,
		SysProcAttr: &syscall.SysProcAttr{Cloneflags: l.clone, Setsid: true}}
	var stdin, input *os.File
	if l.stdin == nil {
		stdin, err = os.Open(os.DevNull)
	} else {
		stdin, input, err = os.Pipe()
	}
	if err != nil {
		return nil, err
	}
	cmd.Stdin, theirs["stdin"] = stdin, stdin
	p := &process{done: make(chan struct{})}
	if err := l.run(cmd, p, input); err != nil {
		return nil, err
	}
	closeTheirs()
	if err := l.instruct(p, orderWrite, answerRead); err != nil {
		p.signal(syscall.SIGKILL)
		<-p.done
		return nil, err
	}
	return p, nil
}

// run starts the process and waits for it in the background, from one thread, which ends with it: namespaces are those
// of the thread, and the kernel takes the end of the thread that has started a process for that of its parent.
func (l *launch) run(cmd *exec.Cmd, p *process, input *os.File) error {
	if input != nil {
		// A process need not read what it is given, so that errors here mean nothing; nor is more of that waited for once it
		// has ended.
		go func() {
			_, _ = io.Copy(input, l.stdin)
			_ = input.Close()
		}()
	}
	started := make(chan error)
	go netns.OnThread(func() error {
		err := enter(l.join)
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			started <- err
			return nil
		}
		p.pid, p.handle = cmd.Process.Pid, cmd.Process
		started <- nil
		_ = cmd.Wait() // its status tells all
		p.code = cmd.ProcessState.ExitCode()
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			p.code = 128 + int(status.Signal())
		}
		_ = input.Close() // of nobody, or closed already
		close(p.done)
		return nil
	})
	if err := <-started; err != nil {
		_ = input.Close()
		return fmt.Errorf("starting a process: %w", err)
	}
	return nil
}

// enter lets the thread, and what it starts, be in namespaces.
func enter(join map[string]*os.File) error {
	if len(join) == 0 {
		return nil
	}
	if join["mnt"] != nil {
		// The threads of a process share their root, and so cannot be in different trees of mounts unless they stop to.
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return err
		}
	}
	for _, n := range namespaces {
		if f := join[n.name]; f != nil {
			if err := netns.Enter(f, n.flag); err != nil {
				return fmt.Errorf("entering its namespace %s: %w", n.name, err)
			}
		}
	}
	return nil
}

// signal sends a signal. The process may have ended, which is no error, and nobody else gets it then.
func (p *process) signal(s syscall.Signal) { _ = p.handle.Signal(s) }

// instruct sends a process its order, and waits until it has carried it out.
func (l *launch) instruct(p *process, to, from *os.File) error {
	if l.prepare != nil {
		if err := l.prepare(p.pid); err != nil {
			return err
		}
	}
	if err := gob.NewEncoder(to).Encode(l.order); err != nil {
		return fmt.Errorf("telling a process what to become: %w", err)
	}
	text, err := io.ReadAll(from)
	if err != nil || len(text) == 0 {
		return err
	}
	var failed answer
	if err := json.Unmarshal(text, &failed); err != nil {
		return fmt.Errorf("reading why a process did not start: %w", err)
	}
	if failed.Rejected {
		return &refusal{errors.New(failed.Message)}
	}
	return errors.New(failed.Message)
}

func openNamespaces(pid int) (map[string]*os.File, error) {
	files := make(map[string]*os.File)
	for _, n := range namespaces {
		f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/ns/" + n.name)
		if err != nil {
			closeAll(files)
			return nil, err
		}
		files[n.name] = f
	}
	return files, nil
}

func closeAll(files map[string]*os.File) {
	for _, f := range files {
		_ = f.Close() // nothing was written to them
	}
}
