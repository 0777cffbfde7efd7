package main

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"benchbook/files"
	"benchbook/notebook/article"
	"benchbook/render"
)

// inputs digests all that enters a page, by which the page that was made of it is known again: this program, the theme, the project, the
// flags, what pages say of other articles, and the folder of the article with its records, and the machines that it runs on.
type inputs struct {
	shared [sha256.Size]byte // all but the folder and the machines
}

// Folders with more than this are not digested at every render.
const (
	mostInputFiles = 50_000
	mostInputBytes = 256 << 20
)

// settled is how long nothing in a folder may have changed before it was read. What changed later may have been read before or after,
// and clocks of file systems are as coarse as this.
const settled = 2 * time.Second

var errTooMany = errors.New("too many files")

// inputs digests what all pages have in common.
func newInputs(a *session, project *article.Project, theme fs.FS, flags renderFlags, options render.Options) (*inputs, error) {
	sum := sha256.New()
	if err := digestProgram(sum); err != nil {
		return nil, fmt.Errorf("reading this program: %w", err)
	}
	config, _, _ := files.Read(filepath.Join(project.Dir, article.ProjectFile), mostInputBytes) // that it cannot be read is a problem of the project
	known, err := json.Marshal(options)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(sum, "%q %q %q %v %q %q\n", version, project.Dir, flags.host, flags.single, config, known)
	err = fs.WalkDir(theme, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(theme, name)
		fmt.Fprintf(sum, "%q %d\n", name, len(data))
		sum.Write(data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the theme: %w", err)
	}
	return &inputs{[sha256.Size]byte(sum.Sum(nil))}, nil
}

// digestProgram digests this program as it runs, also if its file has been replaced meanwhile.
func digestProgram(w io.Writer) error {
	f, err := os.Open("/proc/self/exe") // Linux alone has it
	if err != nil {
		path, err := os.Executable()
		if err != nil {
			return err
		}
		if f, err = os.Open(path); err != nil {
			return err
		}
	}
	defer f.Close()
	if id := buildID(f); id != nil {
		_, err = w.Write(id)
		return err
	}
	_, err = io.Copy(w, f)
	return err
}

// buildID is what the go command knows a program by: digests of all that it was built from, and of what came of it. It is nil where none
// is found, as in a file of another format than ELF, or where somebody has put something else in its place. To read the whole program
// takes longer than to make a page.
func buildID(program io.ReaderAt) []byte {
	file, err := elf.NewFile(program)
	if err != nil {
		return nil
	}
	section := file.Section(".note.go.buildid")
	if section == nil {
		return nil
	}
	note, err := section.Data()
	if err != nil {
		return nil
	}
	const head = 16                                                      // three numbers and the name of who wrote the note
	if len(note) <= head || bytes.Count(note[head:], []byte("/")) != 3 { // of the program and of its main package, before and after
		return nil
	}
	return note[head:]
}

// pageInputs is what enters the page of an article.
type pageInputs struct {
	digest string // empty if nothing is to be known by it
	folder string
	files  []inputFile // in the folder, folders among them, in the order of their names
}

type inputFile struct {
	name string
	info fs.FileInfo
}

// of digests what enters the page of the article in a folder that was read from a moment on, with the ID of the machine, or the
// machines, that its own results are of. The digest is empty if the folder may have changed since, or holds what cannot be digested:
// links, pipes, or far too much.
func (in *inputs) of(folder, host string, read time.Time) pageInputs {
	entries, err := inputFiles(folder)
	if err != nil {
		return pageInputs{}
	}
	size := int64(0)
	for _, f := range entries {
		size += f.info.Size()
		if !f.info.ModTime().Before(read.Add(-settled)) || size > mostInputBytes || !f.info.IsDir() && !f.info.Mode().IsRegular() {
			return pageInputs{}
		}
	}
	sums := make([][sha256.Size]byte, len(entries))
	var group errgroup.Group // an article may have thousands of records
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range entries {
		if f.info.IsDir() {
			continue
		}
		group.Go(func() error {
			data, _, err := files.Read(f.name, mostInputBytes)
			sums[i] = sha256.Sum256(data)
			return err
		})
	}
	if group.Wait() != nil {
		return pageInputs{}
	}
	sum := sha256.New()
	sum.Write(in.shared[:])
	fmt.Fprintf(sum, "%q\n", host)
	for i, f := range entries {
		relative, err := filepath.Rel(folder, f.name)
		if err != nil {
			return pageInputs{}
		}
		fmt.Fprintf(sum, "%q %v %x\n", relative, f.info.Mode(), sums[i])
	}
	return pageInputs{hex.EncodeToString(sum.Sum(nil)), folder, entries}
}

// inputFiles lists all that is in a folder, and the folder. The error is errTooMany where that is far too much.
func inputFiles(folder string) ([]inputFile, error) {
	var out []inputFile
	err := filepath.WalkDir(folder, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if len(out) == mostInputFiles {
			return errTooMany
		}
		info, err := e.Info()
		out = append(out, inputFile{name, info})
		return err
	})
	return out, err
}

// stay reports whether the folder is as it was, by all that can be told without reading the files once more.
func (p pageInputs) stay() bool {
	entries, err := inputFiles(p.folder)
	return err == nil && slices.EqualFunc(p.files, entries, func(a, b inputFile) bool {
		return a.name == b.name && os.SameFile(a.info, b.info) && a.info.Mode() == b.info.Mode() && a.info.Size() == b.info.Size() &&
			a.info.ModTime().Equal(b.info.ModTime())
	})
}
