package cellview

import (
	"strconv"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"

	"benchbook/render/wording"
)

// PublishedColumn gives the head of the published numbers of a metric, and the numbers by row: as written if that has a
// unit, and otherwise with one; empty where a row has none.
func PublishedColumn(d *dataset.Dataset, p *article.Published, name string) (head string, texts []string) {
	metric := publishedMetric(d, p, name)
	texts = make([]string, len(p.Rows))
	var numbers []float64
	each := func(do func(i int, at article.PublishedAt)) {
		for i, r := range p.Rows {
			for _, m := range r.Metrics {
				if m.Name.Value == name {
					do(i, m.Value)
				}
			}
		}
	}
	each(func(_ int, at article.PublishedAt) { numbers = append(numbers, at.Number) })
	unit := wording.UnitFor(metric.Unit, metric.Share, numbers...)
	each(func(i int, at article.PublishedAt) {
		if texts[i] = at.Text.Value; texts[i] == "" {
			return
		}
		if _, err := strconv.ParseFloat(texts[i], 64); err == nil {
			texts[i] = unit.Exact(at.Number)
		}
	})
	return wording.Capital(metric.Title), texts
}

// publishedMetric is a metric of the experiment that published numbers are of, or of any.
func publishedMetric(d *dataset.Dataset, p *article.Published, name string) record.Metric {
	for _, e := range d.Experiments {
		if of := p.Experiment.Value; of != "" && of != e.Plan.Name {
			continue
		}
		if m, ok := MetricOf(name, e.Cells); ok && m.Title != "" {
			return m
		}
	}
	return record.Metric{Name: name, Title: name, Unit: "1"}
}
