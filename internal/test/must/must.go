// Package must panics on errors that no test expects. A panic ends the tests of the whole package with a stack trace;
// report errors that a test is about to testing.T.
package must

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Do panics on an error.
func Do(err error) {
	if err != nil {
		panic(err)
	}
}

// Get returns v, and panics on an error.
func Get[T any](v T, err error) T {
	Do(err)
	return v
}

// Two returns a and b, and panics on an error.
func Two[A, B any](a A, b B, err error) (A, B) {
	Do(err)
	return a, b
}

// Write writes a text to a file and creates its folders.
func Write(name, text string) {
	Do(os.MkdirAll(filepath.Dir(name), 0o755))
	Do(os.WriteFile(name, []byte(text), 0o644))
}

// Read returns the text of a file.
func Read(name string) string { return string(Get(os.ReadFile(name))) }

// Glob returns the files that match a pattern. It panics if there are fewer than least.
func Glob(pattern string, least int) []string {
	files := Get(filepath.Glob(pattern))
	if len(files) < least {
		panic(fmt.Errorf("%d files fit %s", len(files), pattern))
	}
	return files
}

// Run runs a program and returns its output, including standard error.
func Run(cmd *exec.Cmd) string {
	out, err := cmd.CombinedOutput()
	if err != nil {
		panic(fmt.Errorf("%s: %w\n%s", cmd, err, out))
	}
	return string(out)
}

// Git runs git in a folder with a made-up user, and returns its output.
func Git(dir string, args ...string) string {
	args = append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@x.example"}, args...)
	return strings.TrimSpace(Run(exec.Command("git", args...)))
}
