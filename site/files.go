package site

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/google/renameio/v2"
	"golang.org/x/sync/errgroup"

	"benchbook/internal/files"
)

// manifestFile lists what a build wrote, so the next build knows its own files.
const manifestFile = ".benchbook-site.json"

type manifest struct {
	SchemaVersion int      `json:"schema_version"`
	Files         []string `json:"files"` // relative, with slashes, sorted
}

const manifestVersion = 1

// unfinishedDir holds files until all are written. A killed build may leave it.
const unfinishedDir = ".benchbook-unfinished"

// writer replaces the files of a site in a folder and leaves those of others: all are written beside the site first and
// then moved. It uses a Root, so no link leads out of the folder.
type writer struct {
	dir              string
	root, unfinished *os.Root
	old              []string // what the last build wrote

	mu     sync.Mutex // guards what follows
	names  []string   // of the files
	staged []string   // those that are new or changed; each is in unfinished, where it will be in the site
	there  map[string]bool
	made   map[string]bool // folders in unfinished
}

func write(dir string, files map[string][]byte) (Report, error) {
	w, err := newWriter(dir)
	if err != nil {
		return Report{}, err
	}
	defer w.close()
	for name, data := range files {
		if err := w.put(name, data); err != nil {
			return Report{}, err
		}
	}
	return w.finish()
}

func newWriter(dir string) (*writer, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of the site: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the folder of the site: %w", err)
	}
	w := &writer{dir: dir, root: root, there: map[string]bool{}, made: map[string]bool{".": true}}
	if w.old, err = readManifest(root, dir); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	err = root.RemoveAll(unfinishedDir)
	if err == nil {
		err = root.Mkdir(unfinishedDir, 0o755)
	}
	if err == nil {
		w.unfinished, err = root.OpenRoot(unfinishedDir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making room for the site: %w", err), root.Close())
	}
	return w, nil
}

// close releases the folder and removes unfinished files.
func (w *writer) close() {
	_ = w.unfinished.Close()
	_ = w.root.RemoveAll(unfinishedDir)
	_ = w.root.Close()
}

// put adds a file, and may be called concurrently. A file with the same contents is left alone. It does not sync: a
// site lost in a crash is rendered again.
func (w *writer) put(name string, data []byte) error {
	changed := !w.has(name, data)
	w.mu.Lock()
	w.names = append(w.names, name)
	if changed {
		w.staged = append(w.staged, name)
	}
	w.mu.Unlock()
	if !changed {
		return nil
	}
	if err := w.stage(name, data); err != nil {
		return fmt.Errorf("writing the site: %w", err)
	}
	return nil
}

// copy adds a copy of a file, and may be called concurrently. It has the time of the file, so that it is made again
// only if that changed: records are many megabytes.
func (w *writer) copy(name, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("reading what the site has a copy of: %w", err)
	}
	defer source.Close()
	is, err := source.Stat()
	if err != nil {
		return fmt.Errorf("reading what the site has a copy of: %w", err)
	}
	local := filepath.FromSlash(name)
	was, err := w.root.Lstat(local)
	changed := err != nil || !was.Mode().IsRegular() || was.Size() != is.Size() || !was.ModTime().Equal(is.ModTime())
	w.mu.Lock()
	w.names = append(w.names, name)
	if changed {
		w.staged = append(w.staged, name)
		err = w.makeFolder(path.Dir(name))
	}
	w.mu.Unlock()
	if !changed {
		return nil
	}
	if err == nil {
		err = w.create(local, source)
	}
	if err == nil {
		err = w.unfinished.Chtimes(local, is.ModTime(), is.ModTime())
	}
	if err != nil {
		return fmt.Errorf("writing the site: %w", err)
	}
	return nil
}

// stage writes a file into unfinished.
func (w *writer) stage(name string, data []byte) error {
	w.mu.Lock()
	err := w.makeFolder(path.Dir(name))
	w.mu.Unlock()
	if err != nil {
		return err
	}
	return w.create(filepath.FromSlash(name), bytes.NewReader(data))
}

// create makes a new file in unfinished. If it exists, the file system ignores case.
func (w *writer) create(local string, data io.Reader) error {
	file, err := w.unfinished.OpenFile(local, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s would replace a file whose name differs only in case; rename an article or a label",
			filepath.ToSlash(local))
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(file, data)
	return errors.Join(err, file.Close())
}

// makeFolder makes a folder in unfinished. It may exist if the file system ignores case.
func (w *writer) makeFolder(name string) error {
	if w.made[name] {
		return nil
	}
	if err := w.makeFolder(path.Dir(name)); err != nil {
		return err
	}
	w.made[name] = true
	err := w.unfinished.Mkdir(filepath.FromSlash(name), 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

const maxSiteFile = 1 << 30

func readIn(root *os.Root, name string) ([]byte, error) {
	data, _, err := files.ReadIn(root, name, maxSiteFile)
	return data, err
}

func (w *writer) has(name string, data []byte) bool {
	folder, local := path.Dir(name), filepath.FromSlash(name)
	w.mu.Lock()
	there, known := w.there[folder]
	w.mu.Unlock()
	if !known {
		_, err := w.root.Lstat(filepath.FromSlash(folder))
		there = err == nil
		w.mu.Lock()
		w.there[folder] = there
		w.mu.Unlock()
	}
	if !there {
		return false
	}
	info, err := w.root.Lstat(local)
	if err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(data)) {
		return false
	}
	now, err := readIn(w.root, name)
	return err == nil && bytes.Equal(now, data)
}

// finish moves all files into place, and removes those of the last build that are gone.
func (w *writer) finish() (r Report, err error) {
	slices.Sort(w.names)
	// The manifest comes first and has old and new: whatever happens from here on, the next build knows what is ours.
	both := slices.Compact(slices.Sorted(slices.Values(slices.Concat(w.old, w.names))))
	if err := writeManifest(w.root, w.dir, both); err != nil {
		return r, err
	}
	if err := w.place(); err != nil {
		return r, fmt.Errorf("writing the site: %w", err)
	}
	r.Written = slices.Sorted(slices.Values(w.staged))
	r.Files = len(w.names)
	for _, name := range w.old {
		if _, stays := slices.BinarySearch(w.names, name); stays {
			continue
		}
		switch err := w.root.Remove(filepath.FromSlash(name)); {
		case err == nil:
			r.Removed = append(r.Removed, name)
			removeEmpty(w.root, path.Dir(name))
		case !errors.Is(err, fs.ErrNotExist):
			return r, fmt.Errorf("removing what is no longer part of the site: %w", err)
		}
	}
	return r, writeManifest(w.root, w.dir, w.names)
}

func (w *writer) place() error {
	var names []string // of files, and of folders that the site lacks and which get their places with all that is in them
	err := fs.WalkDir(w.unfinished.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if !d.IsDir() {
			names = append(names, name)
			return nil
		}
		switch info, err := w.root.Lstat(filepath.FromSlash(name)); {
		case errors.Is(err, fs.ErrNotExist):
			names = append(names, name)
			return fs.SkipDir
		case err != nil:
			return err
		case !info.IsDir():
			return fmt.Errorf("%s is not a folder; remove it", name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, name := range names {
		group.Go(func() error {
			local := filepath.FromSlash(name)
			return w.root.Rename(filepath.Join(unfinishedDir, local), local)
		})
	}
	return group.Wait()
}

// readManifest lists what the last build wrote; nothing for a new or empty folder.
func readManifest(root *os.Root, dir string) ([]string, error) {
	data, err := readIn(root, manifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, fmt.Errorf("looking into the folder of the site: %w", err)
		}
		if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() != unfinishedDir }) {
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
			return nil, fmt.Errorf("%s in %s lists %q, which is not a file of a site; empty the folder", manifestFile, dir, name)
		}
	}
	return m.Files, nil
}

func manifestOf(names []string) ([]byte, error) {
	data, err := json.MarshalIndent(manifest{manifestVersion, names}, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing the manifest of the site: %w", err)
	}
	return append(data, '\n'), nil
}

// writeManifest syncs, unlike put: otherwise nobody would know which files are ours.
func writeManifest(root *os.Root, dir string, names []string) error {
	data, err := manifestOf(names)
	if err != nil {
		return err
	}
	if now, unread := readIn(root, manifestFile); unread == nil && bytes.Equal(now, data) {
		return nil
	}
	if err := renameio.WriteFile(filepath.Join(dir, manifestFile), data, 0o644); err != nil {
		return fmt.Errorf("writing the manifest of the site: %w", err)
	}
	return nil
}

func removeEmpty(root *os.Root, name string) {
	for ; name != "."; name = path.Dir(name) {
		if root.Remove(filepath.FromSlash(name)) != nil { // it is not empty
			return
		}
	}
}
