package machines

import (
	"strings"
	"testing"

	"benchbook/runner/sysinfo"
)

// Several machines have one ID, which is of all of them in order of their names, and of none of these names.
func TestHostWith(t *testing.T) {
	here := sysinfo.Host{ID: "c2-aaaaaa", Cores: [][]int{{0}, {1}}, Facts: map[string]string{"host.cpu": "ours"},
		Mirrors: []string{"mirror.corp.example"}}
	big := &Machine{Name: "big", Host: sysinfo.Host{ID: "c8-bbbbbb", Cores: [][]int{{0}},
		Facts: map[string]string{"host.cpu": "theirs"}}}
	far := &Machine{Name: "far", Host: sysinfo.Host{ID: "c4-cccccc"}}
	all := Together(here, []*Machine{far, big}, true)
	if !strings.HasPrefix(all.ID, "c2+c8+c4-") || len(all.ID) != len("c2+c8+c4-")+6 {
		t.Errorf("the ID is %s", all.ID)
	}
	if all.Facts["host.cpu"] != "ours" || all.Facts["hosts.big.host.cpu"] != "theirs" || len(all.CoresOf("")) != 2 ||
		len(all.CoresOf("big")) != 1 {
		t.Errorf("got %+v", all)
	}
	if got := Together(here, []*Machine{big}, false); got.ID != "c8-bbbbbb" || got.Facts["host.cpu"] != "" ||
		got.Cores != nil {
		t.Errorf("without this machine it is %+v", got)
	} else if len(got.Mirrors) != 1 {
		t.Error("its records would name our mirrors")
	}
	if got := Together(here, nil, true); got.ID != here.ID {
		t.Errorf("alone it is %s", got.ID)
	}
	swapped := Together(here, []*Machine{{Name: "big", Host: far.Host}, {Name: "far", Host: big.Host}}, true)
	if swapped.ID == all.ID {
		t.Error("two machines that have changed places have the same ID")
	}

	cache := HostCache(t.TempDir())
	endpoints := map[string]string{"big": "ssh://big", "far": "ssh://far"}
	cache.Write("ssh://big", big.Host)
	if _, ok := Known(here, cache, endpoints, true); ok {
		t.Error("a machine that was never met is known")
	}
	cache.Write("ssh://far", far.Host)
	if known, ok := Known(here, cache, endpoints, true); !ok || known.ID != all.ID {
		t.Errorf("known as %s, %v, want %s", known.ID, ok, all.ID)
	}
}
