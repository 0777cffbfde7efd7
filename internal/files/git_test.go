package files

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func repository(t *testing.T) *Repository {
	t.Helper()
	r := Git(t.Context(), t.TempDir(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
	must.Get(r.Run("", "init", "--quiet"))
	return r
}

// A tree bomb is a few small objects that expand to 10^10 paths.
func TestTreeBomb(t *testing.T) {
	r := repository(t)
	object := must.Get(r.Run("x", "hash-object", "-w", "--stdin"))
	entry := "100644 blob " + object
	for range 10 {
		var tree strings.Builder
		for i := range 10 {
			fmt.Fprintf(&tree, "%s\t%d\n", entry, i)
		}
		object = must.Get(r.Run(tree.String(), "mktree"))
		entry = "040000 tree " + object
	}
	commit := must.Get(r.Commit("", object, "bomb"))
	began := time.Now()
	_, err := r.Tree(commit)
	assert.Is(t, err, errTooMuch, "the tree")
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %s", took)
	}
}

// The address of a remote comes with a clone, and must not run a program.
func TestNoRemoteHelpers(t *testing.T) {
	r := repository(t)
	tree := must.Get(r.Run("", "mktree"))
	commit := must.Get(r.Commit("", tree, "empty"))
	proof := filepath.Join(t.TempDir(), "ran")
	for _, address := range []string{"ext::touch " + proof, "fd::7", "weird::x"} {
		err := r.Push(address, commit, "main")
		assert.Error(t, err, "not allowed")
	}
	_, err := os.Stat(proof)
	assert.Error(t, err, "") // as no address ran a program
	bare := t.TempDir()
	must.Get(Git(t.Context(), bare).Run("", "init", "--quiet", "--bare"))
	must.Do(r.Push(bare, commit, "main"))
}

// Names that look like flags are names: they are found or not, and change nothing of what git does.
func TestNamesLikeFlags(t *testing.T) {
	r := repository(t)
	proof := filepath.Join(t.TempDir(), "ran")
	for _, name := range []string{"--all", "-h", "--output=" + proof, "--upload-pack=touch " + proof, "-", "", "@{-1}", ":/x",
		"HEAD:", "..", "a\x00b", "a\nb", "refs/heads/../x", "^HEAD", strings.Repeat("x", 1<<16)} {
		_, err := r.Resolve(name)
		assert.Equal(t, err != nil, true, "%.20q is refused", name)
	}
	tree := must.Get(r.Run("", "mktree"))
	commit := must.Get(r.Commit("", tree, "empty"))
	for _, remote := range []string{"--receive-pack=touch " + proof, "-o", "ssh://-oProxyCommand=touch " + proof + "/x",
		"-oProxyCommand=touch " + proof + ":x", "git://-x/y"} {
		assert.Equal(t, r.Push(remote, commit, "main") != nil, true, "%s is refused", remote)
	}
	_, err := os.Stat(proof)
	assert.Error(t, err, "") // as no name ran a program or wrote a file
}
