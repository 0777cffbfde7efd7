package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/runner/machine"
)

// An ordinary benchbook says in one sentence how to measure in a cluster, and reads such articles.
func TestNeedsCluster(t *testing.T) {
	w := scripted()
	w.Cluster = wired(nil).Cluster
	const apart = "---\ntitle: Apart\n---\n\n~~~yaml experiment\nname: apart\n" +
		"services: {server: {image: \"nginx:1.27\", expose: [\"80\"]}}\nload: {target: \"http://server/\"}\nrepetitions: 1\n~~~\n"
	dir, _ := project(t, "apart", apart)
	must.Write(filepath.Join(dir, article.ProjectFile), "engine: kubernetes\nregistry: registry.example\n")
	mustRun(t, w, "-C", dir, "check")
	status, stdout, stderr := said(w, dir, "run")
	words := strings.Join(strings.Fields(stdout+stderr), " ")
	if strings.Count(words, "Kubernetes needs benchbook-cluster: build it with make build-cluster") != 1 || status == 0 {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
}

// All users of a machine use the same lock, even if they have different folders for temporary files.
func TestLockFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv(locksVariable, "")
	assert.Equal(t, wired(nil).LockDir, machine.LockFolder, "the folder of locks")
	own := t.TempDir()
	t.Setenv(locksVariable, own)
	assert.Equal(t, wired(nil).LockDir, own, "a folder of one's own")
}
