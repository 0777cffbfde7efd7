package observe

import (
	"fmt"
	"os"
	"regexp"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/runner/proc"
)

// readNeighbours reads all processes that this one may see: a few milliseconds for a few hundred. It does without
// os.ReadFile, which asks the kernel twice as often.
func readNeighbours() neighbours {
	all := neighbours{time.Now(), map[processID]neighbour{}}
	folder, err := os.Open("/proc")
	if err != nil {
		return all
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(-1) // what it could not read of them is not among the neighbours
	text := make([]byte, 4096)          // more than a line of numbers and a name of 64 bytes can have
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue // no process
		}
		file, err := unix.Open("/proc/"+name+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			continue // it has ended
		}
		n, _ := unix.Read(file, text) // nothing, if it has ended meanwhile
		_ = unix.Close(file)          // it was only read
		if p, err := proc.ParseStat(text[:max(n, 0)]); err == nil {
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
