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
	maxRowFile  = 1 << 20  // bytes of one file
	maxRowBytes = 16 << 20 // bytes of all files that match a pattern
)

// readRows replaces the rows and axes of a matrix that are in files by lists. It is false if a file cannot be read.
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
	if isRead && ok { // what was written in the block was checked when that was read
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
		return named(p.rowsIn(rowFile.Text), key), true
	case isText(pattern) && rowFile == nil:
		return named(p.rowsOfFiles(pattern.Text), key), true
	}
	return nil, false
}

// named gives the rows of an axis names and equal columns: a row without a name is called by its first column, and a
// column that it lacks is empty.
func named(rows []*source.Node, axis string) []*source.Node {
	var columns []string
	for _, row := range rows {
		for _, f := range row.Fields {
			isReason := f.Key.Value == "unavailable" || f.Key.Value == "instead_of"
			if !isReason && !slices.Contains(columns, f.Key.Value) {
				columns = append(columns, f.Key.Value)
			}
		}
	}
	for i, row := range rows {
		if row.Kind != source.Map {
			continue // reported when the matrix is read
		}
		full := *row
		full.Fields = slices.Clone(row.Fields)
		if row.Get("name") == nil && len(columns) > 0 {
			if first := row.Get(columns[0]); first != nil {
				full.Fields = append(full.Fields, source.Field{Key: source.Text{Value: "name", Pos: first.Text.Pos}, Value: first})
			}
		}
		full.Fields = slices.DeleteFunc(full.Fields, func(f source.Field) bool { return f.Key.Value == axis })
		for _, column := range columns {
			if full.Get(column) == nil && column != "name" && column != axis {
				empty := &source.Node{Kind: source.Scalar, Text: source.Text{Pos: row.Text.Pos}}
				full.Fields = append(full.Fields, source.Field{Key: source.Text{Value: column, Pos: row.Text.Pos}, Value: empty})
			}
		}
		rows[i] = &full
	}
	return rows
}

// rowsIn reads a CSV or YAML file of rows; nil if it cannot be read.
func (p *planner) rowsIn(t source.Text) []*source.Node {
	doc := p.folder(t).Doc
	var rows []*source.Node
	ok := false
	if name := path.Clean(t.Value); name == ".." || strings.HasPrefix(name, "../") {
		if root, below := p.repositoryPath(doc, name, t); root != nil {
			defer root.Close()
			if src := p.readRowFile(root, below, path.Join(path.Dir(doc.Source.Path), name), t); src != nil {
				rows, ok = article.ParseRows(name, source.Whole(src), t, p.problems)
			}
		}
	} else if rows, ok = doc.Rows(t, p.problems); ok {
		p.reads[filepath.Join(doc.Dir, filepath.FromSlash(name))] = true
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

// repositoryPath opens the repository, and gives the path in it of what an article names. The root is nil for a path
// outside, which is reported.
func (p *planner) repositoryPath(doc *article.Document, name string, t source.Text) (*os.Root, string) {
	top := p.project.Repository()
	below, ok := files.Below(top, filepath.Join(doc.Dir, filepath.FromSlash(name)))
	if !ok {
		p.problems.Add("outside-folder", t.Pos, "%q is outside the repository", t.Value).
			Hint = "name files of the repository that the article is in"
		return nil, ""
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		p.problems.Add("no-such-file", t.Pos, "the repository cannot be read: %s", files.Reason(err))
		return nil, ""
	}
	return root, filepath.ToSlash(below)
}

// readRowFile reads a file of the repository, which messages call shown; nil if it cannot be read.
func (p *planner) readRowFile(root *os.Root, below, shown string, t source.Text) *source.Source {
	data, _, err := files.ReadIn(root, below, maxRowFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.problems.Add("no-such-file", t.Pos, "there is no file %s", shown).Hint = "paths begin at the article's folder"
		return nil
	case err != nil:
		p.problems.Add("not-a-file", t.Pos, "%s cannot be read: %s", shown, files.Reason(err)).
			Hint = "name regular files of the repository"
		return nil
	}
	p.reads[filepath.Join(root.Name(), filepath.FromSlash(below))] = true
	src := source.New(shown, data)
	if !source.Fits(src, p.problems) {
		return nil
	}
	return src
}

// rowsOfFiles reads the YAML files that match a pattern, each of which is a row; nil if one cannot be read. Keys with
// lists and mappings are no columns.
func (p *planner) rowsOfFiles(t source.Text) []*source.Node {
	doc, pattern := p.folder(t).Doc, path.Clean(t.Value)
	if _, err := path.Match(pattern, ""); err != nil || path.IsAbs(pattern) || !strings.ContainsAny(pattern, "*?[") {
		p.problems.Add("wrong-value", t.Pos, "%q is not a pattern for files beside the article", t.Value).
			Hint = `write one with * in it, such as "frameworks/*/meta.yaml"`
		return nil
	}
	texts := map[string]source.Fragment{} // by path
	for _, l := range doc.Listings {
		if ok, _ := path.Match(pattern, l.Path); ok {
			texts[l.Path] = l.Fragment()
		}
	}
	if !p.globRows(doc, pattern, t, texts) {
		return nil
	}
	if len(texts) == 0 {
		p.problems.Add("no-such-file", t.Pos, "no file matches %q", t.Value).
			Hint = "paths begin at the article's folder; * matches no slash, and no name that begins with a dot"
		return nil
	}
	var rows []*source.Node
	for _, name := range sortedKeys(texts) {
		row := p.rowOfFile(texts[name], matchedPart(pattern, name))
		if row == nil {
			return nil
		}
		rows = append(rows, row)
	}
	return rows
}

// rowOfFile reads a file that is a row, called name unless it says otherwise; nil if it is no mapping.
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
		if f.Value.Kind == source.Scalar || f.Value.Kind == source.Null && f.Key.Value == "unavailable" {
			row.Fields = append(row.Fields, f)
		}
	}
	if row.Get("name") == nil {
		row.Fields = append(row.Fields, source.Field{Key: source.Text{Value: "name", Pos: n.Text.Pos},
			Value: &source.Node{Kind: source.Scalar, Text: source.Text{Value: name, Pos: n.Text.Pos}}})
	}
	return row
}

// globRows adds the files of the repository that match a pattern to texts. It is false if one cannot be read.
func (p *planner) globRows(doc *article.Document, pattern string, t source.Text,
	texts map[string]source.Fragment) bool {
	parts := strings.Split(pattern, "/")
	fixed := slices.IndexFunc(parts, func(part string) bool { return strings.ContainsAny(part, `*?[\`) })
	folder := path.Join(parts[:fixed]...)
	root, below := p.repositoryPath(doc, folder, t)
	if root == nil {
		return false
	}
	defer root.Close()
	under, err := fs.Sub(root.FS(), below)
	if err != nil {
		return true // there is no such folder
	}
	matches, err := fs.Glob(under, path.Join(parts[fixed:]...))
	if err != nil || len(matches) > maxRows {
		p.problems.Add("too-many", t.Pos, "%q matches more than %d files", t.Value, maxRows).Hint = "measure fewer of them"
		return false
	}
	size := 0
	for _, match := range matches {
		name := path.Join(folder, match)
		if _, isListing := texts[name]; isListing || hasHidden(pattern, name) {
			continue
		}
		src := p.readRowFile(root, path.Join(below, match), path.Join(path.Dir(doc.Source.Path), name), t)
		if src == nil {
			return false
		}
		if size += len(src.Data); size > maxRowBytes {
			p.problems.Add("too-large", t.Pos, "the files that match %q have more than %d MiB together", t.Value,
				maxRowBytes>>20).Hint = "measure fewer of them"
			return false
		}
		texts[name] = source.Whole(src)
	}
	return true
}

// hasHidden reports that a part of a path begins with a dot where its pattern has a wildcard.
func hasHidden(pattern, name string) bool {
	patterns := strings.Split(pattern, "/")
	for i, part := range strings.Split(name, "/") {
		if strings.HasPrefix(part, ".") && !strings.HasPrefix(patterns[i], ".") {
			return true
		}
	}
	return false
}

// matchedPart is what the wildcards of a pattern stand for in a path: the parts that have some, without an extension.
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
