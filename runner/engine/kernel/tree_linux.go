package kernel

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/runner/engine"

	"benchbook/runner/proc"
)

// lookEvery is how long the processes of a Tree are taken to be the same ones.
const lookEvery = 100 * time.Millisecond

// A Tree measures processes and all of their descendants, for services that have no control group. A process that is
// started and ends between two looks counts when its parent has waited for it.
type Tree struct {
	mu     sync.Mutex
	roots  map[int]bool
	pids   []int // the roots that live, and their descendants
	looked time.Time
	ended  time.Duration // what roots took that have ended
	most   time.Duration // that CPU has said: what nobody waited for is not taken back
}

// NewTree measures nothing yet.
func NewTree() *Tree {
	return &Tree{roots: map[int]bool{}}
}

// Add adds a process that was started.
func (t *Tree) Add(pid int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.roots[pid], t.looked = true, time.Time{}
}

// Ended takes a process out that was waited for, which took so much with all that it has waited for.
func (t *Tree) Ended(pid int, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.roots, pid)
	t.ended += took
	t.looked = time.Time{}
}

// Processes are the roots that live, and their descendants.
func (t *Tree) Processes() []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.look(0)
	return t.pids
}

// Known are the processes as they were when they were last looked for.
func (t *Tree) Known() []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pids
}

// IsRoot says whether a process was added and has not ended.
func (t *Tree) IsRoot(pid int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.roots[pid]
}

// look finds the processes, unless that was done within a time.
func (t *Tree) look(within time.Duration) {
	if time.Since(t.looked) < within {
		return
	}
	t.looked, t.pids = time.Now(), nil
	children := Children()
	for root := range t.roots {
		t.pids = append(t.pids, root)
	}
	for i := 0; i < len(t.pids); i++ {
		t.pids = append(t.pids, children[t.pids[i]]...)
	}
}

// Children are the processes of this machine by their parents.
func Children() map[int][]int {
	children := map[int][]int{}
	entries, _ := os.ReadDir("/proc") // without it there are none
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			if stat, err := readStat(pid); err == nil {
				children[stat.Parent] = append(children[stat.Parent], pid)
			}
		}
	}
	return children
}

func readStat(pid int) (proc.Stat, error) {
	var room [1024]byte
	text, err := readOnce("/proc/"+strconv.Itoa(pid)+"/stat", room[:])
	if err != nil {
		return proc.Stat{}, err
	}
	return proc.ParseStat(text)
}

// Usage implements engine.Container. The kernel counts network losses for the whole machine only: they are unknown.
func (t *Tree) Usage(_ context.Context, detail engine.Detail) (engine.Usage, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.look(lookEvery)
	usage := engine.NoUsage()
	usage.CPU = t.used()
	if detail.Totals {
		usage.Memory = 0
		for _, pid := range t.pids {
			usage.Memory += memoryOf(pid, len(t.pids) > 1)
		}
	}
	var threadsErr, listenersErr error
	if detail.Threads {
		only := detail.Only
		if len(only) == 0 {
			only = t.threads()
		}
		usage.Threads, threadsErr = schedstat("/proc", only)
	}
	if detail.Listeners {
		usage.Listeners, listenersErr = t.listeners()
	}
	return usage, errors.Join(threadsErr, listenersErr)
}

// memoryOf is the anonymous and shared memory of a process in bytes; with others, its share of what they have in
// common.
//
// Source: proc_pid_status(5), proc_pid_smaps(5).
func memoryOf(pid int, others bool) int64 {
	file, names := "status", []string{"RssAnon", "RssShmem"}
	if others {
		file, names = "smaps_rollup", []string{"Pss_Anon", "Pss_Shmem"}
	}
	sum := int64(0)
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/" + file) // it may have ended
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if name == names[0] || name == names[1] {
			number, _ := strconv.ParseInt(strings.Fields(value + " 0")[0], 10, 64)
			sum += number << 10
		}
	}
	return sum
}

func (t *Tree) used() time.Duration {
	sum := t.ended
	for _, pid := range t.pids {
		stat, err := readStat(pid)
		if err != nil {
			continue // it has ended, and counts where it was waited for
		}
		own := stat.User + stat.System
		// The clock of another process is read as that of our own, and to the nanosecond.
		// Source: clock_getcpuclockid(3); Linux, include/linux/posix-timers_types.h.
		const ofProcess = 2
		var clock unix.Timespec
		if err := unix.ClockGettime(int32(^pid<<3|ofProcess), &clock); err == nil {
			own = max(own, time.Duration(clock.Nano()))
		}
		sum += own + stat.ChildUser + stat.ChildSystem
	}
	t.most = max(t.most, sum)
	return t.most
}

// threads are the IDs of all threads of the processes.
func (t *Tree) threads() (all []int) {
	for _, pid := range t.pids {
		entries, _ := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task") // it may have ended
		for _, entry := range entries {
			thread, _ := strconv.Atoi(entry.Name()) // the kernel writes nothing else
			all = append(all, thread)
		}
	}
	return all
}

// listeners are the sockets of this machine that accept connections and that the processes have open.
func (t *Tree) listeners() ([]netip.AddrPort, error) {
	t.look(0)
	open := map[string]bool{} // by inode
	for _, pid := range t.pids {
		links, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/fd/*")
		for _, link := range links {
			target, _ := os.Readlink(link)
			if inode, ok := strings.CutPrefix(target, "socket:["); ok {
				open[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	return Of("/proc/self").ListenersOf(func(inode string) bool { return open[inode] })
}
