// Package bundle writes an article, its inputs, its records and, if wanted, its images to one file, and repeats the
// article of such a file on this machine.
//
// A bundle is a tar archive compressed with gzip. Its first file, manifest.json, says how many files follow, and how
// many bytes they take. The same inputs give the same bytes: files are sorted, without times, owners or users.
//
// A bundle may come from a stranger. Opening one runs nothing, writes only regular files into one folder, no more bytes
// than the manifest says, and removes them after an error. Its digest proves that two people have the same bundle, not
// that the results are true.
package bundle

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/docker/go-units"

	"benchbook/internal/files"
)

const (
	format       = 4 // version of the bundles that this package writes and reads
	manifestName = "manifest.json"

	maxManifest = 4 << 20  // bytes
	maxHeaders  = 16 << 10 // bytes of tar headers before a file
	maxFiles    = 20_000   // in a bundle
	maxBytes    = 64 << 30 // bytes of all files and folders
	perFolder   = 4 << 10  // least bytes that a file or folder takes on a disk
	maxPath     = 1000     // bytes
	maxDepth    = 32       // folders
)

// manifest describes a bundle.
type manifest struct {
	Format  int    `json:"benchbook_bundle"`
	Article string `json:"article"` // slug
	Files   int    `json:"files"`   // without manifest.json
	Bytes   int64  `json:"bytes"`   // space that files and folders take on a disk
}

// count adds a file and its folders to the totals.
func (m *manifest) count(name string, size int64) {
	m.Files, m.Bytes = m.Files+1, m.Bytes+size+perFolder*int64(1+strings.Count(name, "/"))
}

// check returns an error for a manifest that Create does not write.
func (m *manifest) check() error {
	if !files.IsName(m.Article) {
		return fmt.Errorf("%s names an article %.100q, which cannot be the name of a folder", manifestName, m.Article)
	}
	if m.Files < 1 || m.Files > maxFiles || m.Bytes < 0 || m.Bytes > maxBytes {
		return fmt.Errorf("a bundle may have 1 to %d files that take %s, and this one has %d that take %s", maxFiles,
			units.BytesSize(maxBytes), m.Files, units.BytesSize(float64(m.Bytes)))
	}
	return nil
}

// reserved lists names that belong to benchbook or to version control, which may run programs that such folders name.
var reserved = []string{".git", "git~1", ".hg", ".svn", ".bzr", ".jj", ".benchbook"}

// badPath returns why a path is not allowed in a bundle; empty if it is. Hidden files are allowed unless reserved,
// because builds read files such as .dockerignore.
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

// write writes the files below dir as a bundle and returns its digest. It stops with ctx.
func write(ctx context.Context, w io.Writer, dir string, m *manifest) (digest string, err error) {
	root := os.DirFS(dir)
	var names []string
	err = fs.WalkDir(root, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if why := badPath(name); why != "" {
			return fmt.Errorf("%.200q cannot be a path in a bundle: %s", name, why)
		}
		info, err := e.Info()
		if err == nil {
			names = append(names, name)
			m.count(name, info.Size())
		}
		return err
	})
	m.Format = format
	text, encoding := json.MarshalIndent(m, "", " ")
	if err := errors.Join(err, m.check(), encoding); err != nil {
		return "", err
	}
	sum := sha256.New()
	compressed := gzip.NewWriter(io.MultiWriter(w, sum))
	archive := tar.NewWriter(compressed)
	if err = archive.WriteHeader(header(manifestName, int64(len(text)), 0)); err == nil {
		_, err = archive.Write(text)
	}
	for _, name := range names {
		if err == nil {
			err = copyFile(ctx, archive, root, name)
		}
	}
	err = errors.Join(err, archive.Close(), compressed.Close())
	return digestOf(sum), err
}

func copyFile(ctx context.Context, to *tar.Writer, root fs.FS, name string) error {
	from, err := root.Open(name)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err == nil {
		err = to.WriteHeader(header(name, info.Size(), info.Mode()))
	}
	if err == nil {
		_, err = io.Copy(to, files.Stream{Context: ctx, Reader: from})
	}
	return err
}

func header(name string, size int64, mode fs.FileMode) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: int64(0o644 | mode&0o100/0o100*0o111)}
}

func digestOf(sum hash.Hash) string { return fmt.Sprintf("sha256:%x", sum.Sum(nil)) }

// reader reads a bundle from a stream, once.
type reader struct {
	unpacked io.LimitedReader // decompressed, limited to the bytes that the manifest allows
	archive  *tar.Reader
	manifest manifest
}

const damaged = "the bundle is damaged or incomplete: copy or download it again"

// openArchive reads and checks the manifest of a bundle, and leaves the files to extract.
func openArchive(from io.Reader) (*reader, error) {
	unpacked, err := gzip.NewReader(from)
	if err != nil {
		return nil, fmt.Errorf("this is not a bundle of benchbook: %w", err)
	}
	r := &reader{unpacked: io.LimitedReader{R: unpacked, N: maxHeaders + maxManifest}}
	r.archive = tar.NewReader(&r.unpacked)
	first, err := r.archive.Next()
	if err != nil || first.Name != manifestName || !isPlain(first) || first.Size > maxManifest {
		return nil, errors.Join(fmt.Errorf("this is not a bundle of benchbook: it does not begin with a file %s of at most "+
			"%d MiB", manifestName, maxManifest>>20), err)
	}
	text, err := io.ReadAll(r.archive)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", damaged, err)
	}
	if err := json.Unmarshal(text, &r.manifest); err != nil || r.manifest.Format != format {
		return nil, errors.Join(fmt.Errorf("%s is not of format %d, which this version of benchbook reads", manifestName,
			format), err)
	}
	r.unpacked.N = r.manifest.Bytes + int64(r.manifest.Files+1)*maxHeaders
	return r, r.manifest.check()
}

// isPlain reports whether a header is for a regular file, with extended headers only for long names and large files.
func isPlain(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if key != "path" && key != "size" {
			return false
		}
	}
	return h.Typeflag == tar.TypeReg && h.Linkname == "" && (h.Mode == 0o644 || h.Mode == 0o755)
}

// extract writes the files of the bundle into an empty folder. The error names the first file that is not allowed or
// cannot be written.
func (r *reader) extract(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	var found manifest
	for {
		h, err := r.archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", damaged, err)
		}
		switch why := badPath(h.Name); {
		case why != "":
			return fmt.Errorf("%.200q cannot be a path in a bundle: %s", h.Name, why)
		case !isPlain(h) || h.Size < 0 || h.Size > maxBytes:
			return fmt.Errorf("%.200q is not a plain file", h.Name)
		}
		if found.count(h.Name, h.Size); found.Files > r.manifest.Files || found.Bytes > r.manifest.Bytes {
			return fmt.Errorf("%.200q: the bundle has more files or bytes than its manifest says", h.Name)
		}
		if err := r.extractFile(root, h); err != nil {
			return fmt.Errorf("%.200q: %w", h.Name, err)
		}
	}
	if _, err := io.Copy(io.Discard, &r.unpacked); err != nil { // gzip checks the checksum at the end
		return fmt.Errorf("%s: %w", damaged, err)
	}
	if found.Files != r.manifest.Files || found.Bytes != r.manifest.Bytes {
		return errors.New(damaged)
	}
	return nil
}

func (r *reader) extractFile(root *os.Root, h *tar.Header) error {
	if err := root.MkdirAll(path.Dir(h.Name), 0o755); err != nil {
		return err
	}
	to, err := root.OpenFile(h.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(h.Mode))
	if err != nil {
		return err
	}
	_, err = io.CopyN(to, r.archive, h.Size)
	err = cmp.Or(err, to.Close())
	if _, ofSystem := errors.AsType[*fs.PathError](err); err != nil && !ofSystem {
		return fmt.Errorf("%s (%w)", damaged, err)
	}
	return err
}
