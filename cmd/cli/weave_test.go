package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// What the README of this repository shows is what the committed records give. Records of quick runs on this machine,
// which make report leaves, do not count.
func TestReadmeIsWoven(t *testing.T) {
	root, dir := filepath.Join("..", ".."), t.TempDir()
	records, err := filepath.Glob(filepath.Join(root, "experiments", "[ho][er]*", "records", "*", "full"))
	if err != nil || len(records) == 0 {
		t.Fatal("there are no records", err)
	}
	for _, folder := range append(records, filepath.Join(root, "woven")) {
		below, err := filepath.Rel(root, folder)
		if err == nil {
			err = os.CopyFS(filepath.Join(dir, below), os.DirFS(folder))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"README.md", "benchbook.yaml", "experiments/hello/article.md",
		"experiments/orjson/article.md"} {
		put(t, filepath.Join(dir, file), read(t, filepath.Join(root, file)))
	}
	if status, _, stderr := said(wired(nil), dir, "weave", "--check", "README.md"); status != 0 {
		t.Errorf("status %d: run benchbook weave README.md, and look at it:\n%s", status, stderr)
	}
}
