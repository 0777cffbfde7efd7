package site

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long nothing may change before changes are told: editors write a file in several steps, microseconds
	// apart.
	settle = 15 * time.Millisecond
	// settled is after how long they are told all the same, as where a run writes one record after another.
	settled = 250 * time.Millisecond
	// pollEvery is how often files are looked at where the system does not tell of changes.
	pollEvery = time.Second
	// mostChanges is how many changes are told one by one. Of more it is only told that there are some.
	mostChanges = 1000
)

// A watcher follows files, also when they or their folders are removed and made again, or replaced by editors.
type watcher struct {
	roots []string // folders that matter with all below them, but what is hidden; absolute and clean
	files []string // single files that matter; likewise

	// notice says what is worth knowing about the watching itself.
	notice func(string)
	// told gets the paths that changed, and nil where anything may have.
	told func([]string)
	// ready is called once all files are followed, so that no later change is missed; nil for nobody to tell.
	ready func()

	system  *fsnotify.Watcher
	pending map[string]bool
	lost    bool // changes of which nothing is known
}

func (w *watcher) watch(ctx context.Context) {
	w.pending = map[string]bool{}
	system, err := fsnotify.NewWatcher()
	if err == nil {
		w.system = system
		defer system.Close()
		err = w.addAll()
	}
	if err == nil {
		w.isReady()
		err = w.follow(ctx)
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	if w.system != nil {
		w.system.Close()
	}
	w.notice(fmt.Sprintf("files are looked at every second, as the system does not tell of changes (%v)%s", err,
		wayOut(err)))
	w.poll(ctx)
}

func (w *watcher) isReady() {
	if w.ready != nil {
		w.ready()
	}
	w.ready = nil
}

// wayOut says how to raise the limit of watches.
func wayOut(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "; a larger fs.inotify.max_user_watches makes that faster"
	case errors.Is(err, syscall.EMFILE):
		return "; a larger fs.inotify.max_user_instances makes that faster"
	}
	return ""
}

// addAll watches existing folders, and the parents of roots and files, to see them come back.
func (w *watcher) addAll() error {
	for _, name := range append(slices.Clone(w.roots), w.files...) {
		if err := w.add(filepath.Dir(name)); err != nil {
			return err
		}
	}
	for _, root := range w.roots {
		if err := w.addTree(root); err != nil {
			return err
		}
	}
	return nil
}

// addTree watches a folder and those below it. Each is watched before it is read, so nothing is missed.
func (w *watcher) addTree(dir string) error {
	return filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil: // it is gone, or not for us
			return nil
		case !e.IsDir():
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

func (w *watcher) matters(name string) bool {
	if slices.Contains(w.files, name) {
		return true
	}
	for _, root := range w.roots {
		below, err := filepath.Rel(root, name)
		if err != nil || below == ".." || strings.HasPrefix(below, ".."+string(filepath.Separator)) {
			continue
		}
		hidden := slices.ContainsFunc(strings.Split(filepath.ToSlash(below), "/"),
			func(part string) bool { return part != "." && isHidden(part) })
		if !hidden {
			return true
		}
	}
	return false
}

// follow gathers events until ctx ends; the error says why the system sends no more.
func (w *watcher) follow(ctx context.Context) error {
	var quiet, latest <-chan time.Time
	changed := func(name string) {
		if name == "" || len(w.pending) >= mostChanges {
			w.lost = true
		} else {
			w.pending[name] = true
		}
		if quiet = time.After(settle); latest == nil {
			latest = time.After(settled)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-w.system.Events:
			if !ok {
				return errors.New("its watcher ended")
			}
			name := filepath.Clean(e.Name)
			if e.Op == fsnotify.Chmod || !w.matters(name) {
				continue
			}
			changed(name)
			if err := w.addCreated(e); err != nil {
				w.tell()
				return err
			}
		case <-w.system.Errors: // events were lost
			changed("")
		case <-quiet:
			quiet, latest = nil, nil
			w.tell()
		case <-latest:
			quiet, latest = nil, nil
			w.tell()
		}
	}
}

func (w *watcher) addCreated(e fsnotify.Event) error {
	if !e.Has(fsnotify.Create) {
		return nil
	}
	name := filepath.Clean(e.Name)
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		return nil
	}
	return w.addTree(name)
}

// tell reports what is pending.
func (w *watcher) tell() {
	names := slices.Sorted(maps.Keys(w.pending))
	if w.lost {
		names = nil
	}
	clear(w.pending)
	w.lost = false
	w.told(names)
}

type stamp struct {
	size     int64
	modified time.Time
	mode     fs.FileMode
}

func (w *watcher) poll(ctx context.Context) {
	before := w.stamps()
	w.isReady()
	w.told(nil) // whatever changed since it was last told
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pollEvery):
		}
		now := w.stamps()
		var names []string
		for name, s := range now {
			if o, had := before[name]; !had || o != s {
				names = append(names, name)
			}
		}
		for name := range before {
			if _, has := now[name]; !has {
				names = append(names, name)
			}
		}
		before = now
		switch {
		case len(names) > mostChanges:
			w.told(nil)
		case len(names) > 0:
			slices.Sort(names)
			w.told(names)
		}
	}
}

func (w *watcher) stamps() map[string]stamp {
	out := map[string]stamp{}
	add := func(name string, info fs.FileInfo, err error) {
		if err == nil && !info.IsDir() {
			out[name] = stamp{info.Size(), info.ModTime().Round(0), info.Mode()}
		}
	}
	for _, file := range w.files {
		info, err := os.Stat(file)
		add(file, info, err)
	}
	for _, root := range w.roots {
		_ = filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
			switch {
			case err != nil: // it is gone, or not for us
			case name != root && isHidden(name) && e.IsDir():
				return fs.SkipDir
			case !isHidden(name):
				info, err := e.Info()
				add(name, info, err)
			}
			return nil
		})
	}
	return out
}
