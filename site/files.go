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
	"runtime"
	"slices"

	"github.com/google/renameio/v2"
	"golang.org/x/sync/errgroup"
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
	var r Report
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
	changed := make([]bool, len(names))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		group.Go(func() (err error) {
			changed[i], err = writeFile(root, name, files[name])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return r, fmt.Errorf("writing the site: %w", err)
	}
	for i, name := range names {
		if isKept(name) {
			continue
		}
		if r.Files++; changed[i] {
			r.Written = append(r.Written, name)
		}
	}
	for _, name := range old {
		if _, kept := files[name]; kept {
			continue
		}
		switch err := root.Remove(filepath.FromSlash(name)); {
		case err == nil:
			if !isKept(name) {
				r.Removed = append(r.Removed, name)
			}
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

// manifestOf is the manifest of files, whose names are sorted.
func manifestOf(names []string) ([]byte, error) {
	data, err := json.MarshalIndent(manifest{manifestVersion, names}, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing the manifest of the site: %w", err)
	}
	return append(data, '\n'), nil
}

// writeManifest waits for the disk, unlike writeFile: nobody could say later which files are ours.
func writeManifest(root *os.Root, dir string, names []string) error {
	data, err := manifestOf(names)
	if err != nil {
		return err
	}
	if now, unread := root.ReadFile(manifestFile); unread == nil && bytes.Equal(now, data) {
		return nil
	}
	if err := renameio.WriteFile(filepath.Join(dir, manifestFile), data, 0o644); err != nil {
		return fmt.Errorf("writing the manifest of the site: %w", err)
	}
	return nil
}

// writeFile writes a file whole or not at all, and leaves one alone that has the contents already. It does not wait for the disk: what
// a crash of the machine leaves of a site is made anew from the records.
func writeFile(root *os.Root, name string, data []byte) (changed bool, err error) {
	local := filepath.FromSlash(name)
	if info, err := root.Lstat(local); err == nil && info.Mode().IsRegular() && info.Size() == int64(len(data)) {
		if now, err := root.ReadFile(local); err == nil && bytes.Equal(now, data) {
			return false, nil
		}
	}
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
	unfinished := local + ".unfinished"
	if err := root.WriteFile(unfinished, data, 0o644); err != nil {
		return false, err
	}
	return true, root.Rename(unfinished, local)
}

// removeEmpty removes folders that removing files left empty.
func removeEmpty(root *os.Root, name string) {
	for ; name != "."; name = path.Dir(name) {
		if root.Remove(filepath.FromSlash(name)) != nil { // it is not empty
			return
		}
	}
}
