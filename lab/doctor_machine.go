package lab

import (
	"cmp"
	"fmt"
	"time"

	"github.com/docker/go-units"
	"github.com/shirou/gopsutil/v4/disk"

	"benchbook/notebook/plan"
	"benchbook/runner/machine"
)

// ThisMachine returns the machine that doctor checks.
func ThisMachine() Machine {
	return Machine{Root: "/", Noise: machine.MeasureNoise, Free: func(folder string) (uint64,
		error) {
		usage, err := disk.Usage(folder)
		if err != nil {
			return 0, err
		}
		return usage.Free, nil
	}}
}

// untold describes a fact that the system does not report.
const untold = "this system does not report it"

// examineMachine describes the machine.
func examineMachine(host machine.Host) finding {
	words := cmp.Or(host.Facts["host.cpu"], untold) + ", " + host.Facts["host.architecture"] + ", kernel " +
		cmp.Or(host.Facts["host.kernel"], "unknown")
	if kind := host.Facts["host.virtual"]; kind != "" {
		words += ", in a virtual machine (" + kind + ")"
	}
	return finding{Name: "machine", Level: fine, Words: words}
}

func examineCores(host machine.Host) finding {
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

func examineGovernor(host machine.Host) finding {
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

func examineMemory(host machine.Host, look machine.State) finding {
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

// Bounds of noise above which results are likely to vary by more than 5 %.
const (
	muchJitter  = 2 * time.Millisecond
	muchForeign = 0.05 // docs/validity.md#checks warns above this
	muchSteal   = 0.01 // and of steal above this
)

func examineNoise(look machine.State) []finding {
	even := finding{Name: "noise", Level: fine,
		Words: fmt.Sprintf("a timer of 1 ms was late by %v at most", look.Jitter.Round(time.Microsecond))}
	even = even.warnIf(look.Jitter > muchJitter,
		"end other programs on this machine; for a virtual machine, get dedicated cores")
	others := finding{Name: "other programs", Level: fine, Words: untold}
	if look.Foreign >= 0 {
		others.Words = fmt.Sprintf("want %.0f %% of the CPUs", 100*look.Foreign)
		others = others.warnIf(look.Foreign > muchForeign,
			"end them: a repetition is not valid if others use more than 12 % of the CPUs")
	}
	return []finding{even, others}
}

func examineSteal(look machine.State) finding {
	s := finding{Name: "steal", Level: fine, Words: untold}
	if look.Steal >= 0 {
		s.Words = fmt.Sprintf("other virtual machines took %.1f %% of the CPUs since this one was started", 100*look.Steal)
	}
	return s.warnIf(look.Steal > muchSteal,
		"get dedicated CPUs: a repetition in which more than 5 % are stolen is not valid")
}
