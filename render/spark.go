package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/render/cellview"
	"benchbook/render/chart"
	"benchbook/render/outcome"
	"benchbook/render/typeface"
	"benchbook/render/wording"
)

// spark draws one metric of the cells of a claim, of many the lowest and the highest; nil if it is about several
// metrics.
func (c cardPart) spark(claim *article.Claim) *Spark {
	const fewest, most = 2, 4
	j := c.judgements[claim.Name.Value]
	if claim.Expect.Node == nil {
		return nil
	}
	metric := ""
	for _, s := range expr.Selectors(c.resolved(claim.Expect.Node)) {
		if metric != "" && s.Name != metric {
			return nil
		}
		metric = s.Name
	}
	cells := slices.DeleteFunc(outcome.CellsOf(j), func(cell *dataset.Cell) bool {
		return cell.Metric(metric).Missing != ""
	})
	if len(cells) < fewest {
		return nil
	}
	more := ""
	if n := len(cells); n > most {
		centre := func(cell *dataset.Cell) float64 { return cell.Metric(metric).Estimate.Centre }
		byCentre := func(a, b *dataset.Cell) int { return cmp.Compare(centre(a), centre(b)) }
		cells = []*dataset.Cell{slices.MaxFunc(cells, byCentre), slices.MinFunc(cells, byCentre)}
		more = fmt.Sprintf(", the highest and the lowest of %d", n)
	}
	drawn := c.sparkOf(metric, cells)
	drawn.Caption += more
	return drawn
}

func (c cardPart) sparkOf(metric string, cells []*dataset.Cell) *Spark {
	m := cells[0].Metric(metric).Metric
	unit := cellview.QuantityOf(m, cells).Unit
	fields := cellview.Naming(cells, nil)
	var rows []chart.SparkRow
	interval := false
	by := c.palette().Axis(cells)
	for _, cell := range cells {
		v := cellview.Estimate(cell.Metric(metric))
		if v.Few != "" {
			v.Lo, v.Hi = math.NaN(), math.NaN()
		}
		interval = interval || !math.IsNaN(v.Lo)
		label := unit.Quantity(v.Centre, unit.Decimals(v.Reading()))
		rows = append(rows, chart.SparkRow{Name: cell.Name(fields...), Label: label, Series: c.palette().Cell(cell, by),
			Centre: v.Centre, Lo: v.Lo, Hi: v.Hi})
	}
	caption := wording.Lower(m.Title)
	if interval {
		caption += ", 95\u202f% interval"
	}
	metrics := c.measures.Get().(*typeface.Metrics)
	defer c.measures.Put(metrics)
	return &Spark{chart.Spark(metrics, rows), caption}
}
