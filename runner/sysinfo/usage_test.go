package sysinfo

import "testing"

// The kernel's clock counts in steps, and wrongly what wakes up in step with it. Where the root of all control groups
// tells the exact time, that counts; the group of a container is not the machine.
func TestBusyTimeIsExact(t *testing.T) {
	t.Parallel()
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
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.write("proc/stat", "cpu  1000 100 400 8060 100 40 60 300 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n")
			if tt.usage != "" {
				m.write(groupOfAll+"/cpuacct.usage", tt.usage+"\n")
			}
			if tt.root {
				m.write(groupOfAll+"/release_agent", "")
			}
			if got := readHostBelow(m.root); got.Busy != tt.want || got.Total != 100.6 || got.Steal != 3 {
				t.Errorf("read %+v, want %v busy of 100.6", got, tt.want)
			}
		})
	}
}
