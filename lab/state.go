package lab

import (
	"os"
	"path/filepath"

	"benchbook/notebook/article"
)

// StateDir is a hidden folder of a project, for what is known of a run that goes on and of the site that was made last.
// Everything in it can be removed at any time, but for records that are not in the branch of the project yet.
const StateDir = article.StateDir

// StateFolder makes the hidden folder of a project if it is not there yet, and gives the path of something in it.
func StateFolder(dir, name string) (string, error) {
	folder := filepath.Join(dir, StateDir)
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
