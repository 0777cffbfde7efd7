package local

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/proc"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// lookEvery is the minimum time between two scans for the processes of a Tree by Usage.
const lookEvery = 100 * time.Millisecond

// patience is how long Processes waits for the environment of a process that is executing another program.
const patience = time.Second

// Tree measures processes and their descendants, for services without a control group. A process that starts and ends
// between two scans counts if its parent waits for it.
//
// Orphaned descendants become children of this process, which must be a subreaper. They are recognized by an earlier
// scan, by their session, or by an environment variable.
type Tree struct {
	mark string // KEY=value

	mu     sync.Mutex
	roots  map[int]bool
	pids   []int // live roots and their descendants
	looked time.Time
	ended  time.Duration // processor time of ended roots
	most   time.Duration // maximum returned so far, because times of processes that nobody waits for vanish
}

// NewTree returns an empty Tree. Mark is a variable, as KEY=value, in the environment of all its processes.
func NewTree(mark string) *Tree { return &Tree{mark: mark, roots: map[int]bool{}} }

// Add adds a started process as a root.
func (t *Tree) Add(pid int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.roots[pid], t.looked = true, time.Time{}
}

// Ended removes a root that was waited for. Used is the processor time of it and its waited-for children.
func (t *Tree) Ended(pid int, used time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.roots, pid)
	t.ended += used
	t.looked = time.Time{}
}

// Processes returns the PIDs of the roots that have not Ended, and of their descendants.
func (t *Tree) Processes() []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.look(0, patience)
	return slices.Clone(t.pids)
}

// IsRoot reports whether a process was added and has not Ended.
func (t *Tree) IsRoot(pid int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.roots[pid]
}

// look scans for the processes, unless the last scan was less than within ago. It waits at most forEnvironment for an
// environment that is not there yet.
func (t *Tree) look(within, forEnvironment time.Duration) {
	if time.Since(t.looked) < within {
		return
	}
	children, before := map[int][]int{}, t.pids
	for _, p := range proc.All() {
		children[p.Parent] = append(children[p.Parent], p.PID)
	}
	t.looked, t.pids = time.Now(), slices.Collect(maps.Keys(t.roots))
	for _, pid := range children[os.Getpid()] {
		session, _ := unix.Getsid(pid)
		if !t.roots[pid] && (slices.Contains(before, pid) || t.roots[session] ||
			slices.Contains(Environment(pid, forEnvironment), t.mark)) {
			t.pids = append(t.pids, pid)
		}
	}
	for i := 0; i < len(t.pids); i++ {
		t.pids = append(t.pids, children[t.pids[i]]...)
	}
}

// Environment returns the environment that a process was started with, as KEY=value; nil if unknown. During an exec a
// process has no environment; Environment waits for at most atMost until it has one.
func Environment(pid int, atMost time.Duration) []string {
	room := make([]byte, 2<<20) // larger than any environment: a second read might see another program's
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		text, err := proc.ReadOnce("/proc/"+strconv.Itoa(pid)+"/environ", room)
		if len(text) > 0 {
			return strings.Split(string(text), "\x00")
		}
		if err != nil || time.Since(begin) > atMost {
			return nil
		}
		const kthreadd = 2 // kernel threads and ended processes have none
		p, err := proc.Read(pid)
		if err != nil || p.State == 'Z' || pid == kthreadd || p.Parent == kthreadd {
			return nil
		}
	}
}

// Usage implements engine.Container. Network losses are unknown, because the kernel counts them per machine only.
func (t *Tree) Usage(_ context.Context, detail engine.Detail) (engine.Usage, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.look(lookEvery, 0)
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
		usage.Threads, threadsErr = machine.ReadThreads("/proc", t.threads())
	}
	if detail.Listeners {
		usage.Listeners, listenersErr = t.listeners()
	}
	return usage, errors.Join(threadsErr, listenersErr)
}

// memoryOf returns the anonymous and shared memory of a process in bytes. With others, memory that processes share
// counts proportionally.
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
		stat, err := proc.Read(pid)
		if err != nil {
			continue // it has ended, and counts in the process that waited for it
		}
		own := stat.User + stat.System
		// The process's clock has nanoseconds.
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

// listeners returns the addresses at which the processes accept TCP connections.
func (t *Tree) listeners() ([]netip.AddrPort, error) {
	t.look(0, 0)
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
	return machine.Listeners("/proc/self", func(inode string) bool { return open[inode] })
}
