package plan

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"benchbook/internal/files"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// A gathering is the state of reading all files of a folder.
type gathering struct {
	*folder
	named    source.Text // the folder, as the article names it
	problems *source.Problems
	what     string // folder or build context, for messages
	root     *os.Root
	base     string                         // path of the folder that is read
	left     map[string]bool                // files of the article to leave out
	copies   copyPaths                      // what the Dockerfile copies
	omitted  *patternmatcher.PatternMatcher // the patterns of .dockerignore; nil if there are none
	size     int64
	files    map[string]spec.File // by path below base
}

// gather reads the files and listings below a folder, sorted by path. For a build context, left is not nil: files in
// it, or matched by .dockerignore, are left out. It returns false after a problem.
func (f *folder) gather(name string, t source.Text, left map[string]bool, copies copyPaths,
	problems *source.Problems) ([]spec.File, bool) {
	g := gathering{folder: f, named: t, problems: problems, what: "folder", base: name, left: left, copies: copies,
		files: map[string]spec.File{}}
	root, err := f.open()
	if err == nil {
		defer root.Close()
		g.root = root
		g.base, err = g.resolve(name)
	}
	for _, file := range f.listed {
		if inner, ok := g.takes(file.Path); ok {
			file.Path = inner
			g.files[inner] = file
		}
	}
	if left != nil {
		g.what = "build context"
		g.ignore()
	}
	for _, link := range f.broken {
		if inner, ok := g.takes(link); ok && !g.ignores(inner) {
			g.addIrregular(link)
		}
	}
	listed := len(g.files) > 0
	if err == nil {
		err = fs.WalkDir(root.FS(), g.base, g.visit)
	}
	if listed && errors.Is(err, fs.ErrNotExist) {
		err = nil // the folder has only listings
	}
	switch {
	case err == nil:
		return slices.SortedFunc(maps.Values(g.files), byPath), true
	case leaves(g.root, err):
		g.add("outside-folder", linkHint, "the %s %q leaves the article's folder by a link", g.what, t.Value)
	case errors.Is(err, files.ErrTooLarge):
		g.add("too-large", "name what is not needed in .dockerignore, or create the data in the image",
			"the %s %q is larger than %d MiB", g.what, t.Value, MaxSize>>20)
	default:
		g.add("no-such-file", "name a folder next to the article; . is the article's own",
			"the %s %q cannot be read: %s", g.what, t.Value, files.Reason(err))
	}
	return nil, false
}

// add adds a problem at the place where the article names the folder.
func (g *gathering) add(rule, hint, format string, args ...any) {
	g.problems.Add(rule, g.named.Pos, format, args...).Hint = hint
}

func (g *gathering) addIrregular(name string) {
	g.add("not-a-file", "remove it, name it in .dockerignore, or, if it is a link, replace it by what it points at",
		"%s in the %s is neither a file nor a folder", name, g.what)
}

// takes returns the path of a listing or committed file in the folder, and whether the folder includes it.
func (g *gathering) takes(name string) (inner string, ok bool) {
	inner, ok = g.inner(name)
	for above := name; ok && g.user != nil && above != "."; above = path.Dir(above) {
		ok = !g.isOurs(above)
	}
	return inner, ok && !g.left[name]
}

// resolve returns the path of a folder without symbolic links, relative to the article's folder.
func (g *gathering) resolve(name string) (string, error) {
	if _, err := g.root.Stat(name); err != nil {
		return name, err
	}
	dir, err := filepath.EvalSymlinks(g.doc.Dir)
	full, err2 := filepath.EvalSymlinks(g.whole(name))
	if err := cmp.Or(err, err2); err != nil {
		return name, err
	}
	rel, err := filepath.Rel(dir, full)
	return filepath.ToSlash(rel), err
}

// inner returns a path relative to base, and whether it is below base.
func (g *gathering) inner(name string) (string, bool) {
	if g.base == "." {
		return name, true
	}
	return strings.CutPrefix(name, g.base+"/")
}

const (
	ignoreName = ".dockerignore"
	maxIgnore  = 10_000 // bytes of .dockerignore: every file of a context is matched against each of its patterns
)

// ignore reads .dockerignore, and removes the listings that it matches.
func (g *gathering) ignore() {
	file, ok := g.files[ignoreName]
	if !ok && g.root != nil {
		file, _ = g.read(g.root, path.Join(g.base, ignoreName), MaxSize) // the walk reports errors
	}
	if len(file.Data) > maxIgnore {
		g.add("too-large", "name folders, or write patterns such as *.log", "%s in the %s is larger than %d bytes",
			ignoreName, g.what, maxIgnore)
		return
	}
	patterns, _ := ignorefile.ReadAll(bytes.NewReader(file.Data))
	if omitted, err := patternmatcher.New(patterns); err == nil && len(patterns) > 0 {
		g.omitted = omitted
	}
	maps.DeleteFunc(g.files, func(name string, _ spec.File) bool { return g.ignores(name) })
}

// ignores reports whether .dockerignore excludes a file. Engines need the Dockerfile and .dockerignore in any case.
func (g *gathering) ignores(inner string) bool {
	if g.omitted == nil || inner == ignoreName || inner == "Dockerfile" {
		return false
	}
	skip, err := g.omitted.MatchesOrParentMatches(inner)
	return err == nil && skip
}

// visit is the fs.WalkDirFunc of gather. It skips files that are left out before their sizes count.
func (g *gathering) visit(name string, e fs.DirEntry, err error) error {
	inner, below := g.inner(name)
	isFolder := e != nil && e.IsDir()
	omitted := below && g.ignores(inner)
	switch {
	case g.isLitter(name), g.isOurs(name), omitted && !(isFolder && g.omitted.Exclusions()):
		if isFolder {
			return fs.SkipDir
		}
		return nil
	case omitted: // a later pattern with ! may include files below it
		return nil
	case err != nil:
		return err
	case isFolder, g.left[name], g.seen.hidden[g.whole(name)],
		below && g.files[inner].Path != "": // a listing, which takes precedence
		return nil
	}
	file, err := g.read(g.root, name, MaxSize-g.size)
	switch {
	case err == nil:
		g.size += int64(len(file.Data))
		file.Path = inner
		g.files[inner] = file
	case leaves(g.root, err):
		g.add("outside-folder", linkHint, "%s in the %s is a link that leaves the article's folder", name, g.what)
	case errors.Is(err, files.ErrNotRegular), errors.Is(err, fs.ErrNotExist):
		g.addIrregular(name)
	default:
		return err
	}
	return nil
}

// articlesName is the folder of articles in a project.
const articlesName = "experiments"

// isOurs reports whether a path belongs to benchbook or git, unless the context or its Dockerfile names it.
func (g *gathering) isOurs(name string) bool {
	if g.user == nil {
		return name == ".git" || g.doc.IsOurs(name)
	}
	below, err := filepath.Rel(g.user.Dir, g.whole(name))
	if err == nil && filepath.Base(below) == below && g.user.IsOurs(filepath.ToSlash(below)) {
		return true
	}
	folder := path.Base(path.Dir(name))
	switch path.Base(name) {
	case ".git", files.Boundary, ".benchbook", ".compose": // the last has contents of Compose files
		return true
	case "benchbook-project.json": // made by init for editors
		return folder == ".vscode"
	case article.ProjectFile:
		return !g.isNamed(name)
	case "records", article.FileName:
		return path.Base(path.Dir(path.Dir(name))) == articlesName && g.has(path.Join(path.Dir(name), article.FileName))
	case "_site":
		return g.has(path.Join(path.Dir(name), article.ProjectFile))
	}
	return folder == articlesName && !g.isNamed(name) && g.has(path.Join(name, article.FileName))
}

// has reports whether a file exists on disk, or in the revision that g reads.
func (g *gathering) has(name string) bool {
	if g.root == nil {
		return g.listed[name].Path != ""
	}
	_, err := g.root.Lstat(name)
	return err == nil
}

// isNamed reports whether the context is name or inside it, or its Dockerfile copies name explicitly.
func (g *gathering) isNamed(name string) bool {
	inner, below := g.inner(name)
	return isIn(g.base, name) || below && g.copies.names(inner)
}

// isIn reports whether name is the folder or below it.
func isIn(name, folder string) bool { return name == folder || strings.HasPrefix(name, folder+"/") }

// litter has patterns of files and folders that editors, desktops and language tools leave behind.
var litter = []string{
	"*~", ".*.sw?", "4913", "#*#", ".#*", // vim, Emacs
	".idea", ".DS_Store", "._*", "Thumbs.db", "desktop.ini",
	"__pycache__", "*.py[co]", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".ipynb_checkpoints",
}

// isLitter reports whether a path matches litter, or is ignored by git and not copied by the Dockerfile.
func (g *gathering) isLitter(name string) bool {
	if name == g.base {
		return false
	}
	for _, pattern := range litter {
		if matches, _ := path.Match(pattern, path.Base(name)); matches {
			return true
		}
	}
	for folder := name; folder != g.base && folder != "."; folder = path.Dir(folder) {
		if g.gitIgnored()[folder] {
			inner, _ := g.inner(name)
			above, _ := g.inner(folder)
			return !slices.ContainsFunc(g.copies, func(source string) bool { return isIn(source, above) && touch(source, inner) })
		}
	}
	return false
}

// gitIgnored returns the paths in the folder that git ignores. It is empty outside a repository, and if the folder
// itself is ignored.
func (f *folder) gitIgnored() map[string]bool {
	if f.ignored != nil || f.committed {
		return f.ignored
	}
	f.ignored = map[string]bool{}
	out, _ := files.Git(context.Background(), f.doc.Dir).Run("", "ls-files", "--others", "--ignored",
		"--exclude-standard", "--directory", "-z")
	for name := range strings.SplitSeq(out, "\x00") {
		f.ignored[strings.TrimSuffix(name, "/")] = true
	}
	return f.ignored
}

// copyPaths are the context paths that a Dockerfile copies; a pattern counts as the folder before its first wildcard.
type copyPaths []string

// allOfIt stands for the whole context.
const allOfIt = "."

var (
	continued = regexp.MustCompile(`\\[ \t]*\r?\n`)
	copying   = regexp.MustCompile(`(?im)^[ \t]*(?:ONBUILD[ \t]+)?(?:COPY|ADD)[ \t]+(.*)$`)
	running   = regexp.MustCompile(`(?im)^[ \t]*(?:ONBUILD[ \t]+)?RUN[ \t]+(.*)$`)
	mounting  = regexp.MustCompile(`--mount=(\S+)`)
	mountType = regexp.MustCompile(`\btype=(\w+)`)
	mounted   = regexp.MustCompile(`\b(?:source|src)=([^,]+)`)
	quotes    = strings.NewReplacer("[", " ", "]", " ", ",", " ", `"`, " ")
)

// copiedBy returns the paths that a Dockerfile copies or bind-mounts; one with a variable counts as the whole context.
//
// Source: docs.docker.com/reference/dockerfile, COPY and ADD.
func copiedBy(dockerfile string) copyPaths {
	text := continued.ReplaceAllString(dockerfile, " ")
	var out copyPaths
	for _, run := range running.FindAllString(text, -1) {
		for _, mount := range mounting.FindAllString(run, -1) {
			if is := mountType.FindStringSubmatch(mount); is != nil && is[1] != "bind" {
				continue
			}
			out = append(out, allOfIt)
			if m := mounted.FindStringSubmatch(mount); m != nil {
				out = append(out, cmp.Or(withoutPattern("/"+m[1]), allOfIt))
			}
		}
	}
	for _, m := range copying.FindAllStringSubmatch(text, -1) {
		words := m[1]
		if strings.HasPrefix(strings.TrimSpace(words), "[") || strings.Contains(words, `["`) {
			words = quotes.Replace(words)
		}
		fields := slices.DeleteFunc(strings.Fields(words), func(f string) bool { return strings.HasPrefix(f, "--") })
		if len(fields) < 2 || strings.Contains(words, "--from=") {
			continue
		}
		for _, source := range fields[:len(fields)-1] {
			if strings.ContainsAny(source, "$`") {
				source = allOfIt
			}
			out = append(out, cmp.Or(withoutPattern("/"+source), allOfIt))
		}
	}
	return out
}

func (c copyPaths) has(name string) bool { return slices.Contains(c, allOfIt) || c.names(name) }

// names reports whether the Dockerfile copies name, something in it, or a folder around it other than the whole
// context.
func (c copyPaths) names(name string) bool {
	return slices.ContainsFunc(c, func(source string) bool { return source != allOfIt && touch(source, name) })
}

// touch reports whether two paths are equal, or one is inside the other.
func touch(a, b string) bool { return isIn(a, b) || isIn(b, a) }

// withoutPattern returns a source of COPY up to the folder before its first wildcard, without slashes around it.
func withoutPattern(source string) string {
	if at := strings.IndexAny(source, `*?[\`); at >= 0 {
		source, _ = path.Split(source[:at])
	}
	return strings.Trim(path.Clean(source), "/")
}
