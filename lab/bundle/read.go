package bundle

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
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

	"benchbook/internal/files"
)

// maxHeader bounds the bytes of headers before one file.
const maxHeader = 16 << 10

// Reader reads a bundle from a stream, once.
type Reader struct {
	source   *errorReader
	file     *bufio.Reader
	gzip     *gzip.Reader
	meter    *meter
	archive  *tar.Reader
	text     []byte // of manifest.json
	manifest Manifest
	used     bool
}

// Open reads and checks the manifest of a bundle, and no file after it.
//
// The error is an *Error: for another kind of file, an unknown format, and a manifest that is beyond the limits or
// lists files that Extract must not write.
func Open(r io.Reader, limits Limits) (*Reader, error) {
	out := &Reader{source: &errorReader{Reader: r}}
	out.file = bufio.NewReader(out.source)
	var err error
	out.gzip, err = gzip.NewReader(out.file)
	switch {
	case errors.Is(err, gzip.ErrHeader):
		return nil, fail("", "this is not a bundle of benchbook: it is not compressed with gzip")
	case err == io.EOF:
		return nil, fail("", "this is not a bundle of benchbook: it is empty")
	case err != nil:
		return nil, out.broken("", err)
	}
	out.gzip.Multistream(false) // end refuses a second stream
	out.meter = &meter{from: out.gzip}
	out.archive = tar.NewReader(out.meter)
	if err := out.readManifest(limits.orDefaults()); err != nil {
		return nil, err
	}
	return out, nil
}

// Manifest returns the manifest of the bundle.
func (r *Reader) Manifest() Manifest { return r.manifest }

// Digest returns the SHA-256 of the manifest, "sha256:…". Bundles with the same digest have the same files.
func (r *Reader) Digest() string { return digestOf(r.text) }

func (r *Reader) readManifest(limits Limits) error {
	r.meter.left = maxHeader
	header, err := r.archive.Next()
	switch {
	case err != nil && err != io.EOF && !errors.Is(err, tar.ErrHeader):
		return r.broken(ManifestName, err)
	case err != nil || header.Name != ManifestName || !isPlain(header):
		return fail("", "this is not a bundle of benchbook: it does not begin with a file %s", ManifestName)
	case header.Size > maxManifest:
		return fail(ManifestName, "is larger than %d MiB, which is the most allowed", maxManifest>>20)
	}
	r.meter.left = header.Size
	if r.text, err = io.ReadAll(r.archive); err != nil {
		return r.broken(ManifestName, err)
	}
	// Three bytes of a list can become hundreds in memory.
	if most := 5*limits.Files + 100_000; bytes.Count(r.text, []byte(",")) > most {
		return fail(ManifestName, "lists more than %d files and claims can have", limits.Files)
	}
	// A newer format may have other types under the same keys.
	var version struct {
		Format int `json:"benchbook_bundle"`
	}
	if err := json.Unmarshal(r.text, &version); err != nil {
		return &Error{ManifestName, "is not the manifest of a bundle: it is not JSON with a format", err}
	}
	switch {
	case version.Format <= 0:
		return fail(ManifestName, `is not the manifest of a bundle: "benchbook_bundle" is missing or invalid`)
	case version.Format > Format:
		return fail("", "the bundle has format %d, and this benchbook knows format %d: update it", version.Format, Format)
	}
	if err := json.Unmarshal(r.text, &r.manifest); err != nil {
		return &Error{ManifestName, "is invalid: one of its values has another type than it must have", err}
	}
	return r.manifest.check(limits)
}

// isPlain reports whether a header is for a regular file, without links and without extended headers other than
// those for long names and large files. Sparse files have others.
func isPlain(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if key != "path" && key != "size" {
			return false
		}
	}
	return h.Typeflag == tar.TypeReg && h.Linkname == ""
}

// Extract makes a folder with the files of the bundle and manifest.json. Files for which skip is true are checked and
// not written; nil skips none. Only the first call can succeed.
//
// The error is an *Error: for the first file that differs from the manifest, is missing, or comes twice or out of
// order; for anything after the last file; and for an error of the system. After an error the folder is removed.
func (r *Reader) Extract(dir string, skip func(File) bool) (err error) {
	if r.used {
		return fail("", "the bundle was read already: open it again")
	}
	r.used = true
	if err := os.Mkdir(dir, 0o755); err != nil {
		return failBy(err, "", fmt.Sprintf("cannot extract into %q", dir))
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir) // the first error counts
		}
	}()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return failBy(err, "", fmt.Sprintf("cannot extract into %q", dir))
	}
	defer root.Close()
	if err := root.WriteFile(ManifestName, r.text, 0o644); err != nil {
		return failBy(err, ManifestName, "cannot be written")
	}
	for i, f := range r.manifest.Files {
		if err := r.next(i); err != nil {
			return err
		}
		if skip != nil && skip(f) {
			err = r.copy(io.Discard, f)
		} else {
			err = r.writeFile(root, f)
		}
		if err != nil {
			return err
		}
	}
	return r.end()
}

// writeFile makes the file whose header was read, and the folders above it.
func (r *Reader) writeFile(root *os.Root, f File) error {
	if err := root.MkdirAll(path.Dir(f.Path), 0o755); err != nil {
		return failBy(err, f.Path, "cannot be written")
	}
	to, err := root.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(f.mode()))
	if err != nil {
		return failBy(err, f.Path, "cannot be written")
	}
	err = r.copy(to, f)
	if closed := to.Close(); err == nil && closed != nil {
		err = failBy(closed, f.Path, "cannot be written")
	}
	return err
}

// next reads the next header, which must match file i of the manifest.
func (r *Reader) next(i int) error {
	want := r.manifest.Files[i]
	r.meter.left = maxHeader
	header, err := r.archive.Next()
	switch {
	case err == io.EOF:
		return fail(want.Path, "is missing: the bundle ends before it")
	case err != nil:
		return r.broken(want.Path, err)
	case header.Name != want.Path:
		return r.stray(header.Name, i)
	case !isPlain(header):
		return fail(want.Path, "is not stored as a plain file: bundles have no links, folders, devices or sparse files")
	case header.Size != want.Size:
		return fail(want.Path, "has %d bytes, and the manifest says %d", header.Size, want.Size)
	case header.Mode != want.mode():
		return fail(want.Path, "has the mode %#o, and the manifest says %#o", header.Mode, want.mode())
	}
	return nil
}

// stray returns the error for a file at the position of file i.
func (r *Reader) stray(name string, i int) error {
	at := slices.IndexFunc(r.manifest.Files, func(f File) bool { return f.Path == name })
	switch {
	case name == ManifestName || at >= 0 && at < i:
		return fail(name, "is in the bundle twice")
	case at < 0:
		return fail(name, "is in the bundle, and not in its manifest")
	}
	return fail(r.manifest.Files[i].Path, "is missing, or not in its place: %.200q comes instead", name)
}

// copy copies the file whose header was read, and checks its digest.
func (r *Reader) copy(w io.Writer, f File) error {
	r.meter.left = f.Size
	sum := sha256.New()
	out := &errorWriter{Writer: w}
	_, err := io.CopyN(io.MultiWriter(out, sum), r.archive, f.Size)
	switch {
	case out.err != nil:
		return failBy(out.err, f.Path, "cannot be written")
	case err != nil:
		return r.broken(f.Path, err)
	case hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		return fail(f.Path, "is not the file that the manifest lists: its content was changed")
	}
	return nil
}

// end returns an error for anything after the last file: a file, bytes of the archive, or bytes of the bundle.
func (r *Reader) end() error {
	r.meter.left = maxHeader
	header, err := r.archive.Next()
	if err == nil {
		return r.stray(header.Name, len(r.manifest.Files))
	}
	if err != io.EOF {
		return r.broken("", err)
	}
	n, err := io.ReadFull(r.gzip, make([]byte, 1)) // checks the checksum of gzip too
	if n == 0 && err == io.EOF {
		_, err = r.file.ReadByte()
	}
	switch {
	case err == nil:
		return fail("", "something was appended to the bundle")
	case err != io.EOF:
		return r.broken("", err)
	}
	return nil
}

// broken returns the error for a bundle that cannot be read at a file; for an empty path, at its end.
func (r *Reader) broken(path string, err error) error {
	cut := errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF
	switch {
	case cut && path == "":
		return &Error{Problem: "the bundle ends too early: copy or download it again", Err: err}
	case cut:
		return &Error{path, "is missing or incomplete: the bundle ends too early, so copy or download it again", err}
	case r.source.err != nil:
		return &Error{Problem: "the bundle cannot be read: " + files.Reason(r.source.err), Err: r.source.err}
	case path == "":
		return &Error{Problem: "the bundle is damaged: copy or download it again", Err: err}
	}
	return &Error{path, "cannot be read: the bundle is damaged there, so copy or download it again", err}
}

// errorReader remembers a read error, which tar and gzip do not tell from damage.
type errorReader struct {
	io.Reader
	err error
}

func (s *errorReader) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// meter reads at most left bytes. An end of its input before the end of the archive is unexpected.
type meter struct {
	from io.Reader
	left int64
}

var errTooMuch = errors.New("more than the manifest lists")

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errTooMuch
	}
	n, err := m.from.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	switch {
	case n > 0:
		return n, nil // an error is returned again
	case err == io.EOF:
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}
