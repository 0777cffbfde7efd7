package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
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

// config reads a file or listing that a config names.
func (f *folder) config(c article.Config, problems *article.Problems) (File, bool) {
	if !path.IsAbs(c.Target.Value) || path.Clean(c.Target.Value) == "/" {
		problems.Add("wrong-value", c.Target.Pos, "the target of a config has to be the path of a file in the container, not %q", c.Target.Value).
			Hint = "begin it with /"
		return File{}, false
	}
	file, ok := f.doc.File(c.Source, problems)
	if !ok {
		return File{}, false
	}
	f.configs[file.Path] = true
	return newFile(path.Clean(c.Target.Value), file.Data, file.Exec), true
}

// context gathers a build context: its folder without the article, its records, what .dockerignore names and what configs copy
// in; listings inside the folder are added. It is read after all configs of the article are known.
func (f *folder) context(t article.Text, problems *article.Problems) ([]File, bool) {
	root, ok := article.Inside(t, problems)
	if !ok {
		return nil, false
	}
	if files, ok := f.contexts[root]; ok {
		return files, true
	}
	files, ok := f.gather(root, t, true, problems)
	if !ok {
		return nil, false
	}
	out := ignore(files)
	f.contexts[root] = out
	return out, true
}

// mounted reads a file or folder that a container sees, listings included.
func (f *folder) mounted(t article.Text, problems *article.Problems) ([]File, bool) {
	root, ok := article.Inside(t, problems)
	if !ok {
		return nil, false
	}
	isFolder := slices.ContainsFunc(f.doc.Listings, func(l *article.Listing) bool { return strings.HasPrefix(l.Path, root+"/") })
	if info, err := os.Lstat(filepath.Join(f.doc.Dir, filepath.FromSlash(root))); err == nil && info.IsDir() {
		isFolder = true
	}
	if !isFolder {
		file, ok := f.doc.File(article.Text{Value: root, Pos: t.Pos}, problems)
		if !ok {
			return nil, false
		}
		return []File{newFile(path.Base(root), file.Data, file.Exec)}, true
	}
	files, ok := f.gather(root, t, false, problems)
	return slices.SortedFunc(maps.Values(files), func(a, b File) int { return strings.Compare(a.Path, b.Path) }), ok
}

// gather reads the files below a folder of the article, with listings that lie there; for a build context without what configs
// copy in.
func (f *folder) gather(root string, t article.Text, forBuild bool, problems *article.Problems) (map[string]File, bool) {
	files := map[string]File{}
	what := "folder"
	if forBuild {
		what = "build context"
	}
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
		case e.IsDir() || name == article.FileName || forBuild && f.configs[name]:
			return nil
		case !e.Type().IsRegular():
			problems.Add("not-a-file", t.Pos, "%s in the %s is no regular file", name, what).
				Hint = "replace the link by what it points at"
			return nil
		}
		data, exec, err := f.doc.ReadFile(name)
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
		if ok && (!forBuild || !f.configs[l.Path]) {
			listed++
			files[inner] = newFile(inner, l.Data, false)
		}
	}
	switch {
	case errors.Is(err, errTooLarge):
		problems.Add("too-large", t.Pos, "the %s %q is larger than %d MiB", what, t.Value, maxContext>>20).
			Hint = "name what is not needed in .dockerignore, or make the data in the image"
		return nil, false
	case err != nil && !(errors.Is(err, fs.ErrNotExist) && listed > 0):
		problems.Add("no-such-file", t.Pos, "the %s %q cannot be read: %v", what, t.Value, reason(err)).
			Hint = "name a folder beside the article; . is the article's own"
		return nil, false
	}
	return files, true
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
	if b.Inline.IsZero() {
		if !f.dockerfile(out, b, context, problems) {
			return nil, false
		}
	} else {
		out.inline(b.Inline)
	}
	if len(b.Args) > 0 {
		out.Args = map[string]string{}
		for _, a := range b.Args {
			out.Args[a.Name.Value] = a.Value.Value
		}
	}
	return out, true
}

// dockerfile finds the Dockerfile of a build among the files of its context, and in the article if it is a listing.
func (f *folder) dockerfile(out *Build, b *article.Build, context article.Text, problems *article.Problems) bool {
	where := context.Pos
	if b.Dockerfile.Value != "" {
		out.Dockerfile, where = path.Clean(b.Dockerfile.Value), b.Dockerfile.Pos
	}
	if !slices.ContainsFunc(out.Files, func(file File) bool { return file.Path == out.Dockerfile }) {
		var known []string
		for _, file := range out.Files {
			known = append(known, file.Path)
		}
		hint := article.Suggest(out.Dockerfile, known)
		if len(known) == 0 {
			hint = "add a listing: ```dockerfile file=" + out.Dockerfile
		}
		problems.Add("no-such-file", where, "no %s in the build context %q", out.Dockerfile, context.Value).Hint = hint
		return false
	}
	for _, l := range f.doc.Listings {
		if path.Join(path.Clean(context.Value), out.Dockerfile) == l.Path {
			out.Pos, out.Lines = l.Pos, l.Lines
		}
	}
	return true
}

// inlineName is a name that no file of an article has.
const inlineName = ".benchbook.Dockerfile"

// inline makes a file of a Dockerfile that stands in the block.
func (b *Build) inline(t article.Text) {
	b.Dockerfile, b.Pos = inlineName, t.Pos
	at := 0
	for line := range strings.Lines(t.Value) {
		b.Lines = append(b.Lines, t.At(at, at+len(strings.TrimRight(line, "\n"))))
		at += len(line)
	}
	b.Files = append([]File{newFile(inlineName, []byte(t.Value), false)}, b.Files...)
}
