package render

import (
	"fmt"
	"html/template"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/render/cellview"
	"benchbook/render/wording"
)

// publishedView names published numbers, which tables and figures show next to ours.
type publishedView struct {
	Count, Source string
	URL           template.URL
	Data          link
}

func (c *composer) published() (list []publishedView) {
	for i, p := range c.doc.Published {
		numbers := 0
		for _, r := range p.Rows {
			numbers += len(r.Metrics)
		}
		v := publishedView{Count: wording.Count(numbers, "number"), Source: p.Source.Value,
			Data: c.addFile(fmt.Sprintf("published-%d.csv", i+1), "CSV", publishedData(p))}
		if p.URL.Value != "" {
			v.URL, _ = c.prose.Source(p.URL.Value)
		}
		list = append(list, v)
	}
	return list
}

// publishedData has a row for each published one, with numbers in base units.
func publishedData(p *article.Published) []byte {
	var fields, metrics []string
	for _, r := range p.Rows {
		fields = slice.Add(fields, slice.Map(r.Fields, func(n article.Named[source.Text]) string { return n.Name.Value })...)
		metrics = slice.Add(metrics, slice.Map(r.Metrics, func(n article.Named[article.PublishedAt]) string { return n.Name.Value })...)
	}
	t := cellview.NewDataTable(fields, metrics...)
	for _, r := range p.Rows {
		values := map[string]any{}
		for _, f := range r.Fields {
			values[f.Name.Value] = f.Value.Value
		}
		for _, m := range r.Metrics {
			values[m.Name.Value] = m.Value.Number
		}
		pick := func(name string) any { return values[name] }
		t.Add(slice.Map(fields, pick), slice.Map(metrics, pick)...)
	}
	return t.CSV()
}
