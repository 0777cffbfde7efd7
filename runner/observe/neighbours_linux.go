package observe

import (
	"fmt"
	"os"
	"regexp"
	"time"

	"benchbook/internal/proc"
)

func readNeighbours() neighbours {
	all := neighbours{time.Now(), map[processID]neighbour{}}
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
