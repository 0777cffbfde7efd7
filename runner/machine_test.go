package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/record"
)

// Several machines have one ID, which is of all of them in order of their names, and of none of these names.
func TestHostWith(t *testing.T) {
	here := Host{ID: "c2-aaaaaa", Cores: [][]int{{0}, {1}}, Facts: map[string]string{"host.cpu": "ours"}, mirrors: []string{"mirror.corp.example"}}
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
	} else if len(got.mirrors) != 1 {
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

func TestSettleAll(t *testing.T) {
	is := func(b record.Before, err error) func(context.Context) (*record.Before, error) {
		return func(context.Context) (*record.Before, error) { return &b, err }
	}
	got, err := settleAll(t.Context(), is(record.Before{Settled: true, Jitter: 1, Foreign: 0.1, Steal: -1}, nil),
		is(record.Before{Waited: 2, For: []string{forOthers}, Foreign: 0.5, Spin: 3, Steal: -1}, nil))
	if err != nil || got.Settled || got.Waited != 2 || got.Jitter != 1 || got.Foreign != 0.5 || got.Spin != 3 || len(got.For) != 1 || got.Steal != -1 {
		t.Errorf("got %+v, %v", got, err)
	}
	gone := errors.New("gone")
	if _, err := settleAll(t.Context(), is(record.Before{}, nil), is(record.Before{}, gone)); !errors.Is(err, gone) {
		t.Errorf("got %v, want that of the machine that could not be asked", err)
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
	all := func(from int64) (out []reading) {
		var answer bytes.Buffer
		if err := tellSince(from, json.NewEncoder(&answer), old, file); err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(&answer)
		for {
			var r reading
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
	if len(readings) < 2 || readings[0].Total <= 0 || readings[1].At <= readings[0].At {
		t.Fatalf("readings are %+v", readings)
	}
	if rest := all(readings[1].At); len(rest) != len(readings)-1 {
		t.Errorf("%d readings since the second of %d", len(rest), len(readings))
	}
	if err := Tell(t.Context(), []string{"nothing"}, &said); err == nil {
		t.Error("something that there is not was told")
	}
	if err := Tell(t.Context(), []string{tellRest, afterRest, "soon"}, &said); err == nil {
		t.Error("a wait of no length was taken")
	}
}

// A machine that is asked in one process after another has waited as long as they have together, and tells what happened between them.
func TestSettleOn(t *testing.T) {
	m, file := newMachine(t), filepath.Join(t.TempDir(), "rest")
	m.noise.Runnable = 4 // it is never at rest
	settle := func() *record.Before {
		t.Helper()
		before, err := settleOn(t.Context(), m.settler(nil), file, false)
		if err != nil {
			t.Fatal(err)
		}
		return before
	}
	if first := settle(); first.Waited < longestWait.Seconds() {
		t.Errorf("before the first repetition it waited %v s", first.Waited)
	}
	if second := settle(); second.Waited > longestWait.Seconds()/2 {
		t.Errorf("before the second it waited %v s, though the share of the time was used up", second.Waited)
	}
	// What other virtual machines took is counted from what the last repetition saw, here a hundred seconds of the processor ago.
	data, err := os.ReadFile(file)
	var kept rested
	if err := errors.Join(err, json.Unmarshal(data, &kept)); err != nil {
		t.Fatal(err)
	}
	kept.Last.Total -= 100
	kept.Last.Steal -= 50
	if data, err = json.Marshal(kept); err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if third := settle(); third.Steal < 0.2 {
		t.Errorf("of half the time between two repetitions, which others took, it tells %v", third.Steal)
	}
}

// The end of a window may lie in the future by a clock that was set back, which is no reason to wait for it.
func TestUntilRead(t *testing.T) {
	began := time.Now()
	if err := untilRead(t.Context(), began.Add(time.Hour)); err != nil || time.Since(began) > 30*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	if err := untilRead(t.Context(), began.Add(-time.Hour)); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := untilRead(ctx, time.Now().Add(time.Hour)); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupt came to %v", err)
	}
}
