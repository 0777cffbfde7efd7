package bundles

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"benchbook/internal/files"
	"benchbook/internal/git"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/bundle"

	"benchbook/internal/slice"
	"benchbook/notebook/yamltext"
)

// settingsElsewhere are keys of the project file that are of no use where an article is repeated: where its site
// goes, what stands beside its articles, and machines of its author. An opened bundle that has one could act
// on what lies around it.
var settingsElsewhere = []string{"theme", "publish", "url", "kubernetes", "registry"}

const maxSettings = 1 << 20 // bytes of a project file

// settingsOf reads the project file in a folder: as it is, and without what is of no use elsewhere.
func settingsOf(dir string) (text, reduced []byte, err error) {
	if text, _, err = files.Read(filepath.Join(dir, article.ProjectFile), maxSettings); err != nil {
		return nil, nil, err
	}
	if reduced, err = yamltext.Without(text, settingsElsewhere...); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", article.ProjectFile, err)
	}
	return text, reduced, nil
}

// Open opens a bundle in a folder, and gives the project in it. It is opened beside that folder first, so that there is
// all of it or nothing. Files for which skip is true are left out. A folder with the same bundle in it is taken as it
// is, with what was added to its project file since. Nothing of the bundle is run, and nothing around the folder is
// looked at.
func Open(ctx context.Context, r *bundle.Reader, dir string, skip func(bundle.File) bool) (project *article.Project,
	known bool, err error) {
	mark := filepath.Join(dir, ProjectFolder, git.Boundary)
	is, _, err := files.Read(mark, 1<<10)
	if err == nil && strings.TrimSpace(string(is)) == r.Digest() {
		project, err = projectIn(dir, r.Manifest())
		return project, true, err
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, false, fmt.Errorf("%s is there already, and has something else in it: name another folder with --output",
			terminal.Relative(dir))
	}
	above := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(above, 0o755); err != nil {
		return nil, false, err
	}
	beside, err := os.MkdirTemp(above, ".benchbook-")
	if err != nil {
		return nil, false, err
	}
	defer os.RemoveAll(beside)
	made := filepath.Join(beside, "opened")
	if err := r.Extract(made, skip); err != nil {
		return nil, false, err
	}
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	err = os.MkdirAll(filepath.Join(made, ProjectFolder), 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(made, ProjectFolder, git.Boundary), []byte(r.Digest()+"\n"), 0o644)
	}
	if err == nil {
		project, err = projectIn(made, r.Manifest())
	}
	if err == nil {
		err = checkSettings(project.Dir)
	}
	if err == nil {
		err = os.Rename(made, dir)
	}
	if err != nil {
		return nil, false, err
	}
	project, err = projectIn(dir, r.Manifest())
	return project, false, err
}

// checkSettings refuses a project file that has what no bundle has.
func checkSettings(folder string) error {
	text, reduced, err := settingsOf(folder)
	if err == nil && !bytes.Equal(reduced, text) {
		err = fmt.Errorf("its %s has one of %s, which bundles never have: it was made by hand, perhaps to act on what "+
			"is yours", article.ProjectFile, terminal.InSentence(settingsElsewhere))
	}
	return err
}

// projectIn opens the project in an opened bundle, unless its articles may read what is the user's.
func projectIn(dir string, m bundle.Manifest) (*article.Project, error) {
	folder := ""
	for _, f := range m.Files {
		if path.Base(f.Path) == article.ProjectFile && strings.HasPrefix(f.Path, ProjectFolder+"/") &&
			(folder == "" || strings.Count(f.Path, "/") < strings.Count(folder, "/")+1) {
			folder = path.Dir(f.Path)
		}
	}
	if folder == "" {
		return nil, errors.New("it has no project file, so it is not the bundle of an article")
	}
	folder = filepath.Join(dir, filepath.FromSlash(folder))
	if _, err := os.Stat(filepath.Join(folder, article.ProjectFile)); err != nil {
		return nil, err // or the project around it would be opened
	}
	p, err := article.OpenProject(folder)
	if err != nil {
		return nil, err
	}
	for _, word := range []article.Permission{article.AllowMounts, article.AllowContexts, article.AllowSecrets} {
		if p.Allows(word) {
			return nil, fmt.Errorf("its %s allows %s, by which its article could read what is yours", article.ProjectFile, word)
		}
	}
	return p, nil
}

// Allowed are the words by which the project file of a bundle allows more than others do.
func Allowed(p *article.Project) []string {
	return slice.Map(p.Allow.Words, func(v article.Value[article.Permission]) string { return string(v.V) })
}
