//go:build linux

package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/proc"
	"benchbook/runner/engine"
)

// RunTimer runs a program, after the warm-ups in the environment's settings, and writes its TimerReport. It returns an
// error only if the program could not be run.
func RunTimer(words []string, stdout io.Writer) error {
	settings, err := FindTimerSettings(os.Environ())
	if err = errors.Join(err, os.Unsetenv(timerVariable)); err != nil {
		return err
	}
	for range settings.Warmup { // a failed warm-up is ignored, as the timed run fails too
		if _, err := runTimed(words, TimerSettings{}, true); err != nil {
			return err
		}
	}
	report, err := runTimed(words, settings, true)
	if err != nil {
		return err
	}
	return settings.Write(stdout, report)
}

// runTimed runs a program once, with our environment and standard input, and keeps the output that the settings ask
// for. With standard, this process has the program's output streams too: text written to /proc/1/fd/1, a habit in
// containers, is then output of the program. It returns an error only if the program could not be run.
func runTimed(words []string, s TimerSettings, standard bool) (r TimerReport, err error) {
	if len(words) == 0 {
		return TimerReport{}, errors.New("nothing to run")
	}
	stdout, errOut := newStream()
	defer stdout.close()
	stderr, errErr := newStream()
	defer stderr.close()
	err = errors.Join(errOut, errErr)
	var others map[int]usage
	if err == nil {
		others, err = prepare(standard, stdout.in, stderr.in)
	}
	if err != nil {
		return TimerReport{}, fmt.Errorf("preparing to run %s: %w", words[0], err)
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout.in, stderr.in
	still := watch() // before the start, so that the program does not wait for this
	before := ownTime()
	r.Start = time.Now()
	if err := cmd.Start(); err != nil {
		still.end()
		return TimerReport{}, fmt.Errorf("starting %s: %w", words[0], err)
	}
	own := peakOf("self") // the child starts with it; buffers are made after this
	scan, end, last := &scanner{}, &engine.Tail{Limit: maxSaid}, &engine.Tail{Limit: maxStderr}
	if s.KeepStdout {
		end.Limit = maxStdout
	}
	whole := &output{wanted: s.Output}
	stdout.read(io.MultiWriter(scan, end, whole))
	stderr.read(last)
	err = cmd.Wait()
	r.Real, r.Reading, r.Standstill = time.Since(r.Start), ownTime()-before, still.end()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		return TimerReport{}, fmt.Errorf("waiting for %s: %w", words[0], err)
	}
	took := leftBehind(others)
	took.add(usageOf(cmd.ProcessState.SysUsage().(*syscall.Rusage)))
	r.Exit, r.User, r.System = proc.ExitCode(cmd.ProcessState), took.user, took.system
	if took.peak > own {
		r.PeakMemory = took.peak
	}
	if err := errors.Join(stdout.finish(), stderr.finish()); err != nil {
		return TimerReport{}, fmt.Errorf("reading the output of %s: %w", words[0], err)
	}
	scan.endLine()
	r.Stderr = string(last.Bytes())
	if s.Output == nil {
		r.Metrics, r.Lost = scan.metrics, scan.lost
	} else {
		r.Output, r.Lost = whole.end(r.Start)
	}
	said := string(end.Bytes())
	if s.KeepStdout {
		r.Stdout = said
	}
	if r.Exit != 0 {
		r.StdoutTail = said[max(0, len(said)-maxSaid):]
	}
	return r, nil
}

// prepare makes this process ready to run a program with these streams. others are the descendants that it has already,
// such as those that warm-ups left behind.
func prepare(standard bool, stdout, stderr *os.File) (others map[int]usage, err error) {
	if standard {
		err = errors.Join(unix.Dup3(int(stdout.Fd()), 1, 0), unix.Dup3(int(stderr.Fd()), 2, 0))
	}
	// Processes that the program leaves behind become our children.
	err = errors.Join(err, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	return descendants(), err
}

// pipeSize is how many bytes a program can write before it waits for us, if the system allows as much.
const pipeSize = 1 << 20

type stream struct {
	out, in *os.File // in is the program's end, and stays open here
	to      io.Writer
	done    chan error
}

func newStream() (s stream, err error) {
	if s.out, s.in, err = os.Pipe(); err == nil {
		_, _ = unix.FcntlInt(s.in.Fd(), unix.F_SETPIPE_SZ, pipeSize) // if it fails, the pipe is smaller
	}
	return s, err
}

func (s *stream) close() {
	s.out.Close()
	s.in.Close()
}

// read starts to copy what the program writes to a writer, in large pieces.
func (s *stream) read(to io.Writer) {
	s.to, s.done = to, make(chan error, 1)
	go func() {
		_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{s.out}, make([]byte, 256<<10))
		s.done <- err
	}()
}

// finish copies what the program wrote before it ended and was not read yet. Children that it left behind may still
// write; they are not waited for.
func (s *stream) finish() error {
	if err := s.out.SetReadDeadline(time.Unix(1, 0)); err != nil {
		return err
	}
	if err := <-s.done; !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	left, err := unix.IoctlGetInt(int(s.in.Fd()), unix.TIOCINQ)
	if err == nil {
		err = s.out.SetReadDeadline(time.Time{})
	}
	if err == nil {
		_, err = io.CopyN(s.to, s.out, int64(left))
	}
	return err
}
