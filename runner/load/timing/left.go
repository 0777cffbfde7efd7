//go:build linux

package timing

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit in which Linux tells the time of a process that has not ended (USER_HZ).
const tick = 10 * time.Millisecond

// usage is what some processes took.
type usage struct {
	user, system time.Duration
	peak         int64 // of the largest of them, in bytes
}

// leftBehind is what the processes took that the program started and did not wait for, without those that were there beside it.
// Those that have ended are waited for; of the others, and of their children, the kernel tells what they took so far.
func leftBehind(beside map[int]bool) (usage, error) {
	var sum usage
	for {
		var status unix.WaitStatus
		var used unix.Rusage
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG, &used)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ECHILD), err == nil && pid == 0:
			running, err := runningBelow(os.Getpid(), beside)
			sum.add(running)
			return sum, err
		case err != nil:
			return sum, err
		}
		if beside[pid] {
			continue
		}
		sum.add(usage{time.Duration(used.Utime.Nano()), time.Duration(used.Stime.Nano()), used.Maxrss << 10})
	}
}

func (u *usage) add(v usage) {
	u.user += v.user
	u.system += v.system
	u.peak = max(u.peak, v.peak)
}

// runningBelow adds up what the running descendants of a process took, with the children that they have waited for, without some of
// them.
func runningBelow(ancestor int, without map[int]bool) (usage, error) {
	var sum usage
	err := walkBelow(ancestor, func(pid int, used usage) {
		if !without[pid] {
			used.peak = peakOf(strconv.Itoa(pid))
			sum.add(used)
		}
	})
	return sum, err
}

// below names the running descendants of a process.
func below(ancestor int) (map[int]bool, error) {
	found := map[int]bool{}
	err := walkBelow(ancestor, func(pid int, _ usage) { found[pid] = true })
	return found, err
}

// walkBelow visits the running descendants of a process with what they took, but for its peak.
func walkBelow(ancestor int, visit func(pid int, used usage)) error {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return err
	}
	children := make(map[int][]int)
	used := make(map[int]usage)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		pid, parent, u, err := parseStat(text)
		if err != nil {
			return err
		}
		children[parent], used[pid] = append(children[parent], pid), u
	}
	for below := children[ancestor]; len(below) > 0; {
		pid := below[0]
		visit(pid, used[pid])
		below = append(below[1:], children[pid]...)
	}
	return nil
}

// parseStat reads who a process is, whose child it is, and the time that it and the children that it waited for took.
// Source: proc_pid_stat(5).
func parseStat(text []byte) (pid, parent int, u usage, err error) {
	// The name, the second field, may itself have spaces and parentheses in it.
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	const state, ppid, utime, stime, cutime, cstime = 3, 4, 14, 15, 16, 17 // fields, counted from 1
	if open < 0 || end < open {
		return 0, 0, usage{}, errors.New("a process without a name")
	}
	fields := bytes.Fields(text[end+1:])
	if len(fields) <= cstime-state {
		return 0, 0, usage{}, errors.New("a process without times")
	}
	number := func(b []byte) int {
		n, convErr := strconv.Atoi(string(bytes.TrimSpace(b)))
		err = errors.Join(err, convErr)
		return n
	}
	field := func(i int) int { return number(fields[i-state]) }
	pid, parent = number(text[:open]), field(ppid)
	u.user = time.Duration(field(utime)+field(cutime)) * tick
	u.system = time.Duration(field(stime)+field(cstime)) * tick
	return pid, parent, u, err
}
