//go:build linux

package timing

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/runner/proc"
)

// Options say how a program is run.
type Options struct {
	Contains string // a text to look for in standard output
	// Standard makes the program's streams those of this process as well, until the program has ended. What is written to
	// /proc/1/fd/1, a habit in containers, is then output of the program like any other.
	Standard bool
	// KeepStdout keeps the end of standard output.
	KeepStdout bool
	// Beside says that processes which we have already are not the program's.
	Beside bool
}

// Run runs a program with our environment and standard input. The error says that it could not be started.
func Run(words []string, o Options) (r Report, err error) {
	if len(words) == 0 {
		return Report{}, errors.New("nothing to run")
	}
	stdout, err := newStream("stdout")
	if err != nil {
		return Report{}, err
	}
	defer stdout.close()
	stderr, err := newStream("stderr")
	if err != nil {
		return Report{}, err
	}
	defer stderr.close()
	if o.Standard {
		if err := standard(stdout.in, stderr.in); err != nil {
			return Report{}, err
		}
	}
	beside, err := prepareToAdopt(words[0], o)
	if err != nil {
		return Report{}, err
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout.in, stderr.in
	still := watch() // begun here, so that the program does not wait for that
	before := ownTime()
	r.Start = time.Now()
	if err := cmd.Start(); err != nil {
		still.end()
		return Report{}, fmt.Errorf("starting %s: %w", words[0], err)
	}
	own := peakOf("self") // as the child has inherited it: buffers are made from here on
	out, last := newKept(o), &tail{limit: maxStderr}
	stdout.begin(out.write)
	stderr.begin(last.write)
	err = cmd.Wait()
	r.Real, r.Reading, r.Standstill = time.Since(r.Start), ownTime()-before, still.end()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return Report{}, fmt.Errorf("waiting for %s: %w", words[0], err)
	}
	if err := r.noteEnd(cmd.ProcessState, beside, own); err != nil {
		return Report{}, fmt.Errorf("looking for processes that %s left behind: %w", words[0], err)
	}
	if err := errors.Join(stdout.finish(), stderr.finish()); err != nil {
		return Report{}, fmt.Errorf("reading the output of %s: %w", words[0], err)
	}
	r.Stderr = last.String()
	out.report(&r, o)
	return r, nil
}

// prepareToAdopt makes this process the parent of what a program may leave behind. It returns the processes that are
// there beside it.
func prepareToAdopt(program string, o Options) (beside map[int]bool, err error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("adopting the processes that %s may leave behind: %w", program, err)
	}
	if !o.Beside {
		return nil, nil
	}
	return below(os.Getpid()), nil
}

// noteEnd notes how a program ended, and what it took with what it left behind. Own is our memory when it was started.
func (r *Report) noteEnd(p *os.ProcessState, beside map[int]bool, own int64) error {
	status, used := p.Sys().(syscall.WaitStatus), p.SysUsage().(*syscall.Rusage)
	r.Exit = status.ExitStatus()
	if status.Signaled() {
		r.Exit = 128 + int(status.Signal())
	}
	left, err := leftBehind(beside)
	r.User = time.Duration(used.Utime.Nano()) + left.user
	r.System = time.Duration(used.Stime.Nano()) + left.system
	if peak := max(used.Maxrss<<10, left.peak); peak > own {
		r.PeakMemory = peak
	}
	return err
}

// kept is what is kept of standard output.
type kept struct {
	scan       *scanner
	end, whole tail
}

func newKept(o Options) *kept {
	k := &kept{scan: newScanner(o.Contains), end: tail{limit: maxSaid}}
	if o.KeepStdout {
		k.whole.limit = maxStdout
	}
	return k
}

func (k *kept) write(p []byte) {
	k.scan.write(p)
	k.end.write(p)
	k.whole.write(p)
}

// report fills in what is known when nothing more comes.
func (k *kept) report(r *Report, o Options) {
	k.scan.end()
	r.Metrics, r.Contains, r.Lost, r.Stdout = k.scan.metrics, o.Contains != "" && k.scan.contains.found, k.scan.lost,
		k.whole.String()
	if r.Exit != 0 || o.Contains != "" && !r.Contains {
		r.Said = k.end.String()
	}
}

// standard replaces standard output and standard error. The program's end of a pipe then stays open here, which does no
// harm: nobody waits for what is left in it.
func standard(stdout, stderr *os.File) error {
	for fd, f := range map[int]*os.File{1: stdout, 2: stderr} {
		if err := unix.Dup3(int(f.Fd()), fd, 0); err != nil {
			return fmt.Errorf("giving the program's %s to this process: %w", f.Name(), err)
		}
	}
	return nil
}

// pipeSize is how much a program can write before it waits for us, where the system allows as much.
const pipeSize = 1 << 20

// A stream is one stream of the program while it is read.
type stream struct {
	in   *os.File // the program's end
	out  *os.File // ours, which never waits in the system, so that a deadline ends a read
	fd   int      // of out
	size int      // of the pipe
	done chan error
}

func newStream(name string) (*stream, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("making a pipe for %s: %w", name, err)
	}
	s := &stream{in: os.NewFile(uintptr(fds[1]), name), fd: fds[0]}
	err := unix.SetNonblock(s.fd, true)
	s.out = os.NewFile(uintptr(s.fd), name)
	if err == nil {
		_, _ = unix.FcntlInt(uintptr(s.fd), unix.F_SETPIPE_SZ, pipeSize) // else it is smaller
		s.size, err = unix.FcntlInt(uintptr(s.fd), unix.F_GETPIPE_SZ, 0)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("making a pipe for %s: %w", name, err)
	}
	return s, nil
}

func (s *stream) close() {
	s.in.Close()
	s.out.Close()
}

// begin gives everything that the program writes to a function, piece by piece.
func (s *stream) begin(to func([]byte)) {
	s.in.Close()
	s.done = make(chan error, 1)
	go func() { s.done <- s.read(to) }()
}

func (s *stream) read(to func([]byte)) error {
	buffer := make([]byte, 256<<10)
	for {
		n, err := s.out.Read(buffer)
		to(buffer[:n])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return s.rest(to, buffer)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// rest takes what the program wrote before it ended and was not read yet, which is no more than a pipe holds. Children
// that it left behind may write on for ever, and are not waited for.
func (s *stream) rest(to func([]byte), buffer []byte) error {
	for left := s.size; left > 0; {
		n, err := unix.Read(s.fd, buffer[:min(left, len(buffer))])
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN), err == nil && n == 0:
			return nil
		case err != nil:
			return err
		}
		to(buffer[:n])
		left -= n
	}
	return nil
}

// finish ends reading, now that the program has ended.
func (s *stream) finish() error {
	if err := s.out.SetReadDeadline(time.Unix(1, 0)); err != nil {
		return err
	}
	return <-s.done
}

func ownTime() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peakOf is the largest that a process has been, in bytes; 0 where the system does not tell. It is named as in /proc.
func peakOf(process string) int64 {
	kib, _ := strconv.ParseInt(strings.TrimSuffix(proc.Status(process, "VmHWM"), " kB"), 10, 64)
	return kib << 10
}
