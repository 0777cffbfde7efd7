package bundle

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"benchbook/internal/files"
	"benchbook/internal/phrase"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

const maxSettings = 1 << 20 // bytes of a project file

// settingsKeys are the keys of a project file that a bundle keeps. Others, such as publish, concern only the author.
var settingsKeys = []string{"title", "description", "author", "licence", "defaults", "profiles", "engine", "allow"}

// portableSettings returns the text of a project file reduced to settingsKeys.
func portableSettings(from io.Reader) (io.Reader, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxSettings))
	if err == nil {
		text, err = source.Only(text, settingsKeys...)
	}
	return bytes.NewReader(text), err
}

// checkSettings returns an error for settings other than settingsKeys, and for permissions by which an article could
// read the user's files. It checks decoded settings, so the spelling of the file does not matter.
func checkSettings(p *article.Project) error {
	s := p.Settings
	allowed := article.Settings{Title: s.Title, Description: s.Description, Author: s.Author, Licence: s.Licence,
		Defaults: s.Defaults, Profiles: s.Profiles, Engine: s.Engine, Allow: s.Allow}
	switch {
	case !p.Problems.Empty():
		return fmt.Errorf("its project file has problems: %s", p.Problems.Sorted()[0])
	case !reflect.DeepEqual(s, allowed):
		return fmt.Errorf("its %s has keys other than %s, which no bundle of benchbook has: somebody made it by hand",
			article.ProjectFile, phrase.List(settingsKeys))
	}
	return checkAllowed(p)
}

// checkAllowed returns an error for permissions by which an article could read the user's files.
func checkAllowed(p *article.Project) error {
	for _, word := range []article.Permission{article.AllowMounts, article.AllowContexts, article.AllowSecrets} {
		if p.Allow.Has(word) {
			return fmt.Errorf("its %s allows %s, by which its article could read your files", article.ProjectFile, word)
		}
	}
	return nil
}

// extract extracts a bundle into a folder, completely or not at all, and returns its project. A folder that already has
// the bundle is reused, with the user's changes. Nothing is run, and nothing outside the folder is read.
func extract(ctx context.Context, r *reader, digest, dir string) (p *article.Project, reused bool, err error) {
	mark := filepath.Join(projectFolder, files.Boundary) // git and benchbook search for a repository no further up
	if opened, _, err := files.Read(filepath.Join(dir, mark), 1<<10); err == nil && string(opened) == digest {
		if p, err = openProject(dir); err == nil {
			err = checkAllowed(p)
		}
		return p, true, err
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, false, fmt.Errorf("%s already exists, and has other content: name another folder with --output",
			terminal.Relative(dir))
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, false, err
	}
	made, err := os.MkdirTemp(parent, ".benchbook-")
	if err != nil {
		return nil, false, err
	}
	defer os.RemoveAll(made)
	if err = errors.Join(os.Chmod(made, 0o755), r.extract(made)); err == nil {
		p, err = openProject(made)
	}
	if err == nil {
		err = errors.Join(checkSettings(p), files.Write(filepath.Join(made, mark), []byte(digest)), ctx.Err())
	}
	if err == nil {
		err = renameHosts(p.RecordsDir(r.manifest.Article))
	}
	if err == nil {
		err = os.Rename(made, dir)
	}
	if err == nil {
		p, err = openProject(dir)
	}
	return p, false, err
}

func openProject(dir string) (*article.Project, error) {
	settings := ""
	err := filepath.WalkDir(filepath.Join(dir, projectFolder), func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Name() == article.ProjectFile &&
			(settings == "" || strings.Count(name, "/") < strings.Count(settings, "/")) {
			settings = name
		}
		return err
	})
	if settings == "" || errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("it has no project file, so it is not the bundle of an article")
	}
	if _, _, err := files.Read(settings, maxSettings); err != nil { // OpenProject would search parent folders
		return nil, err
	}
	return article.OpenProject(filepath.Dir(settings))
}

// authorSuffix is appended to the host of the author's records, so that none of them counts as this machine.
const authorSuffix = "-author"

// renameHosts appends authorSuffix to every host in a folder of records.
func renameHosts(dir string) error {
	runs, err := fs.Glob(os.DirFS(dir), "*/*/*")
	if err != nil {
		return err
	}
	for _, below := range runs {
		name := filepath.Join(dir, filepath.FromSlash(below))
		host, rest, _ := strings.Cut(below, "/")
		to := filepath.Join(dir, host+authorSuffix, filepath.FromSlash(rest))
		if err := errors.Join(renameHost(name, to, host+authorSuffix), os.Remove(name)); err != nil {
			return err
		}
	}
	return nil
}

// renameHost copies a file of records with another host. It drops lines that are not JSON objects or are too long for a
// record.
func renameHost(from, to, host string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	err = record.EachLine(in, func(_ int, line []byte, _ bool, tooLong error) {
		if changed := withHost(line, host); tooLong == nil && changed != nil {
			_, _ = w.Write(append(changed, '\n')) // Flush returns the error
		}
	})
	return errors.Join(err, w.Flush(), out.Close())
}

// withHost returns a record with another host; nil for a line that is not a JSON object.
func withHost(line []byte, host string) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(line, &fields) != nil || fields == nil {
		return nil
	}
	fields["host"], _ = json.Marshal(host) // neither call can fail: the other fields were decoded from JSON
	changed, _ := json.Marshal(fields)
	return changed
}
