package lab

import (
	"os"
	"path/filepath"

	"benchbook/notebook/article"
)

// StateFolder makes the hidden folder of a project if it is missing, and returns the path of a name in it. It has records
// of comparisons and the last site, and can be removed at any time.
func StateFolder(dir, name string) (string, error) {
	folder := filepath.Join(dir, article.StateDir)
	ignore := filepath.Join(folder, ".gitignore")
	if _, err := os.Stat(ignore); err != nil { // the folder ignores itself, so that no project has to
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(ignore, []byte("*\n"), 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(folder, name), nil
}
