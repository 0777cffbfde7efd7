package theme

import (
	"bytes"
	"html/template"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/files"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// Theme is a theme in which files of a project replace ours.
type Theme struct {
	own   fs.FS  // of the project; nil for none
	shown string // what people know that folder by
}

const maxFile = 32 << 20

// Open returns Files with those of the folder own replaced. shown is that folder's name for people, and at is where it
// is named. A nil own is the theme without files of a project. Problems are files that the theme does not have, and
// templates that cannot be parsed.
func Open(own fs.FS, shown string, at source.Pos, problems *source.Problems) *Theme {
	t := &Theme{own, shown}
	if own == nil {
		return t
	}
	known := names()
	err := fs.WalkDir(own, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(path.Base(name), "."):
			if e.IsDir() {
				return fs.SkipDir
			}
		case e.IsDir():
		case !slices.Contains(known, name):
			problems.Add("unknown-theme-file", at, "the theme has no file %q", name).Hint = source.Suggest(name, known)
		default:
			t.check(name, problems)
		}
		return nil
	})
	if err != nil {
		problems.Add("no-theme", at, "the theme %q cannot be read: %s", shown,
			files.Reason(err)).Hint = "name a folder of the project, or remove theme"
	}
	return t
}

// OfProject returns the theme of a project.
func OfProject(p *article.Project, problems *source.Problems) *Theme {
	if p.Theme.Value == "" {
		return Open(nil, "", source.Pos{}, problems)
	}
	return Open(files.Dir(filepath.Join(p.Dir, filepath.FromSlash(p.Theme.Value)), maxFile), path.Clean(p.Theme.Value),
		p.Theme.Pos, problems)
}

func names() []string {
	var out []string
	_ = fs.WalkDir(Files, ".", func(name string, e fs.DirEntry, err error) error { // an embedded folder has no errors
		if err == nil && !e.IsDir() {
			out = append(out, name)
		}
		return err
	})
	return out
}

func (t *Theme) Open(name string) (fs.File, error) {
	if t.own != nil && name != "." {
		if info, err := fs.Stat(t.own, name); err == nil && !info.IsDir() {
			return t.own.Open(name)
		}
	}
	return Files.Open(name)
}

func (t *Theme) check(name string, problems *source.Problems) {
	data, err := fs.ReadFile(t.own, name)
	if err != nil {
		problems.Add("not-a-file", source.Pos{Source: source.New(path.Join(t.shown, name), nil)},
			"the file cannot be read: %s", files.Reason(err)).
			Hint = "replace it with a file that you can read"
		return
	}
	if path.Ext(name) != ".html" {
		return
	}
	if _, err := template.New(name).Parse(string(data)); err != nil {
		t.add(err, name, problems)
	}
}

// Explain turns an error of a project's template into a problem with its place; false for other errors.
func (t *Theme) Explain(err error, problems *source.Problems) bool {
	m := place.FindStringSubmatch(err.Error())
	if t.own == nil || m == nil {
		return false
	}
	if info, err := fs.Stat(t.own, m[1]); err != nil || !info.Mode().IsRegular() {
		return false
	}
	t.add(err, m[1], problems)
	return true
}

// place matches file and line in an error of a template.
var place = regexp.MustCompile(`(?:html/)?template: ?([^:\s]+\.html):(\d+)(?::(\d+))?: `)

// add adds a problem of a file, at the line that the error names.
func (t *Theme) add(err error, name string, problems *source.Problems) {
	data, _ := fs.ReadFile(t.own, name) // what cannot be read has no lines, and the error says so
	src := source.New(path.Join(t.shown, name), data)
	at, message := source.Pos{Source: src}, files.Reason(err)
	if m := place.FindStringSubmatchIndex(message); m != nil {
		line, _ := strconv.Atoi(message[m[4]:m[5]])
		message = message[m[1]:]
		text := src.Line(line)
		for range line - 1 {
			next := bytes.IndexByte(src.Data[at.Start:], '\n')
			if next < 0 {
				break
			}
			at.Start += next + 1
		}
		at.Start += len(text) - len(bytes.TrimLeft(text, " \t"))
		at.End = at.Start + len(bytes.TrimSpace(text))
	}
	problems.Add("broken-template", at, "the template cannot be used: %s", message).
		Hint = "fix it, or remove the file to use the built-in one"
}
