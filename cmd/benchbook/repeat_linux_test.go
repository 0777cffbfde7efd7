package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/slowtest"
)

// steady is a Dockerfile that has the same packages at every build, and other times in its files.
const steady = "FROM debian:bookworm-slim\nRUN cat /proc/sys/kernel/random/uuid > /once\n"

// An article is locked on a real engine. The locked image is used while it is there; a build with the same packages is
// as good, and one with others is refused, with the difference. A bundle with images brings them to an engine that has
// lost them, under no name.
func TestLockedOnEngine(t *testing.T) {
	slowtest.Skip(t)
	c := onEngine(t)
	c.LockDir = "" // other packages use the machine
	dir, work := t.TempDir(), t.TempDir()
	put(t, filepath.Join(dir, "benchbook.yaml"), "title: Locked\n")
	write := func(dockerfile string) {
		put(t, filepath.Join(dir, "experiments/locked/Dockerfile"), dockerfile)
		put(t, filepath.Join(dir, "experiments/locked/article.md"), "---\ntitle: Locked\n---\n\n```yaml experiment\n"+
			"name: locked\nrepetitions: 1\ncommand: {build: ., run: 'true'}\n```\n")
	}
	images := lockedImages{homeEndpoint(), "benchbook/locked-command"}
	forget := func() { t.Helper(); images.forget(t) }
	t.Cleanup(forget)
	says := func(status int, words string, args ...string) {
		t.Helper()
		var stdout, stderr strings.Builder
		got := run(append([]string{"-C", dir}, args...), &stdout, &stderr, c)
		if said := stdout.String() + stderr.String(); got != status || !strings.Contains(said, words) {
			t.Fatalf("%q ended with %d, want %d, and says\n%s\nwant %q", args, got, status, said, words)
		}
	}

	write(steady)
	says(0, "locked 1 image, with ", "lock", "locked")
	says(0, "images: 1 of 1 have the digests of the lock\n", "run", "--locked")
	forget()
	says(0, "0 of 1 have the digests of the lock; 1 with other digests: the same packages and "+
		"programs", "run", "--locked", "--force")

	forget()
	write(moved)
	says(1, "it is not in the lock, as its Dockerfile or a file that is copied into it was changed", "run", "--locked",
		"--force")
	says(0, "locked 1 image", "lock", "locked")
	inGit(t, dir)
	bundle := filepath.Join(work, "locked.bundle")
	says(0, "repeat it with", "bundle", "locked", "--images", "--out", bundle)
	forget()
	says(1, "moved ", "run", "--locked", "--force")
	forget()

	// An empty engine, which reaches nothing and nobody.
	program := installed(t)
	d := ownEngine(t, "base=10.213.64.0/20,size=26")
	d.start(t)
	into := filepath.Join(work, "opened")
	l := newLife(program, t.TempDir(), "repro", bundle, "--locked", "--yes", "--into", into)
	d.begin(t, l)
	if status := l.end(t); status != 0 {
		t.Errorf("on an empty engine: status %d", status)
	}
	wantSaid(t, l.stderr.String(), "images: 1 of 1 have the digests of the lock\n")
	if left := images.list(t); len(left) > 0 {
		t.Errorf("the bundle has given images a name: %q", left)
	}
	if _, err := os.Stat(filepath.Join(into, "project", "_site", "locked", "index.html")); err != nil {
		t.Error(err)
	}
}
