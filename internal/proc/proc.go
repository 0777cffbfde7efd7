// Package proc reads /proc for processes and threads, and resolves names of services.
package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process has the fields of /proc/PID/stat.
type Process struct {
	PID, Parent            int
	Name                   string
	State                  byte   // such as S for sleeping, or Z for a zombie
	Start                  string // in ticks since boot
	User, System           time.Duration
	ChildUser, ChildSystem time.Duration // of children that were waited for
}

// All returns all visible processes. It takes a few milliseconds for a few hundred.
func All() (all []Process) {
	folder, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(-1) // after an error, these are the names read so far
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if p, err := Read(pid); err == nil { // else it has ended
				all = append(all, p)
			}
		}
	}
	return all
}

// Read returns the process with an ID.
func Read(pid int) (Process, error) {
	var room [1024]byte // enough for a line of numbers and a name
	text, err := ReadOnce("/proc/"+strconv.Itoa(pid)+"/stat", room[:])
	if err != nil {
		return Process{}, err
	}
	return Parse(text)
}

// Parse parses the text of /proc/PID/stat. Source: proc_pid_stat(5).
func Parse(text []byte) (p Process, err error) {
	// The second field is the command's name in parentheses, and may itself contain parentheses.
	begin, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if begin < 0 || end < begin {
		return Process{}, errors.New("a process without a name")
	}
	p.Name = string(text[begin+1 : end])
	fields := append([][]byte{nil, bytes.TrimSpace(text[:begin]), nil}, bytes.Fields(text[end+1:])...) // counted from 1
	const state, ppid, utime, stime, cutime, cstime, starttime = 3, 4, 14, 15, 16, 17, 22
	if len(fields) <= starttime {
		return Process{}, errors.New("a process without times")
	}
	number := func(field int) int {
		n, failure := strconv.Atoi(string(fields[field]))
		err = errors.Join(err, failure)
		return n
	}
	ticks := func(field int) time.Duration { return time.Duration(number(field)) * time.Second / 100 } // USER_HZ
	p.PID, p.State, p.Parent, p.Start = number(1), fields[state][0], number(ppid), string(fields[starttime])
	p.User, p.System, p.ChildUser, p.ChildSystem = ticks(utime), ticks(stime), ticks(cutime), ticks(cstime)
	return p, err
}

// Status returns a value from /proc/PID/status, such as "123 kB" for VmHWM; empty if it is missing.
func Status(process, name string) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%s/status", process))
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// ExitCode returns the exit status of a process: 128 plus the signal if a signal ended it.
func ExitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

// OpenThread opens the scheduler statistics of a thread of this process, for Waited.
func OpenThread(thread int) (*os.File, error) {
	return os.Open(fmt.Sprintf("/proc/self/task/%d/schedstat", thread))
}

// Waited returns how long a thread was ready but had no core. Source: Linux, Documentation/scheduler/sched-stats.
func Waited(thread *os.File) (time.Duration, error) {
	var text [128]byte
	n, _ := thread.ReadAt(text[:], 0)
	_, rest, _ := bytes.Cut(text[:n], []byte(" "))
	waited, _, _ := bytes.Cut(rest, []byte(" "))
	ns, err := strconv.ParseInt(string(waited), 10, 64)
	return time.Duration(ns), err
}

// ReadOnce reads the beginning of a file of the kernel into room, with three system calls.
func ReadOnce(name string, room []byte) ([]byte, error) {
	file, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	n, err := syscall.Read(file, room)
	_ = syscall.Close(file)
	return room[:max(0, n)], err
}
