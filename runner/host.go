package runner

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
)

// Host is the machine that we measure on.
type Host struct {
	// ID is its class and a short digest of CPU model, cores and memory in whole GiB, such as "c2-1f3a9b". It never
	// holds the machine's name.
	ID string
	// Cores are the logical CPUs of each physical core, in order.
	Cores [][]int
	Facts map[string]string
}

// ThisHost describes this machine.
func ThisHost() (Host, error) {
	info, err := cpu.Info()
	if err != nil || len(info) == 0 {
		return Host{}, fmt.Errorf("finding out about this machine's processor: %w", cmp.Or(err, os.ErrNotExist))
	}
	memory, err := mem.VirtualMemory()
	if err != nil {
		return Host{}, fmt.Errorf("finding out about this machine's memory: %w", err)
	}
	h := Host{Cores: physicalCores("/"), Facts: map[string]string{}}
	gib := int(math.Round(float64(memory.Total) / (1 << 30)))
	model := strings.Join(strings.Fields(info[0].ModelName), " ")
	logical := 0
	for _, c := range h.Cores {
		logical += len(c)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%d|%d", model, logical, gib))
	h.ID = fmt.Sprintf("c%d-%s", logical, hex.EncodeToString(sum[:3]))
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
	if kernel, err := host.KernelVersion(); err == nil {
		fact("kernel", kernel)
	}
	fact("governor", read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))
	fact("clock", read("/sys/devices/system/clocksource/clocksource0/current_clocksource"))
	fact("mitigations", mitigations())
	return h, nil
}

// siblings lists the CPUs of each physical core that has several, or says that there is none: on such a core, two programs slow
// each other down although each has a CPU of its own.
func siblings(cores [][]int) string {
	var out []string
	for _, cpus := range cores {
		if len(cpus) < 2 {
			continue
		}
		var words []string
		for _, cpu := range cpus {
			words = append(words, strconv.Itoa(cpu))
		}
		out = append(out, strings.Join(words, ","))
	}
	return cmp.Or(strings.Join(out, "; "), "none")
}

func read(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// mitigations lists what the kernel does about vulnerabilities of the processor: it changes what system calls cost.
func mitigations() string {
	files, _ := filepath.Glob("/sys/devices/system/cpu/vulnerabilities/*")
	var out []string
	for _, f := range files {
		if state := read(f); strings.HasPrefix(state, "Mitigation:") || strings.HasPrefix(state, "Vulnerable") {
			out = append(out, filepath.Base(f)+": "+state)
		}
	}
	return strings.Join(out, "; ")
}

// physicalCores groups the logical CPUs of the machine by the core that they are threads of. They are those that are online, whatever
// we may use ourselves: containers are not bound by our affinity. Root is the root directory.
//
// Source: Linux, Documentation/admin-guide/cputopology.rst.
func physicalCores(root string) [][]int {
	cpus := filepath.Join(root, "sys/devices/system/cpu")
	online, ok := parseCPUs(read(filepath.Join(cpus, "online")))
	if !ok {
		for i := range runtime.NumCPU() { // not Linux
			online = append(online, i)
		}
	}
	seen := map[string]int{}
	var cores [][]int
	for _, i := range online {
		siblings := read(filepath.Join(cpus, fmt.Sprintf("cpu%d/topology/thread_siblings_list", i)))
		if siblings == "" {
			siblings = fmt.Sprint(i)
		}
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

// parseCPUs reads a list of CPUs as the kernel and cpuset write it: "0-2,5".
func parseCPUs(list string) ([]int, bool) {
	var cpus []int
	for part := range strings.SplitSeq(list, ",") {
		first, last, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, errTo := strconv.Atoi(last)
		if err != nil || errTo != nil || from < 0 || to < from {
			return nil, false
		}
		for i := from; i <= to; i++ {
			if !slices.Contains(cpus, i) {
				cpus = append(cpus, i)
			}
		}
	}
	return cpus, true
}
