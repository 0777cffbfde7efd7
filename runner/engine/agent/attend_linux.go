package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/docker/go-units"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// terminationLog is where Kubernetes takes the message of a container's end from.
const terminationLog = "/dev/termination-log"

// AttendTo starts a program and stays until it has ended, as the first process of a container: it passes on signals,
// and takes leave of processes that nobody waits for. It returns the status to end with. The error is why the program
// was not started.
func AttendTo(order Order) (status int, err error) {
	signals := make(chan os.Signal, 64)
	signal.Notify(signals) // before anything is started: none may be missed
	if status, err = order.begin(signals); err != nil || status != 0 {
		return status, err
	}
	if len(order.Args) == 0 {
		return 0, refuse(errors.New("its image has no command, and none was given"))
	}
	for _, limit := range order.Ulimits {
		if err := setLimit(limit); err != nil {
			return 0, refuse(fmt.Errorf("setting ulimit %s: %w", limit.Name, err))
		}
	}
	program, err := exec.LookPath(order.Args[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return 0, refuse(err)
	}
	if status, err = stayAround(program, order.Args, signals); err != nil {
		return 0, refuse(err)
	}
	order.leave(signals)
	return status, nil
}

// stayAround starts a program, passes signals on, reaps processes that nobody else waits for, and returns the status
// with which the program has ended. The error is why it was not started.
func stayAround(program string, args []string, signals <-chan os.Signal) (status int, err error) {
	files := []*os.File{os.Stdin, os.Stdout, os.Stderr}
	process, err := os.StartProcess(program, args, &os.ProcAttr{Env: os.Environ(), Files: files})
	if err != nil {
		return 0, err
	}
	// What it reads and writes is its own: whoever is at the other end is to see when it is closed.
	_ = os.Stdin.Close()
	for ended := false; !ended; {
		switch caught := <-signals; caught {
		case syscall.SIGURG: // the Go runtime's own
		case syscall.SIGCHLD:
			status, ended = reap(process.Pid)
		default:
			_ = process.Signal(caught) // it may just have ended
		}
	}
	return status, nil
}

// begin waits until the program may begin. The status is not zero if it is ended before that.
func (o Order) begin(signals <-chan os.Signal) (status int, err error) {
	if o.Token == "" {
		return 0, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	begin := make(chan error, 1)
	go func() { begin <- askFor(ctx, o.Server, o.Token) }()
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if o.Greeting != "" {
				for _, out := range []*os.File{os.Stdout, os.Stderr} {
					if _, err := fmt.Fprintln(out, o.Greeting); err != nil {
						return 0, err
					}
				}
			}
		case err := <-begin:
			return 0, err
		case caught := <-signals:
			if caught == syscall.SIGTERM || caught == syscall.SIGINT {
				return 128 + int(caught.(syscall.Signal)), nil
			}
		}
	}
}

// leave says farewell, and waits until the container may end, or leaveTimeout.
func (o Order) leave(signals <-chan os.Signal) {
	if o.Leave == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	for _, out := range []*os.File{os.Stdout, os.Stderr} {
		go func() { _, _ = io.WriteString(out, Farewell(o.Leave)) }() // it waits for ever where nobody reads
	}
	done := make(chan struct{})
	go func() {
		_ = askFor(ctx, o.Server, o.Leave)
		close(done)
	}()
	for {
		select {
		case <-done:
			return
		case caught := <-signals:
			if caught == syscall.SIGTERM || caught == syscall.SIGINT {
				return
			}
		}
	}
}

// leaveTimeout is how long a container goes on after its program when nobody says that it may end.
const leaveTimeout = time.Minute

// askEvery is how often it is asked whether a program may begin or leave: a packet is lost where there is no way yet.
const askEvery = 25 * time.Millisecond

// askFor asks a name server for a token, until it is there.
func askFor(ctx context.Context, server, token string) error {
	conn, err := net.Dial("udp", server)
	if err != nil {
		return err
	}
	defer conn.Close()
	name, err := dnsmessage.NewName(token + ".")
	if err != nil {
		return err
	}
	question := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 1, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	packed, err := question.Pack()
	if err != nil {
		return err
	}
	room := make([]byte, 1500)
	for ctx.Err() == nil {
		asked := time.Now()
		_, _ = conn.Write(packed) // it fails where there is no way yet
		_ = conn.SetReadDeadline(asked.Add(askEvery))
		n, err := conn.Read(room)
		if err == nil {
			var parser dnsmessage.Parser
			if header, err := parser.Start(room[:n]); err == nil && header.RCode == dnsmessage.RCodeSuccess {
				return nil
			}
		}
		time.Sleep(time.Until(asked.Add(askEvery)))
	}
	return ctx.Err()
}

// reap takes leave of all processes that have ended, and says whether ours is among them.
func reap(pid int) (status int, ended bool) {
	for {
		var state syscall.WaitStatus
		got, err := syscall.Wait4(-1, &state, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || got <= 0 {
			return status, ended
		}
		if got == pid {
			status, ended = state.ExitStatus(), true
			if state.Signaled() {
				status = 128 + int(state.Signal())
			}
		}
	}
}

// refuse leaves a message about what was asked for, for whoever looks at how the container has ended.
func refuse(err error) error {
	text, _ := json.Marshal(Refused{err.Error()}) // it is made of a string
	if writeErr := os.WriteFile(terminationLog, text, 0o644); writeErr != nil {
		return errors.Join(err, writeErr)
	}
	return err
}

func setLimit(limit Ulimit) error {
	parsed := units.Ulimit{Name: limit.Name, Soft: limit.Soft, Hard: limit.Hard}
	r, err := parsed.GetRlimit()
	if err != nil {
		return err
	}
	// By package syscall, which else gives the program the limit of open files that it began with.
	return syscall.Setrlimit(r.Type, &syscall.Rlimit{Cur: r.Soft, Max: r.Hard})
}

// SendSignal sends a signal by its name to the program that is attended.
func SendSignal(name string) error {
	number := unix.SignalNum(name)
	if number == 0 {
		return fmt.Errorf("there is no signal %q", name)
	}
	return syscall.Kill(1, number)
}

// EndAll kills all processes of the container but the first, which then ends by itself, and this one with it.
func EndAll() error {
	if err := syscall.Kill(-1, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
		return fmt.Errorf("killing the processes of the container: %w", err)
	}
	return nil
}

// Become turns this process into a command. It returns only if that fails.
func (d Deed) Become() error {
	for _, variable := range d.Environment {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	if d.WorkingDir != "" {
		if err := os.Chdir(d.WorkingDir); err != nil {
			return err
		}
	}
	if len(d.Args) == 0 {
		return errors.New("there is no command")
	}
	program, err := exec.LookPath(d.Args[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return err
	}
	return fmt.Errorf("exec %s: %w", program, syscall.Exec(program, d.Args, os.Environ()))
}

// Carry fills volumes.
func (f Filling) Carry() error {
	for _, c := range f.Copies {
		if err := copyTree(c.From, c.To); err != nil {
			return fmt.Errorf("filling the volume at %s: %w", c.From, err)
		}
	}
	for _, m := range f.Modes {
		mode := fs.FileMode(m.Mode & 0o777)
		if m.Mode&0o1000 != 0 {
			mode |= fs.ModeSticky
		}
		if err := errors.Join(os.Chown(m.Path, m.UID, m.GID), os.Chmod(m.Path, mode)); err != nil {
			return err
		}
	}
	return nil
}

// copyTree copies a folder, with owners and modes. One that is not there leaves the other as it is.
func copyTree(from, to string) error {
	if info, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil
	}
	if entries, err := os.ReadDir(to); err != nil || len(entries) > 0 {
		return err // somebody has filled it
	}
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, inside)
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if copied, err := copyEntry(entry, path, target); !copied || err != nil {
			return err
		}
		owner := info.Sys().(*syscall.Stat_t)
		if err := os.Lchown(target, int(owner.Uid), int(owner.Gid)); err != nil || entry.Type() == fs.ModeSymlink {
			return err
		}
		return os.Chmod(target, info.Mode())
	})
}

// copyEntry copies a file or folder without what is in it. It leaves out sockets and devices, which mean nothing in a
// new volume.
func copyEntry(entry fs.DirEntry, from, to string) (copied bool, err error) {
	switch {
	case entry.IsDir():
		if err = os.Mkdir(to, 0o700); errors.Is(err, fs.ErrExist) {
			err = nil // the volume itself
		}
	case entry.Type() == fs.ModeSymlink:
		var link string
		if link, err = os.Readlink(from); err == nil {
			err = os.Symlink(link, to)
		}
	case entry.Type().IsRegular():
		err = copyFile(from, to)
	default:
		return false, nil
	}
	return true, err
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
