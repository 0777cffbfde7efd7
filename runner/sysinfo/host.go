package sysinfo

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/go-units"
	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/runner/engine/kernel"
)

// Host is the machine that we measure on, or several of them.
type Host struct {
	// ID is its class and a short digest of CPU model, cores and memory in whole GiB, such as "c2-1f3a9b". It never
	// holds the machine's name.
	ID string
	// Cores are the logical CPUs of each physical core, in order.
	Cores [][]int
	Facts map[string]string
	// Nodes are the names that an engine over several machines has for it, or for those that are one host; nil where it
	// has none.
	Nodes []string `json:",omitempty"`
	// Others are the machines beside this one, by their names in the project; nil if there are none. See Together.
	Others map[string]Host

	Mirrors []string `json:"-"` // hosts whose names no record keeps
}

// ThisHost describes this machine.
func ThisHost() (Host, error) { return HostBelow("/") }

// HostBelow describes the machine whose root directory this is, by the files that the kernel has below it.
func HostBelow(root string) (Host, error) {
	ctx := Below(root)
	info, err := cpu.InfoWithContext(ctx)
	if err != nil || len(info) == 0 {
		return Host{}, fmt.Errorf("finding out about this machine's processor: %w", cmp.Or(err, os.ErrNotExist))
	}
	memory, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return Host{}, fmt.Errorf("finding out about this machine's memory: %w", err)
	}
	h := Host{Cores: physicalCores(root), Facts: map[string]string{}, Mirrors: MirrorsOf(os.DirFS(root), os.Environ())}
	gib := int(math.Round(float64(memory.Total) / (1 << 30)))
	model := strings.Join(strings.Fields(info[0].ModelName), " ")
	logical := 0
	for _, c := range h.Cores {
		logical += len(c)
	}
	h.ID = record.HostID(model, logical, gib)
	fact := func(name, value string) {
		if value = strings.TrimSpace(value); value != "" {
			h.Facts["host."+name] = value
		}
	}
	fact("cpu", model)
	fact("cores", fmt.Sprintf("%d logical, %d physical", logical, len(h.Cores)))
	fact("siblings", siblings(h.Cores))
	fact("memory", fmt.Sprintf("%d GiB", gib))
	fact("architecture", runtime.GOARCH)
	fact("microcode", info[0].Microcode)
	fact("kernel", kernelRelease(root))
	fact("governor", governors(root))
	fact("clock", Text(root, "sys/devices/system/clocksource/clocksource0/current_clocksource"))
	fact("mitigations", mitigations(root))
	fact("swap", swapSize(memory))
	fact("hugepages", bracketed(Text(root, "sys/kernel/mm/transparent_hugepage/enabled")))
	fact("virtual", hypervisor(root, info[0].Flags))
	return h, nil
}

// kernelRelease is the release of the kernel; empty where the system does not tell.
func kernelRelease(root string) string {
	if release := Text(root, "proc/sys/kernel/osrelease"); release != "" {
		return release
	}
	release, err := host.KernelVersion()
	if err != nil {
		return ""
	}
	return release
}

// hypervisor is the kind of the virtual machine that this is, empty if it is none. It goes by the clocks, by what the
// firmware calls the machine, which is all that ARM has, and by the processor: files that container engines leave
// behind are copied with the disks of virtual machines.
//
// Source: systemd-detect-virt(1), whose names for kinds these are.
func hypervisor(root string, flags []string) string {
	clocks := Text(root, "sys/devices/system/clocksource/clocksource0/available_clocksource")
	switch kind := Text(root, "sys/hypervisor/type"); {
	case kind != "":
		return kind
	case strings.Contains(clocks, "kvm-clock"):
		return "kvm"
	case strings.Contains(clocks, "hyperv"):
		return "hyperv"
	}
	firmware := Text(root, "sys/class/dmi/id/sys_vendor") + " " + Text(root, "sys/class/dmi/id/product_name")
	for _, virtual := range []struct{ words, kind string }{{"KVM", "kvm"}, {"QEMU", "qemu"}, {"VMware", "vmware"},
		{"VirtualBox", "oracle"}} {
		if strings.Contains(firmware, virtual.words) {
			return virtual.kind
		}
	}
	if slices.Contains(flags, "hypervisor") {
		return "unknown"
	}
	return ""
}

// governors are those that choose the frequencies of the CPUs, each once; empty where the system leaves that to
// somebody else.
func governors(root string) string {
	files, _ := filepath.Glob(filepath.Join(root, "sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"))
	var out []string
	for _, f := range files {
		if g := Text(f); g != "" && !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// swapSize is how much memory can be put aside on disks: "none", or its size.
func swapSize(memory *mem.VirtualMemoryStat) string {
	total := memory.SwapTotal
	if runtime.GOOS != "linux" { // where the two are not told together
		swap, err := mem.SwapMemory()
		if err != nil {
			return ""
		}
		total = swap.Total
	}
	if total == 0 {
		return "none"
	}
	return units.BytesSize(float64(total))
}

// bracketed is the word in brackets of a setting such as "always [madvise] never".
func bracketed(setting string) string {
	_, rest, _ := strings.Cut(setting, "[")
	word, _, found := strings.Cut(rest, "]")
	if !found {
		return ""
	}
	return word
}

// siblings lists the CPUs of each physical core that has several, or says that there is none: on such a core, two
// programs slow each other down although each has a CPU of its own.
func siblings(cores [][]int) string {
	var out []string
	for _, cpus := range cores {
		if len(cpus) < 2 {
			continue
		}
		out = append(out, strings.Join(slice.Map(cpus, strconv.Itoa), ","))
	}
	return cmp.Or(strings.Join(out, "; "), "none")
}

// mitigations lists what the kernel does about vulnerabilities of the processor: it changes what system calls cost.
func mitigations(root string) string {
	files, _ := filepath.Glob(filepath.Join(root, "sys/devices/system/cpu/vulnerabilities/*"))
	var out []string
	for _, f := range files {
		if state := Text(f); strings.HasPrefix(state, "Mitigation:") || strings.HasPrefix(state, "Vulnerable") {
			out = append(out, filepath.Base(f)+": "+state)
		}
	}
	return strings.Join(out, "; ")
}

// physicalCores groups the logical CPUs of the machine by the core that they are threads of. They are those that are
// online, whatever we may use ourselves: containers are not bound by our affinity. Root is the root directory.
//
// Source: Linux, Documentation/admin-guide/cputopology.rst.
func physicalCores(root string) [][]int {
	cpus := filepath.Join(root, "sys/devices/system/cpu")
	online, err := kernel.ParseCPUs(Text(cpus, "online"))
	if err != nil {
		for i := range runtime.NumCPU() { // not Linux
			online = append(online, i)
		}
	}
	seen := map[string]int{}
	var cores [][]int
	for _, i := range online {
		siblings := cmp.Or(Text(cpus, fmt.Sprintf("cpu%d/topology/thread_siblings_list", i)), fmt.Sprint(i))
		k, ok := seen[siblings]
		if !ok {
			k = len(cores)
			seen[siblings] = k
			cores = append(cores, nil)
		}
		cores[k] = append(cores[k], i)
	}
	return cores
}

// Together is a host together with other machines that something is measured on, of which it may be none. Its ID is of
// all of them, in the order of their names. The facts of this machine keep their names, those of others are below
// hosts and the name of each.
func (h Host) Together(others map[string]Host, here bool) Host {
	all := Host{Others: others, Facts: map[string]string{}, Mirrors: h.Mirrors}
	var ids []string
	if here {
		all.Cores, ids = h.Cores, []string{h.ID}
		maps.Copy(all.Facts, h.Facts)
	}
	for _, name := range slices.Sorted(maps.Keys(others)) {
		ids = append(ids, others[name].ID)
		for fact, value := range others[name].Facts {
			all.Facts["hosts."+name+"."+fact] = value
		}
	}
	all.ID = CombinedID(ids)
	return all
}

// CombinedID is the ID of machines together, given those of each.
func CombinedID(ids []string) string {
	if len(ids) == 1 {
		return ids[0]
	}
	sum := sha256.Sum256([]byte(strings.Join(ids, " ")))
	var classes []string
	for _, id := range ids {
		class, _, _ := strings.Cut(id, "-")
		classes = append(classes, class)
	}
	return strings.Join(classes, "+") + "-" + hex.EncodeToString(sum[:3])
}

// At is one of the machines of a host: the empty name is this one.
func (h Host) At(name string) Host {
	if name == "" {
		return h
	}
	return h.Others[name]
}

// CoresOf are the logical CPUs of each physical core of one of the machines.
func (h Host) CoresOf(name string) [][]int { return h.At(name).Cores }
