package machines

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/runner/observe"
)

// Several machines have one ID, which is of all of them in order of their names, and of none of these names.
func TestHostWith(t *testing.T) {
	here := Host{ID: "c2-aaaaaa", Cores: [][]int{{0}, {1}}, Facts: map[string]string{"host.cpu": "ours"}, Mirrors: []string{"mirror.corp.example"}}
	big := &Machine{Name: "big", Host: Host{ID: "c8-bbbbbb", Cores: [][]int{{0}}, Facts: map[string]string{"host.cpu": "theirs"}}}
	far := &Machine{Name: "far", Host: Host{ID: "c4-cccccc"}}
	all := here.With([]*Machine{far, big}, true)
	if !strings.HasPrefix(all.ID, "c2+c8+c4-") || len(all.ID) != len("c2+c8+c4-")+6 {
		t.Errorf("the ID is %s", all.ID)
	}
	if all.Facts["host.cpu"] != "ours" || all.Facts["hosts.big.host.cpu"] != "theirs" || len(all.CoresOf("")) != 2 || len(all.CoresOf("big")) != 1 {
		t.Errorf("got %+v", all)
	}
	if got := here.With([]*Machine{big}, false); got.ID != "c8-bbbbbb" || got.Facts["host.cpu"] != "" || got.Cores != nil {
		t.Errorf("without this machine it is %+v", got)
	} else if len(got.Mirrors) != 1 {
		t.Error("its records would name our mirrors")
	}
	if got := here.With(nil, true); got.ID != here.ID {
		t.Errorf("alone it is %s", got.ID)
	}
	swapped := here.With([]*Machine{{Name: "big", Host: far.Host}, {Name: "far", Host: big.Host}}, true)
	if swapped.ID == all.ID {
		t.Error("two machines that have changed places have the same ID")
	}

	cache := HostCache(t.TempDir())
	endpoints := map[string]string{"big": "ssh://big", "far": "ssh://far"}
	cache.Write("ssh://big", big.Host)
	if _, ok := here.Known(cache, endpoints, true); ok {
		t.Error("a machine that was never met is known")
	}
	cache.Write("ssh://far", far.Host)
	if known, ok := here.Known(cache, endpoints, true); !ok || known.ID != all.ID {
		t.Errorf("known as %s, %v, want %s", known.ID, ok, all.ID)
	}
}

// What a watch keeps can be asked for from any moment on, also when it has gone on to another file.
func TestWatch(t *testing.T) {
	file, old := filepath.Join(t.TempDir(), "new"), filepath.Join(t.TempDir(), "old")
	var said bytes.Buffer
	watch := func(length time.Duration) {
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		said.Reset()
		if err := keepWatch(ctx, file, old, &said); err != nil || said.String() != watchReady+"\n" {
			t.Fatalf("it said %q, %v", &said, err)
		}
	}
	watch(350 * time.Millisecond)
	all := func(from int64) (out []observe.HostUsage) {
		var answer bytes.Buffer
		if err := tellSince(from, json.NewEncoder(&answer), old, file); err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(&answer)
		for {
			var r observe.HostUsage
			if decoder.Decode(&r) != nil {
				return out
			}
			out = append(out, r)
		}
	}
	readings := all(0)
	for length := time.Second; len(readings) < 2 && length < 20*time.Second; length *= 4 { // the machine may be busy
		watch(length)
		readings = all(0)
	}
	if len(readings) < 2 || readings[0].Total <= 0 || !readings[1].At.After(readings[0].At) {
		t.Fatalf("readings are %+v", readings)
	}
	if rest := all(readings[1].At.UnixNano()); len(rest) != len(readings)-1 {
		t.Errorf("%d readings since the second of %d", len(rest), len(readings))
	}
	if err := Answer(t.Context(), []string{"nothing"}, &said); err == nil {
		t.Error("something that there is not was told")
	}
	if err := Answer(t.Context(), []string{tellRest, afterRest, "soon"}, &said); err == nil {
		t.Error("a wait of no length was taken")
	}
}
