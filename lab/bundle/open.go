package bundle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"

	"benchbook/internal/files"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

const maxSettings = 1 << 20 // bytes of a project file

// settingsKeys are the keys of a bundle's project file. Others, such as publish, act on the author's machine only.
var settingsKeys = []string{"title", "description", "author", "licence", "defaults", "profiles", "engine", "allow"}

// portableSettings returns the project file in a folder with settingsKeys alone.
func portableSettings(dir string) ([]byte, error) {
	text, _, err := files.Read(filepath.Join(dir, article.ProjectFile), maxSettings)
	if err == nil {
		text, err = source.Only(text, settingsKeys...)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", article.ProjectFile, err)
	}
	return text, nil
}

// checkSettings refuses decoded settings other than settingsKeys, however the project file spells them.
func checkSettings(p *article.Project) error {
	s := p.Settings
	allowed := article.Settings{Title: s.Title, Description: s.Description, Author: s.Author, Licence: s.Licence,
		Defaults: s.Defaults, Profiles: s.Profiles, Engine: s.Engine, Allow: s.Allow}
	switch {
	case !p.Problems.Empty():
		return fmt.Errorf("its project file has problems: %s", firstOf(&p.Problems))
	case !reflect.DeepEqual(s, allowed):
		return fmt.Errorf("its %s has keys other than %s, which no bundle of benchbook has: somebody made it by hand",
			article.ProjectFile, terminal.InSentence(settingsKeys))
	}
	return nil
}

// extract extracts a bundle into a folder, whole or not at all, and returns its project. A folder with the same bundle
// is reused, with the user's changes to its project file. Nothing runs, and nothing outside the folder is read.
func extract(ctx context.Context, r *Reader, dir string, skip func(File) bool) (p *article.Project, reused bool,
	err error) {
	mark := filepath.Join(ProjectFolder, files.Boundary) // git and benchbook look for no repository above it
	digest, _, err := files.Read(filepath.Join(dir, mark), 1<<10)
	if err == nil && strings.TrimSpace(string(digest)) == r.Digest() {
		p, err = openProject(dir, r.Manifest())
		return p, true, err
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, false, fmt.Errorf("%s is there already, and has something else in it: name another folder with --output",
			terminal.Relative(dir))
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, false, err
	}
	temporary, err := os.MkdirTemp(parent, ".benchbook-")
	if err != nil {
		return nil, false, err
	}
	defer os.RemoveAll(temporary)
	made := filepath.Join(temporary, "opened")
	if err := r.Extract(made, skip); err != nil {
		return nil, false, err
	}
	if p, err = openProject(made, r.Manifest()); err == nil {
		err = errors.Join(checkSettings(p), files.Write(filepath.Join(made, mark), []byte(r.Digest()+"\n")), ctx.Err())
	}
	if err == nil {
		err = os.Rename(made, dir)
	}
	if err == nil {
		p, err = openProject(dir, r.Manifest())
	}
	return p, false, err
}

// openProject opens the uppermost project of an extracted bundle, unless its articles may read the user's files.
func openProject(dir string, m Manifest) (*article.Project, error) {
	settings := ""
	for _, f := range m.Files {
		if path.Base(f.Path) == article.ProjectFile && strings.HasPrefix(f.Path, ProjectFolder+"/") &&
			(settings == "" || strings.Count(f.Path, "/") < strings.Count(settings, "/")) {
			settings = f.Path
		}
	}
	if settings == "" {
		return nil, errors.New("it has no project file, so it is not the bundle of an article")
	}
	name := filepath.Join(dir, filepath.FromSlash(settings))
	if _, _, err := files.Read(name, maxSettings); err != nil { // OpenProject would look above it
		return nil, err
	}
	p, err := article.OpenProject(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	for _, word := range []article.Permission{article.AllowMounts, article.AllowContexts, article.AllowSecrets} {
		if p.Allows(word) {
			return nil, fmt.Errorf("its %s allows %s, by which its article could read your files", article.ProjectFile, word)
		}
	}
	return p, nil
}
