// Package must panics on errors that no test expects. A panic ends the tests of the whole package, with its stack; an
// error that a test is about is for testing.T.
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

// Write writes a text to a file, and makes the folders that it lies in.
func Write(name, text string) {
	Do(os.MkdirAll(filepath.Dir(name), 0o755))
	Do(os.WriteFile(name, []byte(text), 0o644))
}

// Read returns the text of a file.
func Read(name string) string { return string(Get(os.ReadFile(name))) }

// Glob returns the files that fit a pattern: least of them, or more.
func Glob(pattern string, least int) []string {
	files := Get(filepath.Glob(pattern))
	if len(files) < least {
		panic(fmt.Errorf("%d files fit %s", len(files), pattern))
	}
	return files
}

// Run runs a program, and returns what it printed.
func Run(cmd *exec.Cmd) string {
	out, err := cmd.CombinedOutput()
	if err != nil {
		panic(fmt.Errorf("%s: %w\n%s", cmd, err, out))
	}
	return string(out)
}

// Git runs git in a folder, as somebody, and returns what it printed.
func Git(dir string, args ...string) string {
	args = append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@x.example"}, args...)
	return strings.TrimSpace(Run(exec.Command("git", args...)))
}
