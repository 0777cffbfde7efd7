package observe

import (
	"fmt"
	"os"
	"regexp"
	"time"

	"benchbook/runner/proc"
)

// readNeighbours reads all processes that this one may see: some milliseconds for a few hundred.
func readNeighbours() neighbours {
	all := neighbours{time.Now(), map[processID]neighbour{}}
	folder, err := os.Open("/proc")
	if err != nil {
		return all
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(-1) // what it could not read of them is not among the neighbours
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue // no process
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it has ended
		}
		if p, err := proc.ParseStat(stat); err == nil {
			all.byID[processID{p.PID, p.Start}] = neighbour{p.Name, p.Parent, p.User + p.System}
		}
	}
	return all
}

// groupOfContainer is how engines name the control group of a container, by its ID, and our engine local those of
// services.
var groupOfContainer = regexp.MustCompile(`[0-9a-f]{64}|benchbook`)

// inContainer says whether a process is in a container, or a service of the engine local; so it does of one that has
// ended.
func inContainer(pid int) bool {
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	return err != nil || groupOfContainer.Match(groups)
}
