package article

import (
	"cmp"
	"errors"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"benchbook/internal/files"
	"benchbook/notebook/source"
)

// maxFile bounds a single file of an article, in bytes; larger data is better created in an image.
const maxFile = 256 << 20

// A File is a file of an article: in its folder, or a file= listing.
type File struct {
	Path string // cleaned, relative to the article's folder, with slashes
	Data []byte
	Exec bool // executable; listings never are

	listing *Listing // the listing it is from, or nil
}

// RecordsName returns the name of the folder of records next to an article's file: "records" for article.md, otherwise
// the file's name with .records.
func RecordsName(file string) string {
	if name := filepath.Base(file); file != "" && name != FileName {
		return strings.TrimSuffix(name, filepath.Ext(name)) + ".records"
	}
	return "records"
}

// IsOurs reports whether a cleaned path in the article's folder is the article or one of its records. For an article
// without a project, it includes the site, benchbook's state, and other articles in the folder with their records.
func (doc *Document) IsOurs(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	file := path.Base(doc.Source.Path)
	if name == file || first == RecordsName(file) {
		return true
	}
	return file != FileName && (first == "_site" || first == StateDir || strings.HasSuffix(first, ".records") ||
		doc.isArticle(first))
}

// experimentFence matches a line that makes a Markdown file an article.
var experimentFence = regexp.MustCompile("(?m)^ {0,3}(```+|~~~+)yaml experiment\\s*$")

func (doc *Document) isArticle(name string) bool {
	if path.Ext(name) != ".md" {
		return false
	}
	text, _, err := files.Read(filepath.Join(doc.Dir, name), 1_000_000) // the limit of articles, in bytes
	return err == nil && experimentFence.Match(text)
}

// CleanPath cleans a path that an article names. It returns false, and adds a problem, if the path leaves the folder.
func CleanPath(t source.Text, problems *source.Problems) (string, bool) {
	name := path.Clean(strings.ReplaceAll(t.Value, `\`, "/"))
	if t.Value == "" {
		problems.Add("outside-folder", t.Pos, "the path is empty").Hint = "name a file of the article's folder, such as server.py"
		return "", false
	}
	if path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") ||
		filepath.VolumeName(name) != "" {
		problems.Add("outside-folder", t.Pos, "%q leaves the article's folder", t.Value).
			Hint = "everything that an article uses is in its folder"
		return "", false
	}
	return name, true
}

// File reads a listing or a regular file of the article's folder.
func (doc *Document) File(t source.Text, problems *source.Problems) (*File, bool) {
	name, ok := CleanPath(t, problems)
	if !ok {
		return nil, false
	}
	var known []string
	for _, l := range doc.Listings {
		if l.Path == name {
			return &File{Path: name, Data: l.Data, listing: l}, true
		}
		known = append(known, l.Path)
	}
	data, exec, err := doc.ReadFile(name)
	switch {
	case err == nil:
		return &File{Path: name, Data: data, Exec: exec}, true
	case errors.Is(err, os.ErrNotExist):
		entries, _ := os.ReadDir(filepath.Join(doc.Dir, filepath.FromSlash(path.Dir(name))))
		for _, e := range entries {
			if beside := path.Join(path.Dir(name), e.Name()); e.Type().IsRegular() && beside != FileName {
				known = append(known, beside)
			}
		}
		problems.Add("no-such-file", t.Pos, "no file or listing %q in the article's folder", t.Value).Hint =
			cmp.Or(source.Suggest(name, known), "put it next to the article, or make a listing of it: file="+name)
	default:
		p := problems.Add("not-a-file", t.Pos, "%q cannot be read: %s", t.Value, files.Reason(err))
		if p.Hint = "name a regular file that you may read"; errors.Is(err, errLink) {
			p.Hint = "replace the link with the file it points to"
		}
	}
	return nil, false
}

// errLink is the error for a symbolic link.
var errLink = errors.New("it is a symbolic link, which could lead out of the article's folder")

// ReadFile reads a regular file of the article's folder. Symbolic links are refused anywhere in its path. The name must
// be cleaned and have slashes. The error does not name the file.
func (doc *Document) ReadFile(name string) (data []byte, exec bool, err error) {
	full := doc.Dir
	var info os.FileInfo
	for part := range strings.SplitSeq(name, "/") {
		full = filepath.Join(full, part)
		if info, err = os.Lstat(full); err != nil {
			return nil, false, err
		}
		if info.Mode()&os.ModeSymlink != 0 {
			return nil, false, errLink
		}
	}
	if data, info, err = files.Read(full, maxFile); err != nil {
		return nil, false, err
	}
	return data, info.Mode()&0o100 != 0, nil
}

// Rows reads a file of rows: CSV with a header, or a YAML list of mappings. Empty fields of CSV are left out.
func (doc *Document) Rows(t source.Text, problems *source.Problems) ([]*source.Node, bool) {
	f, ok := doc.File(t, problems)
	switch {
	case !ok:
		return nil, false
	case f.listing != nil:
		return ParseRows(f.Path, f.listing.Fragment, t, problems)
	}
	src := source.New(path.Join(path.Dir(doc.Source.Path), f.Path), f.Data)
	if !source.Fits(src, problems) {
		return nil, false
	}
	return ParseRows(f.Path, source.Whole(src), t, problems)
}

// ParseRows parses the text of a file of rows; t is where the article names it, for problems.
func ParseRows(name string, text source.Fragment, t source.Text, problems *source.Problems) ([]*source.Node, bool) {
	switch extension := path.Ext(name); {
	case extension != ".csv" && extension != ".yaml" && extension != ".yml":
		problems.Add("wrong-value", t.Pos, "%q is not a file of rows", t.Value).
			Hint = "its name must end in .csv, .yaml or .yml"
		return nil, false
	case extension == ".csv":
		return source.CSV(text, problems)
	default:
		n := source.Parse(text, problems)
		if n == nil {
			return nil, false
		}
		if n.Kind != source.List {
			problems.Add("wrong-shape", n.Text.Pos, "a file of rows must be a list of mappings, not %s", n.Kind).
				Hint = "put a dash before each row"
			return nil, false
		}
		return n.Items, true
	}
}
