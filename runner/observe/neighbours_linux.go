package observe

import (
	"fmt"
	"os"
	"regexp"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/runner/proc"
)

// readNeighbours reads all processes that this one may see: a few milliseconds for a few hundred. os.ReadFile would make
// twice as many system calls.
func readNeighbours() neighbours {
	all := neighbours{time.Now(), map[processID]neighbour{}}
	folder, err := os.Open("/proc")
	if err != nil {
		return all
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(-1) // those it could not read are left out
	text := make([]byte, 4096)          // a line of numbers and a name of at most 64 bytes
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		file, err := unix.Open("/proc/"+name+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			continue // it has ended
		}
		n, _ := unix.Read(file, text) // nothing, if it has ended
		_ = unix.Close(file)
		if p, err := proc.ParseStat(text[:max(n, 0)]); err == nil {
			all.byID[processID{p.PID, p.Start}] = neighbour{p.Name, p.Parent, p.User + p.System}
		}
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
