// Package timing runs a program once and says what it took. It is meant for inside a container: see benchbook-time.
//
// Real time is monotonic, from just before the program is started to its end. User and system time, and peak memory, are
// those of the program and the children that it waited for, as wait4 gives them. The program's output goes to memory files and is
// read afterwards, so that nobody works beside it.
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
)

// Bounds of the output that is kept.
const (
	maxStdout = 16 << 20
	maxStderr = 64 << 10
)

// Report is what a run took. It travels as JSON.
type Report struct {
	Exit   int           `json:"exit"` // 128 plus the signal, if it was killed by one
	Start  time.Time     `json:"start"`
	Real   time.Duration `json:"real_ns"`
	User   time.Duration `json:"user_ns"`
	System time.Duration `json:"system_ns"`
	// PeakMemory is the largest resident set of any one process of it, in bytes; 0 where it stayed below our own, whose
	// size every child starts with, so that it cannot be told.
	PeakMemory int64  `json:"peak_memory"`
	Stdout     []byte `json:"stdout"` // its first 16 MiB
	Stderr     string `json:"stderr"` // its last 64 KiB
}

// Run runs a program with our environment and standard input. The error says that it could not be started.
func Run(words []string) (Report, error) {
	if len(words) == 0 {
		return Report{}, errors.New("nothing to run")
	}
	stdout, err := memoryFile("stdout")
	if err != nil {
		return Report{}, err
	}
	defer stdout.Close()
	stderr, err := memoryFile("stderr")
	if err != nil {
		return Report{}, err
	}
	defer stderr.Close()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, stderr
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return Report{}, fmt.Errorf("starting %s: %w", words[0], err)
	}
	err = cmd.Wait()
	r := Report{Start: begin, Real: time.Since(begin)}
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return Report{}, fmt.Errorf("waiting for %s: %w", words[0], err)
	}
	status, usage := cmd.ProcessState.Sys().(syscall.WaitStatus), cmd.ProcessState.SysUsage().(*syscall.Rusage)
	r.Exit = status.ExitStatus()
	if status.Signaled() {
		r.Exit = 128 + int(status.Signal())
	}
	r.User, r.System = time.Duration(usage.Utime.Nano()), time.Duration(usage.Stime.Nano())
	if peak := usage.Maxrss << 10; peak > ownPeak() {
		r.PeakMemory = peak
	}
	if r.Stdout, err = head(stdout, maxStdout); err != nil {
		return Report{}, err
	}
	tail, err := tail(stderr, maxStderr)
	r.Stderr = string(tail)
	return r, err
}

func memoryFile(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making a memory file for %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

func head(f *os.File, most int64) ([]byte, error) {
	return io.ReadAll(io.NewSectionReader(f, 0, most))
}

func tail(f *os.File, most int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	from := max(0, info.Size()-most)
	return io.ReadAll(io.NewSectionReader(f, from, most))
}

// ownPeak is the largest that this process has been, in bytes.
func ownPeak() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kib << 10
		}
	}
	return 0
}
