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

// lookEvery is the time between two looks for the processes of a Tree.
const lookEvery = 100 * time.Millisecond

// patience is how long a process may take between two programs, where all processes have to be found.
const patience = time.Second

// Tree measures processes and their descendants, for services without a control group. A process that starts and ends
// between two looks counts if its parent waits for it.
//
// Descendants whose parents have ended are children of this process, which has to be a subreaper. They are recognized by
// an earlier look, by their session, or by a variable of their environment.
type Tree struct {
	mark string // KEY=value

	mu     sync.Mutex
	roots  map[int]bool
	pids   []int // the roots that live, and their descendants
	looked time.Time
	ended  time.Duration // used by roots that have ended
	most   time.Duration // the most that was returned: the times of a process that nobody waits for vanish
}

// NewTree measures nothing yet. Mark is KEY=value, a variable that all processes are started with.
func NewTree(mark string) *Tree { return &Tree{mark: mark, roots: map[int]bool{}} }

// Add adds a process that was started.
func (t *Tree) Add(pid int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.roots[pid], t.looked = true, time.Time{}
}

// Ended removes a process that was waited for, with the time that it and its waited-for children used.
func (t *Tree) Ended(pid int, used time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.roots, pid)
	t.ended += used
	t.looked = time.Time{}
}

// Processes returns the roots that have not Ended, and their descendants.
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

// look finds the processes, unless that was done within a time. For an environment that is not there yet it waits at most
// forEnvironment.
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

// Environment returns what a process was started with, as KEY=value; nil if unknown. While the process starts another
// program, it has no environment: Environment waits for the end of that, for at most a time.
func Environment(pid int, atMost time.Duration) []string {
	room := make([]byte, 2<<20) // more than Linux gives to a program, for a read at once: the next one may be of another
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		text, err := proc.ReadOnce("/proc/"+strconv.Itoa(pid)+"/environ", room)
		if len(text) > 0 {
			return strings.Split(string(text), "\x00")
		}
		if err != nil || time.Since(begin) > atMost {
			return nil
		}
		const kthreadd = 2 // which has none, nor have its children, nor a process that has ended
		p, err := proc.Read(pid)
		if err != nil || p.State == 'Z' || pid == kthreadd || p.Parent == kthreadd {
			return nil
		}
	}
}

// Usage implements engine.Container. The kernel counts network losses for the whole machine only: they are unknown.
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
		stat, err := proc.Read(pid)
		if err != nil {
			continue // it has ended, and counts where it was waited for
		}
		own := stat.User + stat.System
		// The clock of another process is read like our own, to the nanosecond.
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

// listeners are the sockets of this machine that accept connections and that the processes have open.
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
