package sysinfo

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v4/mem"

	"benchbook/notebook/record"
	"benchbook/runner/engine/kernel"
)

// MachineState is what a machine is like at one moment, for people who want to know whether it can measure.
type MachineState struct {
	record.Before // of what others took and of what was read from swap, since the machine was started

	Memory, Available uint64 // bytes, 0 where the system does not tell
	Swap, SwapUsed    uint64 // bytes
	// of connections, in the machine's own network, by the kernel's names; see netns.Limits
	Limits map[string]string
	// how many files a program may open that is started as we were: "1024", "unlimited"; empty if unknown
	Files       string
	FilesAtMost string // and what it may raise that to
}

// ReadMachineState looks at the machine whose root directory this is, and measures its noise. It waits for nothing.
// Noise is MeasureNoise if nil.
func ReadMachineState(ctx context.Context, root string, noise func(context.Context) Noise) MachineState {
	s := Settler{Root: root, Noise: noise}
	state, restless := s.look(ctx)
	l := MachineState{Before: *state, Limits: kernel.Limits(root)}
	l.For, l.Settled = restless, len(restless) == 0
	if host := readHostBelow(root); host.Total > 0 {
		l.Steal = host.Steal / host.Total
	}
	if memory, err := mem.VirtualMemoryWithContext(Below(root)); err == nil {
		l.Memory, l.Available = memory.Total, memory.Available
		l.Swap, l.SwapUsed = memory.SwapTotal, memory.SwapTotal-memory.SwapFree
	}
	if swap, err := mem.SwapMemoryWithContext(Below(root)); err == nil {
		l.SwappedIn = int64(swap.Sin)
		if runtime.GOOS != "linux" { // where the two are not told together
			l.Swap, l.SwapUsed = swap.Total, swap.Used
		}
	}
	l.Files, l.FilesAtMost = openFiles(root)
	return l
}

// openFiles are the limits that whoever started us has given to programs. Our own are no answer: Go raises the first of
// them.
//
// Source: proc_pid_limits(5); Go, os/rlimit.go.
func openFiles(root string) (soft, hard string) {
	for _, process := range []string{strconv.Itoa(os.Getppid()), "self"} {
		for line := range strings.Lines(Text(root, "proc", process, "limits")) {
			if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
				if fields := strings.Fields(rest); len(fields) >= 2 {
					return fields[0], fields[1]
				}
			}
		}
	}
	return "", ""
}
