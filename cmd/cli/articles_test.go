package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// The articles of this repository assert nothing that their own numbers deny, and its README shows what they measured.
func TestArticlesAssertWhatHolds(t *testing.T) {
	slowtest.SkipSequential(t)
	dir, root := t.TempDir(), filepath.Join("..", "..")
	// Only what is committed: more may have been measured here.
	for name := range strings.FieldsSeq(must.Git(root, "ls-files", "benchbook.yaml", "docs", "experiments", "woven", "README.md")) {
		must.Write(filepath.Join(dir, name), must.Read(filepath.Join(root, name)))
	}
	status, stdout, stderr := benchbook(dir, "check")
	if status != 0 || strings.Contains(stdout, "[asserts-what-does-not-hold]") {
		t.Errorf("check: status %d:\n%s%s", status, stdout, stderr)
	}
	status, _, stderr = benchbook(dir, "weave", "--check", "README.md")
	assert.Equal(t, status, 0, "status: run benchbook weave README.md, and look at it:\n%s", stderr)
}
