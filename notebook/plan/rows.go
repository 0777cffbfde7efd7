package plan

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// Bounds of the rows of one axis that are read from files.
const (
	maxRows     = 10_000
	maxFields   = 1_000_000
	maxRowFile  = 1 << 20  // bytes of one file
	maxRowBytes = 16 << 20 // bytes of all files that match a pattern
)

// readRows replaces references to files in a matrix by the rows in them. It returns false if a file cannot be read.
//
// Source: docs/experiment.md#rows-from-files.
func (p *planner) readRows(matrix *source.Node) (*source.Node, bool) {
	if matrix == nil || matrix.Kind != source.Map {
		return matrix, true
	}
	before, ok, isRead := p.problems.Found(), true, false
	out := expandFields(matrix, func(key string, n *source.Node) *source.Node {
		rows, inFile := p.rowsOf(key, n)
		if !inFile {
			return n
		}
		isRead, ok = true, ok && rows != nil
		list := &source.Node{Kind: source.List, Text: n.Text, Items: rows}
		return expand(list, settings{profile: p.options.Profile, early: true}, p.problems)
	})
	if isRead && ok { // the block itself was checked when it was read
		new(article.Matrix).DecodeNode(article.NewDecoder(p.problems, true), out, "matrix")
	}
	return out, ok && p.problems.Found() == before
}

// rowsOf reads the values of an axis, or the rows of include, if they are in files.
func (p *planner) rowsOf(key string, n *source.Node) (rows []*source.Node, inFile bool) {
	isText := func(n *source.Node) bool { return n != nil && n.Kind == source.Scalar }
	rowFile, pattern := n.Get("rows"), n.Get("files")
	switch {
	case key == "include" && isText(n):
		return p.rowsIn(n.Text), true
	case key == "include" || key == "exclude" || strings.HasPrefix(key, "x-"):
		return nil, false
	case isText(rowFile) && pattern == nil:
		return p.normalizeRows(p.rowsIn(rowFile.Text), key, rowFile.Text.Pos), true
	case isText(pattern) && rowFile == nil:
		return p.normalizeRows(p.rowsOfFiles(pattern.Text), key, pattern.Text.Pos), true
	}
	return nil, false
}

func textField(key, value string, at source.Pos) source.Field {
	return source.Field{Key: source.Text{Value: key, Pos: at},
		Value: &source.Node{Kind: source.Scalar, Text: source.Text{Value: value, Pos: at}}}
}

// normalizeRows gives each row of an axis a name and all columns. A row without a name takes the value of its first
// column; missing columns become empty. It returns nil for too many values, and reports them at the place at.
func (p *planner) normalizeRows(rows []*source.Node, axis string, at source.Pos) []*source.Node {
	var columns []string
	for _, row := range rows {
		for _, f := range row.Fields {
			if key := f.Key.Value; !slices.Contains(columns, key) {
				columns = append(columns, key)
			}
		}
		if len(columns)*len(rows) > maxFields {
			p.problems.Add("too-many", at, "the rows have more than %d values, as each gets the columns of all", maxFields).
				Hint = "give the rows the same columns"
			return nil
		}
	}
	for i, row := range rows {
		if row.Kind != source.Map {
			continue // reported when the matrix is read
		}
		full := row.Without(axis)
		if first := row.Get(append(columns, "")[0]); row.Get("name") == nil && first != nil {
			full.Fields = append(full.Fields, textField("name", first.Text.Value, first.Text.Pos))
		}
		for _, column := range columns {
			if row.Get(column) == nil && column != "name" && column != axis {
				full.Fields = append(full.Fields, textField(column, "", row.Text.Pos))
			}
		}
		rows[i] = full
	}
	return rows
}

// rowsIn reads a CSV or YAML file of rows; nil if it cannot be read.
func (p *planner) rowsIn(t source.Text) (rows []*source.Node) {
	ok := false
	if name := path.Clean(t.Value); !isAbove(name) {
		if rows, ok = p.doc.Rows(t, p.problems); ok {
			p.reads[p.own.whole(name)] = true
		}
	} else if f, root, below := p.inRepository(t); f != nil {
		defer root.Close()
		if src := f.readRowFile(root, below, t, p.problems); src != nil {
			rows, ok = article.ParseRows(below, source.Whole(src), t, p.problems)
		}
	}
	if len(rows) > maxRows {
		p.problems.Add("too-many", t.Pos, "%q has more than %d rows", t.Value, maxRows).Hint = "measure fewer of them"
		return nil
	}
	if ok && rows == nil {
		p.problems.Add("empty-axis", t.Pos, "%q has no rows", t.Value).Hint = "add a row, or remove the axis"
	}
	return rows
}

// inRepository opens the repository, and returns it with the path of t in it. It returns nil after a problem, such as a
// path outside.
func (p *planner) inRepository(t source.Text) (*folder, *os.Root, string) {
	below, ok := files.Below(p.repository, p.own.whole(path.Clean(t.Value)))
	if !ok {
		p.problems.Add("outside-folder", t.Pos, "%q is outside the repository", t.Value).
			Hint = "name files of the repository that the article is in"
		return nil, nil, ""
	}
	f := p.own.aroundIt(p.repository)
	root, err := f.open()
	if err != nil {
		p.problems.Add("no-such-file", t.Pos, "the repository cannot be read: %s", files.Reason(err))
		return nil, nil, ""
	}
	return f, root, filepath.ToSlash(below)
}

// readRowFile reads a file of the repository; nil if it cannot be read.
func (f *folder) readRowFile(root *os.Root, name string, t source.Text, problems *source.Problems) *source.Source {
	shown := name
	if fromArticle, err := filepath.Rel(f.user.Dir, f.whole(name)); err == nil {
		shown = path.Join(path.Dir(f.user.Source.Path), filepath.ToSlash(fromArticle))
	}
	file, err := f.read(root, name, maxRowFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		problems.Add("no-such-file", t.Pos, "there is no file %s", shown).Hint = "paths begin at the article's folder"
		return nil
	case err != nil:
		problems.Add("not-a-file", t.Pos, "%s cannot be read: %s", shown, files.Reason(err)).
			Hint = "name regular files of the repository"
		return nil
	}
	src := source.New(shown, file.Data)
	if !source.Fits(src, problems) {
		return nil
	}
	return src
}

// rowsOfFiles reads the YAML files that match a pattern, one row each; nil if a file cannot be read.
func (p *planner) rowsOfFiles(t source.Text) (rows []*source.Node) {
	pattern := path.Clean(t.Value)
	if _, err := path.Match(pattern, ""); err != nil || path.IsAbs(pattern) || !strings.ContainsAny(pattern, "*?[") {
		p.problems.Add("wrong-value", t.Pos, "%q is not a pattern for files next to the article", t.Value).
			Hint = `write one with * in it, such as "frameworks/*/meta.yaml"`
		return nil
	}
	f, root, below := p.inRepository(t)
	if f == nil {
		return nil
	}
	defer root.Close()
	texts, ok := f.matching(root, below, t, p.problems)
	if ok && len(texts) == 0 {
		p.problems.Add("no-such-file", t.Pos, "no file matches %q", t.Value).
			Hint = "paths begin at the article's folder; * matches no slash, and no name that begins with a dot"
	}
	for _, name := range sortedKeys(texts) {
		row := p.rowOfFile(texts[name], matchedPart(below, name))
		if row == nil {
			return nil
		}
		rows = append(rows, row)
	}
	return rows
}

// matching returns the files and listings of the repository that match a pattern, by path. It returns false if one
// cannot be read.
func (f *folder) matching(root *os.Root, pattern string, t source.Text, problems *source.Problems) (
	texts map[string]source.Fragment, ok bool) {
	texts = map[string]source.Fragment{}
	for _, l := range f.doc.Listings {
		if ok, _ := path.Match(pattern, l.Path); ok {
			texts[l.Path] = l.Fragment
		}
	}
	matches, err := fs.Glob(root.FS(), pattern)
	if err != nil || len(matches) > maxRows {
		problems.Add("too-many", t.Pos, "%q matches more than %d files", t.Value, maxRows).Hint = "measure fewer of them"
		return nil, false
	}
	size := 0
	for _, name := range matches {
		if _, isListing := texts[name]; isListing || strings.Contains("/"+matchedPart(pattern, name), "/.") {
			continue
		}
		src := f.readRowFile(root, name, t, problems)
		if src == nil {
			return nil, false
		}
		if size += len(src.Data); size > maxRowBytes {
			problems.Add("too-large", t.Pos, "the files that match %q have more than %d MiB together", t.Value,
				maxRowBytes>>20).Hint = "measure fewer of them"
			return nil, false
		}
		texts[name] = source.Whole(src)
	}
	return texts, true
}

// rowOfFile reads a file with one row; nil if it is not a mapping. A row without a name gets the given one. Nested
// lists and mappings are left out.
func (p *planner) rowOfFile(text source.Fragment, name string) *source.Node {
	n := source.Parse(text, p.problems)
	if n == nil {
		return nil
	}
	if n.Kind != source.Map {
		p.problems.Add("wrong-shape", n.Text.Pos, "the file of a row must be a mapping, not %s", n.Kind).
			Hint = "write keys with values; they are the columns"
		return nil
	}
	row := &source.Node{Kind: source.Map, Text: n.Text}
	for _, f := range n.Fields {
		if f.Value.Kind == source.Scalar {
			row.Fields = append(row.Fields, f)
		}
	}
	if row.Get("name") == nil {
		row.Fields = append(row.Fields, textField("name", name, n.Text.Pos))
	}
	return row
}

// matchedPart returns the path elements that match a wildcard of the pattern, without a file extension.
func matchedPart(pattern, name string) string {
	patterns, parts := strings.Split(pattern, "/"), strings.Split(name, "/")
	var out []string
	for i, part := range parts {
		if strings.ContainsAny(patterns[i], `*?[\`) {
			if i == len(parts)-1 {
				part = strings.TrimSuffix(part, path.Ext(part))
			}
			out = append(out, part)
		}
	}
	return strings.Join(out, "/")
}
