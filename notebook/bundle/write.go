package bundle

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"
)

// Input is a file that goes into a bundle.
type Input struct {
	Path       string // in the bundle, with slashes
	Executable bool
	// Open begins to read the file. It is called twice, and must give the same bytes.
	Open func() (io.ReadCloser, error)
}

// Write writes a bundle of inputs in any order. It reads each of them twice: to learn its digest, which the manifest
// has to say before the file comes, and to write it. Nothing is held in memory but the manifest.
//
// The result is the manifest that was written, with the time of About in UTC and whole seconds, and its digest, as
// Reader.Digest says it.
//
// The error is an *Error: for an input that cannot be read, changed in between, or has a name that no file in a bundle
// can have; for what would be beyond the default Limits; or because w cannot be written to. Then w holds no bundle.
func Write(w io.Writer, about About, inputs []Input) (Manifest, string, error) {
	m, text, inputs, err := describe(about, inputs)
	if err != nil {
		return m, "", err
	}
	manifestInput, manifestFile := ownFile(ManifestName, text)
	out := &recorder{Writer: w}
	err = writeArchive(out, append([]Input{manifestInput}, inputs...), append([]File{manifestFile}, m.Files...))
	if out.err != nil {
		err = failBy(out.err, "", "the bundle cannot be written")
	}
	return m, digestOf(text), err
}

// describe makes the manifest of a bundle, and its text. The inputs that it returns are all others, in their order.
func describe(about About, inputs []Input) (m Manifest, text []byte, all []Input, err error) {
	m = Manifest{Format: Format, About: about}
	if !m.Date.IsZero() {
		m.Date = m.Date.UTC().Truncate(time.Second)
	}
	inputs = slices.SortedFunc(slices.Values(inputs), func(a, b Input) int { return cmp.Compare(a.Path, b.Path) })
	listed := make([]File, 0, len(inputs))
	for _, in := range inputs {
		if strings.EqualFold(in.Path, ManifestName) {
			return m, nil, nil, fail(in.Path, "is a name that bundles keep for a file of their own: rename it")
		}
		f, err := in.digest()
		if err != nil {
			return m, nil, nil, err
		}
		listed = append(listed, f)
	}
	m.Files = listed
	if text, err = encode(m); err == nil {
		err = m.check(Limits{}.orDefaults())
	}
	if err != nil {
		return m, nil, nil, err
	}
	if len(text) > maxManifest {
		err = fail("", "the bundle has too many files: its manifest would be larger than %d MiB", maxManifest>>20)
	}
	return m, text, inputs, err
}

// encode is JSON in lines, which a person can read.
func encode(v any) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		return nil, &Error{ManifestName, "cannot be written: a number or a date in it is out of range", err}
	}
	return text.Bytes(), nil
}

func digestOf(manifest []byte) string {
	sum := sha256.Sum256(manifest)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func ownFile(name string, data []byte) (Input, File) {
	sum := sha256.Sum256(data)
	return Input{Path: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }},
		File{Path: name, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
}

func (in *Input) digest() (File, error) {
	from, err := in.Open()
	if err != nil {
		return File{}, failBy(err, in.Path, "cannot be read")
	}
	defer from.Close() // it was only read
	sum := sha256.New()
	size, err := io.Copy(sum, from)
	if err != nil {
		return File{}, failBy(err, in.Path, "cannot be read")
	}
	return File{in.Path, size, hex.EncodeToString(sum.Sum(nil)), in.Executable}, nil
}

// writeArchive writes inputs, of which list has the sizes and digests. What w could not take is for the caller to say.
func writeArchive(w io.Writer, inputs []Input, list []File) error {
	compressed := gzip.NewWriter(w) // whose header has no name and no time
	archive := tar.NewWriter(compressed)
	for i, in := range inputs {
		if err := in.write(archive, list[i]); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return compressed.Close()
}

// write copies an input that had the size and digest of f.
func (in *Input) write(archive *tar.Writer, f File) error {
	// The library leaves out all that is not set here: owners, and the time, which is the beginning of 1970.
	err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.Path, Size: f.Size, Mode: f.mode()})
	if err != nil {
		return failBy(err, f.Path, "cannot be written")
	}
	from, err := in.Open()
	if err != nil {
		return failBy(err, f.Path, "cannot be read")
	}
	defer from.Close() // it was only read
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(archive, sum), io.LimitReader(from, f.Size))
	if err != nil {
		return failBy(err, f.Path, "cannot be read")
	}
	more, _ := io.ReadFull(from, make([]byte, 1))
	if size < f.Size || more > 0 || hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return fail(f.Path, "changed while it was bundled: try again when nothing writes to it")
	}
	return nil
}
