package local

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"benchbook/internal/files"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// build runs the script of a build in a copy of its context, with this process's environment. The ID of the result is a
// digest of the kept files. If the whole folder is kept, it is a digest of the inputs, because caches and times differ
// between builds.
func (e *Engine) build(ctx context.Context, b *engine.Build, log io.Writer) (out engine.Prepared, err error) {
	e.building.Lock()
	defer e.building.Unlock()
	inputs := b.Inputs()
	if out, ok := e.builds[inputs]; ok {
		out.Built = false
		return out, nil
	}
	folder := filepath.Join(e.folder, fmt.Sprintf("build-%x", sha256.Sum256([]byte(inputs)))[:len("build-")+12])
	at := folder
	if len(b.Keep) > 0 {
		at = filepath.Join(e.folder, "build") // the same for all, as some compilers write their folder into programs
	}
	if err := errors.Join(files.RemoveAll(at), files.RemoveAll(folder), writeAll(at, b.Files)); err != nil {
		return out, fmt.Errorf("building %s: %w", b.For, err)
	}
	if err := e.runScript(ctx, b, at, log); err != nil {
		return out, err
	}
	out = engine.Prepared{Reference: buildPrefix + folder, ID: fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(inputs))),
		Built: true}
	if len(b.Keep) > 0 {
		if out.ID, err = keep(at, folder, b); err != nil {
			return out, err
		}
	}
	e.builds[inputs] = out
	return out, nil
}

// runScript runs the script of a build in a folder. The error is an *engine.BuildError if the script fails.
func (e *Engine) runScript(ctx context.Context, b *engine.Build, folder string, log io.Writer) (err error) {
	opened, err := e.Open(ctx, "build")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close(context.WithoutCancel(ctx))) }()
	c, err := opened.(*space).start(engine.Service{Image: engine.Prepared{Reference: machineReference, ID: machineReference},
		Service: spec.Service{Name: "build", Command: []string{"/bin/sh", "-ec", b.Run}, Environment: os.Environ(),
			WorkingDir: folder}})
	if err != nil {
		return fmt.Errorf("building %s: %w", b.For, err)
	}
	defer func() { err = errors.Join(err, remove(ctx, c, false)) }() // it belongs to no tree that Close removes
	code, err := c.Wait(ctx)
	if err != nil {
		return fmt.Errorf("building %s: %w", b.For, err)
	}
	said := c.log.Bytes()
	_, _ = io.Copy(log, bytes.NewReader(said)) // for people to read
	if code != 0 {
		return &engine.BuildError{For: b.For, Tail: engine.EndOf(said),
			Err: fmt.Errorf("its script ended with status %d", code)}
	}
	return nil
}

func writeAll(folder string, all []spec.File) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, f := range all {
		if err := writeFile(filepath.Join(folder, filepath.FromSlash(f.Path)), f); err != nil {
			return err
		}
	}
	return nil
}

// keep moves the kept files of a build to a folder of their own and returns their digest.
func keep(from, to string, b *engine.Build) (id string, err error) {
	sum := sha256.New()
	for _, name := range b.Keep {
		is, goes := filepath.Join(from, filepath.FromSlash(name)), filepath.Join(to, filepath.FromSlash(name))
		if _, err := os.Lstat(is); errors.Is(err, fs.ErrNotExist) {
			return "", &engine.BuildError{For: b.For, Err: fmt.Errorf("its script did not make %s, which keep names", name)}
		}
		if err := addDigest(sum, from, is); err != nil {
			return "", fmt.Errorf("building %s: %w", b.For, err)
		}
		if err := cmp.Or(os.MkdirAll(filepath.Dir(goes), 0o755), os.Rename(is, goes)); err != nil {
			return "", fmt.Errorf("building %s: %w", b.For, err)
		}
	}
	return fmt.Sprintf("sha256:%x", sum.Sum(nil)), nil
}

// addDigest writes the paths relative to root, modes and contents of all files at or below name to sum.
func addDigest(sum io.Writer, root, name string) error {
	return filepath.WalkDir(name, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, _ := files.Below(root, file)
		info, err := entry.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%q %v %d\n", below, info.Mode(), info.Size())
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(file)
			fmt.Fprintf(sum, "%q\n", target)
			return err
		case !info.Mode().IsRegular():
			return nil
		}
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(sum, f)
		return err
	})
}
