// Package labtest helps the tests of what the command does: golden files, projects in archives, and engines that can be
// locked.
package labtest

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"benchbook/internal/test/must"
)

// Update is the flag -update, which writes golden files anew.
var Update = flag.Bool("update", false, "write the golden files anew")

// Golden compares got with a file below testdata, or writes it.
func Golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *Update {
		must.Do(os.WriteFile(file, got, 0o644))
	}
	want := must.Get(os.ReadFile(file))
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

// Unpacked writes the files of an archive below testdata to a folder of their own.
func Unpacked(t *testing.T, name string) string {
	t.Helper()
	archive := must.Get(txtar.ParseFile(filepath.Join("testdata", name)))
	dir := t.TempDir()
	for _, f := range archive.Files {
		full := filepath.Join(dir, filepath.FromSlash(f.Name))
		must.Do(os.MkdirAll(filepath.Dir(full), 0o755))
		must.Do(os.WriteFile(full, f.Data, 0o644))
	}
	return dir
}
