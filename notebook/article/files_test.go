package article

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/source"
)

// Links, folders and pipes are refused with the reason, without waiting.
func TestFilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	must.Do(os.WriteFile(filepath.Join(dir, "there.py"), []byte("pass\n"), 0o644))
	must.Do(os.Symlink("there.py", filepath.Join(dir, "link.py")))
	must.Do(os.Mkdir(filepath.Join(dir, "folder.py"), 0o755))
	must.Do(syscall.Mkfifo(filepath.Join(dir, "pipe.py"), 0o644))
	for _, test := range []struct{ name, rule, message, hint string }{
		{"link.py", "not-a-file", `"link.py" cannot be read: it is a symbolic link`,
			"replace the link with the file it points to"},
		{"folder.py", "not-a-file", `"folder.py" cannot be read: it is a folder, not a file`,
			"name a regular file that you may read"},
		{"pipe.py", "not-a-file", `"pipe.py" cannot be read: it is a named pipe, not a file`,
			"name a regular file that you may read"},
		{"their.py", "no-such-file", `no file or listing "their.py"`, `did you mean "there.py"?`},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc := Parse(dir, source.New("article.md", []byte(head+"```python include="+test.name+"\n```\n")))
			found := doc.Problems.Sorted()
			if len(found) != 1 || found[0].Rule != test.rule || !strings.HasPrefix(found[0].Message, test.message) ||
				found[0].Hint != test.hint {
				t.Errorf("got %v, want %s: %s (%s)", found, test.rule, test.message, test.hint)
			}
		})
	}
}
