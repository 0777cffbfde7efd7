package record

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"

	"benchbook/internal/files"
)

// Contents are what a folder of records holds.
type Contents struct {
	Records []*Record // sorted by path
	Bad     []Bad     // what is no sound record, or cannot be read: one bad file must not hide the rest
}

// Read reads all records below d. What is removed meanwhile, as by a gc in another terminal, is not there.
func (d Dir) Read() (records []*Record, bad []Bad, err error) {
	c, err := d.Load()
	return c.Records, c.Bad, err
}

// Load reads all that is below d, records that are packed and others.
func (d Dir) Load() (c Contents, err error) {
	r := dirReader{dir: d}
	r.group.SetLimit(runtime.GOMAXPROCS(0)) // most of the time goes into parsing
	err = filepath.WalkDir(string(d), r.visit)
	if err = errors.Join(err, r.group.Wait()); err != nil {
		return Contents{}, fmt.Errorf("reading records: %w", err)
	}
	for _, f := range r.inOrder() {
		switch {
		case f.line != nil:
			c.add(f.path, f.number, *f.line)
		case f.err != nil:
			c.Bad = append(c.Bad, Bad{Path: f.path, Err: f.err})
		case f.record != nil:
			c.Records = append(c.Records, f.record)
		}
	}
	Expand(c.Records)
	return c, nil
}

// A dirReader reads the files of a folder of records.
type dirReader struct {
	dir   Dir
	found []*readFile
	group errgroup.Group
}

// A readFile is a file, or a line of one.
type readFile struct {
	path   string
	own    string      // where its record belongs, below the folder of records; empty if it is none
	line   *packedLine // nil for a file of its own
	number int         // of the line
	record *Record
	err    error // why it is none; nil beside no record if the file is gone
}

// visit notes a file, and begins to read it.
func (r *dirReader) visit(path string, e fs.DirEntry, err error) error {
	d := string(r.dir)
	// a file in its place holds no records
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) && path == d {
		return nil
	}
	if err != nil && ofMachine(err) {
		return err
	}
	if err == nil && (path == d || !IsFile(path)) {
		return nil
	}
	f := &readFile{path: path}
	switch {
	case err != nil: // a folder
		f.err = unreadable(err)
		err = fs.SkipDir
	case e.IsDir():
		f.err = unreadable(&files.KindError{Mode: e.Type()})
		err = fs.SkipDir
	case e.Type()&fs.ModeSymlink != 0:
		f.err = unreadable(&files.KindError{Mode: e.Type()})
	}
	if f.err != nil {
		r.found = append(r.found, f)
		return err
	}
	relative, err := filepath.Rel(d, path)
	if err != nil {
		return err
	}
	if strings.HasSuffix(path, packSuffix) {
		return r.visitPack(f, relative)
	}
	r.found = append(r.found, f)
	r.group.Go(func() error { return f.read(relative) })
	return nil
}

// visitPack begins to read the lines of a pack.
func (r *dirReader) visitPack(f *readFile, relative string) error {
	data, _, err := files.Read(f.path, maxPack)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil && ofMachine(err):
		return err
	case err != nil:
		f.err = unreadable(err)
		r.found = append(r.found, f)
		return nil
	}
	for i, text := range splitLines(data) {
		line := &readFile{path: f.path, number: i + 1}
		r.found = append(r.found, line)
		r.group.Go(func() error {
			read := parseLine(relative, text)
			line.line = &read
			if line.record = read.record; line.record != nil {
				line.own = line.record.Path()
			}
			return nil
		})
	}
	return nil
}

// read reads the record. The error is of the machine; others are kept.
func (f *readFile) read(relative string) error {
	data, _, err := files.Read(f.path, maxRecord)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil && ofMachine(err):
		return err
	case err != nil:
		f.err = unreadable(err)
	default:
		if f.record, f.err = parseAt(relative, data); f.record != nil {
			f.own = relative
		}
	}
	return nil
}

// inOrder returns the files and lines in the order of their records. A file whose record is packed already is left out:
// whoever packed it was killed before the file was removed. If the two differ, the file is bad.
func (r *dirReader) inOrder() []*readFile {
	packed := map[string]*readFile{}
	for _, f := range r.found {
		if f.line != nil && f.own != "" {
			packed[f.own] = f
		}
	}
	found := slices.DeleteFunc(r.found, func(f *readFile) bool {
		other := packed[f.own]
		if f.line != nil || f.record == nil || other == nil {
			return false
		}
		data, _, err := files.Read(f.path, maxRecord)
		var compact bytes.Buffer
		if err != nil || json.Compact(&compact, data) != nil || bytes.Equal(compact.Bytes(), other.line.data) {
			return true
		}
		f.record, f.err = nil, fmt.Errorf("another record of this name is in %s", filepath.Base(other.path))
		return false
	})
	slices.SortStableFunc(found, func(a, b *readFile) int {
		return cmp.Compare(cmp.Or(a.own, a.path), cmp.Or(b.own, b.path))
	})
	return found
}
