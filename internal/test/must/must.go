// Package must panics on errors that no test expects. A panic ends the tests of the whole package, with its stack; an
// error that a test is about is for testing.T.
package must

import (
	"os"
	"path/filepath"
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
