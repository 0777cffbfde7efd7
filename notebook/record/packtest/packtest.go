// Package packtest reads packed records as they stand in their files, for tests.
package packtest

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"benchbook/notebook/record"
)

// Lines are the records in a folder as they stand there, without white space, by their paths, whether they are packed
// or not.
func Lines(dir string) (map[string][]byte, error) {
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !record.IsFile(path) {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines := [][]byte{data}
		if strings.HasSuffix(path, ".jsonl") {
			lines = bytes.Split(bytes.TrimSpace(data), []byte("\n"))
		}
		for _, line := range lines {
			r, err := record.Parse(line)
			if err != nil {
				continue // of a record that was removed, or damaged
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, line); err != nil {
				return err
			}
			out[r.Path()] = compact.Bytes()
		}
		return nil
	})
	return out, err
}

// Unpack gives every record in a folder a file of its own.
func Unpack(dir string) error {
	lines, err := Lines(dir)
	if err != nil {
		return err
	}
	for path, line := range lines {
		var data bytes.Buffer
		if err := json.Indent(&data, line, "", " "); err != nil {
			return err
		}
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, append(data.Bytes(), '\n'), 0o644); err != nil {
			return err
		}
	}
	packs, err := filepath.Glob(filepath.Join(dir, "*", "*", "*.jsonl"))
	if err != nil {
		return err
	}
	for _, pack := range packs {
		if err := os.Remove(pack); err != nil {
			return err
		}
	}
	return nil
}
