//go:build linux

package timing

import (
	"errors"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/runner/proc"
)

// usage is what some processes took.
type usage struct {
	user, system time.Duration
	peak         int64 // of the largest of them, in bytes
}

// leftBehind is what the processes took that the program started and did not wait for, without those beside it. Those
// that have ended are waited for; of the others, and their children, the kernel tells what they took so far.
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
			sum.add(runningBelow(os.Getpid(), beside))
			return sum, nil
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

// runningBelow adds up what the running descendants of a process took, with the children that they waited for.
func runningBelow(ancestor int, without map[int]bool) usage {
	var sum usage
	walkBelow(ancestor, func(pid int, used usage) {
		if !without[pid] {
			used.peak = peakOf(strconv.Itoa(pid))
			sum.add(used)
		}
	})
	return sum
}

// below returns the running descendants of a process.
func below(ancestor int) map[int]bool {
	found := map[int]bool{}
	walkBelow(ancestor, func(pid int, _ usage) { found[pid] = true })
	return found
}

// walkBelow visits the running descendants of a process with what they took, but for its peak.
func walkBelow(ancestor int, visit func(pid int, used usage)) {
	children := make(map[int][]int)
	used := make(map[int]usage)
	for _, p := range proc.All() {
		children[p.Parent] = append(children[p.Parent], p.PID)
		used[p.PID] = usage{user: p.User + p.ChildUser, system: p.System + p.ChildSystem}
	}
	for below := children[ancestor]; len(below) > 0; {
		pid := below[0]
		visit(pid, used[pid])
		below = append(below[1:], children[pid]...)
	}
}
