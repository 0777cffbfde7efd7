package site

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"
)

// manifestFile lists what a build wrote, so that the next one knows what is ours.
const manifestFile = ".benchbook-site.json"

// manifest is the contents of a manifestFile.
type manifest struct {
	SchemaVersion int      `json:"schema_version"`
	Files         []string `json:"files"` // relative, with slashes, sorted
}

const manifestVersion = 1

// write makes the folder hold just the files given, apart from what others put there. It goes through a Root, so that
// no link within the folder leads it out of there.
func write(dir string, files map[string][]byte) (Report, error) {
	r := Report{Files: len(files)}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return r, fmt.Errorf("making the folder of the site: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return r, fmt.Errorf("opening the folder of the site: %w", err)
	}
	defer root.Close()
	old, err := readManifest(root, dir)
	if err != nil {
		return r, err
	}
	names := slices.Sorted(maps.Keys(files))
	// The manifest comes first and has old and new: whatever happens from here on, the next build knows what is ours.
	if err := writeManifest(root, dir, union(old, names)); err != nil {
		return r, err
	}
	for _, name := range names {
		changed, err := writeFile(root, dir, name, files[name])
		if err != nil {
			return r, fmt.Errorf("writing the site: %w", err)
		}
		if changed {
			r.Written = append(r.Written, name)
		}
	}
	for _, name := range old {
		if _, kept := files[name]; kept {
			continue
		}
		switch err := root.Remove(filepath.FromSlash(name)); {
		case err == nil:
			r.Removed = append(r.Removed, name)
			removeEmpty(root, path.Dir(name))
		case !errors.Is(err, fs.ErrNotExist):
			return r, fmt.Errorf("removing what is no longer part of the site: %w", err)
		}
	}
	return r, writeManifest(root, dir, names)
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// readManifest gives what the last build wrote: nothing for a new or empty folder.
func readManifest(root *os.Root, dir string) ([]string, error) {
	data, err := root.ReadFile(manifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, fmt.Errorf("looking into the folder of the site: %w", err)
		}
		if len(entries) > 0 {
			return nil, fmt.Errorf("%s holds files that no build of a site wrote; name an empty folder, or empty this one", dir)
		}
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the manifest of the site: %w", err)
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil || m.SchemaVersion != manifestVersion {
		return nil, fmt.Errorf("%s in %s is not a manifest that this version knows; empty the folder", manifestFile, dir)
	}
	for _, name := range m.Files {
		if !fs.ValidPath(name) || name == "." {
			return nil, fmt.Errorf("%s in %s lists %q, which is no file of a site; empty the folder", manifestFile, dir, name)
		}
	}
	return m.Files, nil
}

func writeManifest(root *os.Root, dir string, names []string) error {
	data, err := json.MarshalIndent(manifest{manifestVersion, names}, "", " ")
	if err == nil {
		_, err = writeFile(root, dir, manifestFile, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the manifest of the site: %w", err)
	}
	return nil
}

// writeFile writes a file whole or not at all, and leaves one alone that has the contents already.
func writeFile(root *os.Root, dir, name string, data []byte) (changed bool, err error) {
	local := filepath.FromSlash(name)
	if info, err := root.Lstat(local); err == nil && info.Mode().IsRegular() {
		if now, err := root.ReadFile(local); err == nil && bytes.Equal(now, data) {
			return false, nil
		}
	}
	// A folder that is a link would lead renameio, which does not know the root, out of it.
	for parent := path.Dir(name); parent != "."; parent = path.Dir(parent) {
		if info, err := root.Lstat(filepath.FromSlash(parent)); err == nil && !info.IsDir() {
			return false, fmt.Errorf("%s is no folder; remove it", parent)
		}
	}
	if parent := path.Dir(name); parent != "." {
		if err := root.MkdirAll(filepath.FromSlash(parent), 0o755); err != nil {
			return false, err
		}
	}
	return true, renameio.WriteFile(filepath.Join(dir, local), data, 0o644)
}

// removeEmpty removes folders that removing files left empty.
func removeEmpty(root *os.Root, name string) {
	for ; name != "."; name = path.Dir(name) {
		if root.Remove(filepath.FromSlash(name)) != nil { // it is not empty
			return
		}
	}
}
