package render

import (
	"html/template"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/render/cellview"

	"benchbook/internal/slice"
	"benchbook/render/wording"
)

type publishedCell struct {
	Words  string
	Number bool
}

// publishedView is published numbers as a table. Fields that are the same in all rows are named once.
type publishedView struct {
	Summary, Source string
	URL             template.URL
	Common          string
	Heads           []publishedCell
	Rows            [][]publishedCell
}

// published shows published numbers, folded because tables and figures show them beside ours.
func (c *composer) published(p *article.Published) template.HTML {
	v := publishedView{Summary: wording.Count(len(p.Rows), "number") + " of " + p.Source.Value, Source: p.Source.Value}
	if p.URL.Value != "" {
		v.URL, _ = c.prose.Source(p.URL.Value)
	}
	var fields, metrics []string
	for _, r := range p.Rows {
		fields = slice.Add(fields, slice.Map(r.Fields, nameIn)...)
		metrics = slice.Add(metrics, slice.Map(r.Metrics, nameIn)...)
	}
	heads := slice.Map(fields, wording.Capital)
	columns := make([][]string, len(metrics))
	for i, name := range metrics {
		var head string
		head, columns[i] = cellview.PublishedColumn(c.d, p, name)
		heads = append(heads, head)
	}
	var rows [][]string
	for i, r := range p.Rows {
		row := slice.Map(fields, func(name string) string {
			return textOf(r.Fields, name, func(t source.Text) string { return t.Value })
		})
		for _, column := range columns {
			row = append(row, column[i])
		}
		if last := len(rows) - 1; last < 0 || !joined(rows[last], row, len(fields)) {
			rows = append(rows, row)
		}
	}
	v.fill(heads, rows, len(fields))
	return c.Fill("published", v)
}

func nameIn[T any](n article.Named[T]) string { return n.Name.Value }

// fill fills the table with rows, which begin with fields.
func (v *publishedView) fill(heads []string, rows [][]string, fields int) {
	v.Rows = make([][]publishedCell, len(rows))
	var common []string
	for i, head := range heads {
		isNumber := i >= fields
		isSame := !slices.ContainsFunc(rows, func(row []string) bool { return row[i] != rows[0][i] })
		if !isNumber && isSame && len(rows) > 1 {
			common = append(common, wording.Lower(head)+" "+rows[0][i])
			continue
		}
		v.Heads = append(v.Heads, publishedCell{head, isNumber})
		for k, row := range rows {
			v.Rows[k] = append(v.Rows[k], publishedCell{row[i], isNumber})
		}
	}
	if len(common) > 0 {
		v.Common = "All rows: " + wording.List(common) + "."
	}
}

// joined adds a row to the last one if both are of the same fields and have different metrics. A remark may go on
// behind a semicolon.
func joined(last, row []string, fields int) bool {
	out := slices.Clone(last)
	for i, words := range row {
		switch {
		case i < fields && (words == last[i] || strings.HasPrefix(last[i], words+";")):
		case i < fields && strings.HasPrefix(words, last[i]+";"), i >= fields && last[i] == "":
			out[i] = words
		case i < fields || words != "":
			return false
		}
	}
	copy(last, out)
	return true
}

func textOf[T any](list []article.Named[T], name string, text func(T) string) string {
	for _, n := range list {
		if n.Name.Value == name {
			return text(n.Value)
		}
	}
	return ""
}
