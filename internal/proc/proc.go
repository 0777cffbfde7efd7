// Package proc reads what the system says about processes, threads and service names.
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

// Process is what /proc/PID/stat says about a process.
type Process struct {
	PID, Parent            int
	Name                   string
	State                  byte   // such as S, or Z for one that has ended
	Start                  string // in ticks since boot
	User, System           time.Duration
	ChildUser, ChildSystem time.Duration // of children that it has waited for
}

// All returns all visible processes. It takes a few milliseconds for a few hundred.
func All() (all []Process) {
	folder, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(-1) // those it could not read are left out
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if p, err := Read(pid); err == nil { // else it has ended
				all = append(all, p)
			}
		}
	}
	return all
}

// Read reads a process of this machine.
func Read(pid int) (Process, error) {
	var room [1024]byte // enough for a line of numbers and a name
	text, err := ReadOnce("/proc/"+strconv.Itoa(pid)+"/stat", room[:])
	if err != nil {
		return Process{}, err
	}
	return Parse(text)
}

// Parse reads /proc/PID/stat. Source: proc_pid_stat(5).
func Parse(text []byte) (p Process, err error) {
	// The second field is the command's name in parentheses, which may hold anything, also parentheses.
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

// Status returns a value from /proc/PID/status, such as "123 kB" of VmHWM; empty without one.
func Status(process, name string) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%s/status", process))
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// ExitCode returns the status of a process that has ended, which is 128 plus the signal if one ended it.
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

// Waited returns how long a thread could run and had no core. Source: Linux, Documentation/scheduler/sched-stats.
func Waited(thread *os.File) (time.Duration, error) {
	var text [128]byte
	n, _ := thread.ReadAt(text[:], 0)
	_, rest, _ := bytes.Cut(text[:n], []byte(" "))
	waited, _, _ := bytes.Cut(rest, []byte(" "))
	ns, err := strconv.ParseInt(string(waited), 10, 64)
	return time.Duration(ns), err
}

// ReadOnce reads the beginning of a file of the kernel with three system calls.
func ReadOnce(name string, room []byte) ([]byte, error) {
	file, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	n, err := syscall.Read(file, room)
	_ = syscall.Close(file)
	return room[:max(0, n)], err
}
