package plan

import (
	"context"
	"path"
	"slices"
	"strings"

	"benchbook/internal/files"
)

// litter has the names of files and folders that editors, desktops and languages leave in any folder.
var litter = []string{
	"*~", ".*.sw?", "4913", "#*#", ".#*", // vim, Emacs
	".idea", ".DS_Store", "._*", "Thumbs.db", "desktop.ini",
	"__pycache__", "*.py[co]", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".ipynb_checkpoints",
}

func isLitter(name string) bool {
	return slices.ContainsFunc(litter, func(pattern string) bool {
		matches, err := path.Match(pattern, path.Base(name))
		return err == nil && matches
	})
}

// gitIgnored returns the files and folders below the folder that git ignores. It is empty outside a repository, and in
// a folder that is ignored as a whole.
func (f *Folder) gitIgnored() map[string]bool {
	if f.ignored != nil || f.revision != nil {
		return f.ignored
	}
	f.ignored = map[string]bool{}
	out, err := files.Git(context.Background(), f.Doc.Dir).Run("", "ls-files", "--others", "--ignored",
		"--exclude-standard", "--directory", "-z")
	if err != nil {
		return f.ignored
	}
	for name := range strings.SplitSeq(out, "\x00") {
		f.ignored[strings.TrimSuffix(name, "/")] = true
	}
	return f.ignored
}

// isUntracked reports that a file or folder is litter, or that git ignores it and the Dockerfile does not name it.
func (g *gathering) isUntracked(name string) bool {
	if name == g.base {
		return false
	}
	if isLitter(name) {
		return true
	}
	for folder := name; folder != g.base && folder != "."; folder = path.Dir(folder) {
		if g.gitIgnored()[folder] {
			inner, _ := g.inner(name)
			above, _ := g.inner(folder)
			return !slices.ContainsFunc(g.copies, func(source string) bool {
				source = withoutPattern(source)
				return isIn(source, above) && (isIn(source, inner) || isIn(inner, source))
			})
		}
	}
	return false
}
