package machine

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/golden"
	"benchbook/internal/test/must"
)

// Each kind of machine is described by its kernel's files, and unknown facts are left out. An archive has the files of
// each machine and, at its end, the expected description; of equal processors, it has the first.
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
			delete(host.Facts, "host.architecture") // depends on the test binary
			got := fmt.Sprintf("%s %v\n", host.ID, host.Cores)
			for _, fact := range slices.Sorted(maps.Keys(host.Facts)) {
				got += fact + " = " + host.Facts[fact] + "\n"
			}
			if *golden.Update {
				archive.Files[last].Data = []byte(got)
				must.Do(os.WriteFile(file, txtar.Format(archive), 0o644))
			} else if want := string(archive.Files[last].Data); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			assert.Lacks(t, got, root) // where its files are
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

// The other facts of a machine are read from its files.
func TestHostFacts(t *testing.T) {
	root := t.TempDir()
	assert.Equal(t, governors(root)+hypervisor(root, nil), "", "of nothing")
	for cpu, governor := range []string{"powersave", "performance", "powersave"} {
		write(root, fmt.Sprintf("sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu), governor)
	}
	assert.Equal(t, governors(root), "performance, powersave", "governors")
	assert.Equal(t, hypervisor(root, []string{"hypervisor"}), "unknown", "by the processor")
	write(root, "sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc kvm-clock acpi_pm")
	assert.Equal(t, hypervisor(root, nil), "kvm", "by the clocks")
	write(root, "sys/hypervisor/type", "xen")
	assert.Equal(t, hypervisor(root, nil), "xen", "as it says")
}

func TestMirrorsOf(t *testing.T) {
	root := fstest.MapFS{
		"etc/apt/sources.list": {Data: []byte("deb [arch=amd64] http://apt.corp.example/debian bookworm main\n" +
			"deb http://deb.debian.org/debian bookworm main\n")},
		"etc/apt/sources.list.d/more.sources": {Data: []byte(
			"Types: deb\nURIs: https://mirror.corp.example:8443/debian-security\n")},
		"etc/apt/apt.conf.d/proxy": {Data: []byte(
			`Acquire::http::Proxy "http://joe:secret@Cache.corp.example:3142/";` + "\n")},
		"etc/pip.conf": {Data: []byte("[global]\nindex-url = https://10.1.2.3/simple\n" +
			"extra-index-url = https://pypi.corp.example/simple\n")},
		"etc/docker/daemon.json": {Data: []byte(`{"registry-mirrors": ["https://registry.corp.example"]}`)},
		"etc/apt/sources.list.d/bare.list": {Data: []byte("deb http://packages/debian bookworm main\n" +
			"deb http://localhost:3142/debian bookworm main\n")},
		"home/joe/.npmrc": {Data: []byte("registry=http://npm-cache:4873/\n" +
			"//npm.corp.example/:_authToken=x\n")},
		"home/joe/.config/pip/pip.conf": {Data: []byte("[global]\nindex-url = https://own.corp.example/simple\n" +
			"trusted-host = trusted.corp.example:8443 10.1.2.3 pypi.org\n")},
		"home/joe/pip.conf": {Data: []byte("[global]\nindex-url = https://chosen.corp.example/simple\n")},
		"home/ann/.npmrc":   {Data: []byte("registry=http://somebody-elses/\n")},
	}
	environment := []string{"HTTPS_PROXY=http://joe:secret@proxy.corp.example:8080", "no_proxy=localhost",
		"HOME=/home/joe", "PAGER=http://home.corp.example",
		"PIP_CONFIG_FILE=/home/joe/pip.conf", "all_proxy=tunnel:1080",
		"PIP_INDEX_URL=https://pypi.org/simple",
		"GOPROXY=https://go.corp.example,direct"}
	want := []string{"Cache.corp.example", "apt.corp.example", "cache.corp.example", "chosen.corp.example", "go.corp.example",
		"mirror.corp.example",
		"npm.corp.example", "own.corp.example", "proxy.corp.example", "pypi.corp.example",
		"registry.corp.example",
		"secret", "trusted.corp.example"}
	assert.Slice(t, MirrorsOf(root, environment), want)
}

// machineRoot creates the root directory of a machine with an ID and a UUID.
func machineRoot(t *testing.T, id, uuid string) string {
	t.Helper()
	root := t.TempDir()
	write(root, "etc/machine-id", id)
	write(root, "sys/class/dmi/id/product_uuid", uuid)
	return root
}

func TestIdentity(t *testing.T) {
	root, state := machineRoot(t, "0123", "4567"), filepath.Join(t.TempDir(), "state")
	of := func(root, state string) string {
		t.Helper()
		return must.Get(identity(root, state))
	}
	first := of(root, state)
	assert.Equal(t, regexp.MustCompile(`^[0-9a-f]{4}$`).MatchString(first), true, "the identity is %q", first)
	assert.Equal(t, of(root, state), first, "the identity afterwards")
	for _, tt := range []struct{ name, root, state string }{
		{"another machine ID", machineRoot(t, "0124", "4567"), state},
		{"another UUID", machineRoot(t, "0123", "4568"), state},
		{"a clone", root, filepath.Join(t.TempDir(), "state")},
	} {
		assert.Equal(t, of(tt.root, tt.state) == first, false, "%s has the same identity, %s", tt.name, first)
	}
	must.Write(filepath.Join(state, "id"), "torn")
	_, err := identity(root, state)
	assert.Error(t, err, "") // as the number is damaged
}

// Processes that create the random number at once get the same number.
func TestIdentityAtOnce(t *testing.T) {
	root, state := machineRoot(t, "0123", "4567"), filepath.Join(t.TempDir(), "state")
	ids := make([]string, 16)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() { ids[i], _ = identity(root, state) })
	}
	all.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("the identities are %q", ids)
		}
	}
}
