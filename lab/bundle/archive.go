// Package bundle writes an article, its inputs, its records and, if wanted, its images to one file, and repeats the
// article of such a file on this machine.
//
// A bundle is a tar archive compressed with gzip. Its first file, manifest.json, lists all others in order, each with
// its size and SHA-256. The same inputs give the same bytes: files are sorted, without times, owners or users.
//
// A bundle may come from a stranger. Opening one runs nothing, writes regular files into one folder, at most the bytes
// that the manifest lists, and removes them after an error. The stranger wrote the manifest too: its digest proves that
// two people have the same bundle, not that the results are true.
package bundle

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/docker/go-units"

	"benchbook/internal/files"
	"benchbook/lab/show"
)

const (
	format       = 2 // of the bundles that this package writes and reads
	manifestName = "manifest.json"

	maxManifest = 4 << 20  // bytes
	maxHeaders  = 16 << 10 // bytes of tar headers before a file
	maxFiles    = 20_000   // of a bundle
	maxBytes    = 64 << 30 // of all files and folders
	perFolder   = 4 << 10  // bytes that a file or folder takes at least
	maxPath     = 1000     // bytes
	maxDepth    = 32       // folders
)

// manifest describes a bundle. Its texts come from the author, and may have characters that act on a terminal.
type manifest struct {
	Format  int                    `json:"benchbook_bundle"`
	Article string                 `json:"article"` // slug
	Title   string                 `json:"title,omitempty"`
	Author  string                 `json:"author,omitempty"`
	Date    time.Time              `json:"date,omitzero"`    // of the newest record
	Hosts   []string               `json:"hosts,omitempty"`  // class and digest; Claims are of the first
	Claims  map[string]show.Judged `json:"claims,omitempty"` // by name
	Files   []file                 `json:"files"`            // in the order of the archive, without manifest.json
}

// file is one file of a bundle.
type file struct {
	Path       string `json:"path"`   // with slashes
	Size       int64  `json:"size"`   // in bytes
	SHA256     string `json:"sha256"` // lower-case hexadecimal
	Executable bool   `json:"executable,omitempty"`
}

// size returns the bytes that the files and their folders take on a disk.
func (m *manifest) size() (size int64) {
	for _, f := range m.Files {
		size += f.Size + perFolder*int64(1+strings.Count(f.Path, "/"))
	}
	return size
}

// check returns an error for a manifest that Create does not write.
func (m *manifest) check() error {
	for _, name := range append([]string{m.Article}, m.Hosts...) {
		if !files.IsName(name) {
			return fmt.Errorf("%s names an article or host %.100q, which cannot be the name of a folder", manifestName, name)
		}
	}
	if len(m.Files) == 0 || len(m.Files) > maxFiles {
		return fmt.Errorf("%s lists %d files, and may list 1 to %d", manifestName, len(m.Files), maxFiles)
	}
	for _, f := range m.Files {
		if why := badPath(f.Path); why != "" {
			return fmt.Errorf("%.200q cannot be a path in a bundle: %s", f.Path, why)
		}
		if f.Size < 0 || f.Size > maxBytes {
			return fmt.Errorf("%.200q has an invalid size, %d bytes", f.Path, f.Size)
		}
	}
	if m.size() > maxBytes {
		return fmt.Errorf("the files of the bundle take more than %s", units.BytesSize(maxBytes))
	}
	return nil
}

// reserved are names of files and folders that make git and other version control run programs, and benchbook's own.
var reserved = []string{".git", "git~1", ".hg", ".svn", ".bzr", ".jj", ".benchbook"}

// badPath returns why no file of a bundle can have a path; empty if one can. Other hidden files are allowed, as builds
// read files such as .dockerignore.
func badPath(name string) string {
	isHidden := func(r rune) bool {
		return r == '\\' || !unicode.IsPrint(r) ||
			unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
	}
	switch {
	case !fs.ValidPath(name):
		return "it is not a path below a folder"
	case len(name) > maxPath || strings.Count(name, "/") >= maxDepth:
		return fmt.Sprintf("it has more than %d bytes or %d folders", maxPath, maxDepth)
	case strings.ContainsFunc(name, isHidden):
		return "it has a backslash or invisible characters"
	case strings.EqualFold(path.Base(name), "HEAD"):
		return "git would take its folder for a repository, and may run programs that a file there names"
	}
	for element := range strings.SplitSeq(name, "/") {
		element = strings.TrimRight(element, ". ") // Windows ignores them
		if slices.ContainsFunc(reserved, func(r string) bool { return strings.EqualFold(r, element) }) {
			return fmt.Sprintf("%q belongs to version control or to benchbook", element)
		}
	}
	return ""
}

// write writes the files of a folder as a bundle, lists them in the manifest, and returns the digest of the manifest.
// It ends with ctx.
func write(ctx context.Context, w io.Writer, dir string, m *manifest) (digest string, err error) {
	root := os.DirFS(dir)
	err = fs.WalkDir(root, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		f := file{Path: name, Executable: info.Mode()&0o100 != 0}
		sum := sha256.New()
		f.Size, err = copyFile(ctx, sum, root, name)
		f.SHA256 = hex.EncodeToString(sum.Sum(nil))
		m.Files = append(m.Files, f)
		return err
	})
	if err != nil {
		return "", err
	}
	m.Format = format
	if err := m.check(); err != nil {
		return "", err
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err == nil && len(text) > maxManifest {
		err = fmt.Errorf("the list of its files is larger than %d MiB", maxManifest>>20)
	}
	if err != nil {
		return "", err
	}
	compressed := gzip.NewWriter(w)
	archive := tar.NewWriter(compressed)
	first := file{Path: manifestName, Size: int64(len(text))}
	if err = archive.WriteHeader(first.header()); err == nil {
		_, err = archive.Write(text)
	}
	for _, f := range m.Files {
		if err == nil {
			err = archive.WriteHeader(f.header())
		}
		if err == nil {
			_, err = copyFile(ctx, archive, root, f.Path)
		}
	}
	return digestOf(text), errors.Join(err, archive.Close(), compressed.Close())
}

func copyFile(ctx context.Context, w io.Writer, root fs.FS, name string) (int64, error) {
	from, err := root.Open(name)
	if err != nil {
		return 0, err
	}
	defer from.Close()
	return io.Copy(w, files.Stream{Context: ctx, Reader: from})
}

func (f *file) header() *tar.Header {
	mode := int64(0o644)
	if f.Executable {
		mode = 0o755
	}
	return &tar.Header{Typeflag: tar.TypeReg, Name: f.Path, Size: f.Size, Mode: mode}
}

func digestOf(manifest []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(manifest)) }

// reader reads a bundle from a stream, once.
type reader struct {
	unpacked io.LimitedReader
	archive  *tar.Reader
	text     []byte // of manifest.json
	manifest manifest
}

const damaged = "the bundle is damaged or incomplete: copy or download it again"

// openArchive reads and checks the manifest of a bundle, and no file after it.
func openArchive(from io.Reader) (*reader, error) {
	unpacked, err := gzip.NewReader(from)
	if err != nil {
		return nil, fmt.Errorf("this is not a bundle of benchbook: %w", err)
	}
	r := &reader{unpacked: io.LimitedReader{R: unpacked, N: maxHeaders}}
	r.archive = tar.NewReader(&r.unpacked)
	header, err := r.archive.Next()
	if err != nil || header.Name != manifestName || !isPlain(header) || header.Size > maxManifest {
		return nil, errors.Join(fmt.Errorf("this is not a bundle of benchbook: it does not begin with a file %s of at most "+
			"%d MiB", manifestName, maxManifest>>20), err)
	}
	r.unpacked.N = header.Size
	if r.text, err = io.ReadAll(r.archive); err != nil {
		return nil, fmt.Errorf("%s: %w", damaged, err)
	}
	var version struct { // a later format may have other types under the same keys
		Format int `json:"benchbook_bundle"`
	}
	if err = json.Unmarshal(r.text, &version); err == nil && version.Format != format {
		return nil, fmt.Errorf("the bundle has format %d, and this version of benchbook reads format %d", version.Format, format)
	}
	if err == nil {
		err = json.Unmarshal(r.text, &r.manifest)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", manifestName, err)
	}
	return r, r.manifest.check()
}

// isPlain reports whether a header is for a regular file, with extended headers only for long names and large files.
func isPlain(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if key != "path" && key != "size" {
			return false
		}
	}
	return h.Typeflag == tar.TypeReg && h.Linkname == ""
}

// extract writes the files of the bundle and manifest.json into an empty folder. The error names the first file that
// differs from the manifest, is missing or out of order, or cannot be written.
func (r *reader) extract(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.WriteFile(manifestName, r.text, 0o644); err != nil {
		return err
	}
	for _, f := range r.manifest.Files {
		if err := r.extractFile(root, f); err != nil {
			return fmt.Errorf("%.200q: %w", f.Path, err)
		}
	}
	r.unpacked.N = maxHeaders
	header, err := r.archive.Next()
	if err == nil {
		return fmt.Errorf("%.200q: it is in the bundle, and not in its manifest", header.Name)
	}
	if err == io.EOF {
		_, err = io.Copy(io.Discard, &r.unpacked) // to the checksum
	}
	if err != nil {
		return fmt.Errorf("%s: %w", damaged, err)
	}
	return nil
}

// extractFile writes the next file, which must be f.
func (r *reader) extractFile(root *os.Root, f file) error {
	r.unpacked.N = maxHeaders
	header, err := r.archive.Next()
	want := f.header()
	switch {
	case err != nil:
		return fmt.Errorf("%s (%w)", damaged, err)
	case header.Name != want.Name:
		return fmt.Errorf("the bundle has %.200q in its place", header.Name)
	case !isPlain(header) || header.Size != want.Size || header.Mode != want.Mode:
		return errors.New("it is not the plain file that the manifest lists: its type, size or mode differs")
	}
	if err := root.MkdirAll(path.Dir(f.Path), 0o755); err != nil {
		return err
	}
	to, err := root.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(want.Mode))
	if err != nil {
		return err
	}
	r.unpacked.N = f.Size
	sum := sha256.New()
	_, err = io.CopyN(io.MultiWriter(to, sum), r.archive, f.Size)
	err = cmp.Or(err, to.Close())
	_, ofSystem := errors.AsType[*fs.PathError](err)
	switch {
	case ofSystem:
		return err
	case err != nil:
		return fmt.Errorf("%s (%w)", damaged, err)
	case hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		return errors.New("it is not the file that the manifest lists: its content was changed")
	}
	return nil
}
