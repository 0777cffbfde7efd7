// Package bundle puts an article, its inputs, its results and, if wanted, its images into one file, and repeats the
// article of such a file on this machine.
//
// A bundle is a tar archive compressed with gzip. Its first file is manifest.json, which lists all others in their
// order, each with its size and SHA-256, so that each file of a stream is checked as it comes. The same inputs give
// the same bytes: files are sorted, and have no times, owners or users.
//
// A bundle may come from a stranger. Opening one runs nothing, writes regular files into one folder, at most the bytes
// that the manifest lists, and removes them after any error. The manifest is the stranger's too: its digest tells
// whether two people have the same bundle, not whether the results are true.
package bundle

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/docker/go-units"

	"benchbook/internal/files"
)

// Format is the number of the format that this package writes and reads.
const Format = 1

// ManifestName is the first file of a bundle.
const ManifestName = "manifest.json"

const (
	maxManifest = 16 << 20 // bytes
	maxFolders  = 100_000
)

// Manifest describes a bundle.
type Manifest struct {
	Format int `json:"benchbook_bundle"`
	About
	Files []File `json:"files"` // in the order of the archive, without manifest.json
}

// File is one file of a bundle.
type File struct {
	Path       string `json:"path"`   // with slashes
	Size       int64  `json:"size"`   // in bytes
	SHA256     string `json:"sha256"` // lower-case hexadecimal
	Executable bool   `json:"executable,omitempty"`
}

// About is a bundle's description of itself. It is not checked against the files, and its texts may have characters
// that act on a terminal.
type About struct {
	Article string    `json:"article"` // slug
	Title   string    `json:"title,omitempty"`
	Author  string    `json:"author,omitempty"`
	Date    time.Time `json:"date,omitzero"` // of the newest record
	Claims  []Claim   `json:"claims,omitempty"`
	Hosts   []string  `json:"hosts,omitempty"` // class and digest
}

// Claim is the verdict on a claim on one host.
type Claim struct {
	Name     string   `json:"name"`
	Verdict  string   `json:"verdict,omitempty"`
	Host     string   `json:"host,omitempty"` // class and digest
	Headline bool     `json:"headline,omitempty"`
	Effect   *float64 `json:"effect,omitempty"` // in the base unit
	Lo       *float64 `json:"lo,omitempty"`
	Hi       *float64 `json:"hi,omitempty"`
}

// Limits bound a bundle that is read. Zero values select the defaults.
type Limits struct {
	Files int   // 100,000 by default
	Bytes int64 // of all files, uncompressed; 64 GiB by default
}

func (l Limits) orDefaults() Limits {
	return Limits{cmp.Or(l.Files, 100_000), cmp.Or(l.Bytes, 64<<30)}
}

// Error is a damaged or refused bundle, or a failure to read or write one.
type Error struct {
	Path    string // of the file in the bundle; empty for the whole bundle
	Problem string // with Path before it, a sentence
	Err     error  // nil if the bundle itself is the cause
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Problem
	}
	return fmt.Sprintf("%.200q %s", e.Path, e.Problem)
}

func (e *Error) Unwrap() error { return e.Err }

func fail(path, format string, args ...any) *Error {
	return &Error{Path: path, Problem: fmt.Sprintf(format, args...)}
}

// failBy returns an error with a cause in the system.
func failBy(err error, path, problem string) *Error {
	return &Error{Path: path, Problem: problem + ": " + files.Reason(err), Err: err}
}

// check returns an error for a manifest that no bundle within the limits has.
func (m *Manifest) check(limits Limits) error {
	for _, name := range append([]string{m.Article}, m.Hosts...) {
		if strings.Contains(name, "/") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") || flaw(name) != "" {
			return fail(ManifestName, "names an article or a host %.200q, which cannot be the name of a folder", name)
		}
	}
	switch {
	case len(m.Files) == 0:
		return fail(ManifestName, "lists no files")
	case len(m.Files) > limits.Files:
		return fail("", "the bundle has %d files, and %d are the most allowed", len(m.Files), limits.Files)
	}
	names := tree{}
	if err := names.add(ManifestName); err != nil {
		return err
	}
	left := limits.Bytes
	for _, f := range m.Files {
		if err := f.check(); err != nil {
			return err
		}
		if err := names.add(f.Path); err != nil {
			return err
		}
		if left -= f.Size; left < 0 {
			return fail("", "the files of the bundle are larger than %s together, which is the most allowed",
				units.BytesSize(float64(limits.Bytes)))
		}
		if len(names) > limits.Files+maxFolders {
			return fail("", "the bundle has more than %d folders, which is the most allowed", maxFolders)
		}
	}
	return names.checkRepositories(m.Files)
}

func (f *File) check() error {
	if why := flaw(f.Path); why != "" {
		return fail(f.Path, "cannot be the name of a file: %s", why)
	}
	if f.Size < 0 {
		return fail(f.Path, "cannot have a size of %d bytes", f.Size)
	}
	if sum, err := hex.DecodeString(f.SHA256); err != nil || len(sum) != 32 || strings.ToLower(f.SHA256) != f.SHA256 {
		return fail(f.Path, "has an invalid SHA-256 in the manifest: %.80q", f.SHA256)
	}
	return nil
}

func (f *File) mode() int64 {
	if f.Executable {
		return 0o755
	}
	return 0o644
}

// size returns the bytes of all files.
func (m *Manifest) size() (size int64) {
	for _, f := range m.Files {
		size += f.Size
	}
	return size
}

// errorWriter remembers a write error, which io.Copy does not tell from a read error.
type errorWriter struct {
	io.Writer
	err error
}

func (w *errorWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}
