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
	"time"

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

var errUnsettled = errors.New("not to be relied on")

// inputs digests what all pages have in common.
func (a *app) inputs(project *article.Project, theme fs.FS, flags renderFlags, options render.Options) (*inputs, error) {
	sum := sha256.New()
	if err := digestProgram(sum); err != nil {
		return nil, fmt.Errorf("reading this program: %w", err)
	}
	config, err := os.ReadFile(filepath.Join(project.Dir, article.ProjectFile))
	if err != nil {
		return nil, fmt.Errorf("reading the project: %w", err)
	}
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

// of is the digest of what enters the page of the article in a folder that was read from a moment on, with the ID of the machine, or the
// machines, that its own results are of. It is empty, so that nothing is known by it, if the folder may have changed since, or holds what
// cannot be digested: links, pipes, or far too much.
func (in *inputs) of(folder, host string, read time.Time) string {
	sum := sha256.New()
	sum.Write(in.shared[:])
	fmt.Fprintf(sum, "%q\n", host)
	files, size := 0, int64(0)
	err := filepath.WalkDir(folder, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		files, size = files+1, size+info.Size()
		relative, err := filepath.Rel(folder, name)
		if err != nil || !info.ModTime().Before(read.Add(-settled)) || files > mostInputFiles || size > mostInputBytes {
			return errUnsettled
		}
		fmt.Fprintf(sum, "%q %v\n", relative, info.Mode())
		if e.IsDir() {
			return nil
		}
		if !info.Mode().IsRegular() {
			return errUnsettled
		}
		data, err := os.ReadFile(name)
		fmt.Fprintf(sum, "%d\n", len(data))
		sum.Write(data)
		return err
	})
	if err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}
