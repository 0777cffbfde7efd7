package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Group is a control group of our own, in every hierarchy that usage is read from and limits are set in.
type Group struct {
	version int
	folders map[string]string // by controller; of version 2 by ""
}

// parentGroup is above all groups that we make.
const parentGroup = "benchbook"

// cpuPeriod is over which a limit of processor time holds, in microseconds, as Docker sets it.
const cpuPeriod = 100_000

// NewGroup makes a control group of a name that no other one has. Version 1 is used where its controllers are mounted,
// as controllers are in one version only. Root is the root directory. The error says what this machine or this user
// lacks.
//
// Source: cgroups(7); the kernel's Documentation/admin-guide/cgroup-v2.rst.
func NewGroup(root, name string) (*Group, error) {
	g, err := findGroup(root, name)
	if err != nil {
		return nil, err
	}
	if g.version == 2 {
		if err := g.enable(); err != nil {
			return nil, err
		}
	}
	for _, folder := range g.folders {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, errors.Join(fmt.Errorf("making a control group: %w", err), g.Remove())
		}
	}
	return g, nil
}

// RemoveGroup removes a group that a killed process has left, if it is there. It has to be empty.
func RemoveGroup(root, name string) error {
	g, err := findGroup(root, name)
	if err != nil {
		return err
	}
	return g.Remove()
}

// findGroup says where the folders of a group are, or would be.
func findGroup(root, name string) (*Group, error) {
	mounts, err := os.ReadFile(filepath.Join(root, "proc/self/mountinfo"))
	if err != nil {
		return nil, err
	}
	inside := path.Join("/", parentGroup, name)
	g := &Group{version: 1, folders: make(map[string]string)}
	for _, controller := range []string{"cpu", "cpuacct", "memory"} {
		if folder := groupFolder(string(mounts), controller, inside); folder != "" {
			g.folders[controller] = filepath.Join(root, folder)
		}
	}
	if len(g.folders) == 3 {
		if folder := groupFolder(string(mounts), "pids", inside); folder != "" { // which need not be there
			g.folders["pids"] = filepath.Join(root, folder)
		}
		return g, nil
	}
	if folder := groupFolder(string(mounts), "", inside); folder != "" {
		return &Group{version: 2, folders: map[string]string{"": filepath.Join(root, folder)}}, nil
	}
	return nil, errors.New("the control groups cpu, cpuacct and memory of this machine are not mounted")
}

// enable lets groups below ours have what usage and limits need.
func (g *Group) enable() error {
	parent := filepath.Dir(g.folders[""])
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("making a control group: %w", err)
	}
	for _, folder := range []string{filepath.Dir(parent), parent} {
		file := filepath.Join(folder, "cgroup.subtree_control")
		enabled, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("making a control group: %w", err)
		}
		for _, controller := range []string{"cpu", "pids", "memory"} {
			if strings.Contains(" "+strings.TrimSpace(string(enabled))+" ", " "+controller+" ") {
				continue
			}
			if err := write(file, "+"+controller); err != nil && controller != "pids" { // which need not be there
				return fmt.Errorf("letting control groups limit and count %s: %w", controller, err)
			}
		}
	}
	return nil
}

// write writes a value into a file of the kernel, which has to be there.
func write(file, value string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// Version is that of the control groups: 1 or 2.
func (g *Group) Version() int { return g.version }

// Add moves a process into the group, with whatever it starts from then on.
func (g *Group) Add(pid int) error {
	for _, folder := range g.folders {
		if err := write(filepath.Join(folder, "cgroup.procs"), strconv.Itoa(pid)); err != nil {
			return fmt.Errorf("moving process %d into its control group: %w", pid, err)
		}
	}
	return nil
}

// file is a file of the group, by the controller and the name that it has in version 1, and the name in version 2.
func (g *Group) file(controller, name, inVersion2 string) string {
	if g.version == 2 {
		return filepath.Join(g.folders[""], inVersion2)
	}
	return filepath.Join("/", g.folders[controller], name)
}

// LimitsProcesses says whether the kernel can bound how many processes the group has.
func (g *Group) LimitsProcesses() bool {
	_, err := os.Stat(g.file("pids", "pids.max", "pids.max"))
	return err == nil
}

// Limit bounds the processor time of the group in cores, its memory in bytes, and how many processes and threads it
// has; 0 is no bound.
func (g *Group) Limit(cpus float64, memory, processes int64) error {
	var failures []error
	set := func(file, value string) {
		if err := write(file, value); err != nil {
			failures = append(failures, fmt.Errorf("setting a limit: %w", err))
		}
	}
	if cpus > 0 {
		period, quota := strconv.Itoa(cpuPeriod), strconv.FormatInt(int64(cpus*cpuPeriod), 10)
		if g.version == 1 {
			set(g.file("cpu", "cpu.cfs_period_us", ""), period)
		} else {
			quota += " " + period
		}
		set(g.file("cpu", "cpu.cfs_quota_us", "cpu.max"), quota)
	}
	if memory > 0 {
		set(g.file("memory", "memory.limit_in_bytes", "memory.max"), strconv.FormatInt(memory, 10))
	}
	if processes > 0 {
		set(g.file("pids", "pids.max", "pids.max"), strconv.FormatInt(processes, 10))
	}
	return errors.Join(failures...)
}

// KilledForMemory says whether the kernel has killed a process of the group since the group had no memory left.
func (g *Group) KilledForMemory() bool {
	counters, err := os.ReadFile(g.file("memory", "memory.oom_control", "memory.events"))
	return err == nil && counter(counters, "oom_kill") > 0
}

// Files are those by which the group is read, and the network of one of its processes.
func (g *Group) Files(pid int) *Files {
	return newFiles(g.folders, filepath.Join("/proc", strconv.Itoa(pid)))
}

// leaving is how long processes that have ended may still be in their group.
const leaving = 2 * time.Second

// Remove removes the group, whose processes have ended, and our parent of groups if it is empty then. It may be gone
// already.
func (g *Group) Remove() error {
	var failures []error
	for _, folder := range g.folders {
		for deadline := time.Now().Add(leaving); ; time.Sleep(5 * time.Millisecond) {
			err := syscall.Rmdir(folder)
			if err == nil || errors.Is(err, fs.ErrNotExist) {
				break
			}
			if !errors.Is(err, syscall.EBUSY) || time.Now().After(deadline) {
				failures = append(failures, fmt.Errorf("removing control group %s: %w", filepath.Base(folder), err))
				break
			}
		}
		_ = syscall.Rmdir(filepath.Dir(folder)) // it has others of ours in it, or not
	}
	return errors.Join(failures...)
}
