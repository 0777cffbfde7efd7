package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
)

// The articles of this repository assert nothing that their own numbers deny.
func TestArticlesAssertWhatHolds(t *testing.T) {
	slowtest.SkipSequential(t)
	dir := committed(t)
	var said bytes.Buffer
	status := run([]string{"-C", dir, "check"}, &said, &said, scripted())
	if n := strings.Count(said.String(), "[asserts-what-does-not-hold]"); n > 0 || status != 0 {
		t.Errorf("status %d, %d places assert what does not hold:\n%s", status, n, &said)
	}
}

// committed copies the articles of this repository with their committed records: others may have been measured here.
func committed(t *testing.T) (dir string) {
	t.Helper()
	root := filepath.Join("..", "..")
	list, err := exec.Command("git", "-C", root, "ls-files", "-z", "benchbook.yaml", "docs", "experiments").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name := range strings.SplitSeq(strings.Trim(string(list), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
