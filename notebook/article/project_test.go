package article

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"benchbook/internal/test/must"
)

// An article or a project file that cannot be read is a problem like others, and the project can be opened all the
// same.
func TestUnreadableArticles(t *testing.T) {
	dir := t.TempDir()
	must.Do(os.WriteFile(filepath.Join(dir, ProjectFile), nil, 0o644))
	for name, make := range map[string]func(string) error{
		"pipe":     func(file string) error { return syscall.Mkfifo(file, 0o644) },
		"folder":   func(file string) error { return os.Mkdir(file, 0o755) },
		"dangling": func(file string) error { return os.Symlink("nowhere", file) },
		"endless":  func(file string) error { return os.Symlink("/dev/zero", file) },
		"huge":     func(file string) error { return truncated(file, 1<<40) },
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, "experiments", name, FileName)
			must.Do(os.MkdirAll(filepath.Dir(file), 0o755))
			must.Do(make(file))
			project := must.Get(OpenProject(dir))
			doc := must.Get(project.Article(name))
			want := "not-a-file"
			if name == "huge" {
				want = "too-large"
			}
			if found := doc.Problems.Sorted(); len(found) != 1 || found[0].Rule != want || found[0].Hint == "" {
				t.Errorf("got %v, want one of %s", found, want)
			}
		})
	}
}

// truncated makes a file of a size that takes no space.
func truncated(file string, size int64) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}
