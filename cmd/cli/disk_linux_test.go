package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
)

// pair has six repetitions, which the scripted engine finishes at once.
const pair = `---
title: A pair
---

~~~yaml experiment
name: pair
services: {server: {image: "server:${{ matrix.version }}", expose: ["80"]}}
matrix: {version: [a, b]}
load: {target: "http://server/", connections: 5, duration: 1s}
repetitions: 3
calibrate: false
~~~
`

// unmount unmounts the file system of mountMemory when the test ends.
func unmount(t *testing.T, folder string) {
	t.Cleanup(func() {
		must.Do(unix.Unmount(folder, 0))
	})
}

// mountMemory mounts a file system in memory on a folder, which it creates if necessary. It returns a function that
// changes the mount options.
func mountMemory(t *testing.T, folder, options string) (remount func(options string)) {
	t.Helper()
	must.Do(os.MkdirAll(folder, 0o755))
	err := unix.Mount("benchbook-test", folder, "tmpfs", 0, options)
	if errors.Is(err, unix.EPERM) {
		slowtest.Missing(t, "local", "only root can make a small file system", err)
	}
	must.Do(err)
	return func(options string) {
		flags := uintptr(unix.MS_REMOUNT)
		if options == "ro" {
			flags, options = flags|unix.MS_RDONLY, ""
		}
		must.Do(unix.Mount("benchbook-test", folder, "tmpfs", flags, options))
	}
}

// A full disk ends the run with the reason. Earlier records are intact, and the same command resumes once there is
// room.
func TestDiskThatIsFull(t *testing.T) {
	var versions []string // enough for more records than there is room for
	for i := range 60 {
		versions = append(versions, fmt.Sprint("v", i))
	}
	dir, folder := project(t, "pair", strings.Replace(pair, "[a, b]", "["+strings.Join(versions, ", ")+"]", 1))
	saved := &archive{folder: filepath.Join(folder, "records")}
	const repetitions = 180
	remount := mountMemory(t, saved.folder, "size=160k")
	unmount(t, saved.folder)
	w := unlocked()
	status, _, stderr := said(w, dir, "run")
	if status != lab.StatusFailed {
		t.Fatalf("status %d, want %d:\n%s", status, lab.StatusFailed, stderr)
	}
	assert.Contains(t, stderr, " was measured but could not be saved: saving a record: ", "no space left on device",
		"the same command measures it again")
	before := len(saved.look(t))
	if before == 0 || before >= repetitions {
		t.Fatalf("%d records found room: the test needs another size", before)
	}
	remount("size=10m")
	mustRun(t, w, "-C", dir, "run")
	assert.Equal(t, len(saved.look(t)), repetitions, "records, after %d before", before)
	wantNoTraces(t, t.TempDir(), saved.folder)
}

// A read-only folder is reported before anything starts, and its records can still be shown.
func TestFolderThatIsReadOnly(t *testing.T) {
	dir := t.TempDir()
	remount := mountMemory(t, dir, "size=10m")
	unmount(t, dir)
	must.Write(filepath.Join(dir, "benchbook.yaml"), "title: Test\n")
	must.Write(filepath.Join(dir, "experiments", "pair", "article.md"), strings.ReplaceAll(pair, "~~~", "```"))
	remount("ro")
	w := unlocked()
	w.Engines = nil // an attempt to use one would fail, with its name
	status, _, stderr := said(w, dir, "run")
	if status != lab.StatusFailed || strings.Contains(stderr, "engine") {
		t.Fatalf("status %d, want %d:\n%s", status, lab.StatusFailed, stderr)
	}
	assert.Contains(t, stderr, "records cannot be saved: ", "read-only file system")
	mustRun(t, w, "-C", dir, "render", "--output", t.TempDir())
}
