// Package proc reads what the kernel says of processes and threads in /proc.
package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor time in /proc/PID/stat: USER_HZ, which is 100 on every architecture that Go runs on.
const tick = time.Second / 100

// Stat is what /proc/PID/stat says of a process.
type Stat struct {
	PID, Parent  int
	Name         string
	State        byte   // such as S, or Z for one that has ended
	Start        string // in ticks since boot
	User, System time.Duration

	// What the children took that it has waited for.
	ChildUser, ChildSystem time.Duration
}

// ParseStat reads /proc/PID/stat. Source: proc_pid_stat(5).
func ParseStat(text []byte) (s Stat, err error) {
	// The second field is the command's name in parentheses, and may hold anything, also parentheses.
	begin, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if begin < 0 || end < begin {
		return Stat{}, errors.New("a process without a name")
	}
	fields := bytes.Fields(text[end+1:])
	const state, ppid, utime, stime, cutime, cstime, starttime = 3, 4, 14, 15, 16, 17, 22 // counted from 1
	if len(fields) <= starttime-state {
		return Stat{}, errors.New("a process without times")
	}
	number := func(text []byte) int {
		n, failure := strconv.Atoi(string(text))
		err = errors.Join(err, failure)
		return n
	}
	ticks := func(field int) time.Duration { return time.Duration(number(fields[field-state])) * tick }
	s = Stat{PID: number(bytes.TrimSpace(text[:begin])), Parent: number(fields[ppid-state]),
		Name: string(text[begin+1 : end]), State: fields[0][0], Start: string(fields[starttime-state]), User: ticks(utime), System: ticks(stime),
		ChildUser: ticks(cutime), ChildSystem: ticks(cstime)}
	return s, err
}

// Field is the value behind a name in a file of lines such as "VmHWM:  123 kB"; empty if there is none.
func Field(file, name string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// OpenThread opens what the kernel knows of a thread of this process, for Waited.
func OpenThread(thread int) (*os.File, error) {
	return os.Open(fmt.Sprintf("/proc/self/task/%d/schedstat", thread))
}

// Waited is how long a thread could have run and had no core. Source: the kernel's Documentation/scheduler/sched-stats.
func Waited(thread *os.File) (time.Duration, error) {
	var text [128]byte
	n, _ := thread.ReadAt(text[:], 0)
	_, rest, _ := bytes.Cut(text[:n], []byte(" "))
	waited, _, _ := bytes.Cut(rest, []byte(" "))
	ns, err := strconv.ParseInt(string(waited), 10, 64)
	return time.Duration(ns), err
}
