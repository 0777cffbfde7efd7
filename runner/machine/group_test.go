package machine

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/runner/engine"
)

const containerID = "5fd00f29a5c9a4e47c3c9ff135254ed8"

// network has the counter files of a network namespace.
var network = map[string]string{
	"proc/7/net/netstat": "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 12 13\nIpExt: InNoRoutes\n" +
		"IpExt: 0\n",
	"proc/7/net/snmp": "Ip: Forwarding\nIp: 1\nTcp: MaxConn InSegs RetransSegs\nTcp: -1 100 34\n",
}

// versions are the files of a container in hierarchies of version 1, version 2, and both.
var versions = map[string]map[string]string{
	"version 1": {
		"proc/7/cgroup": "9:memory:/docker/" + containerID + "\n3:cpuacct:/docker/" + containerID +
			"\n2:cpu:/docker/" + containerID + "\n0::/\n",
		"proc/self/mountinfo": "30 20 0:25 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n" +
			"31 20 0:26 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct\n" +
			"32 20 0:27 / /sys/fs/cgroup/memory rw,relatime shared:5 - cgroup cgroup rw,memory\n" +
			"33 20 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
		"sys/fs/cgroup/cpuacct/docker/" + containerID + "/cpuacct.usage": "1500000000\n",
		"sys/fs/cgroup/cpu/docker/" + containerID +
			"/cpu.stat": "nr_periods 10\nnr_throttled 4\nthrottled_time 99\n",
		"sys/fs/cgroup/memory/docker/" + containerID + "/memory.stat": "cache 5000\nrss 1\nshmem 2\n" +
			"hierarchical_memsw_limit 9223372036854771712\ntotal_rss 3000\ntotal_shmem 400\n",
	},
	"version 1 with joint controllers": {
		"proc/7/cgroup": "4:cpu,cpuacct:/docker/" + containerID + "\n3:memory:/docker/" + containerID + "\n",
		"proc/self/mountinfo": "30 20 0:25 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
			"32 20 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
		"sys/fs/cgroup/cpu,cpuacct/docker/" + containerID + "/cpuacct.usage": "1500000000\n",
		"sys/fs/cgroup/cpu,cpuacct/docker/" + containerID + "/cpu.stat":      "nr_periods 10\nnr_throttled 4\n",
		"sys/fs/cgroup/memory/docker/" + containerID + "/memory.stat":        "total_rss 3000\ntotal_shmem 400\n",
	},
	"version 2": {
		"proc/7/cgroup":       "0::/system.slice/docker-" + containerID + ".scope\n",
		"proc/self/mountinfo": "30 20 0:25 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
		"sys/fs/cgroup/system.slice/docker-" + containerID + ".scope/cpu.stat": "usage_usec 1500000\nuser_usec 1\n" +
			"nr_periods 10\nnr_throttled 4\n",
		"sys/fs/cgroup/system.slice/docker-" + containerID + ".scope/memory.stat": "anon 3000\nfile 5000\nshmem 400\n",
	},
	"version 2 mounted from inside": {
		"proc/7/cgroup":                             "0::/outer/docker-" + containerID + "\n",
		"proc/self/mountinfo":                       "30 20 0:25 /outer /cg rw - cgroup2 cgroup2 rw\n",
		"cg/docker-" + containerID + "/cpu.stat":    "usage_usec 1500000\nnr_periods 10\nnr_throttled 4\n",
		"cg/docker-" + containerID + "/memory.stat": "anon 3000\nshmem 400\n",
	},
}

func writeTree(t *testing.T, trees ...map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for _, tree := range trees {
		for name, text := range tree {
			write(root, name, strings.TrimSuffix(text, "\n"))
		}
	}
	return root
}

func TestGroup(t *testing.T) {
	want := engine.Usage{
		CPU: 1500 * time.Millisecond, Memory: 3400, Periods: 10, Throttled: 4, ListenOverflows: 12, Retransmits: 34,
	}
	for name, tree := range versions {
		t.Run(name, func(t *testing.T) {
			group := must.Get(OpenGroup(writeTree(t, network, tree), 7, containerID))
			got := must.Get(group.Usage(engine.Detail{Totals: true}))
			assert.Equal(t, time.Since(got.At) <= time.Minute, true, "read at %v", got.At)
			got.At = time.Time{}
			assert.Deep(t, got, want)
		})
	}
	_, err := OpenGroup(writeTree(t, network, versions["version 2"]), 7, "another")
	assert.Error(t, err, "") // as the process is of another container
	tree := writeTree(t, versions["version 2"], map[string]string{"proc/7/net/netstat": "",
		"proc/7/net/snmp": "Tcp: A\nTcp:"})
	group := must.Get(OpenGroup(tree, 7, containerID))
	got, err := group.Usage(engine.Detail{Totals: true})
	if err != nil || got.ListenOverflows != -1 || got.Retransmits != -1 {
		t.Errorf("got %+v, %v, want -1 for counters that are missing", got, err)
	}
}

// The threads of a container are in its control group; one that has ended is left out.
func TestThreads(t *testing.T) {
	for version, list := range map[string]string{
		"version 1": "sys/fs/cgroup/cpu/docker/" + containerID + "/tasks",
		"version 2": "sys/fs/cgroup/system.slice/docker-" + containerID + ".scope/cgroup.threads",
	} {
		root := writeTree(t, versions[version], network, map[string]string{
			list: "7\n8\n9\n", "proc/7/schedstat": "1500000000 12 3\n", "proc/8/schedstat": "20 0 1\n",
		})
		group := must.Get(OpenGroup(root, 7, containerID))
		want := map[int]engine.Thread{7: {CPU: 1500 * time.Millisecond, Waited: 12}, 8: {CPU: 20}}
		got, err := group.Usage(engine.Detail{Threads: true})
		if err != nil || !maps.Equal(got.Threads, want) || got.Memory != -1 {
			t.Errorf("%s: got %+v, %v, want threads %v and no totals", version, got, err, want)
		}
	}
}

// The containers of Docker are found in the control groups of a machine, by their IDs, until they end.
func TestContainers(t *testing.T) {
	id := strings.Repeat("5fd00f29", 8)
	want := engine.NoUsage()
	want.CPU, want.Memory, want.Periods, want.Throttled = 1500*time.Millisecond, 3400, 10, 4
	for name, files := range map[string]map[string]string{
		"version 1": {
			"cpuacct/docker/" + id + "/cpuacct.usage": "1500000000\n",
			"cpu/docker/" + id + "/cpu.stat":          "nr_periods 10\nnr_throttled 4\n",
			"memory/docker/" + id + "/memory.stat":    "total_rss 3000\ntotal_shmem 400\n",
			"cpuacct/docker/buildx/cpuacct.usage":     "1\n",
		},
		"version 1 by systemd": {
			"cpuacct/system.slice/docker-" + id + ".scope/cpuacct.usage": "1500000000\n",
			"cpu/system.slice/docker-" + id + ".scope/cpu.stat":          "nr_periods 10\nnr_throttled 4\n",
			"memory/system.slice/docker-" + id + ".scope/memory.stat":    "total_rss 3000\ntotal_shmem 400\n",
		},
		"version 2": {
			"docker/" + id + "/cpu.stat":    "usage_usec 1500000\nnr_periods 10\nnr_throttled 4\n",
			"docker/" + id + "/memory.stat": "anon 3000\nshmem 400\n",
		},
		"version 2 by systemd": {
			"system.slice/docker-" + id + ".scope/cpu.stat":    "usage_usec 1500000\nnr_periods 10\nnr_throttled 4\n",
			"system.slice/docker-" + id + ".scope/memory.stat": "anon 3000\nshmem 400\n",
			"system.slice/docker.service/cpu.stat":             "usage_usec 7\n",
		},
	} {
		root, found := writeTree(t, files), containers{}
		all := found.read(root)
		got, ok := all[id]
		if got.At = want.At; !ok || len(all) != 1 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, all, want)
		}
		must.Do(os.RemoveAll(root))
		found[id].Close() // the kernel's files cannot be read once the group is gone
		if all := found.read(root); len(all) != 0 || len(found) != 0 {
			t.Errorf("%s: of a container that has ended there is %+v", name, all)
		}
	}
}

// write writes a file of a machine with the given root directory.
func write(root, name, text string) {
	must.Write(filepath.Join(root, name), text+"\n")
}

// The busy time comes from the root control group if readable, or else from the kernel's clock.
func TestBusyTime(t *testing.T) {
	const ticks = 10 + 1 + 4 + 0.4 + 0.6 // user, nice, system, irq and softirq
	for name, tt := range map[string]struct {
		usage string
		root  bool
		want  float64
	}{
		"the root":                 {"12500000000", true, 12.5},
		"the group of a container": {"12500000000", false, ticks},
		"not a number":             {"?", true, ticks},
		"no control groups":        {"", true, ticks},
	} {
		root := t.TempDir()
		write(root, "proc/stat", "cpu  1000 100 400 8060 100 40 60 300 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0")
		if tt.usage != "" {
			write(root, groupsOfAll[0]+"/cpuacct.usage", tt.usage)
		}
		if tt.root {
			write(root, groupsOfAll[0]+"/release_agent", "")
		}
		if got := readBelow(root); got.Busy != tt.want || got.Total != 100.6 || got.Steal != 3 {
			t.Errorf("%s: read %+v, want %v busy of 100.6", name, got, tt.want)
		}
	}
}
