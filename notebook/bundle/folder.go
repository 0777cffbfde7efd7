package bundle

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// folder is where a bundle is extracted to. It remembers what it made, so that it can remove this and nothing else.
type folder struct {
	name string
	root *os.Root
	own  bool     // it was made too
	made []string // files and folders in it, each behind the folder that it is in
	has  map[string]bool
}

// newFolder begins to write into a folder that is empty, or is made. Its parent has to be there.
func newFolder(name string) (*folder, error) {
	err := os.Mkdir(name, 0o755)
	out := &folder{name: name, own: err == nil, has: map[string]bool{}}
	if errors.Is(err, fs.ErrExist) {
		var entries []fs.DirEntry
		if entries, err = os.ReadDir(name); err == nil && len(entries) > 0 {
			return nil, fail("", "cannot extract into %q: it is not empty", name)
		}
	}
	if err == nil {
		out.root, err = os.OpenRoot(name)
	}
	if err != nil {
		if out.own {
			os.Remove(name) // what went wrong is said already
		}
		return nil, failBy(err, "", "cannot extract into %q", name)
	}
	return out, nil
}

// write makes a file with some content, and the folders that it is in.
func (o *folder) write(f File, content func(io.Writer) error) error {
	for i, c := range f.Path {
		if c == '/' && !o.has[f.Path[:i]] {
			if err := o.root.Mkdir(f.Path[:i], 0o755); err != nil {
				return failBy(err, f.Path, "cannot be written")
			}
			o.made, o.has[f.Path[:i]] = append(o.made, f.Path[:i]), true
		}
	}
	// Nothing can be there, unless somebody else has put it there: then it is theirs.
	to, err := o.root.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(f.mode()))
	if err != nil {
		return failBy(err, f.Path, "cannot be written")
	}
	o.made = append(o.made, f.Path)
	err = content(to)
	if closed := to.Close(); err == nil {
		err = closed
	}
	if _, said := errors.AsType[*Error](err); err != nil && !said {
		err = failBy(err, f.Path, "cannot be written")
	}
	return err
}

// close ends the writing. Unless all went well it removes what was made; what somebody else has added stays.
func (o *folder) close(keep bool) {
	for i := len(o.made) - 1; i >= 0 && !keep; i-- {
		o.root.Remove(o.made[i]) // why we are here is what the user has to know
	}
	o.root.Close()
	if o.own && !keep {
		os.Remove(o.name)
	}
}
