package observe

import (
	"fmt"
	"os"
	"regexp"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/proc"
)

func readNeighbours() neighbours {
	all := neighbours{at: time.Now(), byID: map[processID]neighbour{}}
	var up unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) == nil {
		all.up = time.Duration(up.Nano())
	}
	for _, p := range proc.All() {
		all.byID[processID{p.PID, p.Start}] = neighbour{p.Name, p.Parent, p.User + p.System}
	}
	return all
}

// groupOfContainer matches the control groups of containers, which engines name by ID, and of services of engine local.
var groupOfContainer = regexp.MustCompile(`[0-9a-f]{64}|benchbook`)

// inContainer reports whether a process is in a container or a service of engine local, or has ended.
func inContainer(pid int) bool {
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	return err != nil || groupOfContainer.Match(groups)
}
