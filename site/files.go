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

	"benchbook/internal/files"
)

// A File is the contents of a file of a site, or a file on this machine that it is a copy of.
type File struct {
	Data []byte
	From string // path of the original, for a copy
}

// Read returns the contents.
func (f File) Read() ([]byte, error) {
	if f.From == "" {
		return f.Data, nil
	}
	data, err := os.ReadFile(f.From)
	if err != nil {
		return nil, fmt.Errorf("copying a file to the site: %w", err)
	}
	return data, nil
}

// Report is what writing a site changed.
type Report struct {
	Files   int      // of the site
	Written []string // new or changed, relative to the site's folder, sorted
	Removed []string // likewise
}

const (
	manifestFile    = ".benchbook-site.json" // lists the files that a build wrote
	manifestVersion = 1
	unfinishedFile  = ".benchbook-unfinished" // a file before it is moved to its place
	maxSiteFile     = 1 << 30                 // bytes
)

type manifest struct {
	SchemaVersion int      `json:"schema_version"`
	Files         []string `json:"files"` // relative, with slashes, sorted
}

// update replaces the files of the site in dir, and removes files of the last build that the site no longer has. Equal
// files are not written, and files of others are an error if they are in the way. It uses a Root, so no link leads out
// of dir. A dry run writes nothing.
func update(dir string, site map[string]File, dryRun bool) (Report, error) {
	r := Report{Files: len(site)}
	names := slices.Sorted(maps.Keys(site))
	if !dryRun {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return r, fmt.Errorf("making the folder of the site: %w", err)
		}
	}
	root, err := os.OpenRoot(dir)
	if dryRun && errors.Is(err, fs.ErrNotExist) {
		r.Written = names
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("opening the folder of the site: %w", err)
	}
	defer root.Close()
	old, err := readManifest(root, dir)
	if err != nil {
		return r, err
	}
	for _, name := range names {
		is, err := root.Lstat(name)
		_, ours := slices.BinarySearch(old, name)
		switch {
		case err == nil && hasContents(root, name, is, site[name]):
		case err == nil && !ours:
			return r, fmt.Errorf("%s has a file or folder %s that no build of a site wrote: move it away", dir, name)
		default:
			r.Written = append(r.Written, name)
		}
	}
	for _, name := range old {
		if _, stays := site[name]; !stays {
			r.Removed = append(r.Removed, name)
		}
	}
	if dryRun {
		return r, nil
	}
	return r, apply(root, old, names, r, site)
}

// apply writes and removes what a report says. The manifest comes first with old and new files, so a later build knows
// all files of an interrupted one.
func apply(root *os.Root, old, names []string, r Report, site map[string]File) error {
	if err := writeManifest(root, slices.Compact(slices.Sorted(slices.Values(slices.Concat(old, names))))); err != nil {
		return err
	}
	for _, name := range r.Written {
		if err := writeFile(root, name, site[name]); err != nil {
			return fmt.Errorf("writing the site: %w", err)
		}
	}
	for _, name := range r.Removed {
		if err := root.Remove(filepath.FromSlash(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing a former file of the site: %w", err)
		}
		for dir := path.Dir(name); dir != "." && root.Remove(filepath.FromSlash(dir)) == nil; dir = path.Dir(dir) {
		}
	}
	return writeManifest(root, names)
}

// hasContents reports whether a file in root is regular and equals f. A copy of the same size and time counts as equal:
// records are many megabytes.
func hasContents(root *os.Root, name string, is fs.FileInfo, f File) bool {
	if !is.Mode().IsRegular() {
		return false
	}
	if f.From != "" {
		from, err := os.Stat(f.From)
		if err != nil || from.Size() != is.Size() {
			return false
		}
		if from.ModTime().Equal(is.ModTime()) {
			return true
		}
	} else if int64(len(f.Data)) != is.Size() {
		return false
	}
	want, err := f.Read()
	if err != nil {
		return false
	}
	now, _, err := files.ReadIn(root, name, maxSiteFile)
	return err == nil && bytes.Equal(now, want)
}

// writeFile writes a temporary file and moves it to its place. A copy keeps the time of its original. It does not sync:
// a site lost in a crash is rendered again.
func writeFile(root *os.Root, name string, f File) error {
	data, err := f.Read()
	if err != nil {
		return err
	}
	name = filepath.FromSlash(name)
	err = root.MkdirAll(filepath.Dir(name), 0o755)
	if err == nil {
		err = root.WriteFile(unfinishedFile, data, 0o644)
	}
	if from, gone := os.Stat(f.From); err == nil && f.From != "" && gone == nil {
		err = root.Chtimes(unfinishedFile, from.ModTime(), from.ModTime())
	}
	if err == nil {
		err = root.Rename(unfinishedFile, name)
	}
	if err != nil {
		_ = root.Remove(unfinishedFile) // if it is there
	}
	return err
}

// readManifest returns the files that the last build wrote, sorted; none for an empty folder.
func readManifest(root *os.Root, dir string) ([]string, error) {
	data, _, err := files.ReadIn(root, manifestFile, maxSiteFile)
	if errors.Is(err, fs.ErrNotExist) {
		entries, err := fs.ReadDir(root.FS(), ".")
		if err != nil {
			return nil, fmt.Errorf("reading the folder of the site: %w", err)
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
	if i := slices.IndexFunc(m.Files, func(name string) bool { return !fs.ValidPath(name) || name == "." }); i >= 0 {
		return nil, fmt.Errorf("%s in %s lists %q, which is not a file of a site; empty the folder", manifestFile, dir,
			m.Files[i])
	}
	slices.Sort(m.Files)
	return m.Files, nil
}

func writeManifest(root *os.Root, names []string) error {
	data, err := json.MarshalIndent(manifest{manifestVersion, names}, "", " ")
	if err != nil {
		return fmt.Errorf("writing the manifest of the site: %w", err)
	}
	data = append(data, '\n')
	if now, _, err := files.ReadIn(root, manifestFile, maxSiteFile); err == nil && bytes.Equal(now, data) {
		return nil
	}
	if err := writeFile(root, manifestFile, File{Data: data}); err != nil {
		return fmt.Errorf("writing the manifest of the site: %w", err)
	}
	return nil
}
