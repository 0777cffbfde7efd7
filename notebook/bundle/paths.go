package bundle

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds of paths, within what all file systems can hold below a folder. The depth also bounds how many folders a
// manifest can make.
const (
	maxPath    = 1000 // bytes
	maxElement = 255  // bytes of a name between slashes
	maxDepth   = 32   // names between slashes
)

// flaw says why a path cannot be that of a file in a bundle; empty for one that can.
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
		if why := elementFlaw(element); why != "" {
			return why
		}
	}
	return ""
}

// elementFlaw is flaw for a name between slashes. Hidden names are fine, as inputs such as .dockerignore need them. Not
// so those of folders in which version control looks for programs to run, or benchbook for its own state.
func elementFlaw(name string) string {
	switch {
	case name == "":
		return "it has two slashes in a row, or one at its end"
	case name == "." || name == "..":
		return fmt.Sprintf("it has %q in it", name)
	case len(name) > maxElement:
		return fmt.Sprintf("it has a name of more than %d bytes in it", maxElement)
	}
	switch strings.TrimRight(fold(name), ". ") { // which Windows leaves out, so that ".git." is ".git"
	case ".GIT", "GIT~1", ".HG", ".SVN", ".BZR", ".JJ":
		return fmt.Sprintf("%q belongs to version control, which runs programs named in it", name)
	case ".BENCHBOOK":
		return fmt.Sprintf("%q belongs to benchbook", name)
	}
	return ""
}

var sharpS = strings.NewReplacer("ß", "ss", "ẞ", "ss")

// fold is the same for names that some file system takes for one: they differ in case, in how their accents are
// composed, or in characters that it ignores. It is stricter than file systems are: it also takes ² for 2.
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

// tree is what stands where, by folded paths that begin with a slash.
type tree map[string]place

type place struct {
	path     string // as it is written
	isFolder bool
}

// add puts a file into the tree, and the folders that it is in.
func (t tree) add(name string) error {
	key, end := "", 0
	for element := range strings.SplitSeq(name, "/") {
		key += "/" + fold(element)
		end += len(element)
		here := place{name[:end], end < len(name)}
		switch there, known := t[key]; {
		case !known:
			t[key] = here
		case there.path != here.path:
			return fail(name, "and %.200q would be the same on a file system that ignores the case and form of letters",
				there.path)
		case there.isFolder != here.isFolder:
			return fail(here.path, "is both a file and a folder")
		case !here.isFolder:
			return fail(name, "is listed twice")
		}
		end++
	}
	return nil
}

// checkRepositories refuses what git takes for a repository though it is not called .git: a folder with HEAD and
// objects, or with HEAD and commondir, which says where objects are. Git runs programs that its config names.
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
		for _, beside := range []string{"OBJECTS", "COMMONDIR"} {
			if _, known := t[key+beside]; known {
				return fail(f.Path, "makes its folder a Git repository, in which git runs programs that a file names")
			}
		}
	}
	return nil
}
