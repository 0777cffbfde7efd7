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
	Open       func() (io.ReadCloser, error) // called twice; must give the same bytes
}

// text returns an input with fixed content.
func text(path string, content []byte) Input {
	return Input{Path: path, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }}
}

// Write writes a bundle of inputs in any order, and returns its manifest and the manifest's digest. Each input is read
// twice: for its digest, which precedes it in the manifest, and for its content.
//
// The error is an *Error: for an input that cannot be read, changes meanwhile, or has a name that no bundle can have;
// for a bundle beyond the default Limits; and for a failing w. After an error w holds no bundle.
func Write(w io.Writer, about About, inputs []Input) (Manifest, string, error) {
	inputs = slices.SortedFunc(slices.Values(inputs), func(a, b Input) int { return cmp.Compare(a.Path, b.Path) })
	m := Manifest{Format: Format, About: about, Files: []File{}}
	if !m.Date.IsZero() {
		m.Date = m.Date.UTC().Truncate(time.Second)
	}
	for _, in := range inputs {
		if strings.EqualFold(in.Path, ManifestName) {
			return m, "", fail(in.Path, "is a name that bundles keep for a file of their own: rename it")
		}
		f, err := in.describe()
		if err != nil {
			return m, "", err
		}
		m.Files = append(m.Files, f)
	}
	var encoded bytes.Buffer
	e := json.NewEncoder(&encoded)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(m); err != nil {
		return m, "", &Error{ManifestName, "cannot be written: a number or a date in it is out of range", err}
	}
	if err := m.check(Limits{}.orDefaults()); err != nil {
		return m, "", err
	}
	if encoded.Len() > maxManifest {
		return m, "", fail("", "the bundle has too many files: its manifest would be larger than %d MiB", maxManifest>>20)
	}
	own := text(ManifestName, encoded.Bytes())
	first, err := own.describe()
	if err == nil {
		err = writeArchive(w, append([]Input{own}, inputs...), append([]File{first}, m.Files...))
	}
	return m, digestOf(encoded.Bytes()), err
}

func digestOf(manifest []byte) string {
	sum := sha256.Sum256(manifest)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (in *Input) describe() (File, error) {
	from, err := in.Open()
	if err != nil {
		return File{}, failBy(err, in.Path, "cannot be read")
	}
	defer from.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, from)
	if err != nil {
		return File{}, failBy(err, in.Path, "cannot be read")
	}
	return File{in.Path, size, hex.EncodeToString(sum.Sum(nil)), in.Executable}, nil
}

func writeArchive(w io.Writer, inputs []Input, list []File) (err error) {
	out := &errorWriter{Writer: w}
	defer func() {
		if out.err != nil {
			err = failBy(out.err, "", "the bundle cannot be written")
		}
	}()
	compressed := gzip.NewWriter(out)
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

// write copies an input, which must have the size and digest of f.
func (in *Input) write(archive *tar.Writer, f File) error {
	err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.Path, Size: f.Size, Mode: f.mode()})
	if err != nil {
		return failBy(err, f.Path, "cannot be written")
	}
	from, err := in.Open()
	if err != nil {
		return failBy(err, f.Path, "cannot be read")
	}
	defer from.Close()
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
