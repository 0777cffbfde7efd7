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

// PublishedValue is the published number of a cell.
type PublishedValue struct {
	Number float64 // in the metric's base unit
	Text   string  // as the author wrote it
	Block  *article.Published
}

// Published returns the number that a block publishes for a cell; if block is empty, the first block that has one. It
// is false if no row joins the cell and has the metric.
//
// Source: docs/published.md; docs/method.md#published-against-measured.
func (d *Dataset) Published(c *Cell, metric string, block string) (PublishedValue, bool) {
	for _, b := range d.Doc.Published {
		if block != "" && b.Name.Value != block {
			continue
		}
		for i := range b.Rows {
			at, ok := article.Get(b.Rows[i].Metrics, metric)
			if ok && d.joinOne(b, &b.Rows[i]) == c {
				return PublishedValue{Number: at.Number, Text: at.Text.Value, Block: b}, true
			}
		}
	}
	return PublishedValue{}, false
}

// Join returns the cells of a row: those with the same value in every field that names a parameter or label of the
// experiment. Other fields are notes. The result must not be changed.
//
// Source: docs/published.md.
func (d *Dataset) Join(b *article.Published, row *article.PublishedRow) []*Cell {
	return d.joined.Get(row, func() []*Cell {
		e, ok := d.Experiment(b.Experiment.Value)
		if !ok {
			return nil
		}
		var matches []expr.Match
		for _, f := range row.Fields {
			if slices.Contains(e.settings, f.Name.Value) {
				matches = append(matches, expr.Match{Name: f.Name.Value, Op: expr.Equal, Value: f.Value.Value})
			}
		}
		cells, _ := e.cellsWith(matches) // = compares any texts
		return cells
	})
}

// joinOne returns the cell of a row that joins exactly one; nil for other rows.
func (d *Dataset) joinOne(b *article.Published, row *article.PublishedRow) *Cell {
	if cells := d.Join(b, row); len(cells) == 1 {
		return cells[0]
	}
	return nil
}

// BlockAgreement is how far a published block agrees with what was measured.
type BlockAgreement struct {
	stats.Agreement
	Cells []*Cell // by row of Agreement; nil for a row that does not join exactly one
}

type blockMetric struct {
	block  *article.Published
	metric string
}

// AgreementWith compares a metric of a block with what was measured. It leaves out rows without the metric, and rows of
// zero (failures, say), which have no ratio. The result must not be changed.
//
// Source: docs/method.md#published-against-measured.
func (d *Dataset) AgreementWith(b *article.Published, metric string) BlockAgreement {
	return d.agreements.Get(blockMetric{b, metric}, func() (out BlockAgreement) {
		var list []stats.PublishedRow
		var cells []*Cell
		for i := range b.Rows {
			row := &b.Rows[i]
			at, ok := article.Get(row.Metrics, metric)
			if !ok || at.Number <= 0 || !Finite(at.Number) {
				continue
			}
			fields := slice.Map(row.Fields, func(f article.Named[source.Text]) string { return f.Value.Value })
			p := stats.PublishedRow{Name: strings.Join(fields, ", "), Published: at.Number}
			cell := d.joinOne(b, row)
			if cell != nil {
				p.Name = cell.Trial.Name
				cells = append(cells, cell)
				if r := cell.Metric(metric); r.Missing == "" {
					p.Cell = r.Cell()
				}
			}
			list, out.Cells = append(list, p), append(out.Cells, cell)
		}
		level, floor := LookLevel(LookCount(cells)), d.Floor(metric).F
		out.Agreement, _ = stats.Agree(list, level, stats.DefaultSmallestEffect, floor) // all numbers are finite
		return out
	})
}

// Agreement is AgreementWith for a block by name; if block is empty, for the first that has the metric. It is false if
// there is no such block.
func (d *Dataset) Agreement(metric, block string) (a BlockAgreement, ok bool) {
	for _, b := range d.Doc.Published {
		if (block == "" || b.Name.Value == block) && slices.Contains(MetricsOf(b), metric) {
			return d.AgreementWith(b, metric), true
		}
	}
	return a, false
}

// MetricsOf returns the names of the metrics of a published block.
func MetricsOf(b *article.Published) (metrics []string) {
	for _, row := range b.Rows {
		for _, m := range row.Metrics {
			metrics = slice.Add(metrics, m.Name.Value)
		}
	}
	return metrics
}
