package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"benchbook/runner/engine"
)

// meter reads what a container uses.
type meter interface {
	read(ctx context.Context) (engine.Usage, error)
	close()
}

// newMeter finds out how a running container can be measured: from the files of this machine's kernel if it runs under
// it, else by what the engine tells once a second.
func (e *Engine) newMeter(ctx context.Context, id string) (meter, error) {
	inspected, err := e.client.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, err
	}
	pid := inspected.Container.State.Pid
	if pid == 0 {
		return nil, errors.New("it has ended")
	}
	if e.local() {
		if files, err := newKernelFiles("/", pid, id); err == nil {
			return files, nil
		}
		// We may be in a container ourselves, where processes have other numbers.
	}
	return newStatsStream(e.client, id), nil
}

// kernelFiles reads the control group of a container and the counters of its network namespace. It takes well below
// a millisecond.
type kernelFiles struct {
	version int    // of control groups
	cpu     string // file with the time used
	stat    string // cpu.stat
	memory  string // memory.stat
	process string // /proc/PID
}

// newKernelFiles finds the files of a container's first process. The error says that this process is not, or not
// visibly, in a control group of that container. Root is the root directory.
//
// Source: cgroups(7), proc_pid_cgroup(5), proc_pid_mountinfo(5).
func newKernelFiles(root string, pid int, id string) (*kernelFiles, error) {
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
	var files *kernelFiles
	switch {
	case folders["cpuacct"] != "" && folders["cpu"] != "" && folders["memory"] != "":
		files = &kernelFiles{
			version: 1,
			cpu:     filepath.Join(folders["cpuacct"], "cpuacct.usage"),
			stat:    filepath.Join(folders["cpu"], "cpu.stat"),
			memory:  filepath.Join(folders["memory"], "memory.stat"),
		}
	case folders[""] != "":
		files = &kernelFiles{
			version: 2,
			stat:    filepath.Join(folders[""], "cpu.stat"),
			memory:  filepath.Join(folders[""], "memory.stat"),
		}
	default:
		return nil, fmt.Errorf("process %d is in no control group of container %s", pid, id)
	}
	files.process = process
	if _, err := files.read(context.Background()); err != nil {
		return nil, err
	}
	return files, nil
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

func (k *kernelFiles) read(context.Context) (engine.Usage, error) {
	usage := engine.Usage{At: time.Now()}
	stat, err := readCounters(k.stat)
	if err != nil {
		return usage, err
	}
	memory, err := readCounters(k.memory)
	if err != nil {
		return usage, err
	}
	usage.Periods, usage.Throttled = counter64(stat, "nr_periods"), counter64(stat, "nr_throttled")
	if k.version == 1 {
		text, err := os.ReadFile(k.cpu)
		if err != nil {
			return usage, err
		}
		nanoseconds, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
		if err != nil {
			return usage, fmt.Errorf("parsing %s: %w", k.cpu, err)
		}
		usage.CPU = time.Duration(nanoseconds)
		usage.Memory = sum64(memory, "total_rss", "total_shmem")
	} else {
		usage.CPU = time.Duration(counter64(stat, "usage_usec")) * time.Microsecond
		usage.Memory = sum64(memory, "anon", "shmem")
	}
	netstat, err := os.ReadFile(filepath.Join(k.process, "net/netstat"))
	if err != nil {
		return usage, err
	}
	snmp, err := os.ReadFile(filepath.Join(k.process, "net/snmp"))
	if err != nil {
		return usage, err
	}
	usage.ListenOverflows = netCounter(netstat, "TcpExt:", "ListenOverflows")
	usage.Retransmits = netCounter(snmp, "Tcp:", "RetransSegs")
	return usage, nil
}

func (k *kernelFiles) close() {}

// threads reads the processor time of the container's threads. One that ends meanwhile is left out.
//
// Source: cgroups(7) tasks and cgroup.threads; the kernel's Documentation/scheduler/sched-stats, /proc/PID/schedstat.
func (k *kernelFiles) threads() (map[int]time.Duration, error) {
	list := "tasks"
	if k.version == 2 {
		list = "cgroup.threads"
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(k.stat), list))
	if err != nil {
		return nil, err
	}
	threads := make(map[int]time.Duration)
	for _, word := range strings.Fields(string(text)) {
		number, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("parsing %s: %w", list, err)
		}
		stat, err := os.ReadFile(filepath.Join(filepath.Dir(k.process), word, "schedstat")) // a thread has its folder too
		if err != nil {
			continue
		}
		spent, _, _ := strings.Cut(string(stat), " ")
		nanoseconds, err := strconv.ParseInt(spent, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("parsing schedstat: %w", err)
		}
		threads[number] = time.Duration(nanoseconds)
	}
	return threads, nil
}

// readCounters reads a file of lines with a name and a number.
func readCounters(file string) (map[string]int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	counters := make(map[string]int64)
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if number, err := strconv.ParseInt(value, 10, 64); err == nil { // a few are larger, and none of ours
			counters[name] = number
		}
	}
	return counters, nil
}

// counter64 returns a counter, or -1 if there is none of that name.
func counter64(counters map[string]int64, name string) int64 {
	if value, ok := counters[name]; ok {
		return value
	}
	return -1
}

// sum64 adds two counters, or returns -1 if one is missing.
func sum64(counters map[string]int64, a, b string) int64 {
	x, y := counter64(counters, a), counter64(counters, b)
	if x < 0 || y < 0 {
		return -1
	}
	return x + y
}

// netCounter takes a counter from /proc/PID/net/netstat or snmp, where a line of names is followed by a line of
// values with the same first word. It returns -1 if there is none of that name.
func netCounter(text []byte, protocol, name string) int64 {
	var names []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != protocol {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		if at := slices.Index(names, name); at > 0 && at < len(fields) {
			if value, err := strconv.ParseInt(fields[at], 10, 64); err == nil {
				return value
			}
		}
		break
	}
	return -1
}

// statsStream follows what the engine tells about a container, once a second; asking for single values would take it
// a second each. It cannot tell what happened on the network.
type statsStream struct {
	cancel context.CancelFunc
	first  chan struct{} // closed when there is a value, or there will be none

	mu     sync.Mutex
	latest engine.Usage
	err    error
}

func newStatsStream(api *client.Client, id string) *statsStream {
	ctx, cancel := context.WithCancel(context.Background())
	s := &statsStream{cancel: cancel, first: make(chan struct{})}
	go s.follow(ctx, api, id)
	return s
}

func (s *statsStream) follow(ctx context.Context, api *client.Client, id string) {
	once := sync.OnceFunc(func() { close(s.first) })
	defer once()
	fail := func(err error) {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
	}
	stream, err := api.ContainerStats(ctx, id, client.ContainerStatsOptions{Stream: true})
	if err != nil {
		fail(err)
		return
	}
	defer stream.Body.Close()
	decoder := json.NewDecoder(stream.Body)
	for {
		var stats container.StatsResponse
		err := decoder.Decode(&stats)
		if err == io.EOF || err == nil && stats.CPUStats.CPUUsage.TotalUsage == 0 { // the engine goes on with zeros
			err = errors.New("it has ended")
		}
		if err != nil {
			fail(err)
			return
		}
		s.mu.Lock()
		s.latest = usageOf(stats)
		s.mu.Unlock()
		once()
	}
}

func usageOf(stats container.StatsResponse) engine.Usage {
	counters := make(map[string]int64)
	for name, value := range stats.MemoryStats.Stats {
		counters[name] = int64(value)
	}
	memory := sum64(counters, "anon", "shmem")
	if memory < 0 {
		memory = sum64(counters, "total_rss", "total_shmem")
	}
	if memory < 0 {
		memory = counter64(counters, "total_rss") // some engines leave shared memory out
	}
	return engine.Usage{
		At:              stats.Read,
		CPU:             time.Duration(stats.CPUStats.CPUUsage.TotalUsage),
		Memory:          memory,
		Periods:         int64(stats.CPUStats.ThrottlingData.Periods),
		Throttled:       int64(stats.CPUStats.ThrottlingData.ThrottledPeriods),
		ListenOverflows: -1,
		Retransmits:     -1,
	}
}

func (s *statsStream) read(ctx context.Context) (engine.Usage, error) {
	select {
	case <-s.first:
	case <-ctx.Done():
		return engine.Usage{}, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latest, s.err
}

func (s *statsStream) close() { s.cancel() }
