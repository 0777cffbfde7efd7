package sysinfo

import (
	"context"

	"github.com/shirou/gopsutil/v4/mem"

	"benchbook/notebook/record"
)

// MachineState says how busy a machine is at one moment.
type MachineState struct {
	record.Before // Steal counts since the machine was started

	Memory, Available uint64 // bytes, 0 where the system does not tell
}

// ReadMachineState reads the state of the machine with this root directory, and measures its noise. A nil noise is
// MeasureNoise.
func ReadMachineState(ctx context.Context, root string, noise func(context.Context) Noise) MachineState {
	s := Settler{Root: root, Noise: noise}
	state, _ := s.look(ctx)
	l := MachineState{Before: *state}
	if host := readHostBelow(root); host.Total > 0 {
		l.Steal = host.Steal / host.Total
	}
	if memory, err := mem.VirtualMemoryWithContext(Below(root)); err == nil {
		l.Memory, l.Available = memory.Total, memory.Available
	}
	return l
}
