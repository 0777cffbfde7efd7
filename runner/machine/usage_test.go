package machine

import (
	"os"
	"path/filepath"
	"testing"

	"benchbook/internal/test/must"
)

// write writes a file of a machine whose root directory is given.
func write(root, name, text string) {
	path := filepath.Join(root, name)
	must.Do(os.MkdirAll(filepath.Dir(path), 0o755))
	must.Do(os.WriteFile(path, []byte(text+"\n"), 0o644))
}

// The busy time is that of the root control group where it can be read, else that of the kernel's clock.
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
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write(root, "proc/stat", "cpu  1000 100 400 8060 100 40 60 300 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0")
			if tt.usage != "" {
				write(root, groupsOfAll[0]+"/cpuacct.usage", tt.usage)
			}
			if tt.root {
				write(root, groupsOfAll[0]+"/release_agent", "")
			}
			if got := readBelow(root); got.Busy != tt.want || got.Total != 100.6 || got.Steal != 3 {
				t.Errorf("read %+v, want %v busy of 100.6", got, tt.want)
			}
		})
	}
}
