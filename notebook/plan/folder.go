package plan

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// MaxSize bounds a build context, in bytes: it is held in memory, and large data is better created in the image.
const MaxSize = 256 << 20

// maxDockerfile bounds a Dockerfile, in bytes.
const maxDockerfile = 1 << 20

// folder has the files that an article uses, on disk or in a git revision, and listings. Files on disk are read through
// an os.Root: links are followed, unless they leave the folder.
type folder struct {
	doc       *article.Document    // its listings have paths in this folder
	seen      *seenFiles           // shared by all folders of a plan
	user      *article.Document    // the article that uses a folder outside its own; nil for its own folder
	listed    map[string]spec.File // listings, and the files of a revision, by path
	broken    []string             // dangling links of a revision
	committed bool                 // it is a revision: listed has all of its files
	around    map[string]*folder   // other folders, by root, or by revision and context

	copies   slice.Memo[string, copyPaths] // of Dockerfiles, by digest
	configs  map[string][]string           // users of each file that configs name: see usersOf
	contexts map[string][]spec.File        // by folder, files left out and paths copied
	single   map[string]spec.File          // files that are read one by one, by path
	size     int64                         // of single, in bytes
	ignored  map[string]bool               // see gitIgnored
}

// seenFiles are files that a plan reads, and files with secrets (hidden), which no image gets, by path on this machine.
type seenFiles struct {
	repository              string // its root folder
	hidden, reads, envFiles map[string]bool
}

func newFolder(doc *article.Document, seen *seenFiles) *folder {
	f := &folder{doc: doc, seen: seen, listed: map[string]spec.File{}, around: map[string]*folder{},
		configs: map[string][]string{}, contexts: map[string][]spec.File{}, single: map[string]spec.File{}}
	for _, l := range doc.Listings {
		f.listed[l.Path] = newFile(l.Path, l.Data, false)
	}
	return f
}

// newRepository returns the folder at root, for contexts outside the folder of the article user. It has the given
// listings and the article's own, but no files of benchbook: new records must not change an image.
func newRepository(root string, listings []*article.Listing, user *article.Document, seen *seenFiles) *folder {
	doc := &article.Document{Dir: root, Source: user.Source, Listings: listings}
	if below, ok := files.Below(root, user.Dir); ok {
		for _, l := range user.Listings {
			moved := *l
			moved.Path = path.Join(filepath.ToSlash(below), l.Path)
			doc.Listings = append(doc.Listings, &moved)
		}
	}
	f := newFolder(doc, seen)
	f.user = user
	return f
}

// aroundIt returns the folder at root, which is outside the article's folder; the same one for each call.
func (f *folder) aroundIt(root string) *folder {
	if f.around[root] == nil {
		f.around[root] = newRepository(root, nil, f.doc, f.seen)
	}
	return f.around[root]
}

// whole returns the path on this machine of a file of the folder.
func (f *folder) whole(name string) string { return filepath.Join(f.doc.Dir, filepath.FromSlash(name)) }

// open opens the folder on disk. For a revision it returns fs.ErrNotExist.
func (f *folder) open() (*os.Root, error) {
	if f.committed {
		return nil, fs.ErrNotExist
	}
	return os.OpenRoot(f.doc.Dir)
}

// Digest returns the SHA-256 digest of a file's content in hex, as in keys and records.
func Digest(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

func newFile(name string, data []byte, exec bool) spec.File {
	return spec.File{Path: name, Digest: Digest(data), Exec: exec, Data: data}
}

// usersOf returns keys for a service, or the command if name is empty, and for its build. A build context leaves out
// configs that have a key in common with it.
func usersOf(name string, build *spec.Build) []string {
	users := []string{"service " + name}
	if build != nil {
		dockerfile := path.Clean(cmp.Or(build.Dockerfile, "Dockerfile"))
		if build.Inline != "" {
			dockerfile = inlineName
		}
		users = append(users, "build "+build.Git+path.Join(".", build.Context)+" "+dockerfile)
	}
	return users
}

// config reads a file or listing, from the revision if it has the file, for a path in a container, and notes its users.
func (f *folder) config(file, target source.Text, users []string, revision string, problems *source.Problems) (
	out spec.File, ok bool) {
	if file.IsZero() || target.Value == "" {
		return out, false // reported when it was decoded
	}
	if !path.IsAbs(target.Value) || path.Clean(target.Value) == "/" {
		problems.Add("wrong-value", target.Pos,
			"the target of a config must be the path of a file in the container, not %q", target.Value).
			Hint = "begin it with /"
		return out, false
	}
	name, ok := article.CleanPath(file, problems)
	if !ok {
		return out, false
	}
	f.configs[name] = append(f.configs[name], users...)
	from, written := f.inRevision(revision, file, problems)
	out, ok = from.file(written, problems)
	out.Path = path.Clean(target.Value)
	return out, ok
}

const linkHint = "copy what it points at next to the article; " +
	"only relative links that stay inside the folder are followed"

// file reads a single file or listing. All of them together have at most MaxSize bytes.
func (f *folder) file(t source.Text, problems *source.Problems) (spec.File, bool) {
	name, ok := article.CleanPath(t, problems)
	if !ok {
		return spec.File{}, false
	}
	for _, known := range []map[string]spec.File{f.listed, f.single} {
		if file, ok := known[name]; ok {
			return file, true
		}
	}
	if root, err := f.open(); err == nil {
		defer root.Close()
		file, err := f.read(root, name, MaxSize-f.size)
		switch {
		case err == nil:
			f.single[name] = file
			f.size += int64(len(file.Data))
			return file, true
		case leaves(root, err):
			problems.Add("outside-folder", t.Pos, "%q is a link that leaves the article's folder", t.Value).Hint = linkHint
			return file, false
		case errors.Is(err, files.ErrTooLarge):
			problems.Add("too-large", t.Pos,
				"%q and the other files that are copied into containers are together larger than %d MiB", t.Value, MaxSize>>20).
				Hint = "create the data in the image"
			return file, false
		}
	}
	file, ok := f.doc.File(t, problems) // reports all other errors
	if !ok {
		return spec.File{}, false
	}
	return newFile(name, file.Data, file.Exec), true
}

// read reads a regular file of limited size, and adds it to the files that the plan reads.
func (f *folder) read(root *os.Root, name string, most int64) (spec.File, error) {
	data, info, err := files.ReadIn(root, name, most)
	if err != nil {
		return spec.File{}, err
	}
	f.seen.reads[f.whole(name)] = true
	return newFile(name, data, info.Mode()&0o100 != 0), nil
}

// leaves reports whether an error of root is about a link that leaves it. Package os does not export that error, but
// also returns it for "..".
func leaves(root *os.Root, err error) bool {
	var have, outside *fs.PathError
	if root == nil {
		return false
	}
	_, above := root.Lstat("..")
	return errors.As(err, &have) && errors.As(above, &outside) && errors.Is(have.Err, outside.Err)
}

// context reads a build context. It leaves out the article and its records, files that .dockerignore matches, configs
// of its users, and configs of others that its Dockerfile does not copy. The configs of all trials must be read first.
func (f *folder) context(t source.Text, users []string, copies copyPaths, problems *source.Problems) ([]spec.File, bool) {
	name, ok := article.CleanPath(t, problems)
	if !ok {
		return nil, false
	}
	left := map[string]bool{}
	for file, of := range f.configs {
		inner, below := strings.CutPrefix(path.Join("/", file), strings.TrimSuffix(path.Join("/", name), "/")+"/")
		taken := slices.ContainsFunc(of, func(user string) bool { return slices.Contains(users, user) })
		if taken || below && !copies.has(inner) {
			left[file] = true
		}
	}
	key := strings.Join(slices.Concat(sortedKeys(left), []string{name, "", ""}, copies), "\x00")
	if found, ok := f.contexts[key]; ok {
		return found, true
	}
	found, ok := f.gather(name, t, left, copies, problems)
	if ok {
		f.contexts[key] = found
	}
	return found, ok
}

// mounted reads a file or folder for a mount, with listings; single is true for a file.
func (f *folder) mounted(t source.Text, problems *source.Problems) (mounted []spec.File, single bool) {
	name, ok := article.CleanPath(t, problems)
	if !ok {
		return nil, false
	}
	isFolder := false
	for listed := range f.listed {
		isFolder = isFolder || strings.HasPrefix(listed, name+"/")
	}
	if root, err := f.open(); err == nil {
		defer root.Close()
		info, err := root.Stat(name)
		isFolder = isFolder || err == nil && info.IsDir()
	}
	if isFolder {
		mounted, _ = f.gather(name, t, nil, nil, problems)
		return mounted, false
	}
	file, _ := f.file(source.Text{Value: name, Pos: t.Pos}, problems)
	file.Path = path.Base(name)
	return []spec.File{file}, true
}

// build completes a build. It returns the place of the Dockerfile, which is its listing or the build key, followed by
// the places of its lines if the article contains it.
func (f *folder) build(b *spec.Build, n *source.Node, context source.Text, users []string,
	problems *source.Problems) (places []source.Pos, ok bool) {
	b.Dockerfile, b.Keep = path.Clean(cmp.Or(b.Dockerfile, "Dockerfile")), nil
	name := path.Join(context.Value, b.Dockerfile)
	dockerfile, found := newFile(inlineName, []byte(b.Inline), false), true
	if b.Inline == "" {
		dockerfile, found = f.file(source.Text{Value: name, Pos: context.Pos}, &source.Problems{})
		found = found && !strings.HasPrefix(b.Dockerfile, "../")
		dockerfile.Path = b.Dockerfile
	}
	if len(dockerfile.Data) > maxDockerfile {
		problems.Add("too-large", context.Pos, "the Dockerfile has %d bytes; the limit is %d", len(dockerfile.Data),
			maxDockerfile).Hint = "write files next to it, and COPY them"
		return nil, false
	}
	copies := f.copies.Get(dockerfile.Digest, func() copyPaths { return copiedBy(string(dockerfile.Data)) })
	if b.Files, ok = f.context(context, users, copies, problems); !ok {
		return nil, false
	}
	if b.Inline != "" {
		b.Dockerfile, b.Files = inlineName, append([]spec.File{dockerfile}, b.Files...)
		return linesOf(n.TextAt("dockerfile_inline")), true
	}
	known := slice.Map(b.Files, func(file spec.File) string { return file.Path })
	switch {
	case slices.Contains(known, b.Dockerfile):
	case found: // .dockerignore does not apply to the Dockerfile
		b.Files = slices.SortedFunc(slices.Values(append(slices.Clone(b.Files), dockerfile)), byPath)
	default:
		where := cmp.Or(n.TextAt("dockerfile").Pos, context.Pos)
		problems.Add("no-such-file", where, "no %s in the build context %q", b.Dockerfile, context.Value).
			Hint = cmp.Or(source.Suggest(b.Dockerfile, known), "add a listing: ```dockerfile file="+b.Dockerfile)
		return nil, false
	}
	if l, ok := slice.Find(f.doc.Listings, func(l *article.Listing) bool { return l.Path == name }); ok {
		return append([]source.Pos{l.Pos}, l.Lines...), true
	}
	return []source.Pos{context.Pos}, true
}

// linesOf returns the place of a text, and then of each of its lines.
func linesOf(t source.Text) []source.Pos {
	places, at := []source.Pos{t.Pos}, 0
	for line := range strings.Lines(t.Value) {
		places = append(places, t.At(at, at+len(strings.TrimRight(line, "\n"))))
		at += len(line)
	}
	return places
}

// isAbove reports whether a clean relative path begins above the folder that it is relative to.
func isAbove(name string) bool { return name == ".." || strings.HasPrefix(name, "../") }

func byPath(a, b spec.File) int { return strings.Compare(a.Path, b.Path) }

// inlineName is the path of an inline Dockerfile in its context. No file of an article has this name.
const inlineName = ".benchbook.Dockerfile"

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

func sortedSet(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }
