package render

import (
	"html/template"

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

// published shows published numbers, folded because tables and figures show them beside ours.
func (c *composer) published(p *article.Published) template.HTML {
	v := struct {
		Summary, Source string
		URL             template.URL
		Heads           []publishedCell
		Rows            [][]publishedCell
	}{Summary: wording.Count(len(p.Rows), "row") + " of " + p.Source.Value, Source: p.Source.Value}
	if p.URL.Value != "" {
		v.URL, _ = c.prose.Source(p.URL.Value)
	}
	var fields, metrics []string
	for _, r := range p.Rows {
		for _, f := range r.Fields {
			fields = slice.Add(fields, f.Name.Value)
		}
		for _, m := range r.Metrics {
			metrics = slice.Add(metrics, m.Name.Value)
		}
	}
	for _, f := range fields {
		v.Heads = append(v.Heads, publishedCell{wording.Capital(f), false})
	}
	var texts [][]string
	for _, name := range metrics {
		head, column := cellview.PublishedColumn(c.d, p, name)
		v.Heads = append(v.Heads, publishedCell{head, true})
		texts = append(texts, column)
	}
	for i, r := range p.Rows {
		var row []publishedCell
		for _, name := range fields {
			row = append(row, publishedCell{textOf(r.Fields, name, func(t source.Text) string { return t.Value }), false})
		}
		for _, column := range texts {
			row = append(row, publishedCell{column[i], true})
		}
		v.Rows = append(v.Rows, row)
	}
	return c.Fill("published", v)
}

func textOf[T any](list []article.Named[T], name string, text func(T) string) string {
	for _, n := range list {
		if n.Name.Value == name {
			return text(n.Value)
		}
	}
	return ""
}
