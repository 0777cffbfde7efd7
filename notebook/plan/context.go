package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"benchbook/notebook/article"
)

// maxContext bounds a build context, which is held in memory: benchmark data is better made in the image.
const maxContext = 256 << 20

// A folder is what an article's services are built from: the files beside the article and its file= listings.
type folder struct {
	doc      *article.Document
	configs  map[string]bool   // files and listings that are copied in when a container starts
	contexts map[string][]File // by folder, read once
}

// digest is how a file's content enters keys and records.
func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func newFile(name string, data []byte, exec bool) File {
	return File{Path: name, Digest: digest(data), Exec: exec, Data: data}
}

// inside cleans a path that an article names and makes sure that it stays in the article's folder.
func (f *folder) inside(t article.Text, problems *article.Problems) (string, bool) {
	name := path.Clean(strings.ReplaceAll(t.Value, `\`, "/"))
	if path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") || filepath.VolumeName(name) != "" {
		problems.Add("outside-folder", t.Pos, "%q leaves the article's folder", t.Value).
			Hint = "everything that services are built from lies beside the article"
		return "", false
	}
	return name, true
}

// config reads a file or listing that a config names.
func (f *folder) config(c article.Config, problems *article.Problems) (File, bool) {
	name, ok := f.inside(c.Source, problems)
	if !ok {
		return File{}, false
	}
	if !path.IsAbs(c.Target.Value) || path.Clean(c.Target.Value) == "/" {
		problems.Add("wrong-value", c.Target.Pos, "the target of a config has to be the path of a file in the container, not %q", c.Target.Value).
			Hint = "begin it with /"
		return File{}, false
	}
	f.configs[name] = true
	var known []string
	for _, l := range f.doc.Listings {
		if l.Path == name {
			return newFile(path.Clean(c.Target.Value), l.Data, false), true
		}
		known = append(known, l.Path)
	}
	data, exec, err := f.read(name)
	if err != nil {
		problems.Add("no-such-file", c.Source.Pos, "no file or listing %q in the article's folder", c.Source.Value).
			Hint = article.Suggest(name, known)
		return File{}, false
	}
	return newFile(path.Clean(c.Target.Value), data, exec), true
}

// read reads a regular file of the folder; a link would lead out of it unnoticed.
func (f *folder) read(name string) (data []byte, exec bool, err error) {
	full := filepath.Join(f.doc.Dir, filepath.FromSlash(name))
	info, err := os.Lstat(full)
	if err != nil {
		return nil, false, err
	}
	if !info.Mode().IsRegular() {
		return nil, false, fmt.Errorf("%s is no regular file", name)
	}
	data, err = os.ReadFile(full)
	return data, info.Mode()&0o100 != 0, err
}

// context gathers a build context: its folder without the article, its records, what .dockerignore names and what configs copy
// in; listings inside the folder are added. It is read after all configs of the article are known.
func (f *folder) context(t article.Text, problems *article.Problems) ([]File, bool) {
	root, ok := f.inside(t, problems)
	if !ok {
		return nil, false
	}
	if files, ok := f.contexts[root]; ok {
		return files, true
	}
	files := map[string]File{}
	size := 0
	err := filepath.WalkDir(filepath.Join(f.doc.Dir, filepath.FromSlash(root)), func(full string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(f.doc.Dir, full)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		switch {
		case name == "records" || name == ".git":
			return fs.SkipDir
		case e.IsDir() || name == article.FileName || f.configs[name]:
			return nil
		case !e.Type().IsRegular():
			problems.Add("not-a-file", t.Pos, "%s in the build context is no regular file", name).
				Hint = "replace the link by what it points at"
			return nil
		}
		data, exec, err := f.read(name)
		if err != nil {
			return err
		}
		if size += len(data); size > maxContext {
			return errTooLarge
		}
		inner := strings.TrimPrefix(strings.TrimPrefix(name, root), "/")
		if root == "." {
			inner = name
		}
		files[inner] = newFile(inner, data, exec)
		return nil
	})
	listed := 0
	for _, l := range f.doc.Listings {
		inner, ok := l.Path, true
		if root != "." {
			inner, ok = strings.CutPrefix(l.Path, root+"/")
		}
		if ok && !f.configs[l.Path] {
			listed++
			files[inner] = newFile(inner, l.Data, false)
		}
	}
	switch {
	case errors.Is(err, errTooLarge):
		problems.Add("too-large", t.Pos, "the build context %q is larger than %d MiB", t.Value, maxContext>>20).
			Hint = "name what is not needed in .dockerignore, or make the data in the image"
		return nil, false
	case err != nil && !(errors.Is(err, fs.ErrNotExist) && listed > 0):
		problems.Add("no-such-file", t.Pos, "the build context %q cannot be read: %v", t.Value, reason(err)).
			Hint = "name a folder beside the article; . is the article's own"
		return nil, false
	}
	out := ignore(files)
	f.contexts[root] = out
	return out, true
}

var errTooLarge = errors.New("too large")

// reason is an error without the path of this machine that the system puts into it.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// ignore leaves out what .dockerignore names, and sorts.
func ignore(files map[string]File) []File {
	var patterns []string
	if f, ok := files[".dockerignore"]; ok {
		patterns, _ = ignorefile.ReadAll(bytes.NewReader(f.Data))
	}
	matcher, err := patternmatcher.New(patterns)
	var out []File
	for name, f := range files {
		if err == nil && len(patterns) > 0 && name != ".dockerignore" && name != "Dockerfile" {
			if skip, err := matcher.MatchesOrParentMatches(name); err == nil && skip {
				continue
			}
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// build resolves a build.
func (f *folder) build(b *article.Build, at article.Pos, problems *article.Problems) (*Build, bool) {
	context := b.Context
	if context.Value == "" {
		context = article.Text{Value: ".", Pos: at}
	}
	files, ok := f.context(context, problems)
	if !ok {
		return nil, false
	}
	out := &Build{Files: files, Dockerfile: "Dockerfile", Target: b.Target.Value, Pos: context.Pos}
	where := context.Pos
	if b.Dockerfile.Value != "" {
		out.Dockerfile, where = path.Clean(b.Dockerfile.Value), b.Dockerfile.Pos
	}
	var known []string
	for _, file := range files {
		if file.Path == out.Dockerfile {
			known = nil
			break
		}
		known = append(known, file.Path)
	}
	if len(files) == 0 || known != nil {
		hint := article.Suggest(out.Dockerfile, known)
		if len(known) == 0 {
			hint = "add a listing: ```dockerfile file=" + out.Dockerfile
		}
		problems.Add("no-such-file", where, "no %s in the build context %q", out.Dockerfile, context.Value).Hint = hint
		return nil, false
	}
	for _, l := range f.doc.Listings {
		if path.Join(path.Clean(context.Value), out.Dockerfile) == l.Path {
			out.Pos, out.Lines = l.Pos, l.Lines
		}
	}
	if len(b.Args) > 0 {
		out.Args = map[string]string{}
		for _, a := range b.Args {
			out.Args[a.Name.Value] = a.Value.Value
		}
	}
	return out, true
}
