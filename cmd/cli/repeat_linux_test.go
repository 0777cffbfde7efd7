package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
)

// steady is a Dockerfile that has the same packages at every build, and other times in its files.
const steady = "FROM debian:bookworm-slim\nRUN cat /proc/sys/kernel/random/uuid > /once\n"

// A bundle with images brings them to an engine that has none, under no name, and repro measures with them.
func TestBundleWithImagesOnEngine(t *testing.T) {
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
	images := lockedImages("benchbook/locked-command")
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
	inGit(t, dir)
	bundle := filepath.Join(work, "locked.bundle")
	says(0, "repeat it with", "bundle", "locked", "--images", "--output", bundle)
	forget()

	// An empty engine, which reaches nothing and nobody.
	program := installed(t)
	d := ownEngine(t, "base=10.213.64.0/20,size=26")
	d.start(t)
	into := filepath.Join(work, "opened")
	l := newLife(program, t.TempDir(), "repro", bundle, "--yes", "--output", into)
	d.begin(l)
	if status := l.end(t); status != 0 {
		t.Errorf("on an empty engine: status %d", status)
	}
	text := read(t, filepath.Join(into, "images.json"))
	var list struct {
		Images map[string]struct{ ID string }
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list.Images) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	id := ""
	for _, image := range list.Images {
		id = image.ID
	}
	records, err := filepath.Glob(filepath.Join(into, "project/experiments/locked/records/*/full/*.jsonl"))
	if err != nil || len(records) != 1 {
		t.Fatalf("records %q: %v", records, err)
	}
	if !strings.Contains(read(t, records[0]), id) {
		t.Errorf("it was measured with another image than %s", id)
	}
	if left := images.list(t); len(left) > 0 {
		t.Errorf("the bundle has given images a name: %q", left)
	}
	if _, err := os.Stat(filepath.Join(into, "project", "_site", "locked", "index.html")); err != nil {
		t.Error(err)
	}
}

// lockedImages are images of this name in the engine of this machine.
type lockedImages string

// list lists their ids.
func (l lockedImages) list(t *testing.T) []string {
	t.Helper()
	out := must.Get(exec.Command("docker", "images", "--quiet", "--no-trunc", string(l)).Output())
	return strings.Fields(string(out))
}

// forget removes them, whatever names they have.
func (l lockedImages) forget(t *testing.T) {
	t.Helper()
	for _, id := range l.list(t) {
		if out, err := exec.Command("docker", "rmi", "--force", id).CombinedOutput(); err != nil {
			t.Fatalf("docker rmi: %v: %s", err, out)
		}
	}
}
