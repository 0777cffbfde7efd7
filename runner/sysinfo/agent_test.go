package sysinfo

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"
)

// What a watch keeps can be asked for from any moment on, also when it has gone on to another file.
func TestWatch(t *testing.T) {
	file, old := filepath.Join(t.TempDir(), "new"), filepath.Join(t.TempDir(), "old")
	var said bytes.Buffer
	watch := func(length time.Duration) {
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		said.Reset()
		if err := keepWatch(ctx, file, old, &said); err != nil || said.String() != WatchReady+"\n" {
			t.Fatalf("it said %q, %v", &said, err)
		}
	}
	watch(350 * time.Millisecond)
	all := func(from int64) (out []HostUsage) {
		var answer bytes.Buffer
		if err := tellSince(from, json.NewEncoder(&answer), old, file); err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(&answer)
		for {
			var r HostUsage
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
	if err := Answer(t.Context(), []string{TellRest, AfterRest, "soon"}, &said); err == nil {
		t.Error("a wait of no length was taken")
	}
}
