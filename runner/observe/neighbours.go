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

// Limits for naming other programs that used the processor.
const (
	mostNeighbours   = 3
	leastNeighbour   = 0.01 // minimum share of the machine's processor time of a named program
	nameNeighboursAt = 0.05 // minimum total share to name any; docs/validity.md#checks warns from there
)

// neighbours is a snapshot of the processes of this machine.
type neighbours struct {
	at   time.Time
	up   time.Duration // time since boot
	byID map[processID]neighbour
}

// processID identifies a process uniquely. The kernel reuses PIDs, but with another start.
type processID struct {
	pid   int
	start string // ticks since boot
}

// started returns the time from boot to the start of the process.
func (id processID) started() time.Duration {
	ticks, _ := strconv.ParseInt(id.start, 10, 64)  // the kernel wrote it
	return time.Duration(ticks) * time.Second / 100 // USER_HZ
}

type neighbour struct {
	name   string
	parent int
	used   time.Duration // processor time since its start
}

func readNeighbours() neighbours {
	all := neighbours{at: time.Now(), byID: map[processID]neighbour{}}
	uptime, _ := os.ReadFile("/proc/uptime") // outside Linux other programs stay unknown
	seconds, _, _ := strings.Cut(string(uptime), " ")
	up, _ := strconv.ParseFloat(seconds, 64) // the kernel wrote it
	all.up = time.Duration(up * float64(time.Second))
	for _, p := range proc.All() {
		all.byID[processID{p.PID, p.Start}] = neighbour{p.Name, p.Parent, p.User + p.System}
	}
	return all
}

// groupOfContainer matches control groups of containers, which have IDs in their names, and of services of engine
// local.
var groupOfContainer = regexp.MustCompile(`[0-9a-f]{64}|benchbook`)

// inContainer reports whether a process belongs to a container or a service of engine local, or has ended.
func inContainer(pid int) bool {
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	return err != nil || groupOfContainer.Match(groups)
}

// usedBetween returns the processor time of other programs between two snapshots, in seconds. It excludes the process
// own, its descendants, processes for which isOurs is true, and processes that ended in between.
func usedBetween(before, after neighbours, own int, isOurs func(pid int) bool) map[processID]float64 {
	parents := map[int]int{}
	for id, n := range after.byID {
		parents[id.pid] = n.parent
	}
	descends := func(pid int) bool {
		for range len(parents) + 1 { // processes change during the reading, so parents may form a cycle
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
		if used > 0 && !descends(id.pid) && !isOurs(id.pid) { // isOurs comes last because it is slow
			out[id] = used
		}
	}
	return out
}

// busiestBetween names the programs that used the most processor time according to usedBetween, each with its share of
// all CPUs. Another benchbook is named with its PID.
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

// Thresholds of Hog: share of one CPU, time of observation, and the age below which a process, such as a compiler, will
// probably end by itself.
const (
	leastHog = 0.1
	hogWatch = 300 * time.Millisecond
	youngHog = 10 * time.Second
)

// kernelThreads is the PID of kthreadd, the parent of all kernel threads, which cannot be ended.
const kernelThreads = 2

// Hog watches other programs for 0.3 s and says which process to end or wait for: "end process 17597 (yes), which uses
// 0.5 of a CPU". It returns "" if none uses a tenth of a CPU, or other programs are unknown.
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
