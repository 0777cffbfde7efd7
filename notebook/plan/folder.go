package plan

import (
	"bytes"
	"cmp"
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

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// MaxSize bounds a build context, which is held in memory: benchmark data is better made in the image.
const MaxSize = 256 << 20

// maxDockerfile bounds a Dockerfile, in bytes.
const maxDockerfile = 1 << 20

// Folder is what an article's services are built from: the files beside the article and its file= listings. Files are
// read through an os.Root, so that no link leads out of the folder; one that stays inside is followed.
type Folder struct {
	Doc      *article.Document
	Hidden   map[string]bool        // whole paths of files that hold secrets
	Reads    map[string]bool        // whole paths of files that were read, added to it; nil if nobody asks
	EnvFiles map[string]bool        // whole paths of files that an env_file names, added to it; may be nil
	configs  map[string][]string    // what configs name, with the users of each: see UsersOf
	contexts map[string][]spec.File // by folder and the files left out, read once
	single   map[string]spec.File   // what configs name, by path, read once
	size     int64                  // of single

	around     map[string]*Folder // see Around
	repository *article.Document  // the article that uses a whole repository; nil for its own folder
	revision   *revision          // what is there instead of files; nil for files
	ignored    map[string]bool    // see gitIgnored
}

// NewFolder is the folder of an article.
func NewFolder(doc *article.Document) *Folder {
	return &Folder{Doc: doc, configs: map[string][]string{}, contexts: map[string][]spec.File{},
		single: map[string]spec.File{}}
}

// NewRepository is a whole repository, or another folder around that of the article that uses it, with listings that
// have their paths in there, and those of the article at theirs. Project files, articles, their records and the site
// are no part of it: an image would otherwise change with what was measured of it. Nor are the folders of articles,
// unless somebody names one: they hold what is about the measuring.
func NewRepository(root string, listings []*article.Listing, user *article.Document) *Folder {
	doc := &article.Document{Dir: root, Source: user.Source, Listings: listings}
	if below, ok := files.Below(root, user.Dir); ok {
		for _, l := range user.Listings {
			moved := *l
			moved.Path = path.Join(filepath.ToSlash(below), l.Path)
			doc.Listings = append(doc.Listings, &moved)
		}
	}
	f := NewFolder(doc)
	f.repository = user
	return f
}

// Around is a folder around that of the article, for contexts of its builds.
func (f *Folder) Around(root string) *Folder {
	if f.around[root] == nil {
		if f.around == nil {
			f.around = map[string]*Folder{}
		}
		f.around[root] = NewRepository(root, nil, f.Doc)
		f.around[root].Hidden, f.around[root].Reads, f.around[root].EnvFiles = f.Hidden, f.Reads, f.EnvFiles
	}
	return f.around[root]
}

// EnvFile reads a file of environment variables, as Document.File does, and notes its path.
func (f *Folder) EnvFile(name source.Text, problems *source.Problems) (*article.File, bool) {
	if f.EnvFiles != nil {
		f.EnvFiles[filepath.Join(f.Doc.Dir, filepath.FromSlash(name.Value))] = true
	}
	return f.Doc.File(name, problems)
}

// open opens the folder. Where a revision is instead of its files, there is none.
func (f *Folder) open() (*os.Root, error) {
	if f.revision != nil {
		return nil, fs.ErrNotExist
	}
	return os.OpenRoot(f.Doc.Dir)
}

// isOurs says that a file or folder is what benchbook reads or makes, or git's, and that nothing names it.
func (g *gathering) isOurs(name string) bool {
	if g.repository == nil {
		return name == ".git" || g.Doc.IsOurs(name)
	}
	below, err := filepath.Rel(g.repository.Dir, filepath.Join(g.Doc.Dir, filepath.FromSlash(name)))
	if err == nil && filepath.Base(below) == below && g.repository.IsOurs(filepath.ToSlash(below)) {
		return true
	}
	switch path.Base(name) {
	case ".git", files.Boundary, ".benchbook", ".compose": // the last is where Compose files have contents of no file
		return true
	case "benchbook-project.json": // what init gives editors
		return path.Base(path.Dir(name)) == ".vscode"
	case article.ProjectFile:
		return !g.isNamed(name)
	case "records", article.FileName:
		return path.Base(path.Dir(path.Dir(name))) == articlesName && g.has(path.Join(path.Dir(name), article.FileName))
	case "_site":
		return g.has(path.Join(path.Dir(name), article.ProjectFile))
	}
	return path.Base(path.Dir(name)) == articlesName && !g.isNamed(name) && g.has(path.Join(name, article.FileName))
}

func (g *gathering) has(name string) bool {
	if g.root == nil {
		return slices.ContainsFunc(g.Doc.Listings, func(l *article.Listing) bool { return l.Path == name })
	}
	_, err := g.root.Lstat(name)
	return err == nil
}

// isLeftOut says that a file of the article is, or is in, something that isOurs.
func (g *gathering) isLeftOut(name string) bool {
	for ; g.repository != nil && name != "."; name = path.Dir(name) {
		if g.isOurs(name) {
			return true
		}
	}
	return false
}

// articlesName is the folder of articles in a project.
const articlesName = "experiments"

// isNamed says that a context or mount is in a folder or file, or that its Dockerfile names that, something in it, or a
// folder around it that is not all of the context.
func (g *gathering) isNamed(name string) bool {
	if isIn(g.base, name) {
		return true
	}
	inner, below := g.inner(name)
	return below && slices.ContainsFunc(g.copies, func(source string) bool {
		source = withoutPattern(source)
		return source != "" && source != "." && (isIn(source, inner) || isIn(inner, source))
	})
}

// withoutPattern returns the part of a source of COPY before its first wildcard, without slashes around it.
func withoutPattern(source string) string {
	if at := strings.IndexAny(source, `*?[\`); at >= 0 {
		source, _ = path.Split(source[:at])
	}
	return strings.Trim(path.Clean(source), "/")
}

// isIn says that a path is a folder, or in it.
func isIn(name, folder string) bool { return name == folder || strings.HasPrefix(name, folder+"/") }

// Digest is how a file's content enters keys and records.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func newFile(name string, data []byte, exec bool) spec.File {
	return spec.File{Path: name, Digest: Digest(data), Exec: exec, Data: data}
}

// UsersOf is who takes a config, or is built: a service, or the command, by its name, and all that are built as it is.
// What one of them takes as a config belongs into no image of theirs; another one may need it there.
func UsersOf(name string, build *article.Build) []string {
	users := []string{"service " + name}
	if build != nil {
		dockerfile := path.Clean(cmp.Or(build.Dockerfile.Value, "Dockerfile"))
		if !build.Inline.IsZero() {
			dockerfile = inlineName
		}
		users = append(users, "build "+build.Git.Value+path.Join(".", build.Context.Value)+" "+dockerfile)
	}
	return users
}

// Config reads a file or listing that a config of some users names.
func (f *Folder) Config(c article.Config, users []string, problems *source.Problems) (spec.File, bool) {
	if c.Source.IsZero() || c.Target.IsZero() {
		return spec.File{}, false // reported when it was decoded
	}
	if !path.IsAbs(c.Target.Value) || path.Clean(c.Target.Value) == "/" {
		problems.Add("wrong-value", c.Target.Pos,
			"the target of a config must be the path of a file in the container, not %q", c.Target.Value).
			Hint = "begin it with /"
		return spec.File{}, false
	}
	file, ok := f.File(c.Source, problems)
	if !ok {
		return spec.File{}, false
	}
	f.configs[file.Path] = append(f.configs[file.Path], users...)
	file.Path = path.Clean(c.Target.Value)
	return file, true
}

// File reads a single file or listing. Together they are bounded like a build context: they are held in memory as well.
func (f *Folder) File(t source.Text, problems *source.Problems) (spec.File, bool) {
	name, ok := article.CleanPath(t, problems)
	if !ok {
		return spec.File{}, false
	}
	if file, ok := f.single[name]; ok {
		return file, true
	}
	isListing := slices.ContainsFunc(f.Doc.Listings, func(l *article.Listing) bool { return l.Path == name })
	root, err := f.open()
	if err == nil {
		defer root.Close()
	}
	if err == nil && !isListing {
		file, err := f.read(root, name, MaxSize-f.size)
		switch {
		case err == nil:
			f.single[name] = file
			f.size += int64(len(file.Data))
			return file, true
		case leaves(root, err):
			problems.Add("outside-folder", t.Pos, "%q is a link that leaves the article's folder", t.Value).Hint = linkHint
			return spec.File{}, false
		case errors.Is(err, files.ErrTooLarge):
			problems.Add("too-large", t.Pos,
				"%q and the other files that are copied into containers are together larger than %d MiB", t.Value, MaxSize>>20).
				Hint = "create the data in the image"
			return spec.File{}, false
		}
	}
	listing, ok := f.Doc.File(t, problems) // which reports everything else that cannot be read
	if !ok {
		return spec.File{}, false
	}
	return newFile(name, listing.Data, listing.Exec), true
}

const linkHint = "copy what it points at beside the article; " +
	"only relative links that stay inside the folder are followed"

// read reads a regular file of limited size.
func (f *Folder) read(root *os.Root, name string, most int64) (spec.File, error) {
	data, info, err := files.ReadIn(root, name, most)
	if err != nil {
		return spec.File{}, err
	}
	if f.Reads != nil {
		f.Reads[filepath.Join(f.Doc.Dir, filepath.FromSlash(name))] = true
	}
	return newFile(name, data, info.Mode()&0o100 != 0), nil
}

// leaves says that an error of root is about a link out of it. The os package has no name for that error, but returns
// the same one for the folder above.
func leaves(root *os.Root, err error) bool {
	var have, outside *fs.PathError
	if root == nil {
		return false
	}
	_, above := root.Lstat("..")
	return errors.As(err, &have) && errors.As(above, &outside) && errors.Is(have.Err, outside.Err)
}

// resolve follows the links in the path of a folder, so that it has one name only.
func (f *Folder) resolve(root *os.Root, name string) (string, error) {
	if _, err := root.Stat(name); err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(f.Doc.Dir)
	if err != nil {
		return "", err
	}
	full, err := filepath.EvalSymlinks(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(dir, full)
	return filepath.ToSlash(rel), err
}

// context gathers a build context: its folder without the article, its records, what .dockerignore names, what configs
// of its users copy in, and what those of others do that its Dockerfile does not; listings inside the folder are added.
// It is read after all configs of the article are known.
func (f *Folder) context(t source.Text, users []string, copies copied, problems *source.Problems) ([]spec.File, bool) {
	name, ok := article.CleanPath(t, problems)
	if !ok {
		return nil, false
	}
	left := map[string]bool{}
	for file, of := range f.configs {
		inner, below := strings.CutPrefix(file, name+"/")
		if name == "." {
			inner, below = file, true
		}
		taken := slices.ContainsFunc(of, func(user string) bool { return slices.Contains(users, user) })
		if taken || below && !copies.has(inner) {
			left[file] = true
		}
	}
	key := strings.Join(append(slices.Sorted(maps.Keys(left)), name), "\x00")
	if f.repository != nil {
		key += "\x00\x00" + strings.Join(copies, "\x00")
	}
	if files, ok := f.contexts[key]; ok {
		return files, true
	}
	files, ok := f.gather(name, t, left, copies, problems)
	if !ok {
		return nil, false
	}
	f.contexts[key] = files
	return files, true
}

// Mounted reads a file or folder that a container sees, listings included; single is true for a file.
func (f *Folder) Mounted(t source.Text, problems *source.Problems) (files []spec.File, single, ok bool) {
	name, ok := article.CleanPath(t, problems)
	if !ok {
		return nil, false, false
	}
	if f.isFolder(name) {
		files, ok = f.gather(name, t, nil, nil, problems)
		return files, false, ok
	}
	file, ok := f.File(source.Text{Value: name, Pos: t.Pos}, problems)
	file.Path = path.Base(name)
	return []spec.File{file}, true, ok
}

func (f *Folder) isFolder(name string) bool {
	if slices.ContainsFunc(f.Doc.Listings, func(l *article.Listing) bool { return strings.HasPrefix(l.Path, name+"/") }) {
		return true
	}
	root, err := f.open()
	if err != nil {
		return false
	}
	defer root.Close()
	info, err := root.Stat(name)
	return err == nil && info.IsDir()
}

// gather reads the files below a folder of the article, with its listings, sorted by path. For a build context, left is
// not nil: the files in it and in .dockerignore are not read.
func (f *Folder) gather(name string, t source.Text, left map[string]bool, copies copied,
	problems *source.Problems) ([]spec.File, bool) {
	g := gathering{Folder: f, what: "folder", base: name, left: left, copies: copies, files: map[string]spec.File{}}
	root, err := f.open()
	if err == nil {
		defer root.Close()
		g.root = root
		var resolved string
		if resolved, err = f.resolve(root, name); err == nil {
			g.base = resolved
		}
	}
	for _, l := range f.Doc.Listings {
		if inner, ok := g.inner(l.Path); ok && !left[l.Path] && !g.isLeftOut(l.Path) {
			g.files[inner] = newFile(inner, l.Data, f.revision.isExecutable(l.Path))
		}
	}
	listed := len(g.files) > 0
	if left != nil {
		g.what = "build context"
		if !g.ignore() {
			problems.Add("too-large", t.Pos, "%s in the %s is larger than %d bytes", ignoreName, g.what, maxIgnore).
				Hint = "name folders, or write patterns such as *.log"
		}
	}
	if err == nil {
		err = fs.WalkDir(root.FS(), g.base, g.visit)
	}
	g.irregular = append(g.irregular, g.brokenLinks()...)
	if listed && errors.Is(err, fs.ErrNotExist) {
		err = nil // what there is are listings
	}
	if !g.report(err, t, problems) {
		return nil, false
	}
	return slices.SortedFunc(maps.Values(g.files), byPath), true
}

func byPath(a, b spec.File) int { return strings.Compare(a.Path, b.Path) }

// A gathering is a folder of an article while it is read.
type gathering struct {
	*Folder
	what    string // it is, in messages
	root    *os.Root
	base    string                         // the folder
	left    map[string]bool                // files of the article that are left out
	copies  copied                         // by the Dockerfile
	omitted *patternmatcher.PatternMatcher // what .dockerignore names; nil for nothing
	size    int64

	files              map[string]spec.File // by path below base
	outside, irregular []string             // links out of the folder, and what is not a regular file
}

// report adds the problems of a folder. It is false if the folder could not be read, because of err.
func (g *gathering) report(err error, t source.Text, problems *source.Problems) bool {
	for _, link := range g.outside {
		problems.Add("outside-folder", t.Pos, "%s in the %s is a link that leaves the article's folder", link, g.what).
			Hint = linkHint
	}
	for _, name := range g.irregular {
		problems.Add("not-a-file", t.Pos, "%s in the %s is neither a file nor a folder", name, g.what).
			Hint = "remove it, name it in .dockerignore, or, if it is a link, put what it points at in its place"
	}
	switch {
	case err == nil:
		return true
	case leaves(g.root, err):
		problems.Add("outside-folder", t.Pos, "the %s %q leaves the article's folder by a link", g.what, t.Value).
			Hint = linkHint
	case errors.Is(err, files.ErrTooLarge):
		problems.Add("too-large", t.Pos, "the %s %q is larger than %d MiB", g.what, t.Value, MaxSize>>20).
			Hint = "name what is not needed in .dockerignore, or create the data in the image"
	default:
		problems.Add("no-such-file", t.Pos, "the %s %q cannot be read: %s", g.what, t.Value, files.Reason(err)).
			Hint = "name a folder beside the article; . is the article's own"
	}
	return false
}

// inner is the path below base of a file of the article.
func (g *gathering) inner(name string) (string, bool) {
	if g.base == "." {
		return name, true
	}
	return strings.CutPrefix(name, g.base+"/")
}

// maxIgnore bounds .dockerignore in bytes: every file of a context is compared with each of its patterns.
const maxIgnore = 10_000

// ignore reads .dockerignore, and leaves out of the listings what it names. It is false if the file is too large.
func (g *gathering) ignore() bool {
	file, ok := g.files[ignoreName]
	if !ok {
		if g.root == nil {
			return true
		}
		var err error
		if file, err = g.read(g.root, path.Join(g.base, ignoreName), MaxSize); err != nil {
			return true // there is none, or the walk reports it
		}
	}
	if len(file.Data) > maxIgnore {
		return false
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(file.Data))
	if err != nil || len(patterns) == 0 {
		return true
	}
	if g.omitted, err = patternmatcher.New(patterns); err != nil {
		g.omitted = nil
		return true
	}
	maps.DeleteFunc(g.files, func(name string, _ spec.File) bool { return g.ignores(name) })
	return true
}

const ignoreName = ".dockerignore"

func (g *gathering) ignores(inner string) bool {
	if g.omitted == nil || inner == ignoreName || inner == "Dockerfile" {
		return false
	}
	skip, err := g.omitted.MatchesOrParentMatches(inner)
	return err == nil && skip
}

// visit takes a file, or leaves it out before it is read or counted.
func (g *gathering) visit(name string, e fs.DirEntry, err error) error {
	inner, below := g.inner(name)
	isFolder := e != nil && e.IsDir()
	omitted := below && g.ignores(inner)
	switch {
	case g.isUntracked(name), g.isOurs(name), omitted && !(isFolder && g.omitted.Exclusions()):
		if isFolder {
			return fs.SkipDir
		}
		return nil
	case omitted: // a pattern may call back what is in it
		return nil
	case err != nil:
		return err
	case isFolder || g.hides(name):
		return nil
	case below && g.files[inner].Path != "":
		return nil // a listing, which the article says is there twice
	}
	return g.take(name, inner)
}

// hides says that a file is left out, as it is taken elsewhere or has a secret.
func (g *gathering) hides(name string) bool {
	return g.left[name] || g.Hidden[filepath.Join(g.Doc.Dir, filepath.FromSlash(name))]
}

// take reads a file, or notes why it cannot be one.
func (g *gathering) take(name, inner string) error {
	file, err := g.read(g.root, name, MaxSize-g.size)
	switch {
	case err == nil:
		g.size += int64(len(file.Data))
		file.Path = inner
		g.files[inner] = file
	case leaves(g.root, err):
		g.outside = append(g.outside, name)
	case errors.Is(err, files.ErrNotRegular), errors.Is(err, fs.ErrNotExist):
		g.irregular = append(g.irregular, name)
	default:
		return err
	}
	return nil
}

// Place is where a Dockerfile stands: its listing, or the build key; and its lines, if it is in the article.
type DockerfilePlace struct {
	all   source.Pos
	lines []source.Pos
}

// At is the place of a line, counted from 1; that of the whole where the line is not known or not in the article.
func (p DockerfilePlace) At(line int) source.Pos {
	if line < 1 || line > len(p.lines) {
		return p.all
	}
	return p.lines[line-1]
}

// Build reads a build of some users, and says where its Dockerfile stands.
func (f *Folder) Build(b *article.Build, users []string, at source.Pos,
	problems *source.Problems) (*spec.Build, DockerfilePlace, bool) {
	context := b.Context
	if context.Value == "" {
		context = source.Text{Value: ".", Pos: at}
	}
	text := f.dockerfileText(b, context)
	if len(text) > maxDockerfile {
		problems.Add("too-large", context.Pos, "the Dockerfile has %d bytes; the limit is %d", len(text), maxDockerfile).
			Hint = "write files beside it, and COPY them"
		return nil, DockerfilePlace{}, false
	}
	files, ok := f.context(context, users, copiedBy(text), problems)
	if !ok {
		return nil, DockerfilePlace{}, false
	}
	out := &spec.Build{Files: files, Dockerfile: "Dockerfile", Target: b.Target.Value, Args: b.Args.Map(),
		Network: string(b.Network.V)}
	if !b.Inline.IsZero() {
		return out, inline(out, b.Inline), true
	}
	where, ok := f.dockerfile(out, b, context, problems)
	return out, where, ok
}

// dockerfileText is the text of the Dockerfile of a build; empty if it is missing, which is reported later.
func (f *Folder) dockerfileText(b *article.Build, context source.Text) string {
	if !b.Inline.IsZero() {
		return b.Inline.Value
	}
	name := path.Join(context.Value, cmp.Or(b.Dockerfile.Value, "Dockerfile"))
	file, _ := f.File(source.Text{Value: name, Pos: context.Pos}, &source.Problems{})
	return string(file.Data)
}

// dockerfile finds the Dockerfile of a build among the files of its context, and in the article if it is a listing.
func (f *Folder) dockerfile(out *spec.Build, b *article.Build, context source.Text,
	problems *source.Problems) (DockerfilePlace, bool) {
	where := context.Pos
	if b.Dockerfile.Value != "" {
		out.Dockerfile, where = path.Clean(b.Dockerfile.Value), b.Dockerfile.Pos
	}
	has := slices.ContainsFunc(out.Files, func(file spec.File) bool { return file.Path == out.Dockerfile })
	if !has && !strings.HasPrefix(out.Dockerfile, "../") {
		// Whatever .dockerignore names, the Dockerfile is sent.
		name := source.Text{Value: path.Join(context.Value, out.Dockerfile), Pos: where}
		var file spec.File
		if file, has = f.File(name, &source.Problems{}); has {
			file.Path = out.Dockerfile
			out.Files = append(slices.Clone(out.Files), file)
			slices.SortFunc(out.Files, byPath)
		}
	}
	if !has {
		known := slice.Map(out.Files, func(file spec.File) string { return file.Path })
		hint := source.Suggest(out.Dockerfile, known)
		if len(known) == 0 {
			hint = "add a listing: ```dockerfile file=" + out.Dockerfile
		}
		problems.Add("no-such-file", where, "no %s in the build context %q", out.Dockerfile, context.Value).Hint = hint
		return DockerfilePlace{}, false
	}
	place := DockerfilePlace{all: context.Pos}
	for _, l := range f.Doc.Listings {
		if path.Join(path.Clean(context.Value), out.Dockerfile) == l.Path {
			place = DockerfilePlace{l.Pos, l.Lines}
		}
	}
	return place, true
}

// inlineName is a name that no file of an article has.
const inlineName = ".benchbook.Dockerfile"

// inline makes a file of a Dockerfile that stands in the block.
func inline(b *spec.Build, t source.Text) DockerfilePlace {
	b.Dockerfile = inlineName
	b.Files = append([]spec.File{newFile(inlineName, []byte(t.Value), false)}, b.Files...)
	place := DockerfilePlace{all: t.Pos}
	at := 0
	for line := range strings.Lines(t.Value) {
		place.lines = append(place.lines, t.At(at, at+len(strings.TrimRight(line, "\n"))))
		at += len(line)
	}
	return place
}
