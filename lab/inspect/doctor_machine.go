package inspect

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/shirou/gopsutil/v4/disk"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/plan"
	"benchbook/runner/sysinfo"
)

// ThisMachine is what doctor looks at.
func ThisMachine() lab.Machine {
	return lab.Machine{Root: "/", Noise: sysinfo.MeasureNoise, User: os.Geteuid, Free: func(folder string) (uint64,
		error) {
		usage, err := disk.Usage(folder)
		if err != nil {
			return 0, err
		}
		return usage.Free, nil
	}}
}

// untold is what is said of a fact that the system keeps to itself.
const untold = "this system does not report it"

func examineProcessor(host sysinfo.Host) finding {
	words := cmp.Or(host.Facts["host.cpu"], untold) + ", " + host.Facts["host.architecture"]
	if microcode := host.Facts["host.microcode"]; microcode != "" {
		words += ", microcode " + microcode
	}
	return finding{Name: "processor", Level: fine, Words: words}
}

func examineKernel(host sysinfo.Host) finding {
	return finding{Name: "kernel", Level: fine, Words: cmp.Or(host.Facts["host.kernel"], untold)}
}

func examineVirtual(host sysinfo.Host) finding {
	words := "no virtual machine detected"
	if kind := host.Facts["host.virtual"]; kind != "" {
		words = "a virtual machine (" + kind + "), whose neighbours may disturb it: see noise and steal"
	}
	return finding{Name: "virtualisation", Level: fine, Words: words}
}

func examineCores(host sysinfo.Host) finding {
	at := plan.Place(host.Cores)
	s := finding{Name: "cores", Level: fine, Words: fmt.Sprintf("%s; services on %s, load on %s", host.Facts["host.cores"],
		at.Services, at.Load)}
	switch {
	case len(host.Cores) < 2:
		s.Level, s.Remedy = warn, "services and load share one core, so both are measured together: use a machine with two "+
			"cores or more"
	case host.Facts["host.siblings"] != "none":
		s.Words += "; threads of one core: " + host.Facts["host.siblings"]
	}
	return s
}

func examineGovernor(host sysinfo.Host) finding {
	governor := host.Facts["host.governor"]
	switch governor {
	case "":
		return finding{Name: "governor", Level: fine, Words: "frequencies are not controlled by this system"}
	case "performance":
		return finding{Name: "governor", Level: fine, Words: governor}
	}
	return finding{Name: "governor", Level: warn, Words: governor + ": frequencies follow the load",
		Remedy: "write performance into /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor, as root"}
}

// quickClocks are those that programs can read without asking the kernel.
//
// Source: Linux, Documentation/virt/kvm/x86/timekeeping.rst, clocksource.
var quickClocks = []string{"tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"}

func examineClock(host sysinfo.Host) finding {
	clock := host.Facts["host.clock"]
	s := finding{Name: "clock", Level: fine, Words: cmp.Or(clock, untold)}
	if clock != "" && !slices.Contains(quickClocks, clock) {
		s.Level, s.Words = warn, clock+": reading it takes a system call, also in programs under test"
		s.Remedy = "choose tsc or kvm-clock, where available_clocksource in /sys/devices/system/clocksource/clocksource0 " +
			"has one"
	}
	return s
}

// vulnerabilities are those that the fact about mitigations tells of, each with what is done about it, which may hold
// "; " too.
var vulnerabilities = regexp.MustCompile(`(?:^|; )(\w+): (Mitigation:|Vulnerable)`)

func examineMitigations(host sysinfo.Host) finding {
	var done, open []string
	for _, m := range vulnerabilities.FindAllStringSubmatch(host.Facts["host.mitigations"], -1) {
		if m[2] == "Vulnerable" {
			open = append(open, m[1])
		} else {
			done = append(done, m[1])
		}
	}
	words := "none reported by the kernel"
	if len(done)+len(open) > 0 {
		words = "on for " + cmp.Or(strings.Join(done, ", "), "nothing")
		if len(open) > 0 {
			words += "; off for " + strings.Join(open, ", ")
		}
		words += ". Mitigations change the cost of system calls: compare only hosts with the same mitigations"
	}
	return finding{Name: "mitigations", Level: fine, Words: words}
}

func examineMemory(host sysinfo.Host, look sysinfo.MachineState) finding {
	s := finding{Name: "memory", Level: fine, Words: host.Facts["host.memory"]}
	if look.Available > 0 {
		s.Words += ", " + units.BytesSize(float64(look.Available)) + " available"
	}
	if pages := host.Facts["host.hugepages"]; pages != "" {
		s.Words += ", huge pages " + pages
	}
	return s.warnIf(look.Available > 0 && look.Available < look.Memory/10,
		"end programs until a tenth of the memory is available: without free memory, services are killed or swapped")
}

// Bounds of noise above which numbers are likely to scatter by more than the 5 % that articles care about.
const (
	muchJitter  = 2 * time.Millisecond
	muchSpin    = 0.05
	muchForeign = 0.05 // docs/validity.md#checks warns above this
	muchSteal   = 0.01 // and of steal above this
)

func examineNoise(host sysinfo.Host, look sysinfo.MachineState) []finding {
	cpus, jitter := len(slices.Concat(host.Cores...)), time.Duration(look.Jitter*float64(time.Second))
	even := finding{Name: "noise", Level: fine,
		Words: fmt.Sprintf("a timer was late by %v at most, equal computations differed by %.1f %%",
			jitter.Round(time.Microsecond), 100*look.Spin)}
	even = even.warnIf(jitter > muchJitter || look.Spin > muchSpin,
		"end other programs on this machine; for a virtual machine, get dedicated cores")
	others := finding{Name: "other programs", Level: fine, Words: untold}
	if look.Foreign >= 0 && cpus > 0 {
		others.Words = fmt.Sprintf("want %.0f %% of the CPUs", 100*look.Foreign)
		others = others.warnIf(look.Foreign > muchForeign,
			"end them: a repetition is not valid if others use more than 12 % of the CPUs")
	}
	return []finding{even, others}
}

func examineSteal(look sysinfo.MachineState) finding {
	s := finding{Name: "steal", Level: fine, Words: untold}
	if look.Steal >= 0 {
		s.Words = fmt.Sprintf("other virtual machines took %.1f %% of the CPUs since this one was started", 100*look.Steal)
	}
	return s.warnIf(look.Steal > muchSteal,
		"get dedicated CPUs: a repetition in which more than 5 % are stolen is not valid")
}

func examineSwap(look sysinfo.MachineState) finding {
	s := finding{Name: "swap", Level: fine, Words: "none"}
	if look.Swap == 0 {
		return s
	}
	s.Words = fmt.Sprintf("%s of %s in use", units.BytesSize(float64(look.SwapUsed)), units.BytesSize(float64(look.Swap)))
	if look.SwappedIn >= 0 {
		s.Words += fmt.Sprintf(", %s read back since the machine was started", units.BytesSize(float64(look.SwappedIn)))
	}
	return s.warnIf(look.SwapUsed > 0 && look.Available < look.Memory/10,
		"end programs until memory is free: what services have to read back from swap is measured as theirs")
}

// examineRest says what is left to do on the machine, which a run would wait for.
func examineRest(look sysinfo.MachineState) finding {
	var words []string
	if look.TimeWait >= 0 {
		words = append(words, terminal.Count(int(look.TimeWait), "closed connection")+" in TIME_WAIT")
	}
	if look.Dirty >= 0 {
		words = append(words, units.BytesSize(float64(look.Dirty))+" to be written to disks")
	}
	s := finding{Name: "at rest", Level: fine, Words: cmp.Or(strings.Join(words, ", "), untold)}
	return s.warnIf(!look.Settled, "nothing: a run waits some seconds for "+strings.Join(look.For, ", ")+
		", before each repetition")
}

// enoughWaiting is how many connections a service should be able to have waiting: kernels before 5.4 allow 128, which a
// few hundred clients that connect at once overflow.
const enoughWaiting = 1024

func examineListening(look sysinfo.MachineState) finding {
	s := finding{Name: "listening", Level: fine}
	var words []string
	for _, name := range []string{"somaxconn", "tcp_max_syn_backlog", "tcp_syncookies", "tcp_tw_reuse"} {
		if value := look.Limits[name]; value != "" {
			words = append(words, name+" "+value)
		}
	}
	if len(words) == 0 {
		s.Words = untold
		return s
	}
	s.Words = strings.Join(words, ", ") + " here; containers start with the kernel's defaults, and records hold theirs"
	return s.warnIf(isFew(look.Limits["somaxconn"], enoughWaiting),
		"give services with many clients sysctls: {net.core.somaxconn: 4096}, and permit it with allow in benchbook.yaml")
}

// Files that programs should be able to open: a connection is one.
const (
	enoughFiles       = 1024
	enoughFilesAtMost = 16384
)

func examineFiles(look sysinfo.MachineState) finding {
	s := finding{Name: "open files", Level: fine, Words: untold}
	if look.Files == "" {
		return s
	}
	s.Words = fmt.Sprintf("%s for each program, which may raise it to %s; in containers the engine decides", look.Files,
		look.FilesAtMost)
	return s.warnIf(isFew(look.Files, enoughFiles) || isFew(look.FilesAtMost, enoughFilesAtMost),
		fmt.Sprintf("raise it with ulimit -n %d, and for services with ulimits: {nofile: %[1]d}: each connection is a file",
			enoughFilesAtMost))
}

// isFew reports whether a limit is a number, not "unlimited" or unknown, below what is enough.
func isFew(limit string, enough int) bool {
	n, err := strconv.Atoi(limit)
	return err == nil && n < enough
}
