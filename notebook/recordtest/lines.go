package recordtest

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/record"
)

// A Line is a line of the file of a run.
type Line struct {
	File   string
	Number int    // from 1
	Text   []byte // without the end of the line
}

// Lines returns the lines of all runs below a folder.
func Lines(t testing.TB, folder string) (lines []Line) {
	t.Helper()
	must.Do(filepath.WalkDir(folder, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !record.IsRun(name) {
			return err
		}
		data, err := os.ReadFile(name)
		for i, text := range bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
			lines = append(lines, Line{name, i + 1, text})
		}
		return err
	}))
	return lines
}

// Put replaces lines of files.
func Put(t testing.TB, lines ...Line) {
	t.Helper()
	changed := map[string][][]byte{}
	for _, l := range lines {
		if changed[l.File] == nil {
			data := must.Get(os.ReadFile(l.File))
			changed[l.File] = bytes.Split(data, []byte("\n"))
		}
		changed[l.File][l.Number-1] = l.Text
	}
	for name, lines := range changed {
		must.Do(os.WriteFile(name, bytes.Join(lines, []byte("\n")), 0o644))
	}
}
