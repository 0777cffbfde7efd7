package machine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"benchbook/internal/proc"
	"benchbook/runner/engine"
)

// A Group reads the control group of a container, version 1 or 2, and the network namespace of its first process.
// Reading everything takes a tenth of a millisecond, processor time alone a few microseconds. Its methods may be called
// from several goroutines.
type Group struct {
	version int
	process string // /proc/PID of the first process; empty if it is not visible
	threads string // file of thread IDs

	mu                                    sync.Mutex
	cpu, stat, memory, oom, netstat, snmp counterFile
}

// OpenGroup opens the control group of a process, which must have id in its name. It returns an error if there is no
// such group or it cannot be read. Root is the root directory.
//
// Source: cgroups(7), proc_pid_cgroup(5), proc_pid_mountinfo(5).
func OpenGroup(root string, pid int, id string) (*Group, error) {
	process := filepath.Join(root, "proc", strconv.Itoa(pid))
	groups, err := os.ReadFile(filepath.Join(process, "cgroup"))
	if err != nil {
		return nil, err
	}
	mounts, err := os.ReadFile(filepath.Join(root, "proc/self/mountinfo"))
	if err != nil {
		return nil, err
	}
	folders := make(map[string]string) // by controller; "" is version 2
	for line := range strings.Lines(string(groups)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // number:controllers:path
		if len(fields) != 3 || !strings.Contains(fields[2], id) {
			continue
		}
		for _, controller := range strings.Split(fields[1], ",") {
			if folder := mountedAt(string(mounts), controller, fields[2]); folder != "" {
				folders[controller] = filepath.Join(root, folder)
			}
		}
	}
	g := newGroup(folders, process)
	if g == nil {
		return nil, fmt.Errorf("process %d is in no control group of %s", pid, id)
	}
	if _, err := g.Usage(engine.Detail{Totals: true}); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// newGroup returns the group with the given folders by controller, or nil if one is missing.
func newGroup(folders map[string]string, process string) *Group {
	g := &Group{process: process, version: 2}
	cpu, memory := folders[""], folders[""]
	usage, threads, oom := filepath.Join(cpu, "cpu.stat"), "cgroup.threads", "memory.events"
	switch {
	case folders["cpuacct"] != "" && folders["cpu"] != "" && folders["memory"] != "":
		g.version, cpu, memory = 1, folders["cpu"], folders["memory"]
		usage, threads, oom = filepath.Join(folders["cpuacct"], "cpuacct.usage"), "tasks", "memory.oom_control"
	case cpu == "":
		return nil
	}
	g.cpu.name = usage
	g.stat.name, g.threads = filepath.Join(cpu, "cpu.stat"), filepath.Join(cpu, threads)
	g.memory.name, g.oom.name = filepath.Join(memory, "memory.stat"), filepath.Join(memory, oom)
	g.netstat.name, g.snmp.name = filepath.Join(process, "net/netstat"), filepath.Join(process, "net/snmp")
	return g
}

// mountedAt returns the folder of a controller's group, or "". The empty controller means version 2.
func mountedAt(mounts, controller, group string) string {
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

// Usage returns the container's usage since its start.
func (g *Group) Usage(detail engine.Detail) (engine.Usage, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	usage := engine.NoUsage()
	text, err := g.cpu.read()
	if err != nil {
		return usage, err
	}
	if g.version == 2 {
		usage.CPU = time.Duration(counter(text, "usage_usec")) * time.Microsecond
	} else if usage.CPU, err = time.ParseDuration(string(bytes.TrimSpace(text)) + "ns"); err != nil {
		return usage, fmt.Errorf("parsing %s: %w", g.cpu.name, err)
	}
	if detail.Totals {
		if err := g.addTotals(&usage); err != nil {
			return usage, err
		}
	}
	if detail.Threads {
		if usage.Threads, err = g.readThreads(); err != nil {
			return usage, err
		}
	}
	if detail.Listeners {
		usage.Listeners, err = Listeners(g.process, nil)
	}
	return usage, err
}

// addTotals adds memory, throttling and, if the network namespace is visible, network counters.
func (g *Group) addTotals(usage *engine.Usage) (err error) {
	read := func(f *counterFile) (text []byte) {
		if err == nil {
			text, err = f.read()
		}
		return text
	}
	memory, stat := read(&g.memory), read(&g.stat)
	anonymous, shared := counter(memory, "anon"), counter(memory, "shmem")
	if g.version == 1 {
		anonymous, shared = counter(memory, "total_rss"), counter(memory, "total_shmem")
	}
	if anonymous >= 0 && shared >= 0 {
		usage.Memory = anonymous + shared
	}
	usage.Periods, usage.Throttled = counter(stat, "nr_periods"), counter(stat, "nr_throttled")
	if g.process != "" {
		usage.ListenOverflows = netCounter(read(&g.netstat), "TcpExt:", "ListenOverflows")
		usage.Retransmits = netCounter(read(&g.snmp), "Tcp:", "RetransSegs")
	}
	return err
}

// OOMKills returns how many processes of the container were killed for lack of memory, or -1 if unknown.
//
// Source: Linux, Documentation/admin-guide, cgroup-v1/memory.rst and cgroup-v2.rst.
func (g *Group) OOMKills() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	text, err := g.oom.read()
	if err != nil {
		return -1
	}
	return counter(text, "oom_kill")
}

// CPUs returns the CPUs that the first process may run on, such as "2-3"; empty if unknown.
func (g *Group) CPUs() string { return proc.Status(filepath.Base(g.process), "Cpus_allowed_list") }

// Close closes the files.
func (g *Group) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range []*counterFile{&g.cpu, &g.stat, &g.memory, &g.oom, &g.netstat, &g.snmp} {
		if f.file != nil {
			_ = f.file.Close()
		}
		f.file, f.name = nil, ""
	}
}

// readThreads reads the threads of the container, except those that have ended.
//
// Source: cgroups(7) tasks and cgroup.threads.
func (g *Group) readThreads() (map[int]engine.Thread, error) {
	text, err := os.ReadFile(g.threads)
	if err != nil {
		return nil, err
	}
	var ids []int
	for field := range bytes.FieldsSeq(text) {
		id, _ := strconv.Atoi(string(field)) // the kernel writes nothing else
		ids = append(ids, id)
	}
	return ReadThreads(filepath.Dir(g.process), ids) // /proc has a folder for each thread too
}

// ReadThreads reads the usage of threads from their folders in folder, without those that have ended. It uses as few
// system calls per thread as possible, because there may be thousands.
//
// Source: Linux, Documentation/scheduler/sched-stats, /proc/PID/schedstat.
func ReadThreads(folder string, ids []int) (map[int]engine.Thread, error) {
	threads := make(map[int]engine.Thread, len(ids))
	var room [128]byte
	for _, id := range ids {
		text, err := proc.ReadOnce(folder+"/"+strconv.Itoa(id)+"/schedstat", room[:])
		if err != nil {
			continue // it has ended
		}
		fields := bytes.Fields(text)
		if len(fields) < 2 {
			return nil, fmt.Errorf("parsing schedstat: %q", text)
		}
		cpu, err := strconv.ParseInt(string(fields[0]), 10, 64)
		waited, waitedErr := strconv.ParseInt(string(fields[1]), 10, 64)
		if err := errors.Join(err, waitedErr); err != nil {
			return nil, fmt.Errorf("parsing schedstat: %w", err)
		}
		threads[id] = engine.Thread{CPU: time.Duration(cpu), Waited: time.Duration(waited)}
	}
	return threads, nil
}

// counterFile is a file of counters that stays open, with a read buffer.
type counterFile struct {
	name string // empty once closed
	file *os.File
	room []byte
}

// read returns the present contents of the file, which are valid until the next read. The kernel generates them on a
// read from the beginning, consistently if one call gets all.
func (f *counterFile) read() ([]byte, error) {
	if f.name == "" {
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
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return nil, fmt.Errorf("reading %s: %w", f.name, err)
		case n < len(f.room):
			return f.room[:n], nil
		}
		f.room = make([]byte, 2*len(f.room))
	}
}

// counter returns a counter from lines of a name and a number, or -1.
func counter(text []byte, name string) int64 {
	for line := range bytes.Lines(text) {
		rest, ok := bytes.CutPrefix(line, []byte(name+" "))
		if value, err := strconv.ParseInt(string(bytes.TrimSpace(rest)), 10, 64); ok && err == nil {
			return value
		}
	}
	return -1
}

// netCounter returns a counter from /proc/PID/net/netstat or snmp, or -1. There, a line of names is followed by a line
// of values with the same first word.
func netCounter(text []byte, protocol, name string) int64 {
	var lines [][]string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, protocol) {
			lines = append(lines, strings.Fields(line))
		}
	}
	if len(lines) < 2 {
		return -1
	}
	i := slices.Index(lines[0], name)
	if i < 0 || i >= len(lines[1]) {
		return -1
	}
	value, err := strconv.ParseInt(lines[1][i], 10, 64)
	if err != nil {
		return -1
	}
	return value
}

// watchedGroups is the folder in Watch's container where some engines mount the machine's control groups.
const watchedGroups = "groups"

// containerGroup matches the ID of a container in the name of its control group.
var containerGroup = regexp.MustCompile(`[0-9a-f]{64}`)

// containers holds the control groups of Docker's containers on a machine, by container ID.
type containers map[string]*Group

// read reads the usage of all containers with groups below root, for both cgroup versions and both drivers.
func (c containers) read(root string) map[string]engine.Usage {
	for _, pattern := range []string{"cpuacct/docker/*", "cpuacct/system.slice/docker-*", "docker/*", "system.slice/docker-*"} {
		groups, _ := filepath.Glob(filepath.Join(root, pattern))
		for _, group := range groups {
			id := containerGroup.FindString(filepath.Base(group))
			if id == "" || c[id] != nil {
				continue
			}
			folders := map[string]string{"": group}
			if below, ok := strings.CutPrefix(group, filepath.Join(root, "cpuacct")); ok {
				folders = map[string]string{"cpuacct": group, "cpu": filepath.Join(root, "cpu", below),
					"memory": filepath.Join(root, "memory", below)}
			}
			c[id] = newGroup(folders, "")
		}
	}
	all := make(map[string]engine.Usage, len(c))
	for id, group := range c {
		usage, err := group.Usage(engine.Detail{Totals: true})
		if err != nil { // it has ended
			group.Close()
			delete(c, id)
			continue
		}
		all[id] = usage
	}
	return all
}
