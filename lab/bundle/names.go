package bundle

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds that all file systems can hold below a folder.
const (
	maxPath    = 1000 // bytes
	maxElement = 255  // bytes of a name between slashes
	maxDepth   = 32   // names between slashes
)

// flaw returns why no file of a bundle can have a path; empty if one can. Hidden names are allowed, as inputs such as
// .dockerignore need them, except the folders of version control and benchbook.
func flaw(name string) string {
	switch {
	case name == "":
		return "it is empty"
	case len(name) > maxPath:
		return fmt.Sprintf("it is longer than %d bytes", maxPath)
	case !utf8.ValidString(name):
		return "it is not UTF-8"
	case strings.Contains(name, `\`):
		return "it has a backslash"
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "it has invisible characters"
	case strings.HasPrefix(name, "/"):
		return "it is an absolute path"
	case strings.Count(name, "/") >= maxDepth:
		return fmt.Sprintf("it is more than %d folders deep", maxDepth)
	}
	for element := range strings.SplitSeq(name, "/") {
		switch {
		case element == "":
			return "it has two slashes in a row, or one at its end"
		case element == "." || element == "..":
			return fmt.Sprintf("it has %q in it", element)
		case len(element) > maxElement:
			return fmt.Sprintf("it has a name of more than %d bytes in it", maxElement)
		}
		switch strings.TrimRight(fold(element), ". ") { // Windows reads ".git." as ".git"
		case ".GIT", "GIT~1", ".HG", ".SVN", ".BZR", ".JJ":
			return fmt.Sprintf("%q belongs to version control, which runs programs named in it", element)
		case ".BENCHBOOK":
			return fmt.Sprintf("%q belongs to benchbook", element)
		}
	}
	return ""
}

var sharpS = strings.NewReplacer("ß", "ss", "ẞ", "ss")

// fold maps names to one if some file system takes them for one: they differ in case, composition or ignored
// characters. It is stricter than file systems: it also takes ² for 2.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			return -1
		}
		least := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
		return least
	}, norm.NFKD.String(sharpS.Replace(name)))
}

// tree has the files and folders of a bundle by folded path, each path with a slash before it.
type tree map[string]node

type node struct {
	path     string
	isFolder bool
}

// add adds a file and the folders above it.
func (t tree) add(name string) error {
	key, end := "", 0
	for element := range strings.SplitSeq(name, "/") {
		key += "/" + fold(element)
		end += len(element)
		added := node{name[:end], end < len(name)}
		switch present, ok := t[key]; {
		case !ok:
			t[key] = added
		case present.path != added.path:
			return fail(name, "and %.200q would be the same on a file system that ignores the case and form of letters",
				present.path)
		case present.isFolder != added.isFolder:
			return fail(added.path, "is both a file and a folder")
		case !added.isFolder:
			return fail(name, "is listed twice")
		}
		end++
	}
	return nil
}

// checkRepositories refuses folders with HEAD and objects or commondir. Git takes them for repositories, and runs
// programs that their config names.
func (t tree) checkRepositories(files []File) error {
	for _, f := range files {
		folder, name := path.Split(f.Path)
		if !strings.EqualFold(name, "HEAD") {
			continue
		}
		key := "/"
		for element := range strings.SplitAfterSeq(folder, "/") {
			key += fold(element)
		}
		for _, sibling := range []string{"OBJECTS", "COMMONDIR"} {
			if _, ok := t[key+sibling]; ok {
				return fail(f.Path, "makes its folder a Git repository, in which git runs programs that a file names")
			}
		}
	}
	return nil
}
