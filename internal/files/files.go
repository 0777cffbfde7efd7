// Package files reads and writes files safely, and runs git.
//
// A path in an article can be a named pipe, on which open blocks for ever, a device, or a sparse file of any size. So
// every function checks the file before and after opening it, opens it without blocking, and reads a bounded number of
// bytes. Git runs only in the repository of the given folder, without garbage collection; hooks run only on a push.
package files

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
)

// ErrTooLarge matches a TooLargeError.
var ErrTooLarge = errors.New("it is too large")

// TooLargeError is the error for a file of more than Most bytes.
type TooLargeError struct {
	Size int64 // of the file; 0 if it grew while being read
	Most int64 // allowed bytes
}

func (e *TooLargeError) Error() string {
	if mib := e.Most >> 20; mib > 0 {
		return fmt.Sprintf("it is larger than %d MiB", mib)
	}
	return fmt.Sprintf("it has more than %d bytes", e.Most)
}

func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }

// ErrNotRegular matches a KindError.
var ErrNotRegular = errors.New("it is not a regular file")

// KindError is the error for a file that is not regular.
type KindError struct{ Mode fs.FileMode }

func (e *KindError) Error() string { return "it is " + Kind(e.Mode) + ", not a file" }

func (e *KindError) Is(target error) bool { return target == ErrNotRegular }

var kinds = map[fs.FileMode]string{0: "a file", fs.ModeDir: "a folder", fs.ModeSymlink: "a symbolic link",
	fs.ModeNamedPipe: "a named pipe", fs.ModeSocket: "a socket"}

// Kind returns the type of a file in words, such as "a folder" or "a named pipe".
func Kind(mode fs.FileMode) string { return cmp.Or(kinds[mode.Type()], "a device") }

// Reason returns the cause of an error: for a file, without system call and path; for git, the line that has the cause.
func Reason(err error) string {
	if e, ok := errors.AsType[*GitError](err); ok {
		return e.Reason()
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return err.Error()
}

// Check returns a *KindError or a *TooLargeError unless info describes a regular file of at most that many bytes.
func Check(info fs.FileInfo, most int64) error {
	switch {
	case !info.Mode().IsRegular():
		return &KindError{info.Mode()}
	case info.Size() > most:
		return &TooLargeError{info.Size(), most}
	}
	return nil
}

// Read reads a regular file of at most that many bytes and follows symbolic links. Besides system errors it returns a
// *KindError or a *TooLargeError.
func Read(name string, most int64) ([]byte, fs.FileInfo, error) {
	return read(name, most, os.Stat, os.OpenFile)
}

// ReadIn is like Read, for a file below a folder. Links that lead out of the folder are errors.
func ReadIn(root *os.Root, name string, most int64) ([]byte, fs.FileInfo, error) {
	return read(filepath.FromSlash(name), most, root.Stat, root.OpenFile)
}

// Open opens a regular file for reading, with the checks of Read.
func Open(name string, most int64) (*os.File, error) {
	f, _, err := open(name, most, os.Stat, os.OpenFile)
	return f, err
}

func open(name string, most int64, look func(string) (fs.FileInfo, error),
	open func(string, int, fs.FileMode) (*os.File, error)) (*os.File, fs.FileInfo, error) {
	info, err := look(name)
	if err == nil {
		err = Check(info, most)
	}
	if err != nil {
		return nil, nil, err
	}
	// The file may have been replaced by a pipe meanwhile, so open without blocking.
	f, err := open(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = Check(info, most)
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

func read(name string, most int64, look func(string) (fs.FileInfo, error),
	openFile func(string, int, fs.FileMode) (*os.File, error)) ([]byte, fs.FileInfo, error) {
	f, info, err := open(name, most, look, openFile)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close() // it was only read
	var data bytes.Buffer
	data.Grow(int(info.Size()) + bytes.MinRead) // avoids growth while reading
	if _, err := data.ReadFrom(io.LimitReader(f, most+1)); err != nil {
		return nil, nil, err
	}
	if int64(data.Len()) > most {
		return nil, nil, &TooLargeError{Most: most}
	}
	return data.Bytes(), info, nil
}

// Write writes a file atomically and creates its folders. An interrupted call may leave a temporary file next to it.
func Write(name string, data []byte) error {
	folder := filepath.Dir(name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(name, data, 0o644, renameio.WithTempDir(folder))
}

// Below returns the path of a file relative to a folder. ok is false if the file is not below the folder.
func Below(folder, name string) (below string, ok bool) {
	below, err := filepath.Rel(folder, name)
	return below, err == nil && filepath.IsLocal(below)
}

// RemoveAll removes a folder and everything in it, including read-only folders.
func RemoveAll(folder string) error {
	if err := os.RemoveAll(folder); err == nil {
		return nil
	}
	_ = filepath.WalkDir(folder, func(name string, entry fs.DirEntry, _ error) error {
		if entry != nil && entry.IsDir() {
			_ = os.Chmod(name, 0o700) // the second RemoveAll reports a failure
		}
		return nil
	})
	return os.RemoveAll(folder)
}

// A Stream is a reader that fails once its context has ended.
type Stream struct {
	Context context.Context
	io.Reader
}

func (s Stream) Read(p []byte) (int, error) {
	if err := s.Context.Err(); err != nil {
		return 0, err
	}
	return s.Reader.Read(p)
}
