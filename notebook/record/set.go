package record

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"benchbook/files"
)

// No file system gives several files their names at once. So while the records of a set get theirs, a file beside them
// names them all: whoever reads meanwhile takes none of them, and what is there of them is taken back if whoever saves
// them is killed.
const (
	setPrefix = ".set-"
	newPrefix = ".writable-" // of a file that is not yet written to its end, which Tidy knows
)

// An openSet is records that are getting their names.
type openSet struct {
	path string   // of the file that names them
	file *os.File // locked for as long as somebody saves them
}

// beginSet notes which records are about to get their names.
func (d Dir) beginSet(records []*Record) (s *openSet, err error) {
	paths := make([]string, len(records))
	for i, r := range records {
		paths[i] = r.Path()
	}
	data, err := json.Marshal(paths)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(string(d), newPrefix)
	if err != nil {
		return nil, err
	}
	s = &openSet{path: filepath.Join(string(d), setPrefix+strings.TrimPrefix(filepath.Base(file.Name()), newPrefix)),
		file: file}
	_, err = file.Write(data)
	// It is locked before anybody can find it, and whoever reads records has to read it.
	if err = errors.Join(err, file.Chmod(0o644), file.Sync(), syscall.Flock(int(file.Fd()), syscall.LOCK_EX)); err == nil {
		err = os.Rename(file.Name(), s.path)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	return s, nil
}

// end makes them records for everybody, or says that they are gone.
func (s *openSet) end() error {
	defer s.file.Close() // nothing is written to it any more
	return os.Remove(s.path)
}

// openSets finds the files that name records which are getting their names.
func (d Dir) openSets() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil && ofMachine(err) { // else there is nothing that holds records, or Read says that it cannot be read
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), setPrefix) && e.Type().IsRegular() {
			paths = append(paths, filepath.Join(string(d), e.Name()))
		}
	}
	return paths, nil
}

// unfinished are the paths of records that belong to sets which are not yet, or never were, saved to the end.
func (d Dir) unfinished() (map[string]bool, error) {
	sets, err := d.openSets()
	if err != nil {
		return nil, err
	}
	all := map[string]bool{}
	for _, path := range sets {
		for _, member := range d.members(path) {
			all[member] = true
		}
	}
	return all, nil
}

// members are the paths of the records that a file names: none if it is gone, as they are saved then, and none outside
// of d, as anybody may have put it there.
func (d Dir) members(path string) []string {
	data, _, err := files.Read(path, maxRecord)
	var relative []string
	if err != nil || json.Unmarshal(data, &relative) != nil {
		return nil
	}
	relative = slices.DeleteFunc(relative, func(p string) bool {
		return !filepath.IsLocal(p) ||
			!strings.HasSuffix(p, ".json")
	})
	for i, p := range relative {
		relative[i] = filepath.Join(string(d), p)
	}
	return relative
}

// takeBack removes what there is of sets that nobody saves any more: whoever did was killed.
func (d Dir) takeBack() error {
	sets, err := d.openSets()
	for _, path := range sets {
		err = errors.Join(err, d.takeBackSet(path))
	}
	return err
}

func (d Dir) takeBackSet(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close() // it was only read
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, member := range d.members(path) {
		if err := os.Remove(member); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
