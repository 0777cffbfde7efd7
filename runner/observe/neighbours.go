package observe

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/internal/proc"
)

// Bounds of naming who else used the processor.
const (
	mostNeighbours   = 3
	leastNeighbour   = 0.01 // share of the machine's processor time from which a program is named
	nameNeighboursAt = 0.05 // share of all others from which they are named: docs/validity.md#checks warns there
)

// neighbours are the processes of this machine at one moment.
type neighbours struct {
	at   time.Time
	up   time.Duration // since the machine was started
	byID map[processID]neighbour
}

// processID identifies a process for good: the kernel reuses a number, but with another start.
type processID struct {
	pid   int
	start string // ticks since boot
}

// started returns when the process was started, after the machine was.
func (id processID) started() time.Duration {
	ticks, _ := strconv.ParseInt(id.start, 10, 64)  // the kernel wrote it
	return time.Duration(ticks) * time.Second / 100 // USER_HZ
}

type neighbour struct {
	name   string
	parent int
	used   time.Duration // processor time since it was started
}

func readNeighbours() neighbours {
	all := neighbours{at: time.Now(), byID: map[processID]neighbour{}}
	uptime, _ := os.ReadFile("/proc/uptime") // without Linux's files nothing is known of other programs
	seconds, _, _ := strings.Cut(string(uptime), " ")
	up, _ := strconv.ParseFloat(seconds, 64) // the kernel wrote it
	all.up = time.Duration(up * float64(time.Second))
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

// usedBetween returns the processor time that other programs used from before to after, in seconds, without the process
// own, its descendants, and processes for which isOurs is true. Processes that ended in between are not seen.
func usedBetween(before, after neighbours, own int, isOurs func(pid int) bool) map[processID]float64 {
	parents := map[int]int{}
	for id, n := range after.byID {
		parents[id.pid] = n.parent
	}
	descends := func(pid int) bool {
		for range len(parents) + 1 { // processes came and went while they were read, so parents may form a circle
			if pid == own {
				return true
			}
			parent, ok := parents[pid]
			if !ok {
				return false
			}
			pid = parent
		}
		return false
	}
	out := map[processID]float64{}
	for id, n := range after.byID {
		used := (n.used - before.byID[id].used).Seconds()
		if used > 0 && !descends(id.pid) && !isOurs(id.pid) { // few use anything, so isOurs is asked about few
			out[id] = used
		}
	}
	return out
}

// busiestBetween names the programs that used most processor time from before to after, each with its share of all cpus
// CPUs, as usedBetween counts. Another benchbook is named with its PID.
func busiestBetween(before, after neighbours, cpus float64, own int, isOurs func(pid int) bool) string {
	all := after.at.Sub(before.at).Seconds() * cpus
	if all <= 0 {
		return ""
	}
	ownName := ""
	for id, n := range after.byID {
		if id.pid == own {
			ownName = n.name
		}
	}
	shares := map[string]float64{}
	for id, used := range usedBetween(before, after, own, isOurs) {
		name := after.byID[id].name
		if name == ownName {
			name = fmt.Sprintf("another %s, process %d:", name, id.pid)
		}
		shares[name] += used / all
	}
	names := slices.SortedFunc(maps.Keys(shares), func(a, b string) int {
		return cmp.Or(cmp.Compare(shares[b], shares[a]), cmp.Compare(a, b))
	})
	var words []string
	for _, name := range names[:min(len(names), mostNeighbours)] {
		if shares[name] >= leastNeighbour {
			words = append(words, fmt.Sprintf("%s %.0f %%", name, 100*shares[name]))
		}
	}
	return strings.Join(words, ", ")
}

// A process is worth ending from this share of one CPU on, over this time, unless it is young: a compiler ends by itself.
const (
	leastHog = 0.1
	hogWatch = 300 * time.Millisecond
	youngHog = 10 * time.Second
)

// kernelThreads is the PID of kthreadd, the parent of all threads of the kernel, which nobody can end.
const kernelThreads = 2

// Hog watches other programs for 0.3 s, and says which process to end: "end process 17597 (yes), which uses 0.5 of a
// CPU". It is empty if none uses a tenth of a CPU, and where nothing is known of other programs.
func Hog() string {
	before := readNeighbours()
	time.Sleep(hogWatch)
	return hogBetween(before, readNeighbours(), os.Getpid(), inContainer)
}

func hogBetween(before, after neighbours, own int, isOurs func(pid int) bool) string {
	var hog processID
	most := 0.0
	for id, used := range usedBetween(before, after, own, isOurs) {
		if used > most {
			hog, most = id, used
		}
	}
	share := most / after.at.Sub(before.at).Seconds()
	if !(share >= leastHog) {
		return ""
	}
	do := "end"
	if after.up-hog.started() < youngHog || after.byID[hog].parent == kernelThreads {
		do = "wait for"
	}
	return fmt.Sprintf("%s process %d (%s), which uses %.1f of a CPU", do, hog.pid, after.byID[hog].name, share)
}
