// Package kernel reads what the kernel of this machine tells of the processes of a service, from their control group
// and their network namespace. It takes about a tenth of a millisecond, most of it in the kernel; the processor time
// alone a few microseconds.
//
// Control groups of versions 1 and 2 are read, wherever they are mounted.
package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// Files reads the control group of a service and the counters of its network namespace. Its files stay open once they
// were read. Its methods may be called from several goroutines.
type Files struct {
	version int    // of control groups
	process string // /proc/PID
	threads string // file with the numbers of the threads

	mu      sync.Mutex
	cpu     counterFile // with the time used
	stat    counterFile // cpu.stat; the same file in version 2
	memory  counterFile // memory.stat
	oom     counterFile // with the number of processes killed for lack of memory
	netstat counterFile
	snmp    counterFile
}

// New finds the files of a service by its first process. The error says that this process is not, or not visibly, in a
// control group with id in its name. Root is the root directory.
//
// Source: cgroups(7), proc_pid_cgroup(5), proc_pid_mountinfo(5).
func New(root string, pid int, id string) (*Files, error) {
	process := filepath.Join(root, "proc", strconv.Itoa(pid))
	groups, err := os.ReadFile(filepath.Join(process, "cgroup"))
	if err != nil {
		return nil, err
	}
	mounts, err := os.ReadFile(filepath.Join(root, "proc/self/mountinfo"))
	if err != nil {
		return nil, err
	}
	folders := make(map[string]string) // by controller; of version 2 by ""
	for line := range strings.Lines(string(groups)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // number:controllers:path
		if len(fields) != 3 || !strings.Contains(fields[2], id) {
			continue
		}
		for _, controller := range strings.Split(fields[1], ",") {
			if folder := groupFolder(string(mounts), controller, fields[2]); folder != "" {
				folders[controller] = filepath.Join(root, folder)
			}
		}
	}
	files := newFiles(folders, process)
	if files == nil {
		return nil, fmt.Errorf("process %d is in no control group of %s", pid, id)
	}
	if _, err := files.Usage(engine.Detail{Totals: true}); err != nil {
		files.Close()
		return nil, err
	}
	return files, nil
}

// newFiles finds the files in the folders of a control group, by controller, or returns nil where they lack a
// controller.
func newFiles(folders map[string]string, process string) *Files {
	k := &Files{process: process}
	switch {
	case folders["cpuacct"] != "" && folders["cpu"] != "" && folders["memory"] != "":
		k.version = 1
		k.cpu.name, k.stat.name = filepath.Join(folders["cpuacct"], "cpuacct.usage"),
			filepath.Join(folders["cpu"], "cpu.stat")
		k.memory.name, k.threads = filepath.Join(folders["memory"], "memory.stat"), filepath.Join(folders["cpu"], "tasks")
		k.oom.name = filepath.Join(folders["memory"], "memory.oom_control")
	case folders[""] != "":
		k.version = 2
		k.cpu.name, k.stat.name = filepath.Join(folders[""], "cpu.stat"), filepath.Join(folders[""], "cpu.stat")
		k.memory.name, k.threads = filepath.Join(folders[""], "memory.stat"), filepath.Join(folders[""], "cgroup.threads")
		k.oom.name = filepath.Join(folders[""], "memory.events")
	default:
		return nil
	}
	k.netstat.name, k.snmp.name = filepath.Join(process, "net/netstat"), filepath.Join(process, "net/snmp")
	return k
}

// groupFolder finds where the group of a controller is mounted, or returns nothing. The empty controller is the
// hierarchy of version 2.
func groupFolder(mounts, controller, group string) string {
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line) // number parent major:minor root mount-point options … - type source options
		separator := slices.Index(fields, "-")
		if separator < 5 || len(fields) < separator+4 {
			continue
		}
		kind, options := fields[separator+1], strings.Split(fields[separator+3], ",")
		if controller == "" && kind != "cgroup2" ||
			controller != "" && (kind != "cgroup" || !slices.Contains(options, controller)) {
			continue
		}
		if inside, ok := strings.CutPrefix(group, strings.TrimSuffix(fields[3], "/")); ok {
			return path.Join(fields[4], inside)
		}
	}
	return ""
}

// Usage returns what the service has used since it started.
func (k *Files) Usage(detail engine.Detail) (engine.Usage, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	usage := engine.NoUsage()
	var err error
	if usage.CPU, err = k.used(); err != nil {
		return usage, err
	}
	if detail.Totals {
		if err := k.totals(&usage); err != nil {
			return usage, err
		}
	}
	if detail.Threads {
		if usage.Threads, err = k.readThreads(detail.Only); err != nil {
			return usage, err
		}
	}
	if detail.Listeners {
		usage.Listeners, err = Of(k.process).Listeners()
	}
	return usage, err
}

// totals reads memory, throttling and the counters of the network.
func (k *Files) totals(usage *engine.Usage) error {
	memory, err := k.memory.read()
	if err != nil {
		return err
	}
	anonymous, shared := "anon", "shmem"
	if k.version == 1 {
		anonymous, shared = "total_rss", "total_shmem"
	}
	if a, b := counter(memory, anonymous), counter(memory, shared); a >= 0 && b >= 0 {
		usage.Memory = a + b
	}
	stat, err := k.stat.read()
	if err != nil {
		return err
	}
	usage.Periods, usage.Throttled = counter(stat, "nr_periods"), counter(stat, "nr_throttled")
	return countNetwork(usage, &k.netstat, &k.snmp)
}

// countNetwork reads the counters of a network.
func countNetwork(usage *engine.Usage, netstat, snmp *counterFile) error {
	text, err := netstat.read()
	if err != nil {
		return err
	}
	usage.ListenOverflows = netCounter(text, "TcpExt:", "ListenOverflows")
	if text, err = snmp.read(); err != nil {
		return err
	}
	usage.Retransmits = netCounter(text, "Tcp:", "RetransSegs")
	return nil
}

func (k *Files) used() (time.Duration, error) {
	text, err := k.cpu.read()
	if err != nil {
		return 0, err
	}
	if k.version == 2 {
		return time.Duration(counter(text, "usage_usec")) * time.Microsecond, nil
	}
	nanoseconds, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("parsing %s: %w", k.cpu.name, err)
	}
	return time.Duration(nanoseconds), nil
}

// OOMKills returns how many processes of the service were killed for lack of memory; -1 if unknown.
//
// Source: the kernel's Documentation/admin-guide, cgroup-v1/memory.rst and cgroup-v2.rst.
func (k *Files) OOMKills() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	text, err := k.oom.read()
	if err != nil {
		return -1
	}
	return counter(text, "oom_kill")
}

// Close closes the files.
func (k *Files) Close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range []*counterFile{&k.cpu, &k.stat, &k.memory, &k.oom, &k.netstat, &k.snmp} {
		f.close()
	}
}

// counterFile is a file of counters that stays open once it was read, and the room that it is read into.
type counterFile struct {
	name   string
	file   *os.File
	room   []byte
	closed bool
}

// read gives the file as it is now, until it is read again. The kernel makes it anew when it is read from the
// beginning, and gives all of it at once where there is room: one call, as this is done all the time.
func (f *counterFile) read() ([]byte, error) {
	if f.closed {
		return nil, os.ErrClosed
	}
	if f.file == nil {
		file, err := os.Open(f.name)
		if err != nil {
			return nil, err
		}
		f.file, f.room = file, make([]byte, 4096)
	}
	for {
		n, err := syscall.Pread(int(f.file.Fd()), f.room, 0)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return nil, fmt.Errorf("reading %s: %w", f.name, err)
		case n < len(f.room):
			return f.room[:n], nil
		default:
			f.room = make([]byte, 2*len(f.room))
		}
	}
}

func (f *counterFile) close() {
	if f.file != nil && !f.closed {
		_ = f.file.Close() // nothing was written to it
	}
	f.closed = true
}

// readThreads reads the threads of the service by their IDs: only these, if any are named. A thread that ends meanwhile
// is left out.
//
// Source: cgroups(7) tasks and cgroup.threads; the kernel's Documentation/scheduler/sched-stats, /proc/PID/schedstat.
func (k *Files) readThreads(only []int) (map[int]engine.Thread, error) {
	if len(only) == 0 {
		text, err := os.ReadFile(k.threads)
		if err != nil {
			return nil, err
		}
		only = make([]int, 0, bytes.Count(text, []byte("\n")))
		for field := range bytes.FieldsSeq(text) {
			number, err := strconv.Atoi(string(field))
			if err != nil {
				return nil, fmt.Errorf("parsing %s: %w", filepath.Base(k.threads), err)
			}
			only = append(only, number)
		}
	}
	return schedstat(filepath.Dir(k.process), only) // a thread has its folder too
}

// schedstat reads threads, whose folders are in proc. There may be thousands, each with a file of its own, so each is
// read with as few system calls as possible.
func schedstat(proc string, only []int) (map[int]engine.Thread, error) {
	threads := make(map[int]engine.Thread, len(only))
	var room [128]byte
	for _, number := range only {
		text, err := readOnce(proc+"/"+strconv.Itoa(number)+"/schedstat", room[:])
		if err != nil {
			continue
		}
		ran, rest, _ := bytes.Cut(text, []byte(" "))
		waited, _, _ := bytes.Cut(rest, []byte(" "))
		cpu, err := strconv.ParseInt(string(ran), 10, 64)
		queued, waitErr := strconv.ParseInt(string(waited), 10, 64)
		if err := errors.Join(err, waitErr); err != nil {
			return nil, fmt.Errorf("parsing schedstat: %w", err)
		}
		threads[number] = engine.Thread{CPU: time.Duration(cpu), Waited: time.Duration(queued)}
	}
	return threads, nil
}

// readOnce reads the beginning of a file that the kernel gives at once.
func readOnce(name string, room []byte) ([]byte, error) {
	file, err := untilNot(syscall.EINTR, func() (int, error) {
		return syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, err
	}
	n, err := untilNot(syscall.EINTR, func() (int, error) { return syscall.Read(file, room) })
	_ = syscall.Close(file) // nothing was written to it
	return room[:max(0, n)], err
}

func untilNot(again error, call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != again {
			return n, err
		}
	}
}

// counter takes a counter from lines of a name and a number, or returns -1 if there is none of that name. Numbers that
// do not fit are none of ours.
func counter(text []byte, name string) int64 {
	for line := range bytes.Lines(text) {
		rest, ok := bytes.CutPrefix(line, []byte(name))
		if !ok || len(rest) == 0 || rest[0] != ' ' {
			continue
		}
		if value, err := strconv.ParseInt(string(bytes.TrimSpace(rest)), 10, 64); err == nil {
			return value
		}
	}
	return -1
}

// netCounter takes a counter from /proc/PID/net/netstat or snmp, where a line of names is followed by a line of
// values with the same first word. It returns -1 if there is none of that name.
func netCounter(text []byte, protocol, name string) int64 {
	at := -1 // the place of the name in its line
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte(protocol)) {
			continue
		}
		i := 0
		for field := range bytes.FieldsSeq(line) {
			switch {
			case at < 0 && string(field) == name:
				at = i
			case at > 0 && i == at:
				if value, err := strconv.ParseInt(string(field), 10, 64); err == nil {
					return value
				}
				return -1
			}
			i++
		}
		if at < 0 {
			return -1
		}
	}
	return -1
}

// ParseCPUs reads a list of CPUs as the kernel and cpuset write it: "0-2,5".
func ParseCPUs(list string) ([]int, error) {
	cpus, ok := spec.ParseCPUSet(list)
	if !ok {
		return nil, fmt.Errorf("invalid CPU list %q", list)
	}
	seen := make(map[int]bool)
	return slices.DeleteFunc(cpus, func(cpu int) bool {
		before := seen[cpu]
		seen[cpu] = true
		return before
	}), nil
}

// AllCPUs are those of the machine, as the kernel writes them. Root is the root directory.
func AllCPUs(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "sys/devices/system/cpu/online"))
	return strings.TrimSpace(string(text)), err
}

// Online says by an error which of some CPUs are not there. Root is the root directory.
func Online(root string, cpus []int) error {
	all, err := AllCPUs(root)
	if err != nil {
		return err
	}
	online, err := ParseCPUs(all)
	if err != nil {
		return err
	}
	for _, cpu := range cpus {
		if !slices.Contains(online, cpu) {
			return fmt.Errorf("there is no CPU %d, only %s", cpu, all)
		}
	}
	return nil
}
