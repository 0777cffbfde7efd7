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

// settle is how long a change waits for more: editors write a file in several steps, microseconds apart.
const settle = 15 * time.Millisecond

// A watcher follows files, also when they or their folders are removed and made again, or replaced by editors.
type watcher struct {
	system *fsnotify.Watcher

	mu    sync.Mutex
	roots []string // absolute and clean
}

// newWatcher follows roots from now on: files, and folders with all files below but hidden ones.
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

// follow follows more roots, if it does not already.
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
		for above := filepath.Dir(root); ; above = filepath.Dir(above) { // which shows when root comes, or comes back
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

// unwatched says how to raise the limits of watching.
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

// addTree follows a folder and those below it. Each is followed before it is read, so nothing is missed.
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

// matters reports whether a name is a root, a folder above one that may have been made or removed with it, or a file below
// one that is not hidden.
func (w *watcher) matters(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.roots, func(root string) bool {
		below, ok := strings.CutPrefix(name, root+string(filepath.Separator))
		isAbove := strings.HasPrefix(root, name+string(filepath.Separator))
		return name == root || isAbove || ok && !slices.ContainsFunc(strings.Split(below, string(filepath.Separator)), isHidden)
	})
}

// changes sends when files have changed, until ctx ends. A reader that is slow gets one signal for many changes.
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
					_ = w.addTree(name) // beyond a limit of the system its files are not followed
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
