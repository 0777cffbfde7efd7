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
	"io"
	"os"
	"slices"

	"benchbook/internal/files"
	"benchbook/notebook/phrase"
)

// maxHeader is more than the headers of one file take: without a bound, a bundle could go on with headers for ever.
const maxHeader = 16 << 10

// Reader reads a bundle from a stream, once.
type Reader struct {
	source   *source
	file     *bufio.Reader
	gzip     *gzip.Reader
	metered  *meter
	archive  *tar.Reader
	text     []byte // of manifest.json
	manifest Manifest
	used     bool
}

// Open reads the manifest of a bundle and checks it, and reads no file behind it. Limits bound what it may list.
//
// The error is an *Error: for what is no bundle, for a format that this package does not know, and for a manifest that
// is beyond the limits or lists what Extract must not write.
func Open(r io.Reader, limits Limits) (*Reader, error) {
	out := &Reader{source: &source{Reader: r}}
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
	out.gzip.Multistream(false) // what follows would be something appended
	out.metered = &meter{from: out.gzip}
	out.archive = tar.NewReader(out.metered)
	if err := out.readManifest(limits.orDefaults()); err != nil {
		return nil, err
	}
	return out, nil
}

// Manifest is what the bundle holds and says of itself. In texts of About, characters that would act on a terminal are
// shown by their numbers. Its slices are shared.
func (r *Reader) Manifest() Manifest { return r.manifest }

// Digest is the SHA-256 of the manifest, in the form "sha256:…". As the manifest has the digests of all files, bundles
// with the same one have the same files and say the same of themselves.
func (r *Reader) Digest() string { return digestOf(r.text) }

func (r *Reader) readManifest(limits Limits) error {
	r.metered.left = maxHeader
	header, err := r.archive.Next()
	switch {
	case err != nil && err != io.EOF && !errors.Is(err, tar.ErrHeader):
		return r.broken(ManifestName, err)
	case err != nil || header.Name != ManifestName || !isPlain(header):
		return fail("", "this is not a bundle of benchbook: it does not begin with a file %s", ManifestName)
	case header.Size > maxManifest:
		return fail(ManifestName, "is larger than %d MiB, which is the most allowed", maxManifest>>20)
	}
	r.metered.left = header.Size
	if r.text, err = io.ReadAll(r.archive); err != nil {
		return r.broken(ManifestName, err)
	}
	// Three bytes in a list can become hundreds in memory, so what is listed is counted before it is made.
	if most := 5*limits.Files + 100_000; bytes.Count(r.text, []byte(",")) > most {
		return fail(ManifestName, "lists more than %d files and claims can have", limits.Files)
	}
	// A newer format may have other types under the names of this one, so its number is read first.
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
	for _, text := range r.manifest.texts() {
		*text = phrase.Plain(*text)
	}
	return r.manifest.check(limits)
}

// isPlain says whether a header is that of a file with nothing special about it: no link, folder or device, and nothing
// in extended headers but what long names and large files need. In particular it is not sparse.
func isPlain(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if key != "path" && key != "size" {
			return false
		}
	}
	return h.Typeflag == tar.TypeReg && h.Linkname == ""
}

// Extract writes the files of the bundle into a folder that it makes, and with them manifest.json. Files for which skip
// is true are checked and not written; nil skips none. A bundle is a stream, so only the first call can succeed.
//
// The error is an *Error: for the first file that is not as the manifest says, is missing, comes twice or out of order;
// for anything behind the last file; and for what the system refuses. Then the folder is removed.
func (r *Reader) Extract(dir string, skip func(File) bool) (err error) {
	if r.used {
		return fail("", "the bundle was read already: open it again")
	}
	r.used = true
	if err := os.Mkdir(dir, 0o755); err != nil {
		return failBy(err, "", "cannot extract into %q", dir)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir) // the first error is what the user has to know
		}
	}()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return failBy(err, "", "cannot extract into %q", dir)
	}
	defer root.Close()
	err = writeFile(root, File{Path: ManifestName}, func(w io.Writer) error {
		_, err := w.Write(r.text)
		if err != nil {
			return failBy(err, ManifestName, "cannot be written")
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, f := range r.manifest.Files {
		if err := r.next(i); err != nil {
			return err
		}
		content := func(w io.Writer) error { return r.copy(w, f) }
		if skip != nil && skip(f) {
			err = content(io.Discard)
		} else {
			err = writeFile(root, f, content)
		}
		if err != nil {
			return err
		}
	}
	return r.end()
}

// next reads the header of a file, which has to be that of file i of the manifest.
func (r *Reader) next(i int) error {
	want := r.manifest.Files[i]
	r.metered.left = maxHeader
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

// stray is the error for a file that comes in place of file i.
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

// copy copies the file whose header was read, and checks it.
func (r *Reader) copy(w io.Writer, f File) error {
	r.metered.left = f.Size
	sum := sha256.New()
	out := &recorder{Writer: w}
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

// end makes sure that nothing follows: no file, no byte after the archive, and none after what is compressed.
func (r *Reader) end() error {
	r.metered.left = maxHeader
	header, err := r.archive.Next()
	if err == nil {
		return r.stray(header.Name, len(r.manifest.Files))
	}
	if err != io.EOF {
		return r.broken("", err)
	}
	n, err := io.ReadFull(r.gzip, make([]byte, 1)) // checks the sum of all that was compressed too
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

// broken is the error for a bundle that cannot be read on, at a file or, if that is empty, at its end.
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

// source remembers why it could not be read, which is otherwise hard to tell from why it makes no sense.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// meter reads no more than is left to read. An archive says itself where it ends, so an end before that is unexpected.
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
		return n, nil // an error comes again
	case err == io.EOF:
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}
