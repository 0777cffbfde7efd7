// Package bundle writes and reads the one file in which an experiment travels: an article with its inputs and records,
// and with container images if wanted.
//
// A bundle is a tar archive compressed with gzip, by convention named after its article: SLUG.bundle. Its first file is
// manifest.json, which lists all others in the order in which they follow, each with its size and SHA-256. So a reader
// of a stream can check every file as it comes, and knows what to expect before it reads any. The same inputs give the same bytes: files are sorted, and there are no times, owners or users.
//
// A bundle may come from a stranger. Nothing of it is run. Extract writes into one folder, regular files only, and no
// byte more than the manifest says, and it removes what it wrote if anything is wrong. That a bundle is what its
// manifest says does not make it true: whoever makes a bundle writes the manifest too. Its Digest tells whether two
// people have the same one.
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

// ManifestName is the name of the file that every bundle begins with.
const ManifestName = "manifest.json"

const (
	maxManifest = 16 << 20 // bytes, which are read into memory
	maxFolders  = 100_000
)

// Manifest is what a bundle holds. Its JSON is the file manifest.json, in which other keys are ignored.
type Manifest struct {
	Format int `json:"benchbook_bundle"`
	About
	// Files are in the order of the archive. manifest.json itself is not listed.
	Files []File `json:"files"`
}

// File is one file of a bundle.
type File struct {
	Path   string `json:"path"`   // in the bundle, with slashes
	Size   int64  `json:"size"`   // in bytes
	SHA256 string `json:"sha256"` // in lower-case hexadecimal
	// Executable files have the mode 0755, and others 0644, less what the umask of whoever extracts them forbids.
	Executable bool `json:"executable,omitempty"`
}

// About is what a bundle says of itself. Nothing of it is checked against the files.
type About struct {
	Article string    `json:"article"` // slug: one element of a path, not hidden
	Title   string    `json:"title,omitempty"`
	Author  string    `json:"author,omitempty"`
	Date    time.Time `json:"date,omitzero"`    // of the newest record; zero without any
	Claims  []Claim   `json:"claims,omitempty"` // in the order of the article
	Hosts   []string  `json:"hosts,omitempty"`  // whose records are in it: class and digest, never a name
}

// Claim is what was found of a claim on one host, which somebody who repeats the experiment compares with.
type Claim struct {
	Name     string   `json:"name"`
	Verdict  string   `json:"verdict,omitempty"`
	Host     string   `json:"host,omitempty"` // class and digest
	Headline bool     `json:"headline,omitempty"`
	Effect   *float64 `json:"effect,omitempty"` // in the base unit; nil if it was not measured
	Lo       *float64 `json:"lo,omitempty"`     // end of the interval of Effect; nil if there is none
	Hi       *float64 `json:"hi,omitempty"`
}

// texts are all texts of a bundle about itself that people may be shown.
func (a *About) texts() []*string {
	all := []*string{&a.Article, &a.Title, &a.Author}
	for i := range a.Hosts {
		all = append(all, &a.Hosts[i])
	}
	for i := range a.Claims {
		c := &a.Claims[i]
		all = append(all, &c.Name, &c.Verdict, &c.Host)
	}
	return all
}

// Limits bound what is read of a bundle. The zero value has the defaults.
type Limits struct {
	Files int   // how many files there may be; 100,000 if zero
	Bytes int64 // of all files together, uncompressed; 64 GiB if zero
}

func (l Limits) orDefaults() Limits {
	return Limits{cmp.Or(l.Files, 100_000), cmp.Or(l.Bytes, 64<<30)}
}

// Error is what is wrong with a bundle, or what keeps one from being written or read. It is one sentence for people.
type Error struct {
	Path    string // of the file in the bundle; empty if it is about the bundle as a whole
	Problem string // with Path before it, a sentence
	Err     error  // the cause; nil if it is in the bundle itself
}

// Error is the sentence, without a full stop.
func (e *Error) Error() string {
	if e.Path == "" {
		return e.Problem
	}
	return fmt.Sprintf("%.200q %s", e.Path, e.Problem)
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

func fail(path, format string, args ...any) *Error {
	return &Error{Path: path, Problem: fmt.Sprintf(format, args...)}
}

// failBy is an error that the system has caused.
func failBy(err error, path, format string, args ...any) *Error {
	return &Error{Path: path, Problem: fmt.Sprintf(format, args...) + ": " + files.Reason(err), Err: err}
}

// check says what keeps a manifest from being that of a bundle within the limits.
func (m *Manifest) check(limits Limits) error {
	for _, name := range append([]string{m.Article}, m.Hosts...) {
		if strings.Contains(name, "/") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") || flaw(name) != "" {
			return fail(ManifestName, "names an article or a host %.200q, which cannot be the name of a folder", name)
		}
	}
	if len(m.Files) == 0 {
		return fail(ManifestName, "lists no files")
	}
	if len(m.Files) > limits.Files {
		return fail("", "the bundle has %d files, and %d are the most allowed", len(m.Files), limits.Files)
	}
	places := tree{}
	if err := places.add(ManifestName); err != nil {
		return err
	}
	left := limits.Bytes
	for _, f := range m.Files {
		if err := f.check(); err != nil {
			return err
		}
		if err := places.add(f.Path); err != nil {
			return err
		}
		if left -= f.Size; left < 0 {
			return fail("", "the files of the bundle are larger than %s together, which is the most allowed",
				units.BytesSize(float64(limits.Bytes)))
		}
		if len(places) > limits.Files+maxFolders {
			return fail("", "the bundle has more than %d folders, which is the most allowed", maxFolders)
		}
	}
	return places.checkRepositories(m.Files)
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

// recorder remembers why it could not be written to, which copying does not tell from why something could not be read.
type recorder struct {
	io.Writer
	err error
}

func (r *recorder) Write(p []byte) (int, error) {
	n, err := r.Writer.Write(p)
	if err != nil {
		r.err = err
	}
	return n, err
}
