package observe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
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
	byID map[processID]neighbour
}

// processID identifies a process for good: the kernel reuses a number, but with another start.
type processID struct {
	pid   int
	start string // ticks since boot
}

type neighbour struct {
	name   string
	parent int
	used   time.Duration // processor time since it was started
}

// busiestBetween names the programs that used most processor time from before to after, each with its share of all cpus
// CPUs. It leaves out the process own, its descendants, and processes for which isOurs is true. Processes that ended in
// between are not seen. Another benchbook is named with its PID.
func busiestBetween(before, after neighbours, cpus float64, own int, isOurs func(pid int) bool) string {
	parents := map[int]int{}
	var ownID processID
	for id, n := range after.byID {
		parents[id.pid] = n.parent
		if id.pid == own {
			ownID = id
		}
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
	all := after.at.Sub(before.at).Seconds() * cpus
	if all <= 0 {
		return ""
	}
	shares := map[string]float64{}
	for id, n := range after.byID {
		share := (n.used - before.byID[id].used).Seconds() / all
		// Few processes use anything, so isOurs is asked about these only.
		if share > 0 && !descends(id.pid) && !isOurs(id.pid) {
			name := n.name
			if name == after.byID[ownID].name {
				name = fmt.Sprintf("another %s, process %d:", name, id.pid)
			}
			shares[name] += share
		}
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
