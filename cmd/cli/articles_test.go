package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
)

// The articles of this repository assert nothing that their own numbers deny.
func TestArticlesAssertWhatHolds(t *testing.T) {
	slowtest.SkipSequential(t)
	dir := committed(t)
	status, stdout, stderr := said(scripted(), dir, "check")
	if n := strings.Count(stdout, "[asserts-what-does-not-hold]"); n > 0 || status != 0 {
		t.Errorf("status %d, %d places assert what does not hold:\n%s%s", status, n, stdout, stderr)
	}
}

// committed copies the articles of this repository with their committed records: others may have been measured here.
func committed(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	root := filepath.Join("..", "..")
	for name := range strings.FieldsSeq(git(t, root, "ls-files", "benchbook.yaml", "docs", "experiments")) {
		put(t, filepath.Join(dir, name), read(t, filepath.Join(root, name)))
	}
	return dir
}
