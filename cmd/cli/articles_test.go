package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
)

// The articles of this repository assert nothing that their own numbers deny, and its README shows what they measured.
func TestArticlesAssertWhatHolds(t *testing.T) {
	slowtest.SkipSequential(t)
	dir, root := t.TempDir(), filepath.Join("..", "..")
	// Only what is committed: more may have been measured here.
	for name := range strings.FieldsSeq(git(t, root, "ls-files", "benchbook.yaml", "docs", "experiments", "woven", "README.md")) {
		put(t, filepath.Join(dir, name), read(t, filepath.Join(root, name)))
	}
	status, stdout, stderr := benchbook(dir, "check")
	if status != 0 || strings.Contains(stdout, "[asserts-what-does-not-hold]") {
		t.Errorf("check: status %d:\n%s%s", status, stdout, stderr)
	}
	if status, _, stderr := benchbook(dir, "weave", "--check", "README.md"); status != 0 {
		t.Errorf("status %d: run benchbook weave README.md, and look at it:\n%s", status, stderr)
	}
}
