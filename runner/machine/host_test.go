package machine

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"benchbook/internal/test/must"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each kind of machine says of itself what its kernel tells, and nothing where it does not. The files of each are in an
// archive, with what is to be made of them at its end.
func TestBelow(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems have no such files")
	}
	for _, name := range []string{"intel-smt", "amd", "arm-vm"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("testdata/hosts", name+".txtar")
			archive := must.Get(txtar.ParseFile(file))
			root, last := t.TempDir(), len(archive.Files)-1
			must.Do(txtar.Write(&txtar.Archive{Files: archive.Files[:last]}, root))
			host := must.Get(Below(root))
			delete(host.Facts, "host.architecture") // that of the program
			got := fmt.Sprintf("%s %v\n", host.ID, host.Cores)
			for _, fact := range slices.Sorted(maps.Keys(host.Facts)) {
				got += fact + " = " + host.Facts[fact] + "\n"
			}
			if *update {
				archive.Files[last].Data = []byte(got)
				must.Do(os.WriteFile(file, txtar.Format(archive), 0o644))
			} else if want := string(archive.Files[last].Data); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if strings.Contains(got, root) {
				t.Error("it says where its files are")
			}
		})
	}
}

func TestHostIDHasNoName(t *testing.T) {
	h := must.Get(Here())
	name := must.Get(os.Hostname())
	for fact, value := range h.Facts {
		if len(name) > 3 && strings.Contains(value, name) {
			t.Errorf("fact %s holds the machine's name", fact)
		}
	}
	if !regexp.MustCompile(`^c\d+-[0-9a-f]{6}\.[0-9a-f]{4}$`).MatchString(h.ID) || len(h.Cores) == 0 {
		t.Errorf("%+v", h)
	}
}

// The machine has the CPUs that are online, whichever of them we may use ourselves.
func TestPhysicalCores(t *testing.T) {
	root := t.TempDir()
	write(root, "sys/devices/system/cpu/online", "0-1,4-5")
	for cpu, siblings := range map[string]string{"0": "0,4", "1": "1,5", "4": "0,4", "5": "1,5"} {
		write(root, "sys/devices/system/cpu/cpu"+cpu+"/topology/thread_siblings_list", siblings)
	}
	got, err := json.Marshal(physicalCores(root))
	if err != nil || string(got) != "[[0,4],[1,5]]" {
		t.Errorf("got %s, %v", got, err)
	}
	if got := siblings(physicalCores(root)); got != "0,4; 1,5" {
		t.Errorf("siblings %q", got)
	}
	if got := siblings([][]int{{0}, {1}}); got != "none" {
		t.Errorf("without siblings %q", got)
	}
}

// What else there is to know of a machine is read from its files.
func TestHostFacts(t *testing.T) {
	root := t.TempDir()
	if got := governors(root) + hypervisor(root, nil); got != "" {
		t.Errorf("of nothing: %q", got)
	}
	for cpu, governor := range []string{"powersave", "performance", "powersave"} {
		write(root, fmt.Sprintf("sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu), governor)
	}
	if got := governors(root); got != "performance, powersave" {
		t.Errorf("governors %q", got)
	}
	if got := hypervisor(root, []string{"hypervisor"}); got != "unknown" {
		t.Errorf("by the processor %q", got)
	}
	write(root, "sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc kvm-clock acpi_pm")
	if got := hypervisor(root, nil); got != "kvm" {
		t.Errorf("by the clocks %q", got)
	}
	write(root, "sys/hypervisor/type", "xen")
	if got := hypervisor(root, nil); got != "xen" {
		t.Errorf("as it says %q", got)
	}
}
