package docker

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// A gigabyte of log does not fill the disk, and its end is there.
func TestLogIsBoundedOnDisk(t *testing.T) {
	e := open(t)
	_, r := start(t, e, engine.Service{Service: spec.Service{Name: "talkative",
		Command: []string{"bash", "-c", "head -c 1000000000 /dev/zero | tr '\\0' x; echo; echo the end; sleep 1h"}},
		Image: debian(t, e)})
	inspected, err := e.client.ContainerInspect(t.Context(), r.id, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(inspected.Container.LogPath)
	if _, err := os.Stat(inspected.Container.LogPath); err != nil {
		t.Skipf("the engine's files cannot be seen: %v", err)
	}
	const end = "x\nthe end\n"
	var log []byte
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if log, err = r.Logs(t.Context()); err != nil || len(log) > 1<<20 {
			t.Fatalf("of the log %d bytes are kept, %v; want a mebibyte at most", len(log), err)
		}
		if bytes.HasSuffix(log, []byte(end)) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log ends with %q, want %q", log[max(0, len(log)-20):], end)
		}
	}
	var size int64
	err = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		size += info.Size()
		return err
	})
	if err != nil || size > 20<<20 {
		t.Errorf("the container's files take %d bytes, %v; want 20 MiB at most", size, err)
	}
}
