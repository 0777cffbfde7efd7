package bundle

import (
	"io"
	"io/fs"
	"os"
	"path"
)

// writeFile makes a file with some content, and the folders that it is in.
func writeFile(root *os.Root, f File, content func(io.Writer) error) error {
	if err := root.MkdirAll(path.Dir(f.Path), 0o755); err != nil {
		return failBy(err, f.Path, "cannot be written")
	}
	// If the file is there, somebody else has just put it there.
	to, err := root.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(f.mode()))
	if err != nil {
		return failBy(err, f.Path, "cannot be written")
	}
	err = content(to)
	if closed := to.Close(); err == nil && closed != nil {
		err = failBy(closed, f.Path, "cannot be written")
	}
	return err
}
