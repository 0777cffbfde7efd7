package article

import (
	"cmp"
	"errors"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"benchbook/internal/files"
	"benchbook/notebook/source"
)

// maxFile bounds what is read of a single file of an article; larger data is better made in an image.
const maxFile = 256 << 20

// A File is a file of an article: one of its folder, or a file= listing.
type File struct {
	Path string // cleaned, relative to the article's folder, with slashes
	Data []byte
	Exec bool // executable; listings never are

	listing *Listing // that it is, or nil
}

// fragment is the text of the file, with the places of what is in it. It is false for one that is too large to be read
// so.
func (f *File) fragment(doc *Document, problems *source.Problems) (source.Fragment, bool) {
	if f.listing != nil {
		return f.listing.fragment, true
	}
	src := source.New(path.Join(path.Dir(doc.Source.Path), f.Path), f.Data)
	if !source.Fits(src, problems) {
		return source.Fragment{}, false
	}
	return source.Whole(src), true
}

// RecordsName is the folder of records beside the file of an article: records, or that of another name with .records.
func RecordsName(file string) string {
	if name := filepath.Base(file); file != "" && name != FileName {
		return strings.TrimSuffix(name, filepath.Ext(name)) + ".records"
	}
	return "records"
}

// IsOurs says of a cleaned path in the article's folder that it is the article, or in the folder of its
// records, or, of one in no project, in that of its site or of what is known of a run; or such a neighbour of that.
func (doc *Document) IsOurs(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	file := path.Base(doc.Source.Path)
	return name == file || first == RecordsName(file) ||
		file != FileName && (first == "_site" || first == ".benchbook" || doc.isNeighbour(first))
}

// experimentFence is the line by which a Markdown file is known to be an article.
var experimentFence = regexp.MustCompile("(?m)^ {0,3}(```+|~~~+)yaml experiment\\s*$")

// isNeighbour says of what lies beside an article that is in no project that it is another one, or its records.
func (doc *Document) isNeighbour(name string) bool {
	if stem, ok := strings.CutSuffix(name, ".records"); ok {
		return doc.isNeighbour(stem + ".md")
	}
	if path.Ext(name) != ".md" {
		return false
	}
	text, _, err := files.Read(filepath.Join(doc.Dir, name), 1_000_000) // as large as articles may be
	return err == nil && experimentFence.Match(text)
}

// CleanPath cleans a path that an article names and makes sure that it stays in the article's folder.
func CleanPath(t source.Text, problems *source.Problems) (string, bool) {
	name := path.Clean(strings.ReplaceAll(t.Value, `\`, "/"))
	if t.Value == "" || path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") ||
		filepath.VolumeName(name) != "" {
		problems.Add("outside-folder", t.Pos, "%q leaves the article's folder", t.Value).
			Hint = "everything that an article uses lies beside it"
		return "", false
	}
	return name, true
}

// File reads a file that an article names: a listing, or a regular file of its folder. A symbolic link would lead out
// of the folder unnoticed, and is none.
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
	if err != nil {
		if entries, err := os.ReadDir(filepath.Join(doc.Dir, filepath.FromSlash(path.Dir(name)))); err == nil {
			for _, e := range entries {
				if beside := path.Join(path.Dir(name), e.Name()); e.Type().IsRegular() && beside != FileName {
					known = append(known, beside)
				}
			}
		}
		switch {
		case errors.Is(err, errLink):
			problems.Add("not-a-file", t.Pos, "%q cannot be read: %s", t.Value,
				files.Reason(err)).Hint = "replace the link with the file it points to"
		case !errors.Is(err, os.ErrNotExist):
			problems.Add("not-a-file", t.Pos, "%q cannot be read: %s", t.Value,
				files.Reason(err)).Hint = "name a regular file that you may read"
		default:
			hint := cmp.Or(source.Suggest(name, known), "put it beside the article, or make a listing of it: file="+name)
			problems.Add("no-such-file", t.Pos, "no file or listing %q in the article's folder", t.Value).Hint = hint
		}
		return nil, false
	}
	return &File{Path: name, Data: data, Exec: exec}, true
}

// errLink is the error for a symbolic link in the place of a file.
var errLink = errors.New("it is a symbolic link, which could lead out of the article's folder")

// ReadFile reads a regular file of the article's folder, of which no part of the path is a symbolic link. The name is
// cleaned and has slashes. The error does not name the file.
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

// Rows reads a file of rows, which is CSV with a line of names, or a YAML list of mappings. Everything in them knows
// its place in the file. An empty field of CSV is none.
func (doc *Document) Rows(t source.Text, problems *source.Problems) ([]*source.Node, bool) {
	f, ok := doc.File(t, problems)
	if !ok {
		return nil, false
	}
	text, ok := f.fragment(doc, problems)
	if !ok {
		return nil, false
	}
	return ParseRows(f.Path, text, t, problems)
}

// ParseRows reads the text of a file of rows, which t names.
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

// lineRange reads the lines of lines=10-30: from and to, both counted from 1, to the end if the second is left out.
func lineRange(s string) (from, to int, ok bool) {
	first, last, ranged := strings.Cut(s, "-")
	from, err := strconv.Atoi(first)
	if err != nil || from < 1 {
		return 0, 0, false
	}
	switch {
	case !ranged:
		return from, from, true
	case last == "":
		return from, math.MaxInt, true
	}
	to, err = strconv.Atoi(last)
	return from, to, err == nil && to >= from
}

// include reads a listing that stands in a file of the article.
func (doc *Document) include(b *Block) *Listing {
	lines := b.lines
	f, ok := doc.File(b.includes, &doc.Problems)
	if !ok {
		return nil
	}
	l := &Listing{Language: b.language, Path: f.Path, Data: f.Data, Pos: b.Place}
	if lines.IsZero() {
		return l
	}
	all := strings.SplitAfter(string(f.Data), "\n")
	if all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	from, to, ok := lineRange(lines.Value)
	switch {
	case !ok:
		doc.Problems.Add("wrong-value", lines.Pos, "invalid line range %q",
			lines.Value).Hint = "write lines=10-30, lines=10- or lines=10"
		return nil
	case from > len(all) || to != math.MaxInt && to > len(all):
		doc.Problems.Add("wrong-value", lines.Pos, "%s ends with line %d", f.Path, len(all)).Hint = "name lines that it has"
		return nil
	}
	l.First = from
	l.Data = []byte(strings.Join(all[from-1:min(to, len(all))], ""))
	return l
}
