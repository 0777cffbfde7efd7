package dataset

import (
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// PublishedValue is what a published block says of a cell.
type PublishedValue struct {
	Number float64 // in the metric's base unit
	Text   string  // as the author wrote it
	Block  *article.Published
}

// Published gives what a published block says of a cell; without a name, the first block that has it. It is false if
// no row of the block joins the cell and has the metric.
//
// Source: docs/published.md; docs/method.md#published-against-measured.
func (d *Dataset) Published(c *Cell, metric string, block string) (PublishedValue, bool) {
	for _, b := range d.Doc.Published {
		if block != "" && b.Name.Value != block {
			continue
		}
		for i := range b.Rows {
			row := &b.Rows[i]
			at, ok := metricOf(row, metric)
			if !ok {
				continue
			}
			if cells := d.Join(b, row); len(cells) != 1 || cells[0] != c {
				continue
			}
			return PublishedValue{Number: at.Number, Text: at.Text.Value, Block: b}, true
		}
	}
	return PublishedValue{}, false
}

func metricOf(row *article.PublishedRow, metric string) (article.PublishedAt, bool) {
	return article.Get(row.Metrics, metric)
}

// Join gives the cells that a row is about: those that agree in every parameter and label that both have. Other
// fields of the row are notes. The cells must not be changed: they are found once for each row.
//
// Source: docs/published.md.
func (d *Dataset) Join(b *article.Published, row *article.PublishedRow) []*Cell {
	return Once(d, row, func() []*Cell {
		e, ok := d.Experiment(b.Experiment.Value)
		if !ok {
			return nil
		}
		known := e.Settings()
		return slices.DeleteFunc(slices.Clone(e.Cells), func(c *Cell) bool {
			return slices.ContainsFunc(row.Fields, func(f article.Named[source.Text]) bool {
				text, _ := c.Setting(f.Name.Value)
				same, err := expr.MatchText(expr.Equal, f.Value.Value, text)
				return slices.Contains(known, f.Name.Value) && (err != nil || !same)
			})
		})
	})
}

// BlockAgreement is how far a published block agrees with what was measured.
type BlockAgreement struct {
	stats.Agreement
	rows []*article.PublishedRow // that have the metric, in the order of the result's
	Err  error
}

// AgreementWith compares a metric of a block with what was measured, once for each. Rows of zero, which failures may
// have, are left out: they have no ratio.
func (d *Dataset) AgreementWith(b *article.Published, metric string) BlockAgreement {
	type key struct {
		block  *article.Published
		metric string
	}
	return Once(d, key{b, metric}, func() (out BlockAgreement) {
		var list []stats.PublishedRow
		var cells []*Cell
		for i := range b.Rows {
			row := &b.Rows[i]
			at, ok := metricOf(row, metric)
			if !ok || at.Number <= 0 {
				continue
			}
			p := stats.PublishedRow{Name: rowName(row), Published: at.Number}
			if joined := d.Join(b, row); len(joined) == 1 {
				p.Name = joined[0].Trial.Name
				cells = append(cells, joined[0])
				if r := joined[0].Metric(metric); r.Missing == "" {
					p.Cell = r.Cell()
				}
			}
			out.rows, list = append(out.rows, row), append(list, p)
		}
		out.Agreement, out.Err = stats.Agree(list, LookLevel(LookCount(cells)), stats.DefaultSmallestEffect, d.Floor(metric).F)
		return out
	})
}

// UndecidedRows are the cells of rows of a block that published numbers tell apart from others, and measured ones do
// not.
func (d *Dataset) UndecidedRows(b *article.Published, metric string) (cells []*Cell) {
	a := d.AgreementWith(b, metric)
	for i, row := range a.rows {
		if a.Err == nil && a.Rows[i].Open {
			cells = append(cells, d.Join(b, row)...)
		}
	}
	return cells
}

// Agreement compares a metric of a published block, by name or the first that has it, with what was measured. Cells
// are those of the rows, nil for a row that joins none. It is false if no block has the metric, or a number in it is
// none.
//
// Source: docs/method.md#published-against-measured.
func (d *Dataset) Agreement(metric, block string) (a stats.Agreement, cells []*Cell, ok bool) {
	for _, b := range d.Doc.Published {
		if block != "" && b.Name.Value != block || !Publishes(b, metric) {
			continue
		}
		found := d.AgreementWith(b, metric)
		if found.Err != nil {
			return stats.Agreement{}, nil, false
		}
		for _, row := range found.rows {
			var cell *Cell
			if joined := d.Join(b, row); len(joined) == 1 {
				cell = joined[0]
			}
			cells = append(cells, cell)
		}
		return found.Agreement, cells, true
	}
	return stats.Agreement{}, nil, false
}

func rowName(row *article.PublishedRow) string {
	words := slice.Map(row.Fields, func(f article.Named[source.Text]) string { return f.Value.Value })
	return strings.Join(words, ", ")
}

func Publishes(b *article.Published, metric string) bool {
	return slices.Contains(MetricsOf(b), metric)
}

// MetricsOf lists the metrics of a published block.
func MetricsOf(b *article.Published) (metrics []string) {
	for _, row := range b.Rows {
		for _, m := range row.Metrics {
			metrics = slice.Add(metrics, m.Name.Value)
		}
	}
	return metrics
}
