package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// steady is a Dockerfile that has the same packages at every build, and other times in its files.
const steady = "FROM debian:bookworm-slim\nRUN cat /proc/sys/kernel/random/uuid > /once\n"

// A bundle with images loads them, without names, into an engine that lacks them, and repro measures with them.
func TestBundleWithImagesOnEngine(t *testing.T) {
	slowtest.Skip(t)
	c := beside(t)
	dir, work := t.TempDir(), t.TempDir()
	must.Write(filepath.Join(dir, "benchbook.yaml"), "title: Locked\n")
	must.Write(filepath.Join(dir, "experiments/locked/Dockerfile"), steady)
	must.Write(filepath.Join(dir, "experiments/locked/article.md"), "---\ntitle: Locked\n---\n\n```yaml experiment\n"+
		"name: locked\nrepetitions: 1\ncommand: {build: ., run: 'true'}\n```\n")
	images := lockedImages("benchbook/locked-command")
	t.Cleanup(func() { images.forget(t) })
	inGit(dir)
	bundle := filepath.Join(work, "locked.bundle")
	assert.Contains(t, mustRun(t, c, "-C", dir, "bundle", "locked", "--images", "--output", bundle), "repeat it with")
	images.forget(t)

	// An empty engine, which reaches nothing and nobody.
	program := installed(t)
	d := ownEngine(t, "base=10.213.64.0/20,size=26")
	d.start(t)
	into := filepath.Join(work, "opened")
	l := newLife(program, t.TempDir(), "repro", bundle, "--yes", "--output", into)
	d.begin(l)
	assert.Equal(t, l.end(t), 0, "status on an empty engine")
	var list struct {
		Images map[string]struct{ ID string }
	}
	must.Do(json.Unmarshal([]byte(must.Read(filepath.Join(into, "images.json"))), &list))
	records := recordsIn(t, filepath.Join(into, "project/experiments/locked"))
	if len(list.Images) != 1 || len(records) == 0 {
		t.Fatalf("%d images, %d records", len(list.Images), len(records))
	}
	for _, image := range list.Images {
		assert.Contains(t, fmt.Sprint(records[0].Facts), image.ID)
	}
	assert.None(t, images.list(t, client.EnvOverrideHost+"="+d.address()))
	must.Get(os.Stat(filepath.Join(into, "project", "_site", "locked", "index.html")))
}

// lockedImages are images of this name in an engine.
type lockedImages string

// list returns the IDs of the images in the engine of this machine, or in the engine that a variable names.
func (l lockedImages) list(t *testing.T, environment ...string) []string {
	t.Helper()
	cmd := exec.Command("docker", "images", "--quiet", "--no-trunc", string(l))
	cmd.Env = append(os.Environ(), environment...)
	return strings.Fields(string(must.Get(cmd.Output())))
}

// forget removes the images from the engine of this machine, with all their names.
func (l lockedImages) forget(t *testing.T) {
	t.Helper()
	for _, id := range l.list(t) {
		must.Run(exec.Command("docker", "rmi", "--force", id))
	}
}
