package site

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"benchbook/internal/files"
	"benchbook/internal/slice"
)

// A File is a file of a site: its contents, or the local file to copy.
type File struct {
	Data   []byte
	From   string // path of the original, for a copy
	Packed bool   // compress the copy by gzip
}

// Read returns the contents.
func (f File) Read() ([]byte, error) {
	data, err := f.original()
	if err != nil || !f.Packed {
		return data, err
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err = w.Write(data); err == nil {
		err = w.Close()
	}
	return packed.Bytes(), err
}

func (f File) original() ([]byte, error) {
	if f.From == "" {
		return f.Data, nil
	}
	data, err := os.ReadFile(f.From)
	if err != nil {
		return nil, fmt.Errorf("copying a file to the site: %w", err)
	}
	return data, nil
}

// equals reports whether the file has the given contents. It compares gzip files by the checksum and length at their
// end, as compressing all records would take longer than rendering all pages. Source: RFC 1952, section 2.3.1.
func (f File) equals(contents []byte) bool {
	data, err := f.original()
	if err != nil || !f.Packed {
		return err == nil && bytes.Equal(contents, data)
	}
	end := len(contents) - gzipTrailer
	return end >= 0 && binary.LittleEndian.Uint32(contents[end:]) == crc32.ChecksumIEEE(data) &&
		binary.LittleEndian.Uint32(contents[end+4:]) == uint32(len(data)) // both modulo 2^32
}

const gzipTrailer = 8 // bytes: CRC-32 and length

// Report lists what writing a site changed.
type Report struct {
	Files   int      // of the site
	Written []string // new or changed, relative to the site's folder, sorted
	Removed []string // relative to the same folder, sorted
}

const (
	manifestFile    = ".benchbook-site.json" // lists the files of the last build
	manifestVersion = 1
	unfinishedFile  = ".benchbook-unfinished" // a file that is being written
	maxSiteFile     = 1 << 30                 // bytes
)

type manifest struct {
	SchemaVersion int      `json:"schema_version"`
	Files         []string `json:"files"` // relative, with slashes, sorted
}

// update writes the files of a site into dir, except equal ones, and removes files of the last build that the site no
// longer has. It fails if a file that no build wrote is in the way. It uses a Root, so symbolic links can't lead out of
// dir.
func update(dir string, site map[string]File) (Report, error) {
	r := Report{Files: len(site)}
	names := slices.Sorted(maps.Keys(site))
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
	for _, name := range names {
		if hasContents(root, name, site[name]) {
			continue
		}
		if _, err := root.Lstat(name); err == nil && !slices.Contains(old, name) {
			return r, fmt.Errorf("%s has a file or folder %s that no build of a site wrote: move it away", dir, name)
		}
		r.Written = append(r.Written, name)
	}
	r.Removed = slice.Filter(old, func(name string) bool { _, stays := site[name]; return !stays })
	return r, apply(root, old, names, r, site)
}

// apply writes and removes the files in a report. First it writes a manifest of old and new files, so that the next
// build knows all files if this one is interrupted.
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

// hasContents reports whether a file in root is regular and has the contents of f.
func hasContents(root *os.Root, name string, f File) bool {
	is, err := root.Lstat(name)
	if err != nil || !is.Mode().IsRegular() {
		return false
	}
	now, _, err := files.ReadIn(root, name, maxSiteFile)
	return err == nil && f.equals(now)
}

// writeFile writes a temporary file and moves it into place. It does not sync, as a lost site can be rendered again.
func writeFile(root *os.Root, name string, f File) error {
	data, err := f.Read()
	if err != nil {
		return err
	}
	name = filepath.FromSlash(name)
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err = root.WriteFile(unfinishedFile, data, 0o644); err == nil {
		err = root.Rename(unfinishedFile, name)
	}
	if err != nil {
		_ = root.Remove(unfinishedFile) // may not exist
	}
	return err
}

// readManifest returns the files of the last build, sorted; none for an empty folder. It fails for other folders.
func readManifest(root *os.Root, dir string) ([]string, error) {
	data, _, err := files.ReadIn(root, manifestFile, maxSiteFile)
	if errors.Is(err, fs.ErrNotExist) {
		if entries, _ := fs.ReadDir(root.FS(), "."); len(entries) > 0 {
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
	return m.Files, nil
}

// writeManifest writes the manifest, unless it is up to date.
func writeManifest(root *os.Root, names []string) error {
	data, err := json.MarshalIndent(manifest{manifestVersion, names}, "", " ")
	f := File{Data: append(data, '\n')}
	if err == nil && !hasContents(root, manifestFile, f) {
		err = writeFile(root, manifestFile, f)
	}
	if err != nil {
		return fmt.Errorf("writing the manifest of the site: %w", err)
	}
	return nil
}
