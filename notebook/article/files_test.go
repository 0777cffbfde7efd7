package article

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"benchbook/notebook/source"
)

// What is no regular file is refused with the reason, and nothing waits for it.
func TestFilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "there.py"), []byte("pass\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("there.py", filepath.Join(dir, "link.py")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.py"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.py"), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, rule, message, hint string }{
		{"link.py", "not-a-file", `"link.py" cannot be read: it is a symbolic link`, "put what it points at in its place"},
		{"folder.py", "not-a-file", `"folder.py" cannot be read: it is a folder, not a file`, "name a regular file that you may read"},
		{"pipe.py", "not-a-file", `"pipe.py" cannot be read: it is a named pipe, not a file`, "name a regular file that you may read"},
		{"their.py", "no-such-file", `no file or listing "their.py"`, `did you mean "there.py"?`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc := Parse(dir, source.New("article.md", []byte(head+"```python include="+test.name+"\n```\n")))
			found := doc.Problems.Sorted()
			if len(found) != 1 || found[0].Rule != test.rule || !strings.HasPrefix(found[0].Message, test.message) || found[0].Hint != test.hint {
				t.Errorf("got %v, want %s: %s (%s)", found, test.rule, test.message, test.hint)
			}
		})
	}
}

// An article or a project file that cannot be read is a problem like others, and the project can be opened all the same.
func TestUnreadableArticles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ProjectFile), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func(string) error{
		"pipe":     func(file string) error { return syscall.Mkfifo(file, 0o644) },
		"folder":   func(file string) error { return os.Mkdir(file, 0o755) },
		"dangling": func(file string) error { return os.Symlink("nowhere", file) },
		"endless":  func(file string) error { return os.Symlink("/dev/zero", file) },
		"huge":     func(file string) error { return truncated(file, 1<<40) },
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, "experiments", name, FileName)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := make(file); err != nil {
				t.Fatal(err)
			}
			project, err := OpenProject(dir)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := project.Article(name)
			if err != nil {
				t.Fatal(err)
			}
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
