package preview

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long to wait for more changes: editors write a file in several steps, microseconds apart.
const settle = 15 * time.Millisecond

// A watcher follows files, even if they or their folders are removed and created again, or replaced by editors.
type watcher struct {
	system *fsnotify.Watcher

	mu    sync.Mutex
	roots []string // absolute and clean
}

// newWatcher starts following roots: files, and folders with all files below, except hidden ones.
func newWatcher(roots []string) (*watcher, error) {
	system, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, unwatched(err)
	}
	w := &watcher{system: system}
	if err := w.follow(roots); err != nil {
		return nil, errors.Join(err, system.Close())
	}
	return w, nil
}

// follow adds roots, except those that it already follows.
func (w *watcher) follow(roots []string) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, root := range roots {
		if abs, err := filepath.Abs(root); err == nil {
			root = abs
		}
		if slices.Contains(w.roots, root) {
			continue
		}
		w.roots = append(w.roots, root)
		err = errors.Join(err, w.addTree(root))
		for above := filepath.Dir(root); ; above = filepath.Dir(above) { // to see when root is created
			err = errors.Join(err, w.add(above))
			if _, gone := os.Stat(above); gone == nil || above == filepath.Dir(above) {
				break
			}
		}
	}
	if err != nil {
		return unwatched(err)
	}
	return nil
}

// unwatched wraps an error of watching and says how to raise the limits.
func unwatched(err error) error {
	way := ""
	switch {
	case errors.Is(err, syscall.ENOSPC):
		way = "; raise fs.inotify.max_user_watches"
	case errors.Is(err, syscall.EMFILE):
		way = "; raise fs.inotify.max_user_instances"
	}
	return fmt.Errorf("the system does not report changed files (%w)%s", err, way)
}

// addTree follows a folder and its subfolders. It follows each before reading it, so nothing is missed.
func (w *watcher) addTree(dir string) error {
	return filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil, !e.IsDir(): // gone, or without permission
			return nil
		case name != dir && isHidden(name):
			return fs.SkipDir
		}
		return w.add(name)
	})
}

func (w *watcher) add(dir string) error {
	err := w.system.Add(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// isHidden matches hidden files and the temporary files of editors.
func isHidden(name string) bool {
	base := filepath.Base(name)
	return strings.HasPrefix(base, ".") || strings.HasSuffix(base, "~") || strings.HasPrefix(base, "#") || base == "4913"
}

// matters reports whether a name is a root, a folder above a root, or a file below a root that is not hidden.
func (w *watcher) matters(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.roots, func(root string) bool {
		below, ok := strings.CutPrefix(name, root+string(filepath.Separator))
		isAbove := strings.HasPrefix(root, name+string(filepath.Separator))
		return name == root || isAbove || ok && !slices.ContainsFunc(strings.Split(below, string(filepath.Separator)), isHidden)
	})
}

// changes returns a channel that signals changed files until ctx ends. A slow reader gets one signal for many changes.
func (w *watcher) changes(ctx context.Context) <-chan struct{} {
	out := make(chan struct{}, 1)
	go func() {
		defer w.system.Close()
		var settled <-chan time.Time
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-w.system.Events:
				name := filepath.Clean(e.Name)
				if e.Op == fsnotify.Chmod || !w.matters(name) {
					continue
				}
				if info, err := os.Stat(name); e.Has(fsnotify.Create) && err == nil && info.IsDir() {
					_ = w.addTree(name) // may fail at a limit of the system
				}
			case <-w.system.Errors: // events were lost
			case <-settled:
				settled = nil
				select {
				case out <- struct{}{}:
				default: // the last signal is not read yet
				}
				continue
			}
			if settled == nil {
				settled = time.After(settle)
			}
		}
	}()
	return out
}
