package kernel

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const groupMounts1 = "30 20 0:25 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
	"32 20 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
	"33 20 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"

const groupMountsWithPIDs = groupMounts1 + "34 20 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"

const groupMounts2 = "30 20 0:25 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

// A group is made where its controllers are mounted, and its files get what the kernel reads.
func TestGroup(t *testing.T) {
	tests := []struct {
		name    string
		tree    map[string]string // the kernel's files that are there
		version int
		files   map[string]string // those that a new group has, and what stands in them in the end
		parents map[string]string
	}{
		{"version 1", map[string]string{"proc/self/mountinfo": groupMounts1}, 1, map[string]string{
			"sys/fs/cgroup/cpu,cpuacct/benchbook/x/cgroup.procs":          "7",
			"sys/fs/cgroup/cpu,cpuacct/benchbook/x/cpu.cfs_period_us":     "100000",
			"sys/fs/cgroup/cpu,cpuacct/benchbook/x/cpu.cfs_quota_us":      "25000",
			"sys/fs/cgroup/memory/benchbook/x/cgroup.procs":               "7",
			"sys/fs/cgroup/memory/benchbook/x/memory.limit_in_bytes":      "4096",
			"sys/fs/cgroup/memory/benchbook/x/memory.oom_control":         "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
			"sys/fs/cgroup/cpu,cpuacct/benchbook/x/cpu.stat":              "nr_periods 3\nnr_throttled 1\n",
			"sys/fs/cgroup/cpu,cpuacct/benchbook/x/cpuacct.usage":         "1500\n",
			"sys/fs/cgroup/memory/benchbook/x/memory.stat":                "total_rss 3\ntotal_shmem 4\n",
			"sys/fs/cgroup/cpu,cpuacct/benchbook/x/not.one.that.we.write": "",
		}, nil},
		{"version 1 with processes", map[string]string{"proc/self/mountinfo": groupMountsWithPIDs}, 1, map[string]string{
			"sys/fs/cgroup/memory/benchbook/x/memory.limit_in_bytes":  "4096",
			"sys/fs/cgroup/memory/benchbook/x/cgroup.procs":           "7",
			"sys/fs/cgroup/memory/benchbook/x/memory.oom_control":     "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
			"sys/fs/cgroup/cpu,cpuacct/benchbook/x/cgroup.procs":      "7",
			"sys/fs/cgroup/cpu,cpuacct/benchbook/x/cpu.cfs_period_us": "100000",
			"sys/fs/cgroup/cpu,cpuacct/benchbook/x/cpu.cfs_quota_us":  "25000",
			"sys/fs/cgroup/pids/benchbook/x/cgroup.procs":             "7",
			"sys/fs/cgroup/pids/benchbook/x/pids.max":                 "8192",
		}, nil},
		{"version 2", map[string]string{
			"proc/self/mountinfo":                            groupMounts2,
			"sys/fs/cgroup/cgroup.subtree_control":           "cpuset cpu io\n",
			"sys/fs/cgroup/benchbook/cgroup.subtree_control": "\n",
		}, 2, map[string]string{
			"sys/fs/cgroup/benchbook/x/cgroup.procs":  "7",
			"sys/fs/cgroup/benchbook/x/cpu.max":       "25000 100000",
			"sys/fs/cgroup/benchbook/x/memory.max":    "4096",
			"sys/fs/cgroup/benchbook/x/pids.max":      "8192",
			"sys/fs/cgroup/benchbook/x/memory.events": "low 0\noom 1\noom_kill 1\n",
		}, map[string]string{"sys/fs/cgroup/cgroup.subtree_control": "+memory",
			"sys/fs/cgroup/benchbook/cgroup.subtree_control": "+memory"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := writeTree(t, tt.tree)
			g, err := NewGroup(root, "x")
			if err != nil {
				t.Fatal(err)
			}
			if g.Version() != tt.version {
				t.Errorf("version %d, want %d", g.Version(), tt.version)
			}
			for name := range tt.files { // the kernel makes them with the folder, which has to be there
				text := ""
				if strings.Contains(name, "memory.oom_control") || strings.Contains(name, "memory.events") ||
					strings.HasSuffix(name, ".stat") {
					text = tt.files[name]
				}
				if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := g.Add(7); err != nil {
				t.Error(err)
			}
			if err := g.Limit(0, 0, 0); err != nil {
				t.Error(err)
			}
			processes := int64(0)
			if g.LimitsProcesses() {
				processes = 8192
			}
			if err := g.Limit(0.25, 4096, processes); err != nil {
				t.Error(err)
			}
			if !g.KilledForMemory() {
				t.Error("it is not known that the kernel has killed a process")
			}
			all := maps.Clone(tt.files)
			maps.Copy(all, tt.parents)
			delete(all, "sys/fs/cgroup/cpu,cpuacct/benchbook/x/cpuacct.usage")
			for name, want := range all {
				got, err := os.ReadFile(filepath.Join(root, name))
				// What is written to a file of the kernel does not cut off what stood there.
				if err != nil || !strings.HasPrefix(string(got), want) {
					t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
				}
			}
		})
	}
}

func TestGroupIsRemoved(t *testing.T) {
	root := writeTree(t, map[string]string{"proc/self/mountinfo": groupMounts1})
	g, err := NewGroup(root, "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewGroup(root, "y"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := g.Remove(); err != nil {
			t.Error(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(root, "sys/fs/cgroup/*/benchbook/*"))
	if err != nil || len(left) != 2 {
		t.Errorf("there are %q (%v), want y twice", left, err)
	}
	if err := RemoveGroup(root, "y"); err != nil {
		t.Error(err)
	}
	if left, err = filepath.Glob(filepath.Join(root, "sys/fs/cgroup/*/*")); err != nil || len(left) != 0 {
		t.Errorf("there are %q (%v), want nothing", left, err)
	}
}

func TestNoGroup(t *testing.T) {
	for name, tree := range map[string]map[string]string{
		"nothing is mounted":       {"proc/self/mountinfo": "24 1 254:0 / / rw - ext4 /dev/vda rw\n"},
		"controllers are missing":  {"proc/self/mountinfo": "30 20 0:25 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"},
		"controllers are not ours": {"proc/self/mountinfo": groupMounts2},
	} {
		if g, err := NewGroup(writeTree(t, tree), "x"); err == nil {
			t.Errorf("%s: got %+v, want an error", name, g)
		}
	}
}

func TestParseCPUs(t *testing.T) {
	tests := []struct {
		list string
		want []int
	}{
		{"0", []int{0}}, {"0-2,5", []int{0, 1, 2, 5}}, {" 3 , 1-1", []int{3, 1}}, {"1,1", []int{1}},
		{"", nil}, {"x", nil}, {"2-1", nil}, {"-1", nil}, {"0-", nil}, {"0-99999999", nil},
	}
	for _, tt := range tests {
		got, err := ParseCPUs(tt.list)
		if !slices.Equal(got, tt.want) || (err == nil) != (tt.want != nil) {
			t.Errorf("ParseCPUs(%q) = %v, %v; want %v", tt.list, got, err, tt.want)
		}
	}
	root := writeTree(t, map[string]string{"sys/devices/system/cpu/online": "0-1,3\n"})
	for _, cpus := range [][]int{nil, {0}, {1, 3}} {
		if err := Online(root, cpus); err != nil {
			t.Errorf("%v: %v", cpus, err)
		}
	}
	if err := Online(root, []int{0, 2}); err == nil || !strings.Contains(err.Error(), "no CPU 2") {
		t.Errorf("got %v, want that there is no CPU 2", err)
	}
}

// What the kernel of this machine makes is read as it writes it.
func TestRealGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	g, err := NewGroup("/", "kernel-test-"+time.Now().Format("150405.000000"))
	if err != nil {
		t.Skip(err)
	}
	defer func() {
		if err := g.Remove(); err != nil {
			t.Error(err)
		}
	}()
	if err := g.Limit(0.5, 64<<20, 100); err != nil {
		t.Error(err)
	}
	files := g.Files(os.Getpid())
	usage, err := files.Read(t.Context())
	if err != nil || usage.CPU != 0 || usage.Memory < 0 || usage.Periods < 0 || usage.ListenOverflows < 0 {
		t.Errorf("an empty group is read as %+v, %v", usage, err)
	}
	if threads, err := files.Threads(); err != nil || len(threads) > 0 {
		t.Errorf("an empty group has threads %v, %v", threads, err)
	}
	if g.KilledForMemory() {
		t.Error("the kernel has killed a process of an empty group")
	}
}
