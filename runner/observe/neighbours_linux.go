package observe

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"
)

// tick is the unit of processor time in /proc/PID/stat: USER_HZ, which is 100 on every architecture that Go runs on.
const tick = time.Second / 100

// readNeighbours reads all processes that this one may see: some milliseconds for a few hundred.
func readNeighbours() neighbours {
	all := neighbours{time.Now(), map[processID]neighbour{}}
	proc, err := os.Open("/proc")
	if err != nil {
		return all
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1) // what it could not read of them is not among the neighbours
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue // no process
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it has ended
		}
		if id, n, ok := parseNeighbour(stat); ok {
			all.byID[id] = n
		}
	}
	return all
}

// parseNeighbour reads /proc/PID/stat (proc_pid_stat(5)).
func parseNeighbour(stat []byte) (processID, neighbour, bool) {
	// The second field is the command's name in parentheses, and may hold anything.
	begin, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if begin < 0 || end < begin {
		return processID{}, neighbour{}, false
	}
	fields := bytes.Fields(stat[end+1:])
	if len(fields) < 20 {
		return processID{}, neighbour{}, false
	}
	var numbers [4]int
	for i, field := range [4][]byte{bytes.TrimSpace(stat[:begin]), fields[1], fields[11], fields[12]} {
		n, err := strconv.Atoi(string(field))
		if err != nil {
			return processID{}, neighbour{}, false
		}
		numbers[i] = n
	}
	return processID{numbers[0], string(fields[19])},
		neighbour{string(stat[begin+1 : end]), numbers[1], time.Duration(numbers[2]+numbers[3]) * tick}, true
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
