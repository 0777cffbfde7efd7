// Package machine describes a machine and reads its usage from /proc and control groups. It waits for a machine to come
// to rest before a measurement, and keeps two runs from measuring on a machine at once.
//
// A Machine is this one, or another one on which our agent answers requests in a container.
package machine

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/docker/go-units"
	"github.com/shirou/gopsutil/v4/common"
	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/mem"

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// Host describes a machine, or several that are used together.
type Host struct {
	// ID is the machine's class, a short digest of CPU model, cores and memory in whole GiB, and its identity within the
	// class: "c2-1f3a9b.7f3a". It never contains the machine's name.
	ID    string
	Cores [][]int           // the logical CPUs of each physical core, in order
	Facts map[string]string // "host.cpu" and the like
	Nodes []string          `json:",omitempty"` // its node names in a cluster

	Others  map[string]Host // other machines by their names in the project; see Together
	Mirrors []string        `json:"-"` // private names to redact from records; see MirrorsOf
}

// Here describes this machine.
func Here() (Host, error) {
	h, err := Below("/")
	if err != nil {
		return h, err
	}
	id, err := identity("/", stateFolder())
	h.ID += "." + id
	return h, err
}

// Below describes the machine with a root directory from its kernel's files. The ID is only its class.
func Below(root string) (Host, error) {
	ctx := gopsutil(root)
	info, err := cpu.InfoWithContext(ctx)
	if err != nil || len(info) == 0 {
		return Host{}, fmt.Errorf("finding out about this machine's processor: %w", cmp.Or(err, os.ErrNotExist))
	}
	memory, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return Host{}, fmt.Errorf("finding out about this machine's memory: %w", err)
	}
	cores := physicalCores(root)
	model, logical := strings.Join(strings.Fields(info[0].ModelName), " "), len(slices.Concat(cores...))
	gib := int(math.Round(float64(memory.Total) / (1 << 30)))
	_, hugepages, _ := strings.Cut(text(root, "sys/kernel/mm/transparent_hugepage/enabled"), "[")
	hugepages, _, _ = strings.Cut(hugepages, "]") // always [madvise] never
	swap := "none"
	if memory.SwapTotal > 0 {
		swap = units.BytesSize(float64(memory.SwapTotal))
	}
	h := Host{ID: record.MachineClass(model, logical, gib), Cores: cores, Facts: map[string]string{},
		Mirrors: MirrorsOf(os.DirFS(root), os.Environ())}
	for name, value := range map[string]string{
		"cpu":          model,
		"cores":        fmt.Sprintf("%d logical, %d physical", logical, len(cores)),
		"siblings":     siblings(cores),
		"memory":       fmt.Sprintf("%d GiB", gib),
		"architecture": runtime.GOARCH,
		"microcode":    info[0].Microcode,
		"kernel":       text(root, "proc/sys/kernel/osrelease"),
		"governor":     governors(root),
		"clock":        text(root, "sys/devices/system/clocksource/clocksource0/current_clocksource"),
		"mitigations":  mitigations(root),
		"swap":         swap,
		"hugepages":    hugepages,
		"virtual":      hypervisor(root, info[0].Flags),
	} {
		if value = strings.TrimSpace(value); value != "" {
			h.Facts["host."+name] = value
		}
	}
	return h, nil
}

// gopsutil returns a context that makes the library gopsutil read below another root directory.
func gopsutil(root string) context.Context {
	if root == "/" {
		return context.Background()
	}
	return context.WithValue(context.Background(), common.EnvKey, common.EnvMap{
		common.HostProcEnvKey: filepath.Join(root, "proc"), common.HostSysEnvKey: filepath.Join(root, "sys"),
		common.HostEtcEnvKey: filepath.Join(root, "etc")})
}

// text returns the contents of a kernel file without surrounding space, or "".
func text(path ...string) string {
	data, _ := os.ReadFile(filepath.Join(path...))
	return strings.TrimSpace(string(data))
}

// hypervisor returns the kind of virtual machine, or "". It looks at clocks, the CPU, and the firmware's name for the
// machine, which is all that ARM has. It ignores files of container engines, because these get copied with disks.
//
// Source: systemd-detect-virt(1), which names the kinds.
func hypervisor(root string, flags []string) string {
	if kind := text(root, "sys/hypervisor/type"); kind != "" {
		return kind
	}
	signs := text(root, "sys/devices/system/clocksource/clocksource0/available_clocksource") + " " +
		text(root, "sys/class/dmi/id/sys_vendor") + " " + text(root, "sys/class/dmi/id/product_name")
	for _, virtual := range []struct{ sign, kind string }{{"kvm-clock", "kvm"}, {"hyperv", "hyperv"}, {"KVM", "kvm"},
		{"QEMU", "qemu"}, {"VMware", "vmware"}, {"VirtualBox", "oracle"}} {
		if strings.Contains(signs, virtual.sign) {
			return virtual.kind
		}
	}
	if slices.Contains(flags, "hypervisor") {
		return "unknown"
	}
	return ""
}

// governors lists the frequency governors of the CPUs; empty if the system does not control frequencies.
func governors(root string) string {
	files, _ := filepath.Glob(filepath.Join(root, "sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"))
	all := slice.Map(files, func(file string) string { return text(file) })
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// siblings lists the CPUs of each physical core that has several, or returns "none". Programs on sibling CPUs slow each
// other down.
func siblings(cores [][]int) string {
	var out []string
	for _, cpus := range cores {
		if len(cpus) > 1 {
			out = append(out, strings.Join(slice.Map(cpus, strconv.Itoa), ","))
		}
	}
	return cmp.Or(strings.Join(out, "; "), "none")
}

// mitigations lists the kernel's mitigations of processor vulnerabilities, which change the cost of system calls.
func mitigations(root string) string {
	files, _ := filepath.Glob(filepath.Join(root, "sys/devices/system/cpu/vulnerabilities/*"))
	var out []string
	for _, f := range files {
		if state := text(f); strings.HasPrefix(state, "Mitigation:") || strings.HasPrefix(state, "Vulnerable") {
			out = append(out, filepath.Base(f)+": "+state)
		}
	}
	return strings.Join(out, "; ")
}

// physicalCores groups the online CPUs by physical core. It ignores our own affinity, which does not apply to
// containers.
//
// Source: Linux, Documentation/admin-guide/cputopology.rst.
func physicalCores(root string) [][]int {
	var cores [][]int
	at := map[string]int{} // index in cores by list of siblings
	for _, cpu := range OnlineCPUs(root) {
		name := strconv.Itoa(cpu)
		siblings := cmp.Or(text(root, "sys/devices/system/cpu/cpu"+name+"/topology/thread_siblings_list"), name)
		if _, ok := at[siblings]; !ok {
			at[siblings] = len(cores)
			cores = append(cores, nil)
		}
		cores[at[siblings]] = append(cores[at[siblings]], cpu)
	}
	return cores
}

// OnlineCPUs returns the online logical CPUs of the machine with a root directory.
func OnlineCPUs(root string) []int {
	cpus, ok := spec.ParseCPUSet(text(root, "sys/devices/system/cpu/online"))
	if !ok { // not Linux
		for i := range runtime.NumCPU() {
			cpus = append(cpus, i)
		}
	}
	return cpus
}

// Together returns the Host of several other machines, used from this one. Its ID combines all of theirs, in the order
// of their names. Their facts are named hosts.NAME.FACT.
func (h Host) Together(others map[string]Host) Host {
	all := Host{Others: others, Facts: map[string]string{}, Mirrors: h.Mirrors}
	var ids []string
	for _, name := range slices.Sorted(maps.Keys(others)) {
		ids = append(ids, others[name].ID)
		for fact, value := range others[name].Facts {
			all.Facts["hosts."+name+"."+fact] = value
		}
	}
	all.ID = combinedID(ids)
	return all
}

// combinedID combines the IDs of several machines into one.
func combinedID(ids []string) string {
	if len(ids) == 1 {
		return ids[0]
	}
	classes := slice.Map(ids, record.ClassOf)
	sum := sha256.Sum256([]byte(strings.Join(classes, " ")))
	counts := slice.Map(ids, func(id string) string {
		cores, _, _ := strings.Cut(id, "-")
		return cores
	})
	return strings.Join(counts, "+") + "-" + hex.EncodeToString(sum[:3]) + "." + identityOf(ids...)
}

// CoresOf returns the logical CPUs of each physical core of a machine by name; the empty name is this machine.
func (h Host) CoresOf(name string) [][]int {
	if name == "" {
		return h.Cores
	}
	return h.Others[name].Cores
}

// A Fingerprint is the speed of a machine at four simple tasks, each on one core. It may differ between hosts of a
// class, and between days on one host.
//
// Source: docs/method.md#hosts.
type Fingerprint struct {
	Calls    float64 // system calls, per second
	Switches float64 // switches between two threads, per second
	Copied   float64 // bytes copied in memory, per second
	Integer  float64 // rounds of a loop of integer operations, per second
}

// AddTo adds the fingerprint of a machine, unless it is zero, to the facts of a host. Name is the machine's name in the
// project, or empty.
func (f Fingerprint) AddTo(facts map[string]string, name string) {
	if f == (Fingerprint{}) {
		return
	}
	prefix := "host.speed."
	if name != "" {
		prefix = "hosts." + name + "." + prefix
	}
	facts[prefix+"calls"] = fmt.Sprintf("%.3g/s", f.Calls)
	facts[prefix+"switches"] = fmt.Sprintf("%.3g/s", f.Switches)
	facts[prefix+"copied"] = fmt.Sprintf("%.3g GB/s", f.Copied/1e9)
	facts[prefix+"integer"] = fmt.Sprintf("%.3g/s", f.Integer)
}

// identity returns four hex digits that distinguish this machine from others of its class. It digests /etc/machine-id,
// the firmware's UUID if readable, and a random number that it stores in the folder state, because machines cloned from
// one image share the other two. If the folder is not writable, it does without the number.
//
// Source: docs/method.md#hosts.
func identity(root, state string) (string, error) {
	random, err := randomID(filepath.Join(state, "id"))
	if err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) {
		return "", fmt.Errorf("telling this machine from others: %w", err)
	}
	return identityOf(text(root, "etc/machine-id"), text(root, "sys/class/dmi/id/product_uuid"), random), nil
}

// identityOf returns a short digest of identifying data, which must not be in records itself.
func identityOf(parts ...string) string {
	sum := hmac.New(sha256.New, []byte("benchbook"))
	for _, part := range parts {
		fmt.Fprintf(sum, "%s\n", part)
	}
	return hex.EncodeToString(sum.Sum(nil)[:2])
}

var isRandomID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// randomID reads the random number in a file, or creates it. Processes that create it at once get the same number.
func randomID(path string) (string, error) {
	if id, err := readID(path); !os.IsNotExist(err) {
		return id, err
	}
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	id := hex.EncodeToString(random[:])
	made := path + "-" + id
	if err := files.Write(made, []byte(id+"\n")); err != nil {
		return "", err
	}
	defer os.Remove(made)
	if err := os.Link(made, path); err != nil && !os.IsExist(err) {
		return "", err
	}
	return readID(path)
}

func readID(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(string(data))
	if !isRandomID.MatchString(id) {
		return "", fmt.Errorf("%s is damaged: remove it, and this machine counts as a new one", path)
	}
	return id, nil
}

// stateFolder returns the folder in which benchbook stores this machine's random number.
func stateFolder() string {
	if os.Geteuid() == 0 {
		return "/var/lib/benchbook"
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "benchbook")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	return filepath.Join(home, ".local", "state", "benchbook")
}
