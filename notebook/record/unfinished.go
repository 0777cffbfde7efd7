package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"benchbook/files"
)

// unfinishedSuffix follows the name of a record in that of the file which has its search for as long as that goes on.
const unfinishedSuffix = ".unfinished"

// Keep keeps a search that goes on as far as it is, atomically, in the place of what was kept of it before. It is no
// record yet: Read does not give it, and Unfinished does.
func (d Dir) Keep(r *Record) error {
	data, err := r.Bytes()
	if err != nil {
		return err
	}
	if err := files.Write(filepath.Join(string(d), r.Path())+unfinishedSuffix, data); err != nil {
		return fmt.Errorf("keeping the probes of a search: %w", err)
	}
	return nil
}

// Drop removes what was kept of a search, if anything was.
func (d Dir) Drop(r *Record) error {
	err := os.Remove(filepath.Join(string(d), r.Path()) + unfinishedSuffix)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the probes of a search: %w", err)
	}
	return nil
}

// Unfinished reads the searches that go on, or were stopped, with the probes that have ended. Those whose record is
// there are not among them, nor is what cannot be read: Tidy removes both.
func (d Dir) Unfinished() ([]*Record, error) {
	var all []*Record
	err := d.eachUnfinished(func(_ string, r *Record) error {
		if r != nil {
			all = append(all, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the probes of searches: %w", err)
	}
	return all, nil
}

// eachUnfinished calls f for each file with a search that goes on, with nil for one of no use.
func (d Dir) eachUnfinished(f func(path string, r *Record) error) error {
	return filepath.WalkDir(string(d), func(path string, e fs.DirEntry, err error) error {
		record, ours := strings.CutSuffix(path, unfinishedSuffix)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil && !ofMachine(err):
			return fs.SkipDir // Read says so
		case err != nil:
			return err
		case !ours || !e.Type().IsRegular() || !strings.HasSuffix(record, "search.json") || strings.HasPrefix(e.Name(), "."):
			return nil
		}
		r, err := d.unfinishedAt(path, record)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return f(path, r)
	})
}

// unfinishedAt reads the search that goes on for a record; nil if it is of no use. The error is of the machine, or that
// it is gone.
func (d Dir) unfinishedAt(path, record string) (*Record, error) {
	data, _, err := files.Read(path, maxRecord)
	if errors.Is(err, fs.ErrNotExist) || err != nil && ofMachine(err) {
		return nil, err
	}
	if err != nil {
		return nil, nil
	}
	r, err := Parse(data)
	if err != nil || r.Search == nil || filepath.Join(string(d), r.Path()) != record {
		return nil, nil
	}
	if exists(record) {
		return nil, nil
	}
	if packed, err := d.isPacked(r); err != nil || packed {
		return nil, err
	}
	return r, nil
}

// SameSearch tells whether two searches are for the same: of one trial with the same definition, on one host under one
// profile.
func SameSearch(a, b *Record) bool {
	return a.Search != nil && b.Search != nil && a.Article == b.Article && a.Host == b.Host && a.Profile == b.Profile &&
		a.Experiment == b.Experiment &&
		a.Trial == b.Trial && a.Key == b.Key && a.Search.Kind == b.Search.Kind && a.Search.Name == b.Search.Name
}
