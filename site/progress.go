package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// progressFile holds the progress of a run, as a script, while a Follower is open.
const progressFile = "progress.js"

// A Follower shows on the pages of a site, as it lies in a folder, how far a run is. It adds to the script that all
// pages load; the next build of the site takes that out again, as does Close. Pages follow on this machine only.
type Follower struct {
	dir    string
	script string // its path in the site
	was    []byte
	time   time.Time // of the script
}

// Follow begins to show progress on the pages in a folder; nil if it has no pages that can.
func Follow(dir string) (*Follower, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the folder of the site: %w", err)
	}
	defer root.Close()
	names, err := readManifest(root, dir)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(names, func(name string) bool {
		found, _ := path.Match(hashedPattern(scriptFile), name) // a pattern of ours has no mistakes
		return found
	})
	if i < 0 {
		return nil, nil
	}
	f := &Follower{dir: dir, script: names[i]}
	info, err := root.Stat(f.script)
	if err == nil {
		f.time = info.ModTime()
		f.was, err = readIn(root, f.script)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the site: %w", err)
	}
	more, err := live.ReadFile("live/follow.js")
	if err != nil {
		return nil, err
	}
	f.was, _, _ = bytes.Cut(f.was, more) // a killed run may have left it
	if !slices.Contains(names, progressFile) {
		names = append(names, progressFile)
		slices.Sort(names)
	}
	// The next build removes a file that is in the manifest, whatever becomes of us.
	if err := writeManifest(root, dir, names); err != nil {
		return nil, err
	}
	if err := f.Say("a run begins"); err != nil {
		return nil, err
	}
	if err := f.write(f.script, slices.Concat(f.was, more)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Say shows how far the run is, as long as the site was not built again.
func (f *Follower) Say(lines ...string) error {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return fmt.Errorf("showing progress on the pages: %w", err)
	}
	defer root.Close()
	if names, err := readManifest(root, f.dir); err != nil || !slices.Contains(names, progressFile) {
		return err
	}
	data, err := json.Marshal(append(slices.Clone(lines), "as of "+time.Now().Format(time.TimeOnly)))
	if err != nil {
		return err
	}
	return f.write(progressFile, fmt.Appendf(nil, "benchbookProgress(%s);\n", data))
}

// write puts a file in the place of another one, which may have more links. It does not wait for the disk, which would
// disturb what is measured.
func (f *Follower) write(name string, data []byte) error {
	beside := filepath.Join(f.dir, unfinishedDir)
	err := os.MkdirAll(beside, 0o755)
	beside = filepath.Join(beside, path.Base(name))
	if err == nil {
		err = os.WriteFile(beside, data, 0o644)
	}
	if err == nil {
		err = os.Rename(beside, filepath.Join(f.dir, filepath.FromSlash(name)))
	}
	if err != nil {
		return fmt.Errorf("showing progress on the pages: %w", err)
	}
	return nil
}

// Close ends showing progress. Unless the site was built meanwhile it is as before. It does nothing for nil.
func (f *Follower) Close() error {
	if f == nil {
		return nil
	}
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	names, err := readManifest(root, f.dir)
	if err != nil || !slices.Contains(names, progressFile) {
		return err
	}
	if err := f.write(f.script, f.was); err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == progressFile })
	return errors.Join(root.Chtimes(f.script, f.time, f.time), root.Remove(progressFile), root.RemoveAll(unfinishedDir),
		writeManifest(root, f.dir, names))
}

// Stamp digests the names, sizes and times of the files that a build wrote into a folder, and counts them, so that its
// caller can tell whether the site is still as it was. It is empty if a file is missing.
func Stamp(dir string) (stamp string, files int) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", 0
	}
	defer root.Close()
	names, err := readManifest(root, dir)
	if err != nil || len(names) == 0 {
		return "", 0
	}
	var all strings.Builder
	for _, name := range names {
		info, err := root.Lstat(filepath.FromSlash(name))
		if err != nil || !info.Mode().IsRegular() {
			return "", 0
		}
		fmt.Fprintf(&all, "%s\x00%d %d\n", name, info.Size(), info.ModTime().UnixNano())
	}
	sum := sha256.Sum256([]byte(all.String()))
	return hex.EncodeToString(sum[:]), len(names)
}
